import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy import source_read
from references.serializers import record_validate
from references.vocabulary import UNKNOWN_HASH
from tests.recorded import legacy_dir

STARTER = Path(__file__).resolve().parents[2] / "references" / "starter"
SHA256 = re.compile(r"[0-9a-fA-F]{64}")

LEGACY = [name for name, spec in CATEGORIES.items() if spec.has_legacy_form]
V2 = sorted(path.stem for path in (STARTER / "v2").iterdir())
IMAGE_SOURCES = [CATEGORIES[name].source for name in LEGACY if name != TEXT_CATEGORY]


def legacy_file(category: str, root: Path = STARTER) -> Path:
    return root / ("text" if category == TEXT_CATEGORY else "image") / CATEGORIES[category].source


def records(category: str) -> dict[str, dict[str, Any]]:
    if category in V2:
        return read_json(STARTER / "v2" / f"{category}.json")
    source = source_read(category, legacy_file(category).read_bytes())
    assert source.is_complete, source.issues
    return {imported.name: imported.record for imported in source.records}


def read_json(path: Path) -> dict[str, dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))


def read_csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: row for row in csv.DictReader(lines)}


def without_description(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "description"}


def test_every_category_that_is_not_curated_elsewhere_has_records():
    wanted = [name for name, spec in CATEGORIES.items() if not spec.curated_elsewhere]
    assert [name for name in wanted if not records(name)] == []
    assert sorted(LEGACY + V2) == sorted(wanted)


def test_no_file_lies_about_that_is_not_read():
    known = {legacy_file(name) for name in LEGACY} | {STARTER / "v2" / f"{name}.json" for name in V2}
    assert {path for path in STARTER.rglob("*") if path.is_file()} == known | {STARTER / "README.md"}


@pytest.mark.parametrize("category", V2)
def test_v2_records_are_what_a_write_would_store(category):
    for name, record in records(category).items():
        assert record["name"] == name
        assert record_validate(category, record) == record


@pytest.mark.parametrize("category", LEGACY + V2)
def test_every_record_says_what_it_is_and_where_its_files_are(category):
    for name, record in records(category).items():
        assert record["description"], name
        downloads = record["config"]["download"]
        assert all(download["file_url"].startswith("https://") for download in downloads), name
        assert downloads or category == TEXT_CATEGORY, name


@pytest.mark.parametrize("category", LEGACY + V2)
def test_hashes_are_sha256_or_marked_unknown_and_sizes_are_not_guessed(category):
    for name, record in records(category).items():
        for download in record["config"]["download"]:
            digest = download["sha256sum"]
            assert digest == UNKNOWN_HASH or SHA256.fullmatch(digest), (name, digest)
            assert "size_bytes" not in download, name


@pytest.mark.parametrize("path", sorted(STARTER.rglob("*.json")), ids=lambda path: path.name)
def test_json_files_are_dumped_with_four_spaces(path):
    assert path.read_bytes().decode() == json.dumps(read_json(path), indent=4) + "\n"


def test_the_csv_file_has_unix_line_ends():
    assert b"\r" not in legacy_file(TEXT_CATEGORY).read_bytes()


def test_the_selection_shows_what_the_catalogue_can_hold():
    image, text = records("image_generation").values(), records(TEXT_CATEGORY).values()
    assert {record["baseline"] for record in image} >= {"stable_diffusion_1", "stable_diffusion_xl", "flux_1"}
    assert {record["nsfw"] for record in image} == {True, False}
    assert any(record.get("inpainting") for record in image)
    assert any(record.get("requirements") for record in image)
    assert any(download.get("file_purpose") for record in image for download in record["config"]["download"])
    groups = [record["text_model_group"] for record in text]
    assert groups.count("Lumimaid") == 4
    assert len(set(groups)) >= 5


@pytest.mark.parametrize("file", IMAGE_SOURCES)
def test_image_facts_are_the_sources_and_descriptions_are_not(file):
    source = read_json(legacy_dir() / "image" / file)
    taken = {record.get("description") for record in source.values()}
    for key, record in read_json(STARTER / "image" / file).items():
        assert without_description(record) == without_description(source[key]), key
        assert record["description"] not in taken, key


def test_text_facts_are_the_sources_and_descriptions_are_not():
    source = read_csv(legacy_file(TEXT_CATEGORY, legacy_dir()))
    taken = {row["description"] for row in source.values()}
    for name, row in read_csv(legacy_file(TEXT_CATEGORY)).items():
        assert without_description(row) == without_description(source[name]), name
        assert row["description"] not in taken, name
