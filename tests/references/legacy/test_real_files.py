"""The files of the two legacy repositories, read, converted and written back."""

import copy
import json
from collections import Counter
from typing import Any

import pytest

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.legacy import (
    CategorySource,
    category_dump,
    csv_row,
    csv_rows,
    entry_dump,
    group_view,
    legacy_normalised,
    legacy_overlay,
    record_from_legacy,
    source_read,
    text_entries,
)
from tests.recorded import golden, legacy_dir

WITH_OBJECTS = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_objects]
WITH_SOURCE = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]

RECORD_COUNTS = {
    "image_generation": 161,
    "text_generation": 719,
    "clip": 2,
    "controlnet": 18,
    "blip": 2,
    "esrgan": 6,
    "gfpgan": 1,
    "codeformer": 1,
    "safety_checker": 1,
    "miscellaneous": 2,
}


def raw_source(category: str) -> bytes:
    folder = "text" if category == TEXT_CATEGORY else "image"
    return (legacy_dir() / folder / CATEGORIES[category].source).read_bytes()


def real_source(category: str) -> CategorySource:
    return source_read(category, raw_source(category))


def real_text_entries() -> dict[str, dict]:
    records = real_source(TEXT_CATEGORY).records
    return dict(entry for imported in records for entry in text_entries(imported.record))


def in_order(value: Any) -> str:
    """Text that differs when values or the order of keys differ."""
    return json.dumps(value)


@pytest.mark.parametrize("category", WITH_SOURCE)
def test_every_real_record_is_imported(category):
    source = real_source(category)
    assert len(source.records) == RECORD_COUNTS[category]
    assert source.is_complete


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_the_legacy_objects_are_those_of_the_source_in_its_order(category):
    source = real_source(category)
    legacy = {imported.name: imported.legacy for imported in source.records}
    assert in_order(legacy) == in_order(json.loads(raw_source(category)))
    assert in_order(legacy) == in_order(golden("v1", f"{category}.json"))
    assert "\r" not in source.text
    assert source.text.encode() == raw_source(category).replace(b"\r\n", b"\n")


@pytest.mark.parametrize("category", WITH_SOURCE)
def test_the_converted_records_are_those_of_the_published_service(category):
    expected = golden("v2", f"{category}.json")
    for record in expected.values():
        assert record["metadata"].pop("created_at") == record["metadata"].pop("updated_at")
    converted = {imported.name: imported.record for imported in real_source(category).records}
    assert in_order(converted) == in_order(expected)


def test_text_keeps_its_source_byte_for_byte_and_no_legacy_objects():
    source = real_source(TEXT_CATEGORY)
    assert source.text.encode() == raw_source(TEXT_CATEGORY)
    assert {imported.legacy for imported in source.records} == {None}


def test_image_and_text_dumps_equal_the_repositories_files():
    image = {imported.name: imported.legacy for imported in real_source("image_generation").records}
    assert category_dump(image).encode() == raw_source("image_generation")
    db = (legacy_dir() / "text" / "db.json").read_bytes()
    assert category_dump(real_text_entries()).encode() == db
    slices = [entry_dump(key, entry) for key, entry in real_text_entries().items()]
    assert ("{\n" + ",\n".join(slices) + "\n}\n").encode() == db


def test_text_entries_equal_the_recorded_ones_with_and_without_groups():
    entries = real_text_entries()
    recorded = golden("v1", "text_generation.json")
    assert entries == recorded
    assert list(entries) == list(recorded)
    grouped = golden("v1", "text_generation.include_group.json")
    view = group_view(entries)
    assert view == grouped
    assert list(view) == list(grouped)
    assert {tuple(entry)[-2:] for entry in view.values()} == {
        ("text_model_group", "text_model_group_summary")
    }


def test_text_entries_survive_the_way_through_csv_rows():
    """From the entries as clients see them to a CSV file to the entries again, byte for byte."""
    entries = real_text_entries()
    converted = [record_from_legacy(TEXT_CATEGORY, key, entry)[0] for key, entry in base_entries(entries)]
    header = csv_rows(raw_source(TEXT_CATEGORY).decode())[0][1]
    written = header + "".join(csv_row(record) + "\n" for record in converted)
    read_again = source_read(TEXT_CATEGORY, written.encode())
    assert read_again.issues == []
    dump = category_dump(entry for imported in read_again.records for entry in text_entries(imported.record))
    assert dump.encode() == (legacy_dir() / "text" / "db.json").read_bytes()


