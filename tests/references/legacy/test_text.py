"""Text models: legacy entries, what a v1 write is stored as, and CSV rows."""

import json
from typing import Any

import pytest

from references.categories import TEXT_CATEGORY
from references.legacy import (
    CSV_COLUMNS,
    RecordError,
    csv_row,
    group_view,
    legacy_from_record,
    legacy_normalised,
    record_from_legacy,
    source_read,
    text_entries,
)
from references.legacy.csv_rows import parameters_cell, parameters_from_cell


def make_text(name: str = "Org/New_Model--7B", **fields: Any) -> dict:
    return {"name": name, "parameters": 7_000_000_000, **fields}


def first_entry(**fields: Any) -> dict:
    return text_entries(make_text(**fields))[0][1]


def from_entry(**fields: Any) -> dict:
    body = make_text(**fields)
    return record_from_legacy(TEXT_CATEGORY, body["name"], body)[0]


def test_a_record_with_little_to_say_is_served_with_the_defaults_filled_in():
    assert json.dumps(text_entries(make_text())[0]) == json.dumps(
        (
            "Org/New_Model--7B",
            {
                "name": "Org/New_Model--7B",
                "model_name": "New_Model--7B",
                "baseline": "",
                "parameters": 7000000000,
                "description": "",
                "version": "1",
                "style": "generalist",
                "nsfw": False,
                "display_name": "New Model 7B",
                "tags": ["7B"],
            },
        )
    )


def test_everything_a_record_says_is_in_its_entry_in_order():
    entry = first_entry(
        baseline="b",
        description="d",
        version="2",
        style="chat",
        nsfw=True,
        display_name="New",
        url="u",
        tags=["roleplay", "Chat", "roleplay"],
        instruct_format="ChatML",
        settings={"top_p": 1},
        text_model_group="Group",
        name_schema_exception="why",
    )
    assert list(entry)[2:] == [
        "baseline",
        "parameters",
        "description",
        "version",
        "style",
        "nsfw",
        "display_name",
        "url",
        "tags",
        "instruct_format",
        "settings",
    ]
    assert entry["tags"] == ["7B", "Chat", "chat", "roleplay"]
    assert (entry["style"], entry["display_name"], entry["settings"]) == ("chat", "New", {"top_p": 1})


@pytest.mark.parametrize(
    ("name", "keys", "model_name"),
    [
        ("Org/Name", ["Org/Name", "aphrodite/Org/Name", "koboldcpp/Name"], "Name"),
        ("gpt2", ["gpt2", "aphrodite/gpt2", "koboldcpp/gpt2"], "gpt2"),
    ],
)
def test_three_entries_differ_in_key_and_name_alone(name, keys, model_name):
    entries = text_entries(make_text(name))
    assert [key for key, _ in entries] == keys
    assert [entry["name"] for _, entry in entries] == keys
    assert {entry["model_name"] for _, entry in entries} == {model_name}
    assert len({json.dumps({**entry, "name": ""}) for _, entry in entries}) == 1


def test_the_model_name_ends_at_a_second_slash():
    assert first_entry(name="a/b/c-7B")["model_name"] == "b"


def test_the_default_style_is_a_tag_only_when_it_is_said():
    assert first_entry(style="")["tags"] == ["7B"]
    assert first_entry(style="generalist")["tags"] == ["7B", "generalist"]


@pytest.mark.parametrize(
    ("parameters", "tag"),
    [
        (560_000_000, "1B"),
        (500_000_000, "0B"),
        (1_500_000_000, "2B"),
        (2_500_000_000, "2B"),
        (2_500_000_001, "3B"),
        (7_500_000_000, "8B"),
        (0, "0B"),
        (10**400, f"{10**391}B"),
    ],
)
def test_the_size_tag_rounds_half_to_even(parameters, tag):
    assert first_entry(parameters=parameters)["tags"] == [tag]


def test_the_legacy_object_of_a_text_record_is_its_first_entry():
    assert legacy_from_record(TEXT_CATEGORY, make_text()) == first_entry()


def test_a_group_view_counts_prefixed_entries_and_adds_two_fields_last():
    view = group_view(dict(text_entries(make_text("acrastt/Marx-3B-V3"))))
    entry = view["koboldcpp/Marx-3B-V3"]
    assert list(entry)[-2:] == ["text_model_group", "text_model_group_summary"]
    assert entry["text_model_group"] == "Marx"
    summary = entry["text_model_group_summary"]
    assert (summary["member_count"], summary["available_sizes"]) == (3, ["3B"])
    assert summary["name_format"]["template"] == "{author}/{base}-{size}-{version}"


