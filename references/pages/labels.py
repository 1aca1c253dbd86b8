"""Numbers, sizes, times and identifiers in the form people read them. Pure."""

from references.vocabulary import IMAGE_BASELINES

KILO = 1000
_LARGEST = 10**30
_SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_COUNT_UNITS = ("", "K", "M", "B", "T")
_MINUTE, _HOUR, _DAY, _MONTH, _YEAR = 60, 3600, 86_400, 2_629_800, 31_557_600
_AGES = ((_YEAR, "year"), (_MONTH, "month"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))

# Words of baselines that are not written with one capital letter.
_SPELLINGS = {"xl": "XL"}


def number(value: float) -> str:
    """A count, or a figure with no more decimals than say something."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if value >= 100 else _shortened(f"{value:.2f}")


def percentage(value: float) -> str:
    if 0 < value < 0.01:
        return "under 0.01 %"
    return f"{value:.1f} %" if value >= 10 else f"{number(float(value))} %"


def file_size(size: float) -> str:
    """Bytes in decimal units, as hosts and disks count them: three digits that count."""
    figure, unit = _scaled(size, _SIZE_UNITS)
    return f"{figure} {unit}"


def parameter_count(count: float) -> str:
    """A number of parameters as model names tell it: 12B, 560M."""
    figure, unit = _scaled(count, _COUNT_UNITS)
    return f"{_shortened(figure)}{unit}"


def _scaled(value: float, units: tuple[str, ...]) -> tuple[str, str]:
    """Three digits that count, and the unit they are in."""
    # Imported numbers may be too large for arithmetic with fractions.
    value = float(min(value, _LARGEST))
    power = 0
    # What would be rounded up to a thousand is one of the next unit.
    while value >= KILO - 0.5 and power < len(units) - 1:
        value /= KILO
        power += 1
    digits = 0 if power == 0 or value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}", units[power]


def _shortened(figure: str) -> str:
    """The figure without zeros that say nothing."""
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def age(seconds: float) -> str:
    """How long ago something happened, in the largest unit that fits."""
    for length, unit in _AGES:
        if seconds >= length:
            return f"{counted(int(seconds // length), unit)} ago"
    return "just now"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"


def sentence(identifier: str) -> str:
    """An identifier such as `post_processing` as the beginning of a sentence."""
    return identifier.replace("_", " ").capitalize()


def baseline_label(identifier: str) -> str:
    """A known image baseline such as `stable_diffusion_xl` in words; any other one as it is."""
    if identifier not in IMAGE_BASELINES:
        return identifier
    return " ".join(_SPELLINGS.get(part, part.capitalize()) for part in identifier.split("_"))
