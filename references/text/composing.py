"""Builds a text model's name from its parts."""

from collections.abc import Sequence

DEFAULT_PART_ORDER = ("base", "size", "variant", "version", "quant")
DEFAULT_SEPARATOR = "-"


def compose(
    *,
    base_name: str,
    size: str,
    variant: str | None = None,
    version: str | None = None,
    quant: str | None = None,
    author: str | None = None,
    separator: str | None = None,
    part_order: Sequence[str] | None = None,
) -> str:
    """The name made of the parts that `part_order` lists; empty and unknown parts are left out."""
    parts = {"base": base_name, "size": size, "variant": variant, "version": version, "quant": quant}
    chosen = [value for part in part_order or DEFAULT_PART_ORDER if (value := parts.get(part))]
    name = (separator or DEFAULT_SEPARATOR).join(chosen)
    return f"{author}/{name}" if author else name
