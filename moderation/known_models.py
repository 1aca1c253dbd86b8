"""The live models by what a proposed one could be mistaken for, or be a copy of."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Subquery, Sum, Value

from moderation.live import ModelKey
from references.downloads import download_entries
from references.models import Category, ModelRecord

_KEPT = "moderation:known-models"
_KEPT_SECONDS = 24 * 3600
_SEPARATORS = re.compile(r"[\s._\-/]+")


@dataclass(frozen=True, slots=True)
class KnownModels:
    """`names` are keyed by category and normalised name, `holders` by a SHA-256 in lower case."""

    names: Mapping[tuple[str, str], Sequence[str]]
    holders: Mapping[str, Sequence[ModelKey]]

    def named_like(self, category: str, name: str) -> list[str]:
        """Other models of the category with nearly the same name."""
        return [other for other in self.names.get((category, normalised_name(name)), ()) if other != name]

    def with_file(self, digest: str, *, besides: ModelKey) -> list[ModelKey]:
        """Other models that have the file, by category and name, in the order of these."""
        return sorted(key for key in self.holders.get(digest.lower(), ()) if key != besides)


def normalised_name(name: str) -> str:
    """What names that are easily mistaken for each other share."""
    return _SEPARATORS.sub("", name).casefold()


def known_models(stamp: int | None = None) -> KnownModels:
    """Reads nothing where the stamp is given and no model was written since the last call."""
    if stamp is None:
        stamp = Category.objects.aggregate(stamp=Sum("revision"))["stamp"] or 0
    kept: tuple[int, KnownModels] | None = cache.get(_KEPT)
    if kept is not None and kept[0] == stamp:
        return kept[1]
    known = _known_read()
    cache.set(_KEPT, (stamp, known), _KEPT_SECONDS)
    return known


def store_stamp() -> Subquery:
    """A number that grows with every write of any model, to annotate rows with that are read anyway."""
    everything = Category.objects.annotate(every=Value(1)).values("every")
    return Subquery(everything.annotate(stamp=Sum("revision")).values("stamp"))


def _known_read() -> KnownModels:
    names: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    holders: defaultdict[str, list[ModelKey]] = defaultdict(list)
    stored = ModelRecord.objects.order_by("category_id", "position").only("category_id", "name", "record")
    for each in stored.iterator():
        names[each.category_id, normalised_name(each.name)].append(each.name)
        digests = (entry.get("sha256sum") for entry in download_entries(each.as_dict()))
        for digest in dict.fromkeys(text.strip().lower() for text in digests if isinstance(text, str)):
            holders[digest].append((each.category_id, each.name))
    return KnownModels(dict(names), dict(holders))
