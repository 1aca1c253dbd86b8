"""The words the records are made of: baselines, styles, backends, settings keys and other closed or open lists."""

from dataclasses import dataclass
from enum import StrEnum

# The longest name of a model or of a group of models, in characters.
NAME_LENGTH = 255


class Domain(StrEnum):
    """What kind of media a model works on."""

    IMAGE = "image"
    TEXT = "text"
    VIDEO = "video"
    AUDIO = "audio"
    RENDERED_3D = "rendered_3d"


class Purpose(StrEnum):
    """What a model is for."""

    GENERATION = "generation"
    POST_PROCESSING = "post_processing"
    AUXILIARY_OR_PATCH = "auxiliary_or_patch"
    FEATURE_EXTRACTOR = "feature_extractor"
    SAFETY_CHECKER = "safety_checker"
    MISCELLANEOUS = "miscellaneous"


class CanonicalFormat(StrEnum):
    """The API version a deployment takes writes on."""

    LEGACY = "legacy"
    V2 = "v2"


class ReplicateMode(StrEnum):
    """Whether a deployment owns its data or follows another one."""

    PRIMARY = "PRIMARY"
    REPLICA = "REPLICA"


class ReadRole(StrEnum):
    """The least role that may read the pending queue and its audit views."""

    APPROVER = "approver"
    REQUESTOR = "requestor"
    ANY = "any"


class ImageStyle(StrEnum):
    """The styles an image model may have; closed."""

    GENERALIST = "generalist"
    ANIME = "anime"
    FURRY = "furry"
    ARTISTIC = "artistic"
    OTHER = "other"
    REALISTIC = "realistic"


class ControlNetStyle(StrEnum):
    """The known ControlNet styles; a recommendation, other values are accepted."""

    SEG = "control_seg"
    SCRIBBLE = "control_scribble"
    FAKESCRIBBLES = "control_fakescribbles"
    OPENPOSE = "control_openpose"
    NORMAL = "control_normal"
    MLSD = "control_mlsd"
    HOUGH = "control_hough"
    HED = "control_hed"
    CANNY = "control_canny"
    DEPTH = "control_depth"
    QR = "control_qr"
    QR_XL = "control_qr_xl"
    LINEART = "control_lineart"
    LINEART_ANIME = "control_lineart_anime"
    NORMAL_BAE = "control_normal_bae"
    RECOLOR = "control_recolor"
    TILE = "control_tile"


@dataclass(frozen=True, slots=True)
class Baseline:
    """An image baseline: its id, the side in pixels it was trained at, other spellings, and the legacy spelling."""

    id: str
    native_side: int | None
    aliases: tuple[str, ...] = ()
    legacy: str | None = None

    @property
    def legacy_spelling(self) -> str:
        return self.legacy or self.id


IMAGE_BASELINES: dict[str, Baseline] = {
    baseline.id: baseline
    for baseline in (
        Baseline("infer", None),
        Baseline(
            "stable_diffusion_1",
            512,
            (
                "stable diffusion 1",
                "stable diffusion 1.4",
                "stable diffusion 1.5",
                "SD1",
                "SD14",
                "SD1.4",
                "SD15",
                "SD1.5",
                "stable_diffusion",
                "stable_diffusion_1.4",
                "stable_diffusion_1.5",
            ),
            legacy="stable diffusion 1",
        ),
        Baseline("stable_diffusion_2_768", 768, legacy="stable diffusion 2"),
        Baseline("stable_diffusion_2_512", 512, legacy="stable diffusion 2 512"),
        Baseline("stable_diffusion_xl", 1024, ("stable diffusion xl", "SDXL")),
        Baseline("stable_cascade", 1024, ("stable cascade",)),
        Baseline("flux_1", 1024),
        Baseline("flux_schnell", 1024, ("flux schnell",)),
        Baseline("flux_dev", 1024, ("flux dev",)),
        Baseline("qwen_image", 1024, ("qwen image", "qwen-image", "qwen")),
        Baseline("z_image_turbo", 1024, ("z image turbo", "zimage-turbo", "zimage")),
    )
}
_BASELINE_IDS = {
    spelling: baseline.id
    for baseline in IMAGE_BASELINES.values()
    for spelling in (baseline.id, *baseline.aliases)
}
_LEGACY_BASELINE_IDS = {baseline.legacy_spelling: baseline.id for baseline in IMAGE_BASELINES.values()}


def baseline_id(spelling: str) -> str | None:
    """The id an image baseline goes by, from its id or one of its aliases; None when it is unknown."""
    return _BASELINE_IDS.get(spelling)


def baseline_from_legacy(spelling: str) -> str:
    """The v2 id of a legacy baseline spelling; a spelling that is not in the table is returned as it is."""
    return _LEGACY_BASELINE_IDS.get(spelling, spelling)


def baseline_to_legacy(identifier: str) -> str:
    """The legacy spelling of a v2 baseline id; an unknown id is returned as it is."""
    known = IMAGE_BASELINES.get(identifier)
    return known.legacy_spelling if known else identifier


KNOWN_TAGS: tuple[str, ...] = (
    "anime",
    "manga",
    "cyberpunk",
    "tv show",
    "booru",
    "retro",
    "character",
    "hentai",
    "scenes",
    "low poly",
    "cg",
    "sketch",
    "high resolution",
    "landscapes",
    "comic",
    "cartoon",
    "painting",
    "game",
)


class SettingKind(StrEnum):
    """What workers read a setting as."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"


_IMAGE_NUMBERS = ("cfg_scale", "clip_skip", "max_cfg_scale", "max_steps", "min_cfg_scale", "min_steps")
_TEXT_NUMBERS = (
    *("dynatemp_exponent", "dynatemp_range", "max_context_length", "max_length", "min_p", "n"),
    *("rep_pen", "rep_pen_range", "rep_pen_slope", "smoothing_factor", "temperature", "tfs"),
    *("top_a", "top_k", "top_p", "typical"),
)
_TEXT_BOOLEANS = (
    *("frmtadsnsp", "frmtrmblln", "frmtrmspch", "frmttriminc"),
    *("singleline", "use_default_badwordsids"),
)
# Open: an image model may require other settings, too.
IMAGE_REQUIREMENTS: dict[str, SettingKind] = {
    **dict.fromkeys(_IMAGE_NUMBERS, SettingKind.NUMBER),
    **dict.fromkeys(("samplers", "schedulers"), SettingKind.LIST),
}
# Closed.
TEXT_SETTINGS: dict[str, SettingKind] = {
    **dict.fromkeys(_TEXT_NUMBERS, SettingKind.NUMBER),
    **dict.fromkeys(_TEXT_BOOLEANS, SettingKind.BOOLEAN),
    **dict.fromkeys(("sampler_order", "stop_sequence"), SettingKind.LIST),
}
TEXT_SETTINGS_KEYS: frozenset[str] = frozenset(TEXT_SETTINGS)
SETTING_KINDS: dict[str, SettingKind] = {**IMAGE_REQUIREMENTS, **TEXT_SETTINGS}

UNKNOWN_HASH = "FIXME"
RECORD_SCHEMA_VERSION = "2.0.0"
METADATA_SCHEMA_VERSION = "1.0.0"