def base_entries(entries: dict[str, dict]) -> list[tuple[str, dict]]:
    return [
        (key, entry) for key, entry in entries.items() if not key.startswith(("aphrodite/", "koboldcpp/"))
    ]


def test_a_text_entry_written_back_as_it_was_read_changes_nothing_in_version_1():
    entries = real_text_entries()
    for key, entry in base_entries(entries):
        record, issues = record_from_legacy(TEXT_CATEGORY, key, legacy_normalised(TEXT_CATEGORY, entry))
        assert issues == []
        assert in_order(text_entries(record)) == in_order([(k, entries[k]) for k, _ in text_entries(record)])


def test_a_text_entry_written_back_differs_in_version_2_only_by_what_it_now_says():
    stored = {imported.name: imported.record for imported in real_source(TEXT_CATEGORY).records}
    for key, entry in base_entries(real_text_entries()):
        record = record_from_legacy(TEXT_CATEGORY, key, entry)[0]
        # Entries always name a version, sort their tags, and name what a model would be called anyway.
        for field in ("version", "display_name", "tags"):
            assert record.pop(field) is not None
            stored[key].pop(field)
        assert record == stored[key]


def test_the_real_csv_splits_into_rows_that_join_to_it():
    text = raw_source(TEXT_CATEGORY).decode()
    rows = csv_rows(text)
    assert "".join(raw for _, raw in rows) == text
    assert rows[0][0] is None
    assert len(rows) == 724
    assert len({name for name, _ in rows[1:]}) == 719


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_a_legacy_object_written_back_as_it_was_read_loses_nothing(category):
    for imported in real_source(category).records:
        normalised = legacy_normalised(category, imported.legacy)
        assert normalised == imported.legacy
        assert record_from_legacy(category, imported.name, normalised)[0] == imported.record


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_an_overlay_of_no_change_is_the_object_itself(category):
    for imported in real_source(category).records:
        stamped = {**imported.record, "metadata": {"created_at": 1, "updated_at": 2}}
        overlaid = legacy_overlay(category, imported.legacy, imported.record, stamped)
        assert in_order(overlaid) == in_order(imported.legacy)


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_a_new_description_changes_the_description_alone(category):
    for imported in real_source(category).records:
        after = {**imported.record, "description": "All new."}
        overlaid = legacy_overlay(category, imported.legacy, imported.record, after)
        assert overlaid == {**imported.legacy, "description": "All new."}
        assert [key for key in overlaid if key in imported.legacy] == list(imported.legacy)
        assert record_from_legacy(category, imported.name, overlaid)[0] == after


def test_a_new_baseline_is_written_in_its_legacy_spelling():
    for imported in real_source("image_generation").records:
        after = {**imported.record, "baseline": "stable_diffusion_2_512"}
        overlaid = legacy_overlay("image_generation", imported.legacy, imported.record, after)
        assert in_order(overlaid) == in_order({**imported.legacy, "baseline": "stable diffusion 2 512"})
        assert record_from_legacy("image_generation", imported.name, overlaid)[0] == after


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_new_hashes_and_urls_leave_the_rest_of_every_file_alone(category):
    for imported in real_source(category).records:
        after, expected = copy.deepcopy(imported.record), copy.deepcopy(imported.legacy)
        for download in after["config"]["download"]:
            download.update(sha256sum="0" * 64, file_url="https://example.com/" + download["file_name"])
        for file in expected["config"]["files"]:
            if not file["path"].endswith(".yaml"):
                file["sha256sum"] = "0" * 64
        for entry in expected["config"]["download"]:
            entry["file_url"] = "https://example.com/" + entry["file_name"]
        overlaid = legacy_overlay(category, imported.legacy, imported.record, after)
        assert overlaid == expected
        assert record_from_legacy(category, imported.name, overlaid)[0] == after


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_more_downloads_or_none_leave_yaml_files_and_checksums_in_place(category):
    new = {
        "file_name": "extra.ckpt",
        "file_url": "https://example.com/extra.ckpt",
        "sha256sum": "1" * 64,
        "known_slow_download": False,
    }
    for imported in real_source(category).records:
        legacy, record = imported.legacy, imported.record
        files = legacy["config"]["files"]
        after = {**record, "config": {"download": [*record["config"]["download"], new]}}
        longer = legacy_overlay(category, legacy, record, after)
        assert longer["config"]["files"] == [*files, {"path": "extra.ckpt", "sha256sum": "1" * 64}]
        assert longer["config"]["download"] == [
            *legacy["config"]["download"],
            {"file_name": "extra.ckpt", "file_path": "", "file_url": "https://example.com/extra.ckpt"},
        ]
        assert record_from_legacy(category, imported.name, longer)[0] == after

        emptied = {**record, "config": {"download": []}}
        shorter = legacy_overlay(category, legacy, record, emptied)
        assert shorter["config"]["files"] == [file for file in files if file["path"].endswith(".yaml")]
        assert shorter["config"]["download"] == []
        assert {**shorter, "config": None} == {**legacy, "config": None}
        assert record_from_legacy(category, imported.name, shorter)[0] == emptied


