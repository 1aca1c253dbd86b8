"""Where records come from: folders of legacy files or of v2 files, and the legacy repositories on GitHub.

Legacy files are read whole, since version 1 may have to serve their very text; v2 files may be larger than memory.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from references.batches import batches
from references.categories import CATEGORIES, CategorySpec
from references.github import raw_download
from references.json_equality import json_equal
from references.json_members import json_members
from references.legacy import (
    CategorySource,
    ImportedRecord,
    Issue,
    RecordError,
    Severity,
    SourceError,
    source_read,
)
from references.legacy.issues import warnings_into
from references.legacy.values import JsonObject, require_storable
from references.models import ModelRecord
from references.problems import RequestInvalid, Unprocessable
from references.serializers import name_check, record_type, record_validate
from references.vocabulary import Domain

# From a category and names to those of its records that are stored, by name.
Known = Callable[[str, Iterable[str]], Mapping[str, JsonObject]]

REPEATED = "occurs more than once in the file; the last one counts"


@dataclass(frozen=True, slots=True)
class Repository:
    owner: str
    name: str
    branch: str

    @property
    def page_url(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"


def legacy_repositories() -> tuple[Repository, Repository]:
    """The repositories of the image side and of the text side."""
    return Repository(**settings.IMAGE_GITHUB_REPO), Repository(**settings.TEXT_GITHUB_REPO)


def legacy_folder_read(folder: Path) -> Iterator[CategorySource]:
    """Reads the legacy files under `image/` and `text/`, or those in the folder itself.

    Raises SourceError when one of them is absent or unusable.
    """
    for spec in CATEGORIES.values():
        if spec.source is None:
            continue
        candidates = (folder / _side(spec) / spec.source, folder / spec.source)
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            raise SourceError(
                f"{spec.source} is missing: it is neither in {candidates[0].parent} nor in {folder}"
            )
        yield source_read(spec.name, _bytes(path))


def github_read(categories: Iterable[str] = CATEGORIES) -> Iterator[CategorySource]:
    """Reads the same files from the legacy repositories, one after the other.

    Raises SourceError when one of them cannot be had or is unusable.
    """
    images, texts = legacy_repositories()
    for spec in (CATEGORIES[name] for name in categories):
        if spec.source is not None:
            repository = texts if spec.domain is Domain.TEXT else images
            yield raw_download(repository, spec.source, partial(source_read, spec.name))


class StoredRecords:
    """Those of the records that are stored, by name.

    Which there are is read once for each category; one that is stored later is not among them.
    """

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, int]] = {}

    def __call__(self, category: str, names: Iterable[str]) -> dict[str, JsonObject]:
        if category not in self._keys:
            self._keys[category] = ModelRecord.objects.in_category(category).keys()
        keys = self._keys[category]
        stored = ModelRecord.objects.filter(pk__in=[keys[name] for name in names if name in keys])
        return {name: json.loads(record) for name, record in stored.order_by().values_list("name", "record")}


def v2_folder_read(folder: Path, *, known: Known | None = None) -> Iterator[CategorySource]:
    """Reads the `{category}.json` files of a folder, each an object of v2 records; those present count.

    The published service's store calls the file of image models as the legacy repository does; both are read.
    Each file is gone through once for what is wrong with it as a whole, and its records are read when they are
    asked for: the issues are complete after the last one. A record that equals the `known` one of its name, but
    for times it leaves out, is that one, and not validated again. Raises SourceError when there is no file, or one
    is unusable.
    """
    found = False
    for spec in CATEGORIES.values():
        names = (f"{spec.name}.json", spec.source or "")
        path = next(
            (folder / name for name in names if name.endswith(".json") and (folder / name).is_file()), None
        )
        if path is not None:
            found = True
            issues: list[Issue] = []
            yield CategorySource(spec.name, "", _V2Records(spec.name, path, issues, known), issues)
    if not found:
        raise SourceError(f"{folder} holds no file named after a category")


class _V2Records:
    """The records of a v2 file, read anew each time they are gone through, which fills `issues` anew.

    A name may occur several times; the last one counts.
    """

    def __init__(self, category: str, path: Path, issues: list[Issue], known: Known | None) -> None:
        self._category = category
        self._path = path
        self._issues = issues
        self._known = known
        self._occurrences = Counter(name for name, _ in self._entries())

    def __len__(self) -> int:
        """How many entries the file has under different names, whatever becomes of them."""
        return len(self._occurrences)

    def __iter__(self) -> Iterator[ImportedRecord]:
        self._issues.clear()
        for batch in batches(self._last_entries()):
            names = [name for name, _ in batch if _is_name(name)]
            known = self._known(self._category, names) if self._known else {}
            for name, entry in batch:
                if name in known and _is_same(entry, known[name]):
                    yield ImportedRecord(name, known[name], None, is_stored=True)
                    continue
                try:
                    record = _v2_record(self._category, name, entry)
                except (RecordError, RequestInvalid, Unprocessable) as error:
                    self._issues.append(Issue(name, Severity.SKIPPED, _reason(error), "invalid_record"))
                else:
                    yield ImportedRecord(name, record, None)

    def _last_entries(self) -> Iterator[tuple[str, Any]]:
        """The entries without those that a later one of the same name replaces."""
        seen: Counter[str] = Counter()
        for name, entry in self._entries():
            if self._occurrences[name] > 1:
                seen[name] += 1
                if seen[name] < self._occurrences[name]:
                    continue
                warnings_into(self._issues, name)("repeated_record", REPEATED)
            yield name, entry

    def _entries(self) -> Iterator[tuple[str, Any]]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                yield from json_members(file)
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{self._path.name}: not a JSON object of records: {error}") from error


def _is_name(name: str) -> bool:
    try:
        name_check(name)
        require_storable(name)
    except (RecordError, Unprocessable):
        return False
    return True


def _v2_record(category: str, name: str, entry: Any) -> JsonObject:
    """The record to store; raises RecordError, RequestInvalid or Unprocessable for an entry that is none."""
    name_check(name)
    require_storable({name: entry})
    validated = record_validate(category, entry)
    second_names = record_type(category).second_names
    first_names = {second: first for first, second in second_names.items()}
    named = {first_names.get(key, key): value for key, value in entry.items()} if second_names else entry
    return _canonically_spelled(named, validated)


def _is_same(entry: Any, known: JsonObject) -> bool:
    """Whether an entry says what is known, but for times it leaves out."""
    if not isinstance(entry, dict) or not isinstance(given := entry.get("metadata") or {}, dict):
        return False
    held = known.get("metadata") or {}
    times = {key: held[key] for key in ("created_at", "updated_at") if key in held and given.get(key) is None}
    return json_equal({**entry, "metadata": {**given, **times}}, known)


def _canonically_spelled(given: Any, validated: Any) -> Any:
    """What was given, with the values of the validated form: `"yes"` becomes true, an alias the name it stands for.

    Nothing is filled in, and what no schema knows stays.
    """
    if isinstance(given, dict) and isinstance(validated, dict):
        return {
            key: _canonically_spelled(value, validated[key]) if key in validated else value
            for key, value in given.items()
        }
    if isinstance(given, list) and isinstance(validated, list) and len(given) == len(validated):
        return [_canonically_spelled(*pair) for pair in zip(given, validated, strict=True)]
    return validated


def _reason(error: RecordError | RequestInvalid | Unprocessable) -> str:
    if not isinstance(error, RequestInvalid):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in error.detail
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _side(spec: CategorySpec) -> str:
    return "text" if spec.domain is Domain.TEXT else "image"
