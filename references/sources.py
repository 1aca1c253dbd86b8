"""Where records come from: folders of legacy files or of v2 files, and the legacy repositories on GitHub."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from references.categories import CATEGORIES, CategorySpec
from references.github import raw_download
from references.legacy import (
    CategorySource,
    ImportedRecord,
    Issue,
    RecordError,
    Severity,
    SourceError,
    source_read,
)
from references.legacy.values import refuse_constant, require_storable
from references.problems import RequestInvalid, Unprocessable
from references.serializers import name_check, record_type, record_validate
from references.vocabulary import Domain


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


def v2_folder_read(folder: Path) -> Iterator[CategorySource]:
    """Reads the `{category}.json` files of a folder, each an object of v2 records; those present count.

    The published service's store calls the file of image models as the legacy repository does; both are read.
    Raises SourceError when there is none, or one is unusable.
    """
    found = False
    for spec in CATEGORIES.values():
        names = (f"{spec.name}.json", spec.source or "")
        path = next(
            (folder / name for name in names if name.endswith(".json") and (folder / name).is_file()), None
        )
        if path is not None:
            found = True
            yield _v2_read(spec, path)
    if not found:
        raise SourceError(f"{folder} holds no file named after a category")


def _v2_read(spec: CategorySpec, path: Path) -> CategorySource:
    try:
        entries = json.loads(_bytes(path).decode("utf-8-sig"), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path.name}: not JSON: {error}") from error
    if not isinstance(entries, dict):
        raise SourceError(f"{path.name}: not an object of records by name")
    source = CategorySource(spec.name, "")
    for name, record in entries.items():
        try:
            name_check(name)
            require_storable({name: record})
            validated = record_validate(spec.name, record)
        except (RecordError, RequestInvalid, Unprocessable) as error:
            source.issues.append(Issue(name, Severity.SKIPPED, _reason(error), "invalid_record"))
            continue
        first_names = {second: first for first, second in record_type(spec.name).second_names.items()}
        named = {first_names.get(key, key): value for key, value in record.items()}
        source.records.append(ImportedRecord(name, _canonically_spelled(named, validated), None))
    return source


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
