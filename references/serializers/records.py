"""The record type of each category: its schema, its validation and its OpenAPI component in one class."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import Field

from references.categories import CATEGORIES, CategorySpec
from references.problems import VALUE_ERROR, ProblemCode
from references.serializers.fields import (
    OPTIONAL,
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    MapField,
    ScalarField,
    StringField,
    TagsField,
)
from references.serializers.parts import (
    FineTuneSeriesInfo,
    GenericModelRecordConfig,
    GenericModelRecordMetadata,
    ModelClassification,
    RecordPart,
)
from references.vocabulary import (
    IMAGE_BASELINES,
    IMAGE_REQUIREMENTS,
    TEXT_SETTINGS_KEYS,
    ControlNetStyle,
    ImageStyle,
    baseline_id,
)

logger = logging.getLogger(__name__)

RECORD_TYPES: dict[str, type["GenericModelRecord"]] = {}


def record_type(category: str) -> type["GenericModelRecord"]:
    return RECORD_TYPES[category]


class CategoryDefault:
    """A default that is picked from the facts about the record type's category."""

    requires_context = True

    def __init__(self, pick: Callable[[CategorySpec], Any]) -> None:
        self.pick = pick

    def __call__(self, field: Field) -> Any:
        return self.pick(CATEGORIES[field.parent.category])


