"""Filters and tags of the pages for people."""

import json
import time
from datetime import UTC, datetime

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from references.pages import labels
from references.pages.links import PageLinks
from references.pages.panels import Link, Panel, header_panels, navigation_links, selection_links
from references.pages.theme import theme_of
from references.pages.values import url_host, web_url

register = template.Library()

register.filter("baseline", labels.baseline_label)
register.filter("safe_url", web_url)
register.filter("host", url_host)


@register.filter
def amount(value: float | None) -> str:
    """A number with its thousands apart."""
    return "" if value is None else labels.number(value)


@register.filter
def plain(value: object) -> str:
    """A stored value of any kind: text as it is, everything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def percentage(value: float) -> str:
    return labels.percentage(value)


@register.filter
def file_size(size: float | None) -> str:
    return "" if size is None else labels.file_size(size)


@register.filter
def parameter_count(count: float | None) -> str:
    return "" if count is None else labels.parameter_count(count)


@register.filter
def counted(count: int, noun: str) -> str:
    """`3|counted:"model"` is "3 models"; `"category,categories"` gives the plural too."""
    return labels.counted(count, *noun.split(","))


@register.filter
def moment(seconds: float | None) -> SafeString | str:
    """UNIX seconds as how long ago, with the exact time for machines and on hovering."""
    try:
        at = datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        at = None
    if at is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        at.strftime("%Y-%m-%d %H:%M UTC"),
        labels.age(time.time() - seconds),
    )


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    return theme_of(context.get("request"))


@register.simple_tag(takes_context=True)
def site_navigation(context: Context) -> list[Link]:
    request = context.get("request")
    return navigation_links(request) if request else []


@register.simple_tag(takes_context=True)
def site_header(context: Context) -> list[Panel]:
    request = context.get("request")
    return header_panels(request) if request else []


@register.simple_tag(takes_context=True)
def site_selection(context: Context, category: str) -> list[Link]:
    """What can be done with the ticked models of a list."""
    request = context.get("request")
    return selection_links(request, category) if request else []


@register.simple_tag
def sort_url(links: PageLinks, current: str, field: str, descending_first: bool = False) -> str:
    """The address of a list sorted by the field, or the other way round where it already is."""
    first, second = (f"-{field}", field) if descending_first else (field, f"-{field}")
    return links.replaced(sort=second if current == first else first)


@register.simple_tag
def aria_sort(current: str, field: str) -> str:
    return {field: "ascending", f"-{field}": "descending"}.get(current, "none")
