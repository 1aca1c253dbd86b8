import json

import pytest

from references.categories import CATEGORIES
from references.legacy import category_dump
from references.models import ModelRecord
from references.services import record_delete, record_put, sources_import
from tests.conftest import IMPORTED_AT
from tests.factories import make_legacy, make_record, make_source
from tests.recorded import golden, legacy_dir
from tests.references.api import V1, ask

pytestmark = pytest.mark.django_db

WITH_OBJECTS = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_objects]
RECORDED = [*WITH_OBJECTS, "text_generation", "lora", "ti"]


def source_text(category: str) -> bytes:
    return (legacy_dir() / "image" / CATEGORIES[category].source).read_bytes().replace(b"\r\n", b"\n")


# What is answered


@pytest.mark.parametrize("category", RECORDED)
def test_categories_are_answered_as_recorded(real_reference, client, category):
    answer = client.get(f"{V1}/{category}")
    recorded = golden("v1", f"{category}.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == recorded
    assert list(answer.json()) == list(recorded)
    assert ask(f"{V1}/{category}").body == answer.content


@pytest.mark.parametrize("category", WITH_OBJECTS)
def test_the_bytes_are_those_of_the_source_with_unix_line_ends(real_reference, client, category):
    assert client.get(f"{V1}/{category}").content == source_text(category)


def test_text_models_are_byte_for_byte_the_file_clients_know(real_reference, client):
    body = client.get(f"{V1}/text_generation").content
    assert body == (legacy_dir() / "text" / "db.json").read_bytes()
    assert list(json.loads(body))[:3] == [
        "acrastt/Marx-3B-V3",
        "aphrodite/acrastt/Marx-3B-V3",
        "koboldcpp/Marx-3B-V3",
    ]


def test_text_models_with_their_group_are_answered_as_recorded(real_reference, client):
    answer = client.get(f"{V1}/text_generation", {"include_group": "true"})
    recorded = golden("v1", "text_generation.include_group.json")
    assert answer.json() == recorded
    assert list(answer.json()) == list(recorded)
    assert answer.content.isascii()
    assert answer.content.startswith(b'{"acrastt/Marx-3B-V3": {"name": "acrastt/Marx-3B-V3", "')
    marx = answer.json()["koboldcpp/Marx-3B-V3"]
    assert list(marx)[-2:] == ["text_model_group", "text_model_group_summary"]
    summary = marx["text_model_group_summary"]
    assert (marx["text_model_group"], summary["member_count"], summary["available_sizes"]) == (
        "Marx",
        3,
        ["3B"],
    )
    assert summary["name_format"]["template"] == "{author}/{base}-{size}-{version}"


@pytest.mark.parametrize(
    ("category", "key", "fields"),
    [
        ("controlnet", "control_qr_sdxl", {"name": "control_qr_xl"}),
        ("esrgan", "4x_AnimeSharp", {"type": "esrgan"}),
        ("image_generation", "stable_diffusion_2.1", {"baseline": "stable diffusion 2"}),
        (
            "text_generation",
            "Sao10K/Llama-3.1-8B-Stheno-v3.4",
            {"instruct_format": "Llama 3", "tags": ["8B", "chat", "roleplay"]},
        ),
        ("text_generation", "Casual-Autopsy/Maginum-Cydoms-24B", {"tags": ["24B", "chat", "roleplay"]}),
    ],
)
def test_records_with_a_peculiarity_keep_it(real_reference, client, category, key, fields):
    entry = client.get(f"{V1}/{category}").json()[key]
    assert {field: entry[field] for field in fields} == fields


# Spellings


@pytest.mark.parametrize(
    ("spelling", "category"),
    [
        ("stable_diffusion", "image_generation"),
        ("stable_diffusion.json", "image_generation"),
        ("image_generation.json", "image_generation"),
        ("db.json", "text_generation"),
        ("text_generation.json", "text_generation"),
        ("clip.json", "clip"),
        ("lora.json", "lora"),
        ("ti.json", "ti"),
    ],
)
def test_other_spellings_mean_the_same_category(real_reference, client, spelling, category):
    for query in ("", "?unknown=parameter"):
        spelled, plain = client.get(f"{V1}/{spelling}{query}"), client.get(f"{V1}/{category}")
        assert (spelled.status_code, spelled.content) == (200, plain.content)
        assert ask(f"{V1}/{spelling}{query}").body == plain.content


@pytest.mark.parametrize(
    "spelling",
    [
        "nope",
        "clip.json.json",
        "IMAGE_GENERATION",
        "Stable_diffusion",
        "db",
        "db.json.json",
        "stable_diffusion.JSON",
        ".json",
        "json",
        "models.csv",
        "clip ",
    ],
)
def test_unknown_spellings_are_unprocessable(client, spelling):
    for answer in (client.get(f"{V1}/{spelling}"), ask(f"{V1}/{spelling.replace(' ', '%20')}")):
        assert (getattr(answer, "status_code", None) or answer.status) == 422
        assert answer.json()["detail"].startswith(f"Invalid model category: '{spelling}'.")


def test_a_slash_in_a_spelling_is_another_route(client):
    answer = client.get(f"{V1}/clip/json")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


# Nothing to answer


@pytest.mark.parametrize("category", ["video_generation", "audio_generation", "clip", "image_generation"])
def test_an_empty_category_is_not_found(empty_reference, client, category):
    for spelling in (category, f"{category}.json"):
        answer = client.get(f"{V1}/{spelling}")
        assert answer.status_code == ask(f"{V1}/{spelling}").status == 404
        assert answer.json() == {"detail": f"Model category '{category}' not found or is empty"}


def test_a_category_without_legacy_form_is_not_found_even_with_models(client):
    make_record("video_generation", "A")
    assert client.get(f"{V1}/video_generation").status_code == 404
    assert ask(f"{V1}/video_generation").status == 404


def test_no_text_models_are_not_found_in_words_of_their_own(empty_reference, client):
    for query in ("", "?include_group=true"):
        answer = client.get(f"{V1}/text_generation{query}")
        assert answer.status_code == 404
        assert answer.json() == {"detail": "Text generation models not found or empty"}


@pytest.mark.parametrize("category", ["lora", "ti"])
def test_categories_curated_elsewhere_are_empty_objects_whatever_they_hold(client, category):
    assert client.get(f"{V1}/{category}").json() == {}
    make_record(category, "A")
    assert client.get(f"{V1}/{category}").json() == ask(f"{V1}/{category}.json").json() == {}


# The query


@pytest.mark.parametrize(
    ("value", "grouped"),
    [("true", True), ("YES", True), ("1", True), ("t", True), ("false", False), ("Off", False), ("n", False)],
)
def test_the_group_is_added_on_request(client, value, grouped):
    make_record("text_generation", "Org/M-7B")
    entry = client.get(f"{V1}/text_generation?include_group={value}").json()["Org/M-7B"]
    assert ("text_model_group" in entry) == grouped


def test_of_several_requests_for_the_group_the_last_one_counts(client):
    make_record("text_generation", "Org/M-7B")
    last_no = client.get(f"{V1}/text_generation?include_group=banana&include_group=false")
    assert (last_no.status_code, "text_model_group" in last_no.json()["Org/M-7B"]) == (200, False)


@pytest.mark.parametrize("value", ["banana", "", "2", "truee", "null"])
def test_a_request_for_the_group_that_is_neither_yes_nor_no_is_unprocessable(client, value):
    make_record("text_generation", "Org/M-7B")
    answer = client.get(f"{V1}/text_generation?include_group={value}")
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == ("bool_parsing", ["query", "include_group"])


@pytest.mark.parametrize("spelling", ["db.json", "text_generation.json"])
def test_only_the_plain_spelling_knows_groups(client, spelling):
    make_record("text_generation", "Org/M-7B")
    plain = client.get(f"{V1}/text_generation").content
    for value in ("true", "banana"):
        answer = client.get(f"{V1}/{spelling}?include_group={value}")
        assert (answer.status_code, answer.content) == (200, plain)


# After changes in version 2


def test_a_change_shows_in_one_record_and_leaves_the_others_where_they_were(real_reference, client):
    before = client.get(f"{V1}/image_generation").json()
    stored = ModelRecord.objects.get(category="image_generation", name="stable_diffusion_2.1")
    record = {**stored.as_dict(), "description": "new words"}
    record_put(category="image_generation", name=stored.name, record=record, at=IMPORTED_AT + 1)

    answer = client.get(f"{V1}/image_generation")
    after = answer.json()
    assert after == {**before, stored.name: {**before[stored.name], "description": "new words"}}
    assert list(after) == list(before)
    assert list(after[stored.name]) == list(before[stored.name])
    assert answer.content.decode() == category_dump(after)


def test_a_new_model_comes_last_in_the_legacy_form(real_reference, client):
    make_record("image_generation", "newmodel", baseline="stable_diffusion_1")
    after = client.get(f"{V1}/stable_diffusion.json").json()
    assert (len(after), list(after)[-1]) == (162, "newmodel")
    assert (after["newmodel"]["type"], after["newmodel"]["baseline"]) == ("ckpt", "stable diffusion 1")


def test_a_new_text_model_has_three_entries(empty_reference, client):
    make_record("text_generation", "Org/New-7B", style="chat")
    entries = client.get(f"{V1}/db.json").json()
    assert list(entries) == ["Org/New-7B", "aphrodite/Org/New-7B", "koboldcpp/New-7B"]
    assert [entry["name"] for entry in entries.values()] == list(entries)
    assert entries["koboldcpp/New-7B"]["tags"] == ["7B", "chat"]


def test_a_removed_model_is_gone_with_all_its_entries(real_reference, client):
    record_delete(category="text_generation", name="acrastt/Marx-3B-V3")
    entries = client.get(f"{V1}/text_generation").json()
    assert len(entries) == 2154
    assert not [key for key in entries if "Marx-3B-V3" in key]


def test_non_ascii_is_escaped_in_what_is_written_anew(empty_reference, client):
    sources_import([make_source("clip", make_legacy("clip", "A", description="ü"))])
    make_record("clip", "模型")
    body = client.get(f"{V1}/clip").content
    assert body.isascii()
    assert list(json.loads(body)) == ["A", "模型"]


def test_the_greeting_names_the_repositories(client):
    message = client.get(f"{V1}/info").json()["message"]
    assert "https://github.com/Haidra-Org/AI-Horde-image-model-reference" in message
    assert "https://github.com/Haidra-Org/AI-Horde-text-model-reference" in message