class RecordTypeField(EnumField):
    """The name of the category, which no other may stand in for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(CATEGORIES, component="MODEL_REFERENCE_CATEGORY", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if data != self.parent.category:
            self.fail("literal_error", ctx={"expected": f"'{self.parent.category}'"})
        return data


@extend_schema_field(
    {"type": "string", "enum": [*IMAGE_BASELINES]}, component_name="KNOWN_IMAGE_GENERATION_BASELINE"
)
class ImageBaselineField(StringField):
    """A known baseline, by its id or another spelling; becomes the id."""

    def to_internal_value(self, data: Any) -> str:
        spelling = super().to_internal_value(data)
        identifier = baseline_id(spelling)
        if identifier is None:
            self.fail(VALUE_ERROR, reason=f"unknown baseline: {spelling}")
        return identifier


@extend_schema_field(
    {"type": "string", "enum": [str(style) for style in ImageStyle]}, component_name="MODEL_STYLE"
)
class ImageStyleField(StringField):
    """One of the closed list of styles; trimmed."""

    def to_internal_value(self, data: Any) -> str:
        style = super().to_internal_value(data).strip()
        if style not in list(ImageStyle):
            self.fail(VALUE_ERROR, reason=f"unknown style: {style}")
        return style


@extend_schema_field(
    {"anyOf": [{"type": "string", "enum": [str(style) for style in ControlNetStyle]}, {"type": "string"}]},
    component_name="CONTROLNET_STYLE",
)
class ControlNetStyleField(StringField):
    """Preferably one of the known styles; others are taken too."""


class GenericModelRecord(RecordPart):
    """What all model records have. A subclass with a `category` is the record type of that category."""

    category: ClassVar[str]

    record_type = RecordTypeField(
        default=CategoryDefault(lambda spec: spec.name), help_text="The category the record belongs to."
    )
    name = StringField(help_text="What the model is called; unique within its category.")
    description = StringField(**OPTIONAL, help_text="What the model does well, in a sentence or two.")
    version = StringField(**OPTIONAL, help_text="The version of the model itself.")
    finetune_series = FineTuneSeriesInfo(**OPTIONAL, help_text="The series of fine-tunes it is a member of.")
    metadata = GenericModelRecordMetadata(default=dict, help_text="When the record was made and changed.")
    config = GenericModelRecordConfig(default=dict, help_text="The model's files.")
    model_classification = ModelClassification(
        default=CategoryDefault(lambda spec: {"domain": spec.domain.value, "purpose": spec.purpose.value}),
        help_text="What the model works on and what it is for.",
    )
    size_on_disk_bytes = IntegerField(
        **OPTIONAL, min_value=0, help_text="The size of all its files in bytes."
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "category" in cls.__dict__:
            RECORD_TYPES[cls.category] = cls


class ImageGenerationModelRecord(GenericModelRecord):
    """A model that makes pictures."""

    category = "image_generation"

    inpainting = BooleanField(
        default=False, allow_null=True, help_text="Whether it is made to fill in masked areas."
    )
    baseline = ImageBaselineField(help_text="The base model it was made from.")
    optimization = StringField(**OPTIONAL, help_text="The speed-up it was distilled for, such as lightning.")
    tags = TagsField(default=list, allow_null=True, help_text="Words to find it by.")
    showcases = ListField(
        child=StringField(), default=list, allow_null=True, help_text="Addresses of pictures made with it."
    )
    min_bridge_version = IntegerField(**OPTIONAL, help_text="The oldest worker version that can run it.")
    trigger = ListField(
        child=StringField(),
        default=list,
        allow_null=True,
        help_text="Words in a prompt that bring out its style.",
    )
    homepage = StringField(**OPTIONAL, help_text="Where to read more about it.")
    nsfw = BooleanField(help_text="Whether it is made for content that is not safe for work.")
    style = ImageStyleField(**OPTIONAL, help_text="The look it is best at.")
    requirements = MapField(
        child=ScalarField(),
        suggested_keys=IMAGE_REQUIREMENTS,
        **OPTIONAL,
        help_text="Settings it needs, such as clip_skip or samplers.",
    )


class TextGenerationModelRecord(GenericModelRecord):
    """A language model."""

    category = "text_generation"
    second_names = {"parameters": "parameters_count"}

    baseline = StringField(**OPTIONAL, help_text="The base model it was made from.")
    parameters = IntegerField(min_value=1, help_text="How many parameters it has, such as 7000000000.")
    nsfw = BooleanField(default=False, help_text="Whether it is made for content that is not safe for work.")
    style = StringField(**OPTIONAL, help_text="What it is best at, such as chat or roleplay.")
    display_name = StringField(**OPTIONAL, help_text="A friendlier name to show.")
    url = StringField(**OPTIONAL, help_text="Where to read more about it.")
    tags = TagsField(**OPTIONAL, help_text="Words to find it by.")
    instruct_format = StringField(**OPTIONAL, help_text="The prompt format it was tuned for, such as ChatML.")
    settings = MapField(
        child=ScalarField(),
        keys=TEXT_SETTINGS_KEYS,
        **OPTIONAL,
        help_text="Generation settings to start from, such as temperature.",
    )
    text_model_group = StringField(
        **OPTIONAL, help_text="The group of its variants; found from the name if left out."
    )
    name_schema_exception = StringField(
        **OPTIONAL, help_text="Why its name departs from the naming scheme of its group."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        second_name = self.second_names["parameters"]
        second = data.get(second_name) if isinstance(data, dict) else None
        if second is None:
            return super().to_internal_value(data)
        record = super().to_internal_value({"parameters": second, **data})
        try:
            agrees = self.fields["parameters"].run_validation(second) == record["parameters"]
        except ValidationError:
            agrees = False
        if not agrees:
            message = f"Value error, parameters and {second_name} are two names of one number"
            raise ValidationError({second_name: [ErrorDetail(message, code=ProblemCode(VALUE_ERROR))]})
        return record


class ClipModelRecord(GenericModelRecord):
    """A model that relates pictures and text."""

    category = "clip"

    pretrained_name = StringField(
        **OPTIONAL, help_text="The name of its weights in the library that loads them."
    )


class ControlNetModelRecord(GenericModelRecord):
    """A model that steers image generation by a second picture."""

    category = "controlnet"

    controlnet_style = ControlNetStyleField(**OPTIONAL, help_text="What it reads from the second picture.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        style = attrs.get("controlnet_style")
        if style is not None and style not in list(ControlNetStyle):
            logger.warning("ControlNet model %r has an unknown style: %r", attrs["name"], style)
        return attrs


class BlipModelRecord(GenericModelRecord):
    """A model that describes pictures."""

    category = "blip"


class EsrganModelRecord(GenericModelRecord):
    """A model that enlarges pictures."""

    category = "esrgan"


class GfpganModelRecord(GenericModelRecord):
    """A model that restores faces."""

    category = "gfpgan"


class CodeformerModelRecord(GenericModelRecord):
    """A model that restores faces, by another method."""

    category = "codeformer"


class SafetyCheckerModelRecord(GenericModelRecord):
    """A model that recognises pictures to withhold."""

    category = "safety_checker"


class MediaGenerationModelRecord(GenericModelRecord):
    """What the records of further generating models have."""

    baseline = StringField(**OPTIONAL, help_text="The base model it was made from or for.")
    nsfw = BooleanField(default=False, help_text="Whether it is made for content that is not safe for work.")
    tags = TagsField(**OPTIONAL, help_text="Words to find it by.")


class VideoGenerationModelRecord(MediaGenerationModelRecord):
    """A model that makes films."""

    category = "video_generation"


class AudioGenerationModelRecord(MediaGenerationModelRecord):
    """A model that makes sound."""

    category = "audio_generation"


class MiscellaneousModelRecord(GenericModelRecord):
    """A model that fits no other category."""

    category = "miscellaneous"


class PatchModelRecord(MediaGenerationModelRecord):
    """What the records of small additions to an image model have."""

    trigger = ListField(
        child=StringField(), **OPTIONAL, help_text="Words in a prompt that bring out its effect."
    )
    homepage = StringField(**OPTIONAL, help_text="Where to read more about it.")
    showcases = ListField(child=StringField(), **OPTIONAL, help_text="Addresses of pictures made with it.")


class LoraModelRecord(PatchModelRecord):
    """A low-rank addition to an image model."""

    category = "lora"


class TextualInversionModelRecord(PatchModelRecord):
    """A learned word for an image model."""

    category = "ti"
