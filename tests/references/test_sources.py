import json
from dataclasses import replace

import pytest

from references.categories import CATEGORIES
from references.json_equality import json_equal
from references.legacy import Severity, SourceError
from references.services import sources_import
from references.sources import legacy_folder_read, legacy_repositories, v2_folder_read
from tests.factories import make_download, make_folder, make_legacy, make_legacy_file, make_v2
from tests.recorded import golden, legacy_dir
from tests.references.api import V1, V2

LEGACY = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]


def v2_read(folder, entries, name="lora.json"):
    """What is read of one file; its text is given, or the object it holds."""
    text = entries if isinstance(entries, str) else json.dumps(entries)
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    [source] = v2_folder_read(folder)
    return replace(source, records=list(source.records))


# Folders of legacy files


def test_a_folder_with_two_sides_and_a_flat_one_read_the_same(tmp_path):
    for path in [*(legacy_dir() / "image").iterdir(), *(legacy_dir() / "text").iterdir()]:
        if path.name != "db.json":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    sides, flat = list(legacy_folder_read(legacy_dir())), list(legacy_folder_read(tmp_path))
    assert sides == flat
    assert [source.category for source in sides] == LEGACY
    assert sum(len(source.records) for source in sides) == 913


def test_a_file_on_its_side_comes_before_one_in_the_folder_itself(tmp_path):
    make_folder(tmp_path, {"clip.json": make_legacy_file(make_legacy("clip", "flat"))})
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "clip.json").write_text(make_legacy_file(make_legacy("clip", "side")))
    clip = next(source for source in legacy_folder_read(tmp_path) if source.category == "clip")
    assert [record.name for record in clip.records] == ["side"]


@pytest.mark.parametrize("category", LEGACY)
def test_each_missing_file_is_named(tmp_path, category):
    file = make_folder(tmp_path) / CATEGORIES[category].source
    file.unlink()
    with pytest.raises(SourceError, match=f"^{file.name} is missing"):
        list(legacy_folder_read(tmp_path))


def test_a_folder_in_place_of_a_file_is_a_missing_file(tmp_path):
    file = make_folder(tmp_path) / "clip.json"
    file.unlink()
    file.mkdir()
    with pytest.raises(SourceError, match=r"^clip\.json is missing"):
        list(legacy_folder_read(tmp_path))


def test_files_of_categories_without_legacy_form_are_not_read(tmp_path):
    (make_folder(tmp_path) / "lora.json").write_text("[]")
    assert "lora" not in {source.category for source in legacy_folder_read(tmp_path)}


# Folders of v2 files


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("category", "fields"),
    [
        ("lora", {"nsfw": "yes"}),
        ("lora", {"nsfw": 1}),
        ("image_generation", {"baseline": "SDXL", "nsfw": "off"}),
        ("text_generation", {"parameters": "7000000000"}),
        ("text_generation", {"parameters": 7e9}),
        ("text_generation", {"parameters_count": 7_000_000_000}),
        ("clip", {"size_on_disk_bytes": "10", "metadata": {"updated_at": "5"}}),
    ],
)
def test_a_record_that_is_only_spelled_otherwise_is_imported_and_served_in_both_versions(
    tmp_path, client, category, fields
):
    sources_import([v2_read(tmp_path, {"Org/A": {"name": "Org/A", **fields}}, f"{category}.json")])
    assert client.get(f"{V2}/{category}").json()["Org/A"]["name"] == "Org/A"
    assert client.get(f"{V2}/{category}/search").json()["total"] == 1
    if CATEGORIES[category].has_legacy_form:
        assert client.get(f"{V1}/{category}").json()["Org/A"]["name"] == "Org/A"


@pytest.mark.parametrize("category", LEGACY)
def test_what_version_2_answers_can_be_read_back(tmp_path, category):
    answer = golden("v2", f"{category}.json")
    source = v2_read(tmp_path, answer, f"{category}.json")
    assert source.issues == []
    assert {record.name: record.record for record in source.records} == answer
    assert [record.name for record in source.records] == list(answer)
    assert all(record.legacy is None for record in source.records)


