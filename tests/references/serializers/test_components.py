"""The record types as components of the API schema."""

import pytest
from django.urls import path
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.views import APIView

from references.categories import CATEGORIES
from references.serializers import LEGACY_RECORD_TYPES, RECORD_TYPES
from references.vocabulary import IMAGE_BASELINES, ControlNetStyle, Domain, ImageStyle, Purpose


def make_view(record_class: type[serializers.Serializer]) -> type[APIView]:
    class RecordView(APIView):
        @extend_schema(operation_id=record_class.__name__, request=record_class, responses=record_class)
        def post(self, request: object) -> None:
            raise NotImplementedError

    return RecordView


@pytest.fixture(scope="module")
def components() -> dict:
    record_classes = [*RECORD_TYPES.values(), *LEGACY_RECORD_TYPES.values()]
    patterns = [path(record.__name__, make_view(record).as_view()) for record in record_classes]
    reset_generator_stats()
    document = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    assert not GENERATOR_STATS, list(GENERATOR_STATS._warn_cache) + list(GENERATOR_STATS._error_cache)
    return document["components"]["schemas"]


def test_every_record_type_is_a_component(components: dict):
    expected = {record.__name__ for record in (*RECORD_TYPES.values(), *LEGACY_RECORD_TYPES.values())}
    assert expected <= components.keys()
    parts = {
        "DownloadRecord",
        "FineTuneSeriesInfo",
        "GenericModelRecordConfig",
        "GenericModelRecordMetadata",
        "LegacyConfig",
        "LegacyConfigDownload",
        "LegacyConfigFile",
        "ModelClassification",
    }
    assert parts <= components.keys()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("MODEL_REFERENCE_CATEGORY", CATEGORIES),
        ("KNOWN_IMAGE_GENERATION_BASELINE", IMAGE_BASELINES),
        ("MODEL_STYLE", ImageStyle),
        ("MODEL_DOMAIN", Domain),
        ("MODEL_PURPOSE", Purpose),
    ],
)
def test_vocabularies_are_components(components: dict, name: str, values: object):
    assert components[name] == {"type": "string", "enum": list(values)}


def test_the_open_vocabulary_allows_other_values(components: dict):
    assert components["CONTROLNET_STYLE"]["anyOf"] == [
        {"type": "string", "enum": list(ControlNetStyle)},
        {"type": "string"},
    ]


def test_the_documented_count_is_parameters(components: dict):
    properties = components["TextGenerationModelRecord"]["properties"]
    assert properties["parameters"]["type"] == "integer"
    assert properties["parameters"]["minimum"] == 1
    assert "parameters_count" not in properties


def test_required_members_are_documented(components: dict):
    required = {
        record.__name__: sorted(components[record.__name__]["required"]) for record in RECORD_TYPES.values()
    }
    assert required.pop("ImageGenerationModelRecord") == ["baseline", "name", "nsfw"]
    assert required.pop("TextGenerationModelRecord") == ["name", "parameters"]
    assert set(map(tuple, required.values())) == {("name",)}


def test_every_member_is_explained(components: dict):
    for record in (*RECORD_TYPES.values(), *LEGACY_RECORD_TYPES.values()):
        for name, member in components[record.__name__]["properties"].items():
            assert member.get("description"), f"{record.__name__}.{name}"
