"""Makes what tests need, with sensible values for whatever a test does not care about."""

import json
from typing import Any

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy import CSV_COLUMNS, CategorySource, ImportedRecord, source_read
from references.models import ModelRecord
from references.serializers import record_validate
from references.services import record_put

REQUIRED_FIELDS: dict[str, dict[str, Any]] = {
    "image_generation": {"baseline": "stable_diffusion_xl", "nsfw": False},
    "text_generation": {"parameters": 7_000_000_000},
}
REQUIRED_LEGACY_FIELDS: dict[str, dict[str, Any]] = {
    "image_generation": {"type": "ckpt", "baseline": "stable_diffusion_xl"},
    "controlnet": {"type": "control_canny"},
}


def make_v2(category: str, name: str, **fields: Any) -> dict[str, Any]:
    """A v2 record as a write through the API would store it; nothing is stored yet."""
    return record_validate(category, {"name": name, **REQUIRED_FIELDS.get(category, {}), **fields})


def make_record(category: str, name: str, *, at: int | None = None, **fields: Any) -> ModelRecord:
    """A stored record."""
    record_put(category=category, name=name, record=make_v2(category, name, **fields), at=at)
    return ModelRecord.objects.get(category=category, name=name)


def make_download(file_name: str, **fields: Any) -> dict[str, Any]:
    return {"file_name": file_name, "file_url": f"https://example.org/{file_name}", **fields}


def make_imported(name: str, *, category: str = "lora", **fields: Any) -> ImportedRecord:
    """A v2 record as it comes from a file of v2 records."""
    return ImportedRecord(name, make_v2(category, name, **fields), None)


def make_legacy(category: str, name: str, **fields: Any) -> dict[str, Any]:
    """A legacy object such as the files of the image repository hold."""
    return {"name": name, **REQUIRED_LEGACY_FIELDS.get(category, {}), **fields}


def make_legacy_file(*records: dict[str, Any]) -> str:
    return json.dumps({record["name"]: record for record in records}, indent="\t")


def make_csv_file(*rows: dict[str, str]) -> str:
    lines = [CSV_COLUMNS, *([row.get(column, "") for column in CSV_COLUMNS] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines)


def make_source(category: str, *records: dict[str, Any]) -> CategorySource:
    """A legacy file of these records, read; text models are given as rows of the CSV file."""
    text = make_csv_file(*records) if category == TEXT_CATEGORY else make_legacy_file(*records)
    return source_read(category, text.encode())


def make_folder(path: Any, files: dict[str, str] | None = None) -> Any:
    """A folder with all legacy files, empty ones unless `files` (name: text) says otherwise."""
    for spec in CATEGORIES.values():
        if spec.source is not None:
            empty = make_csv_file() if spec.name == TEXT_CATEGORY else "{}"
            (path / spec.source).write_text(
                (files or {}).get(spec.source, empty), encoding="utf-8", newline=""
            )
    return path