def test_image_models_may_lie_in_the_file_of_the_published_store(tmp_path):
    record = make_v2("image_generation", "A")
    source = v2_read(tmp_path, {"A": record}, "stable_diffusion.json")
    assert (source.category, source.records[0].record) == ("image_generation", record)


def test_the_file_named_after_the_category_comes_before_its_other_name(tmp_path):
    (tmp_path / "stable_diffusion.json").write_text(
        json.dumps({"other": make_v2("image_generation", "other")})
    )
    source = v2_read(tmp_path, {"own": make_v2("image_generation", "own")}, "image_generation.json")
    assert [record.name for record in source.records] == ["own"]


def test_a_record_may_be_known_by_another_name_than_it_has(tmp_path):
    source = v2_read(tmp_path, {"key": make_v2("controlnet", "name")}, "controlnet.json")
    assert [(record.name, record.record["name"]) for record in source.records] == [("key", "name")]


def test_fields_no_schema_knows_are_kept(tmp_path):
    record = {**make_v2("lora", "A"), "extra": {"of": [1, None]}}
    assert v2_read(tmp_path, {"A": record}).records[0].record == record


def test_a_record_as_deep_as_may_be_is_read_and_compared_with_itself(tmp_path):
    record = {**make_v2("lora", "A"), "extra": json.loads('{"a":' * 62 + "1" + "}" * 62)}
    source = v2_read(tmp_path, {"A": record})
    assert [read.record for read in source.records] == [record]
    assert json_equal(record, json.loads(json.dumps(record)))


@pytest.mark.parametrize(
    ("name", "record", "reason"),
    [
        ("A", {"homepage": "h"}, "name: "),
        ("A", {"name": "A", "config": {"download": [{"file_name": "f"}]}}, "config.download.0.file_url: "),
        ("A", {"name": "A", "record_type": "ti"}, "record_type: "),
        ("A", {"name": "A", "nsfw": "perhaps"}, "nsfw: "),
        ("A", ["no", "record"], ": "),
        ("A", None, ": "),
        (" A", {"name": " A"}, "must not start or end with whitespace"),
        ("A\\B", {"name": "A\\B"}, "backslash"),
        ("A" * 256, {"name": "A"}, "longer than 255"),
        ("A", {"name": "A", "config": {"download": [make_download("f", size_bytes=-1)]}}, "size_bytes: "),
        ("A", {"name": "A", "extra": "\ud800"}, ""),
        ("A", {"name": "A", "extra": json.loads("[" * 400 + "]" * 400)}, "is nested deeper than 64 levels"),
        ("A", {"name": "A", "extra": json.loads('{"a":' * 63 + "1" + "}" * 63)}, "is nested deeper than 64"),
        ("\ud800", {"name": "A"}, ""),
    ],
)
def test_a_record_that_is_none_is_skipped_and_the_others_are_read(tmp_path, name, record, reason):
    source = v2_read(
        tmp_path, {"first": make_v2("lora", "first"), name: record, "last": make_v2("lora", "last")}
    )
    assert [record.name for record in source.records] == ["first", "last"]
    [issue] = source.issues
    assert (issue.name, issue.severity) == (name, Severity.SKIPPED)
    assert reason in issue.reason
    assert issue.reason


def test_records_are_read_when_they_are_asked_for_and_as_often(tmp_path):
    bad = {"name": "B", "nsfw": "perhaps"}
    (tmp_path / "lora.json").write_text(json.dumps({"A": make_v2("lora", "A"), "B": bad}))
    [source] = v2_folder_read(tmp_path)
    assert (len(source.records), source.issues) == (2, [])
    for _ in range(2):
        assert [record.name for record in source.records] == ["A"]
        assert [issue.name for issue in source.issues] == ["B"]


