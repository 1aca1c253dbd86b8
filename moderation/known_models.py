"""The live models by what a proposed one could be mistaken for, or be a copy of.

A process keeps them, with a number that grows with every write of any model. Once that number moved, the models
written since are read, and what is known of their categories is made anew.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from threading import Lock

from django.db.models import Count, Q, Subquery, Sum, Value

from moderation.live import ModelKey
from references.categories import CATEGORIES
from references.commit_mark import asked_once
from references.downloads import Record, download_entries
from references.models import Category, ModelRecord
from references.remembered import remember, remembered_in_transaction

READ_BATCH = 5000
_KEY = "known models"
_SEPARATORS = re.compile(r"[\s._\-/]+")

# The normalised name of a model, and the SHA-256 of each of its files in lower case.
Traits = tuple[str, Sequence[str]]


class _Index:
    """Names by what several of them may share. Few do, so only those that come second are in a list."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._first: dict[str, str] = {}
        self._others: defaultdict[str, list[str]] = defaultdict(list)
        for key, name in pairs:
            if self._first.setdefault(key, name) != name:
                self._others[key].append(name)

    def names(self, key: str) -> Sequence[str]:
        return (self._first[key], *self._others.get(key, ())) if key in self._first else ()


class CategoryModels:
    """The traits of a category's models by name, with the revision of the latest write among them."""

    def __init__(self, revision: int, traits: Mapping[str, Traits]) -> None:
        self.revision = revision
        self.traits = traits
        self.by_likeness = _Index((normalised, name) for name, (normalised, _) in traits.items())
        self.by_digest = _Index((digest, name) for name, (_, digests) in traits.items() for digest in digests)


_NO_MODELS = CategoryModels(-1, {})


@dataclass(frozen=True, slots=True)
class KnownModels:
    """The models by category, as they were at the stamp or a moment later."""

    stamp: int
    categories: Mapping[str, CategoryModels]

    def named_like(self, category: str, name: str) -> list[str]:
        """Other models of the category with nearly the same name, in the order of names."""
        alike = self.of(category).by_likeness.names(normalised_name(name))
        return sorted(other for other in alike if other != name)

    def with_file(self, digest: str, *, besides: ModelKey) -> list[ModelKey]:
        """Other models that have the file, by category and name, in the order of these."""
        keys = (
            (category, name)
            for category, models in self.categories.items()
            for name in models.by_digest.names(digest.lower())
        )
        return sorted(key for key in keys if key != besides)

    def of(self, category: str) -> CategoryModels:
        return self.categories.get(category, _NO_MODELS)


_NOTHING = KnownModels(-1, {})
_held: KnownModels | None = None
_lock = Lock()


def _hold(known: KnownModels) -> None:
    global _held
    _held = known


def normalised_name(name: str) -> str:
    """What names that are easily mistaken for each other share."""
    return _SEPARATORS.sub("", name).casefold()


def known_models(stamp: int | None = None) -> KnownModels:
    """Reads nothing where the stamp is given and the process knows all that was written."""
    if stamp is None:
        stamp = asked_once(_KEY, _stamp_stored)
    with _lock:
        held = remembered_in_transaction(_KEY) or _held or _NOTHING
        if held.stamp == stamp:
            return held
        # With fewer writes than before, the store was put back to an earlier state.
        known = _followed(held if held.stamp < stamp else _NOTHING, stamp)
        remember(_KEY, known, _hold)
        return known


def store_stamp() -> Subquery:
    """A number that grows with every write of any model, to annotate rows with that are read anyway."""
    everything = Category.objects.annotate(every=Value(1)).values("every")
    return Subquery(everything.annotate(stamp=Sum("revision")).values("stamp"))


def _stamp_stored() -> int:
    return Category.objects.aggregate(stamp=Sum("revision"))["stamp"] or 0


def _followed(held: KnownModels, stamp: int) -> KnownModels:
    """What is known, brought up to the stamp; categories that nobody wrote to are taken over."""
    written = _written_since(held)
    if held is _NOTHING:
        return KnownModels(stamp, written)
    stored = ModelRecord.objects.order_by().values_list("category").annotate(Count("pk"))
    counts = dict(stored.iterator())
    categories = {
        category: _merged(category, held.of(category), written.get(category, _NO_MODELS), counts)
        for category in {**held.categories, **written}
    }
    return KnownModels(stamp, categories)


def _written_since(held: KnownModels) -> dict[str, CategoryModels]:
    """The models written after those that are known; removed ones are not among them."""
    since = (Q(category=name, revision__gt=held.of(name).revision) for name in CATEGORIES)
    stored = ModelRecord.objects.order_by().filter(reduce(or_, since))
    rows = stored.values_list("category", "revision", "name", "record")
    revisions: defaultdict[str, int] = defaultdict(int)
    traits: defaultdict[str, dict[str, Traits]] = defaultdict(dict)
    for category, revision, name, text in rows.iterator(chunk_size=READ_BATCH):
        revisions[category] = max(revisions[category], revision)
        traits[category][name] = normalised_name(name), _digests(json.loads(text))
    return {category: CategoryModels(revisions[category], found) for category, found in traits.items()}


def _merged(
    category: str, known: CategoryModels, written: CategoryModels, counts: Mapping[str, int]
) -> CategoryModels:
    traits = {**known.traits, **written.traits}
    if len(traits) != counts.get(category, 0):
        stored = set(ModelRecord.objects.in_category(category).names())
        traits = {name: each for name, each in traits.items() if name in stored}
    elif not written.traits:
        return known
    return CategoryModels(max(known.revision, written.revision), traits)


def _digests(record: Record) -> Sequence[str]:
    digests = (entry.get("sha256sum") for entry in download_entries(record))
    return tuple(dict.fromkeys(text.strip().lower() for text in digests if isinstance(text, str)))
