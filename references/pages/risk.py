"""Which models might be deleted, and what speaks for and against it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import compress

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from references.analytics import risk_rules
from references.api.risk_csv import CSV, risk_csv
from references.categories import CATEGORIES, TEXT_CATEGORY
from references.deletion_risk import RiskEntry, RiskFlag
from references.pages.choices import Chip, Option, facet_options, selection_chips, spec_or_404
from references.pages.columns import Columns, Selection, columns
from references.pages.facets import Facet
from references.pages.links import PAGE, PageLinks, Pager
from references.pages.list_query import SEARCH, SORT, chosen_values, page_number, search_text
from references.pages.risk_rows import DEFAULT_SORT, SORTS, RiskView, entries_sorted, preset_entries
from references.pages.risk_words import FLAG_WORDS, PRESET_WORDS, SIZE_SORT_WORDS, SORT_WORDS
from references.pages.security import page
from references.pages.usage import risk_if_known
from references.risk_report import PRESETS, RiskReport, report_grouped
from references.text import group_name
from references.text_structure import text_structure

# A page stays well under 100 kB with its style sheet, however long the names, and with boxes to tick.
PAGE_SIZE = 20
# Each group comes with its members, folded.
GROUP_PAGE_SIZE = 10
PRESET, FLAG, MODE, FORMAT = "preset", "flag", "mode", "format"
MODELS, TABLE = "models", "csv"
NARROWED_BY = ("parameters", "baseline", "nsfw", "size", "tag")


@require_safe
@page
def risk_page(request: HttpRequest, category: str) -> HttpResponse:
    spec = spec_or_404(category)
    if spec.usage is None:
        raise Http404(f"the AI-Horde reports no usage of {category}")
    known = columns(category)
    asked = request.GET
    is_grouped = category == TEXT_CATEGORY and asked.get(MODE) != MODELS
    risk = risk_if_known(known.snapshot)
    context = {
        "spec": spec,
        "section": "risk",
        "categories": [other for other in CATEGORIES.values() if other.usage],
        "preset_words": PRESET_WORDS,
        "flag_words": FLAG_WORDS.values(),
        "is_grouped": is_grouped,
    }
    if risk is None:
        return render(request, "catalogue/risk.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
    view = _view(known, risk.report, is_grouped=is_grouped)
    wanted = _Wanted.of(request, known, view)
    if asked.get(FORMAT) == TABLE:
        return _table(category, wanted.entries)
    context |= _report(wanted, is_grouped=is_grouped)
    return render(request, "catalogue/risk.html", {**context, "age": risk.age})


def _view(known: Columns, report: RiskReport, *, is_grouped: bool) -> RiskView:
    """The entries to list. What groups show is the sum of what is known of each of their models."""
    if not is_grouped:
        sizes = dict(zip(known.names, known.sizes, strict=True))
        return RiskView(report.entries, {}, sizes)
    structure = text_structure()
    members: dict[str, list[RiskEntry]] = {}
    for entry in report.entries:
        members.setdefault(structure.canonical(group_name(entry.name)), []).append(entry)
    groups = report_grouped(report, risk_rules(report.category), aliases=structure.canonical_names)
    return RiskView(groups.entries, members, {})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the query string asks for, and what there is of it: `entries` are the rows of all pages."""

    known: Columns
    view: RiskView
    links: PageLinks
    page: int
    preset: str
    flags: Sequence[RiskFlag]
    facets: Sequence[Facet]
    selection: Selection
    sort: str
    fitting: Sequence[RiskEntry]
    entries: Sequence[RiskEntry]

    @classmethod
    def of(cls, request: HttpRequest, known: Columns, view: RiskView) -> "_Wanted":
        asked = request.GET
        preset = asked.get(PRESET, "") if asked.get(PRESET) in PRESETS else ""
        flags = tuple(flag for flag in RiskFlag if flag in asked.getlist(FLAG))
        facets = [facet for facet in known.facets if facet.name in NARROWED_BY]
        selection = Selection(search_text(asked), chosen_values(asked, facets))
        sort = asked.get(SORT, "") if asked.get(SORT, "").removeprefix("-") in SORTS else DEFAULT_SORT
        fitting = view.fitting(_names(known, selection), view.flagged(flags))
        return cls(
            known=known,
            view=view,
            links=PageLinks(request.path, _state(selection, preset, flags, sort, asked)),
            page=page_number(asked),
            preset=preset,
            flags=flags,
            facets=facets,
            selection=selection,
            sort=sort,
            fitting=fitting,
            entries=entries_sorted(preset_entries(fitting, preset), sort),
        )