def test_one_changed_record_moves_no_other():
    records = real_source("image_generation").records
    before = {imported.name: imported.legacy for imported in records}
    first = records[0]
    changed = legacy_overlay(
        "image_generation", first.legacy, first.record, {**first.record, "nsfw": True, "style": "anime"}
    )
    after = json.loads(category_dump({**before, first.name: changed}))
    assert list(after) == list(before)
    assert {name for name in before if after[name] != before[name]} == {first.name}
    assert changed == {**first.legacy, "nsfw": True, "style": "anime"}


ADVICE = {
    "image_generation": {"not_ckpt": 95, "no_showcases": 88, "unusual_yaml": 1, "unusual_baseline": 1},
    "text_generation": {"repeated_record": 4},
    "clip": {"no_description": 2, "not_ckpt": 2, "no_sha256sum": 1},
    "controlnet": {"not_ckpt": 18, "unusual_yaml": 16, "name_differs": 1},
    "blip": {"no_description": 2, "not_ckpt": 2},
    "esrgan": {"not_ckpt": 6},
    "gfpgan": {"not_ckpt": 7},
    "codeformer": {"not_ckpt": 1},
    "safety_checker": {"not_ckpt": 1, "no_sha256sum": 2},
    "miscellaneous": {"not_ckpt": 4},
}


@pytest.mark.parametrize("category", WITH_SOURCE)
def test_what_is_unusual_in_the_real_files_is_reported_once_each(category):
    issues = real_source(category).issues
    assert Counter(issue.code for issue in issues) == ADVICE[category]
    assert {issue.severity for issue in issues} == {"warning"}


def test_the_advice_names_the_records_it_is_about():
    image = {(i.code, i.name) for i in real_source("image_generation").issues}
    assert ("unusual_baseline", "Flux.1-Schnell fp8 (Compact)") in image
    assert ("unusual_yaml", "stable_diffusion_inpainting") in image
    assert ("name_differs", "control_qr_sdxl") in {(i.code, i.name) for i in real_source("controlnet").issues}
    assert {i.name for i in real_source(TEXT_CATEGORY).issues} == {
        "Casual-Autopsy/Maginum-Cydoms-24B",
        "lightblue/Karasu-Mixtral-8x22B-v0.1",
        "mistralai/Ministral-3-14B-Instruct-2512",
        "Sao10K/Llama-3.1-8B-Stheno-v3.4",
    }


def test_the_last_of_two_rows_counts_at_the_place_of_the_first():
    source = real_source(TEXT_CATEGORY)
    records = {imported.name: imported.record for imported in source.records}
    stheno = dict(text_entries(records["Sao10K/Llama-3.1-8B-Stheno-v3.4"]))["Sao10K/Llama-3.1-8B-Stheno-v3.4"]
    assert stheno["instruct_format"] == "Llama 3"
    assert stheno["tags"] == ["8B", "chat", "roleplay"]
    order = [name for name, _ in csv_rows(source.text)[1:]]
    assert list(records) == list(dict.fromkeys(order))