def test_of_a_name_that_occurs_more_than_once_the_last_entry_counts(tmp_path):
    entries = [("A", "first"), ("B", "only"), ("A", "second"), ("A", "last")]
    text = ",".join(f'"{name}":{json.dumps(make_v2("lora", name, homepage=page))}' for name, page in entries)
    source = v2_read(tmp_path, "{" + text + "}")
    read = [(record.name, record.record["homepage"]) for record in source.records]
    assert read == [("B", "only"), ("A", "last")]
    [issue] = source.issues
    assert (issue.name, issue.severity, issue.code) == ("A", Severity.WARNING, "repeated_record")


@pytest.mark.parametrize(
    ("entry", "is_known"),
    [
        ({"name": "A", "nsfw": "perhaps", "metadata": {"created_at": 1, "updated_at": 2}}, True),
        ({"name": "A", "nsfw": "perhaps"}, True),
        ({"name": "A", "nsfw": "perhaps", "metadata": {"updated_at": None}}, True),
        ({"name": "A", "nsfw": "perhaps", "metadata": {"updated_at": 3}}, False),
        ({"name": "A", "nsfw": "perhaps", "metadata": [1]}, False),
        ({"name": "A", "nsfw": "perhaps", "homepage": "h"}, False),
        ({"nsfw": "perhaps"}, False),
        (["A"], False),
    ],
)
def test_what_is_known_is_not_validated_again(tmp_path, entry, is_known):
    known = {"name": "A", "nsfw": "perhaps", "metadata": {"created_at": 1, "updated_at": 2}}
    asked = []

    def tell(category, names):
        asked.append((category, list(names)))
        return {"A": known}

    (tmp_path / "lora.json").write_text(json.dumps({"A": entry, "b\\": {}, "\ud800": {}, "B": {"name": "B"}}))
    [source] = v2_folder_read(tmp_path, known=tell)
    assert [record.name for record in source.records] == (["A", "B"] if is_known else ["B"])
    assert asked == [("lora", ["A", "B"])]
    if is_known:
        assert next(iter(source.records)).record == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"A": {"name": "A"}',
        '{"A": {"name": "A"},}',
        '{"A": {"name": "A"}} {}',
        '{"A": {"name": "A"} "B": {}}',
        '{"A" {"name": "A"}}',
        '{A: {"name": "A"}}',
        '{"A": {"name": "A',
        "[]",
        "null",
        '{"A": {"name": "A", "extra": NaN}}',
        '{"A": {"name": "A", "extra": -Infinity}}',
        '{"A": ' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"A": {"name": "A", "extra": ' + "1" * 5000 + "}}",
    ],
    ids=[
        "empty",
        "torn",
        "torn after a record",
        "comma at the end",
        "more than an object",
        "no comma",
        "no colon",
        "no quotes",
        "torn text",
        "list",
        "null",
        "NaN",
        "infinity",
        "deep",
        "long number",
    ],
)
def test_a_file_that_is_no_json_object_is_named(tmp_path, text):
    with pytest.raises(SourceError, match=r"^lora\.json"):
        v2_read(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "lora.json").write_bytes(b'{"A\xff": {}}')
    with pytest.raises(SourceError, match=r"^lora\.json"):
        list(v2_folder_read(tmp_path))


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path):
    source = v2_read(tmp_path, "\ufeff" + json.dumps({"A": make_v2("lora", "A")}))
    assert [record.name for record in source.records] == ["A"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: (path / "other.json").write_text("{}")])
def test_a_folder_without_any_category_is_an_error(tmp_path, make):
    make(tmp_path)
    with pytest.raises(SourceError, match="no file named after a category"):
        list(v2_folder_read(tmp_path))


def test_the_repositories_are_those_of_the_settings(settings):
    settings.IMAGE_GITHUB_REPO = {"owner": "me", "name": "images", "branch": "dev"}
    images, texts = legacy_repositories()
    assert (images.page_url, images.branch) == ("https://github.com/me/images", "dev")
    assert texts.page_url == "https://github.com/Haidra-Org/AI-Horde-text-model-reference"