def _table(category: str, entries: Sequence[RiskEntry]) -> HttpResponse:
    """The rows of all pages for spreadsheets, in the columns that the API has."""
    response = HttpResponse(risk_csv(entries), content_type=f"{CSV}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{category}-deletion-risk-selected.csv"'
    return response


def _report(wanted: _Wanted, *, is_grouped: bool) -> dict[str, object]:
    known, view, links, selection = wanted.known, wanted.view, wanted.links, wanted.selection
    chosen = preset_entries(view.flagged(wanted.flags), wanted.preset)
    size = GROUP_PAGE_SIZE if is_grouped else PAGE_SIZE
    pager = Pager.at(links, wanted.page, page_size=size, total=len(wanted.entries))
    has_sizes = known.index.category != TEXT_CATEGORY
    return {
        "links": links,
        "sort": wanted.sort,
        "sorts": {**SORT_WORDS, **(SIZE_SORT_WORDS if has_sizes else {})},
        "preset": wanted.preset,
        "search": selection.query,
        "presets": [
            _preset_option(links, wanted.preset, name, wanted.fitting) for name in ("", *PRESET_WORDS)
        ],
        "flags": _flag_options(links, wanted.entries, wanted.flags),
        "facets": [
            facet_options(_facet_counts(known, view, chosen, selection, facet), selection, links, facet)
            for facet in wanted.facets
        ],
        "chips": [*selection_chips(selection, links), *_flag_chips(links, wanted.flags)],
        "clear_url": links.cleared(kept=(PRESET, SORT, MODE)),
        "hidden_fields": links.hidden(SEARCH, SORT),
        "modes": [] if has_sizes else _modes(links, is_grouped=is_grouped),
        "csv_url": links.replaced(**{FORMAT: TABLE}),
        "pager": pager,
        "rows": view.rows(wanted.entries[pager.offset : pager.last]),
        "has_sizes": has_sizes,
        "summary": _summary(view.entries),
    }


def _state(
    selection: Selection, preset: str, flags: Sequence[str], sort: str, asked: QueryDict
) -> dict[str, tuple[str, ...]]:
    number = page_number(asked)
    single = {
        SEARCH: selection.query,
        PRESET: preset,
        SORT: "" if sort == DEFAULT_SORT else sort,
        MODE: MODELS if asked.get(MODE) == MODELS else "",
        PAGE: str(number) if number > 1 else "",
    }
    return {
        **{name: (value,) for name, value in single.items() if value},
        **selection.chosen,
        **({FLAG: tuple(flags)} if flags else {}),
    }


def _names(known: Columns, selection: Selection) -> set[str]:
    flags = known.flags(known.mask(selection))
    return {name for name, is_in in zip(known.names, flags, strict=True) if is_in}


def _facet_counts(
    known: Columns, view: RiskView, entries: Sequence[RiskEntry], selection: Selection, facet: Facet
) -> Counter[str]:
    """How many of the entries each value of the facet would leave, were it chosen."""
    flags = known.flags(known.open_to(selection, facet))
    values = dict(compress(zip(known.names, known.values(facet.name), strict=True), flags))
    counts: Counter[str] = Counter()
    for entry in entries:
        counts.update({value for name in view.names_of(entry) for value in values.get(name, ())})
    return counts


def _preset_option(links: PageLinks, chosen: str, name: str, entries: Sequence[RiskEntry]) -> Option:
    label = PRESET_WORDS[name].label if name else "All"
    count = len(preset_entries(entries, name))
    return Option(label, links.replaced(**{PRESET: name or None}), name == chosen, count)


def _flag_options(links: PageLinks, entries: Sequence[RiskEntry], chosen: Sequence[RiskFlag]) -> list[Option]:
    counts = {flag: sum(flag in entry.flags for entry in entries) for flag in FLAG_WORDS}
    return [
        Option(words.label, links.toggled(FLAG, flag), flag in chosen, counts[flag])
        for flag, words in FLAG_WORDS.items()
        if counts[flag] or flag in chosen
    ]


def _flag_chips(links: PageLinks, flags: Sequence[RiskFlag]) -> list[Chip]:
    return [Chip("Flag", FLAG_WORDS[flag].label, links.toggled(FLAG, flag)) for flag in flags]


def _modes(links: PageLinks, *, is_grouped: bool) -> list[Option]:
    return [
        Option("Groups", links.replaced(**{MODE: None}), is_grouped),
        Option("Models", links.replaced(**{MODE: MODELS}), not is_grouped),
    ]


def _summary(entries: Sequence[RiskEntry]) -> dict[str, int]:
    return {
        "total": len(entries),
        "critical": sum(entry.is_critical for entry in entries),
        "unserved": sum(entry.worker_count == 0 for entry in entries),
        "unused": sum(entry.usage.month == 0 for entry in entries),
        "requests": sum(entry.usage.month for entry in entries),
    }
