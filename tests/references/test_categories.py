import json
from collections.abc import Iterator

import pytest

from config.wsgi import django_application
from references.api.hot import HotReads
from references.categories import CATEGORIES, CategorySpec
from references.models import ModelRecord
from references.serializers import RECORD_TYPES
from references.serializers.fields import OPTIONAL, StringField
from references.serializers.records import GenericModelRecord
from references.services import categories_sync, sources_import
from references.sources import v2_folder_read
from references.vocabulary import Domain, Purpose
from tests.references.api import V1, V2, ask


def test_the_table_says_of_each_category_what_the_contract_does():
    facts = {
        name: (spec.domain.value, spec.purpose.value, spec.has_legacy_form, spec.usage)
        for name, spec in CATEGORIES.items()
    }
    assert list(facts.items()) == [
        ("image_generation", ("image", "generation", True, "image")),
        ("text_generation", ("text", "generation", True, "text")),
        ("clip", ("image", "feature_extractor", True, None)),
        ("controlnet", ("image", "auxiliary_or_patch", True, None)),
        ("blip", ("image", "feature_extractor", True, None)),
        ("esrgan", ("image", "post_processing", True, None)),
        ("gfpgan", ("image", "post_processing", True, None)),
        ("codeformer", ("image", "post_processing", True, None)),
        ("safety_checker", ("image", "safety_checker", True, None)),
        ("video_generation", ("video", "generation", False, None)),
        ("audio_generation", ("audio", "generation", False, None)),
        ("miscellaneous", ("image", "miscellaneous", True, None)),
        ("lora", ("image", "auxiliary_or_patch", False, None)),
        ("ti", ("image", "auxiliary_or_patch", False, None)),
    ]


def test_each_category_has_a_record_type_and_a_file_of_its_own():
    assert list(RECORD_TYPES) == [name for name in RECORD_TYPES if name in CATEGORIES]
    assert set(RECORD_TYPES) == set(CATEGORIES)
    files = [spec.source for spec in CATEGORIES.values() if spec.source]
    assert len(files) == len(set(files))
    labels = [spec.label for spec in CATEGORIES.values()]
    assert all(labels)
    assert len(labels) == len(set(labels))


def test_text_models_and_categories_without_legacy_form_keep_no_legacy_objects():
    without = [name for name, spec in CATEGORIES.items() if not spec.has_legacy_objects]
    assert without == ["text_generation", "video_generation", "audio_generation", "lora", "ti"]
    assert [name for name, spec in CATEGORIES.items() if spec.curated_elsewhere] == ["lora", "ti"]


@pytest.fixture
def voice() -> Iterator[CategorySpec]:
    """A fifteenth category: an entry in the table and a record type, and no other line of code."""
    spec = CategorySpec("voice", "Voices", Domain.AUDIO, Purpose.GENERATION)
    CATEGORIES[spec.name] = spec

    class VoiceModelRecord(GenericModelRecord):
        """A model that speaks."""

        category = "voice"

        language = StringField(**OPTIONAL, help_text="What it speaks.")

    yield spec
    del CATEGORIES[spec.name]
    del RECORD_TYPES[spec.name]


@pytest.mark.django_db
def test_a_further_category_is_an_entry_and_a_record_type(voice, client, tmp_path):
    assert client.get(f"{V2}/voice").status_code == 404
    assert client.get(f"{V2}/voice/search").json()["total"] == 0

    categories_sync()
    records = {name: {"name": name, "language": tongue} for name, tongue in (("Ada", "en"), ("Bo", "sv"))}
    entries = {**records, "Bad": {"name": "Bad", "language": ["en"]}}
    (tmp_path / "voice.json").write_text(json.dumps(entries))
    [source] = v2_folder_read(tmp_path)
    counts = sources_import([source], at=1_900_000_000)
    assert (counts["voice"].created, [issue.name for issue in source.issues]) == (2, ["Bad"])
    stored = {record.name: record.as_dict() for record in ModelRecord.objects.filter(category="voice")}

    assert client.get(f"{V2}/model_categories").json() == list(CATEGORIES)
    assert list(CATEGORIES)[-1] == "voice"
    assert client.get(f"{V2}/voice").json() == stored
    assert ask(f"{V2}/voice", application=HotReads(django_application)).json() == stored
    assert client.get(f"{V2}/voice/model/Ada").json() == stored["Ada"]
    found = client.get(f"{V2}/voice/search?sort_by=language&sort_desc=true").json()["results"]
    assert [record["name"] for record in found] == ["Bo", "Ada"]
    assert found[0]["model_classification"] == {"domain": "audio", "purpose": "generation"}
    assert found[0]["record_type"] == "voice"
    everywhere = client.get(f"{V2}/search?sort_by=language").json()
    assert [record["name"] for record in everywhere["results"]] == ["Ada", "Bo"]
    assert client.get(f"{V2}/voice/search?nsfw=true").status_code == 400
    assert client.get(f"{V2}/metadata/voice").json()["total_models"] == 2
    assert client.get(f"{V2}/metadata/metadata").json()["voice"]["last_updated"] == 1_900_000_000
    assert client.get(f"{V1}/voice").status_code == 404
    assert client.get(f"{V1}/model_categories").json()[-1] == "voice"
