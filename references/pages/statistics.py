"""A category in figures, drawn."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from references.analytics import statistics
from references.api.risk_csv import spreadsheet_safe
from references.categories import CATEGORIES, TEXT_CATEGORY
from references.pages.choices import Option, spec_or_404
from references.pages.columns import Columns, columns
from references.pages.facets import FACETS
from references.pages.labels import baseline_label
from references.pages.links import PageLinks
from references.pages.plots import Bar, Matrix, bars, matrix
from references.pages.security import page

GROUPED = "groups"
LONGEST_LIST = 12
MATRIX_ROWS = 8
# What every model could tell, and some do not. Parameters are counted with the figures.
TOLD_BY_EACH = ("baseline", "style", "size")


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many models have each value of a property; `rest` counts values that are not drawn, `lacking` models
    without any.
    """

    anchor: str
    heading: str
    note: str
    bars: list[Bar]
    rest: int = 0
    lacking: int = 0
    is_range: bool = False

    @property
    def copied(self) -> str:
        bars_told = ((bar.label, bar.count, bar.share) for bar in self.bars)
        return _table_text([(self.heading, "Count", "Share in %"), *bars_told])


@require_safe
@page
def statistics_page(request: HttpRequest, category: str) -> HttpResponse:
    spec = spec_or_404(category)
    known = columns(category)
    is_grouped = category == TEXT_CATEGORY and GROUPED in request.GET
    figures = statistics(known.snapshot, is_grouped=is_grouped).figures if len(known) else None
    styled = None if is_grouped else _matrix(known)
    links = PageLinks(request.path, {})
    return render(
        request,
        "catalogue/statistics.html",
        {
            "spec": spec,
            "section": "statistics",
            "categories": CATEGORIES.values(),
            "figures": figures,
            "is_empty": figures is None,
            "rating": _rating(category, figures) if figures else None,
            "distributions": _distributions(known, category, figures, is_grouped) if figures else [],
            "matrix": styled,
            "matrix_copied": _matrix_text(styled) if styled else "",
            "modes": [
                Option("Models", links.path, not is_grouped),
                Option("Groups", f"{links.path}?{GROUPED}=1", is_grouped),
            ]
            if category == TEXT_CATEGORY
            else [],
            "is_grouped": is_grouped,
        },
    )


def _rating(category: str, figures: dict) -> Distribution:
    counts = [("Safe for work", figures["sfw_count"]), ("NSFW", figures["nsfw_count"])]
    urls = [_listing(category, "nsfw", value) for value in FACETS["nsfw"].order]
    drawn = bars(counts, total=figures["total_models"], urls=urls)
    return Distribution("rating", "Rating", "Whether they are safe for work.", drawn)


def _distributions(known: Columns, category: str, figures: dict, is_grouped: bool) -> list[Distribution]:
    total = figures["total_models"]
    baselines = [(item["baseline"], item["count"]) for item in figures["baseline_distribution"].values()]
    styles = [(item["tag"], item["count"]) for item in figures["top_styles"]]
    tags = [(item["tag"], item["count"]) for item in figures["top_tags"]]
    parameters = [(item["bucket_label"], item["count"]) for item in figures["parameter_buckets"]]
    files = figures["download_stats"]
    found = [
        _ranges("parameters", "Parameters", "How large the models are.", parameters, category, total),
        _ranking("baseline", "Baselines", "What they were made from.", baselines, category, total),
        _ranking("style", "Styles", "What they are best at.", styles, category, total),
        _ranges("size", "Sizes on disk", "All files of a model together.", _sizes(known), category, total),
        _ranking("tag", "Tags", "A model can have several.", tags, category, total),
        _ranking(
            "host",
            "File hosts",
            "Where the files are, by file.",
            list(files["hosts"].items()),
            category,
            files["total_download_entries"],
        ),
    ]
    drawn = [distribution for distribution in found if distribution.bars]
    return drawn if is_grouped else [replace(each, lacking=_lacking(known, each.anchor)) for each in drawn]


def _lacking(known: Columns, facet: str) -> int:
    return sum(not values for values in known.values(facet)) if facet in TOLD_BY_EACH else 0


def _sizes(known: Columns) -> list[tuple[str, int]]:
    counts = Counter(value for values in known.values("size") for value in values)
    labels = FACETS["size"].order
    filled = [index for index, label in enumerate(labels) if counts[label]]
    # A range without models between others is a fact; one beyond them is nothing.
    shown = labels[filled[0] : filled[-1] + 1] if filled else ()
    return [(label, counts[label]) for label in shown]


def _ranges(
    facet: str, heading: str, note: str, counts: list[tuple[str, int]], category: str, total: int
) -> Distribution:
    labels = [(FACETS[facet].label_of(value), count) for value, count in counts]
    urls = [_listing(category, facet, value) for value, _ in counts]
    return Distribution(facet, heading, note, bars(labels, total=total, urls=urls), is_range=True)


def _ranking(
    facet: str, heading: str, note: str, counts: list[tuple[str, int]], category: str, total: int
) -> Distribution:
    shown = counts[:LONGEST_LIST]
    labels = [(FACETS[facet].label_of(value), count) for value, count in shown]
    urls = [_listing(category, facet, value) for value, _ in shown]
    return Distribution(
        facet, heading, note, bars(labels, total=total, urls=urls), rest=len(counts) - len(shown)
    )


def _matrix(known: Columns) -> Matrix | None:
    """Baselines by styles, where models have both."""
    pairs = Counter(
        (baseline, style)
        for baselines, styles in zip(known.values("baseline"), known.values("style"), strict=True)
        for baseline in baselines
        for style in styles
    )
    baselines = Counter(baseline for baseline, _ in pairs.elements())
    styles = Counter(style for _, style in pairs.elements())
    if len(baselines) < 2 or len(styles) < 2 or len(styles) > MATRIX_ROWS:
        return None
    rows = [baseline for baseline, _ in baselines.most_common(MATRIX_ROWS)]
    return matrix(rows, [style for style, _ in styles.most_common()], dict(pairs))


def _matrix_text(drawn: Matrix) -> str:
    rows = ((baseline_label(label), *(cell.count for cell in cells)) for label, cells in drawn.rows)
    return _table_text([("Baseline", *drawn.columns), *rows])


def _table_text(rows: Iterable[Sequence[str | float]]) -> str:
    """Figures as spreadsheets take them from the clipboard: a line for each row, a tab between two cells."""
    return "\n".join("\t".join(map(_cell_text, row)) for row in rows)


def _cell_text(value: str | float) -> str:
    return spreadsheet_safe(" ".join(value.split())) if isinstance(value, str) else str(value)


def _listing(category: str, facet: str, value: str) -> str:
    listing = reverse("catalogue:category", args=[category])
    return f"{listing}?{urlencode({facet: value})}"