def test_a_version_1_write_is_stored_like_an_imported_row():
    assert json.dumps(from_entry(style="chat", tags=None)) == json.dumps(
        {
            "record_type": "text_generation",
            "name": "Org/New_Model--7B",
            "description": "",
            "version": "",
            "metadata": {"schema_version": "2.0.0"},
            "config": {"download": []},
            "model_classification": {"domain": "text", "purpose": "generation"},
            "baseline": "",
            "parameters": 7000000000,
            "nsfw": False,
            "style": "chat",
            "display_name": "",
            "url": "",
            "tags": [],
            "text_model_group": "New_Model",
        }
    )


@pytest.mark.parametrize(
    ("style", "tags", "stored_style", "stored_tags"),
    [
        ("chat", ["7B", "chat", "roleplay"], "chat", ["roleplay"]),
        ("chat", ["8B", "roleplay"], "chat", ["8B", "roleplay"]),
        ("generalist", ["7B"], "", []),
        ("generalist", ["7B", "generalist"], "generalist", []),
        (None, ["generalist", "x"], "", ["generalist", "x"]),
    ],
)
def test_what_an_entry_says_by_itself_is_not_stored_as_said(style, tags, stored_style, stored_tags):
    record = from_entry(style=style, tags=tags)
    assert (record["style"], record["tags"]) == (stored_style, stored_tags)


@pytest.mark.parametrize(("given", "stored"), [("New Model 7B", ""), ("New", "New"), (None, "")])
def test_a_display_name_is_stored_only_when_it_says_something(given, stored):
    assert from_entry(display_name=given)["display_name"] == stored


def test_version_and_nsfw_of_a_version_1_write_are_kept():
    record = from_entry(version="1", nsfw=True)
    assert (record["version"], record["nsfw"]) == ("1", True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "koboldcpp/x"}, "backend_prefix"),
        ({"name": "http://x"}, "name_is_url"),
        ({"parameters": "many"}, "wrong_type"),
        ({"settings": {"top_p": {}}}, "nested"),
        ({"tags": "a,b"}, "wrong_type"),
        ({"style": 1}, "wrong_type"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused(fields, code):
    with pytest.raises(RecordError) as refused:
        from_entry(**fields)
    assert refused.value.code == code


def test_a_version_1_write_of_a_text_model_is_put_in_order_without_nulls():
    body = {"settings": {"n": 1}, "note": "x", "parameters": 1, "style": None, "name": "a"}
    assert json.dumps(legacy_normalised(TEXT_CATEGORY, body)) == json.dumps(
        {"name": "a", "parameters": 1, "settings": {"n": 1}, "note": "x"}
    )


def test_a_row_is_written_with_as_little_as_it_takes():
    record = make_text(
        version="2",
        nsfw=True,
        style="chat",
        display_name="New Model 7B",
        description='Says "hi",\r\nthen goes.',
        url=None,
        tags=["roleplay", "chat", "7B", "Ärger", "adventure"],
        settings={"temperature": 0.7, "stop_sequence": ["ä"]},
    )
    assert csv_row(record) == (
        'Org/New_Model--7B,7,,,,"Says ""hi"",\r\nthen goes.",chat,"adventure,roleplay,Ärger",,'
        '"{""temperature"": 0.7, ""stop_sequence"": [""ä""]}"'
    )
    assert csv_row(record, ["nsfw", "version", "name", "unheard_of"]) == "true,2,Org/New_Model--7B,"


@pytest.mark.parametrize(
    ("parameters", "cell"),
    [
        (3_000_000_000, "3"),
        (560_000_000, "0.56"),
        (120_000_000_000, "120"),
        (1_500_000_000, "1.5"),
        (8_199_999_999, "8.2"),
        (8_200_000_000, "8.2000000001"),
        (7_241_732_096, "7.241732096"),
        (1, "0.000000001"),
        (0, ""),
    ],
)
def test_a_number_of_parameters_is_written_as_the_shortest_cell_that_reads_as_it(parameters, cell):
    assert parameters_cell(parameters) == cell
    assert parameters_from_cell(cell) == parameters


@pytest.mark.parametrize(
    ("cell", "parameters"), [(" 12", 12 * 10**9), ("0.56", 560_000_000), ("8.2", 8_199_999_999)]
)
def test_a_cell_of_billions_is_cut_off_in_binary(cell, parameters):
    assert parameters_from_cell(cell) == parameters


def test_a_row_reads_as_the_record_it_was_written_from():
    record = from_entry(style="chat", tags=["x"], url="u", settings={"n": 2}, instruct_format="ChatML")
    raw = f"{','.join(CSV_COLUMNS)}\n{csv_row(record)}\n".encode()
    assert [imported.record for imported in source_read(TEXT_CATEGORY, raw).records] == [record]
