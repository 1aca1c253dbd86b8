"""The record types of the legacy format. Their objects are open: members they do not know are kept."""

import math
import re
from typing import Any, ClassVar

from rest_framework.exceptions import ErrorDetail, ValidationError

from references.problems import VALUE_ERROR, ProblemCode
from references.serializers.base import ObjectSerializer, request_validated
from references.serializers.fields import (
    OPTIONAL,
    UNSTORABLE_CHARACTER,
    BooleanField,
    IntegerField,
    ListField,
    LiteralField,
    MapField,
    ScalarField,
    StringField,
)
from references.vocabulary import (
    TEXT_SETTINGS_KEYS,
    ControlNetStyle,
    baseline_from_legacy,
    baseline_id,
    baseline_to_legacy,
)

LEGACY_RECORD_TYPES: dict[str, type["LegacyGenericRecord"]] = {}
BANNED_SHOWCASE_HOST = "huggingface"
EXTRA_LEVELS = 32

_SHA256 = re.compile("[0-9A-Fa-f]{64}")


def legacy_record_type(category: str) -> type["LegacyGenericRecord"]:
    return LEGACY_RECORD_TYPES[category]


def legacy_validate(category: str, body: Any, *, root: str = "body") -> dict[str, Any]:
    """The legacy record as given, values normalised: members in the order given, explicit nulls kept.

    Raises RequestInvalid with all problems found.
    """
    return request_validated(legacy_record_type(category), body, root=root)


class OpenObject(ObjectSerializer):
    """An object whose unknown members are kept as they are, each where it stood."""

    keeps_extras = True

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        known, errors = {}, {}
        try:
            known = super().to_internal_value(data)
        except ValidationError as invalid:
            if not isinstance(data, dict):
                raise
            errors = invalid.detail
        errors |= {
            name: [ErrorDetail("Value error, this cannot be stored", code=ProblemCode(VALUE_ERROR))]
            for name, value in data.items()
            if name not in self.fields and not _is_storable({name: value}, EXTRA_LEVELS)
        }
        if errors:
            raise ValidationError(errors)
        return {name: known.get(name, value) for name, value in data.items()} | known


class OpenPart(OpenObject):
    """An object inside a legacy record; null members are left out."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        return super().to_internal_value(data)


class ShowcaseField(StringField):
    """The address of a picture; the host of the models is not one for pictures."""

    def to_internal_value(self, data: Any) -> str:
        address = super().to_internal_value(data)
        if BANNED_SHOWCASE_HOST in address.lower():
            self.fail(VALUE_ERROR, reason=f"showcases must not be hosted by {BANNED_SHOWCASE_HOST}")
        return address


class LegacyBaselineField(StringField):
    """A known image baseline in any spelling; becomes the legacy spelling."""

    def to_internal_value(self, data: Any) -> str:
        spelling = super().to_internal_value(data)
        identifier = baseline_id(baseline_from_legacy(spelling))
        if identifier is None:
            self.fail(VALUE_ERROR, reason=f"unknown baseline: {spelling}")
        return baseline_to_legacy(identifier)


class Sha256Field(StringField):
    """A SHA-256 in hexadecimal, in either case; empty while it is unknown."""

    default_error_messages = {"string_pattern_mismatch": "Expected 64 hexadecimal digits"}

    def to_internal_value(self, data: Any) -> str:
        digits = super().to_internal_value(data)
        if digits and not _SHA256.fullmatch(digits):
            self.fail("string_pattern_mismatch", ctx={"pattern": _SHA256.pattern})
        return digits


class LegacyConfigFile(OpenPart):
    """A file of a model."""

    path = StringField(help_text="The file's name.")
    md5sum = StringField(**OPTIONAL, help_text="The file's MD5 in hexadecimal.")
    sha256sum = Sha256Field(**OPTIONAL, help_text="The file's SHA-256 in hexadecimal.")
    file_type = StringField(
        **OPTIONAL, help_text="Which part of the model the file holds; none for the main file."
    )
    content_hash = StringField(**OPTIONAL, help_text="A hash of the weights alone.")


class LegacyConfigDownload(OpenPart):
    """Where a file of a model is fetched from."""

    file_name = StringField(**OPTIONAL, help_text="The file's name, as in the list of files.")
    file_path = StringField(
        default="", allow_null=True, help_text="The folder the file goes to, if not the usual."
    )
    file_url = StringField(**OPTIONAL, help_text="The file's address.")


class LegacyConfig(OpenPart):
    """The files of a model and where they are fetched from."""

    files = ListField(child=LegacyConfigFile(), required=False, help_text="The files.")
    download = ListField(
        child=LegacyConfigDownload(), required=False, help_text="The addresses of the files."
    )
    embedded_component_hashes = MapField(
        child=StringField(), **OPTIONAL, help_text="Hashes of the components inside the main file, by kind."
    )


class LegacyGenericRecord(OpenObject):
    """What all legacy records have. A subclass with a `category` is the legacy record type of it."""

    category: ClassVar[str]

    name = StringField(help_text="What the model is called.")
    type = StringField(**OPTIONAL, help_text="The kind of model.")
    description = StringField(**OPTIONAL, help_text="What the model does well.")
    version = StringField(**OPTIONAL, help_text="The version of the model.")
    style = StringField(**OPTIONAL, help_text="What the model is best at.")
    nsfw = BooleanField(**OPTIONAL, help_text="Whether it is made for content that is not safe for work.")
    download_all = BooleanField(**OPTIONAL, help_text="Whether workers fetch it without being asked to.")
    config = LegacyConfig(**OPTIONAL, help_text="The model's files.")
    available = BooleanField(**OPTIONAL, help_text="Kept for old workers.")
    features_not_supported = ListField(
        child=StringField(), **OPTIONAL, help_text="What it cannot be used for."
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "category" in cls.__dict__:
            LEGACY_RECORD_TYPES[cls.category] = cls

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and "config" in data and data["config"] is None:
            data = {**data, "config": {}}
        return super().to_internal_value(data)


def _type_field(*values: str, **kwargs: Any) -> LiteralField:
    return LiteralField(values, **kwargs, help_text="The kind of model.")


class LegacyStableDiffusionRecord(LegacyGenericRecord):
    """A model that makes pictures."""

    category = "image_generation"

    type = _type_field("ckpt", **OPTIONAL)
    inpainting = BooleanField(required=False, help_text="Whether it is made to fill in masked areas.")
    baseline = LegacyBaselineField(help_text="The base model it was made from.")
    tags = ListField(child=StringField(), **OPTIONAL, help_text="Words to find it by.")
    showcases = ListField(child=ShowcaseField(), **OPTIONAL, help_text="Addresses of pictures made with it.")
    trigger = ListField(child=StringField(), **OPTIONAL, help_text="Words that bring out its style.")
    min_bridge_version = IntegerField(**OPTIONAL, help_text="The oldest worker version that can run it.")
    size_on_disk_bytes = IntegerField(**OPTIONAL, min_value=0, help_text="The size of its files in bytes.")
    homepage = StringField(**OPTIONAL, help_text="Where to read more about it.")
    optimization = StringField(**OPTIONAL, help_text="The speed-up it was distilled for.")
    requirements = MapField(child=ScalarField(), **OPTIONAL, help_text="Settings it needs.")


class LegacyClipRecord(LegacyGenericRecord):
    """A model that relates pictures and text."""

    category = "clip"

    type = _type_field("clip", "coca", **OPTIONAL)
    pretrained_name = StringField(**OPTIONAL, help_text="The library's name for its weights.")


class LegacyBlipRecord(LegacyGenericRecord):
    """A model that describes pictures."""

    category = "blip"

    type = _type_field("blip", **OPTIONAL)


class LegacyCodeformerRecord(LegacyGenericRecord):
    """A model that restores faces, by another method."""

    category = "codeformer"

    type = _type_field("CodeFormers", **OPTIONAL)


class LegacyControlnetRecord(LegacyGenericRecord):
    """A model that steers image generation by a second picture."""

    category = "controlnet"

    type = _type_field(*ControlNetStyle)


class LegacyEsrganRecord(LegacyGenericRecord):
    """A model that enlarges pictures."""

    category = "esrgan"

    type = _type_field("realesrgan", "esrgan", **OPTIONAL)


class LegacyGfpganRecord(LegacyGenericRecord):
    """A model that restores faces."""

    category = "gfpgan"

    type = _type_field("gfpgan", **OPTIONAL)


class LegacySafetyCheckerRecord(LegacyGenericRecord):
    """A model that recognises pictures to withhold."""

    category = "safety_checker"

    type = _type_field("safety_checker", **OPTIONAL)


class LegacyMiscellaneousRecord(LegacyGenericRecord):
    """A model that fits no other category."""

    category = "miscellaneous"

    type = _type_field("layer_diffuse", **OPTIONAL)


class LegacyTextGenerationRecord(LegacyGenericRecord):
    """A language model."""

    category = "text_generation"

    model_name = StringField(**OPTIONAL, help_text="The name without its author.")
    baseline = StringField(**OPTIONAL, help_text="The base model it was made from.")
    display_name = StringField(**OPTIONAL, help_text="A friendlier name to show.")
    url = StringField(**OPTIONAL, help_text="Where to read more about it.")
    instruct_format = StringField(**OPTIONAL, help_text="The prompt format it was tuned for.")
    parameters = IntegerField(above=0, help_text="How many parameters it has.")
    tags = ListField(child=StringField(), **OPTIONAL, help_text="Words to find it by.")
    settings = MapField(
        child=ScalarField(),
        keys=TEXT_SETTINGS_KEYS,
        **OPTIONAL,
        help_text="Generation settings to start from.",
    )


def _is_storable(value: Any, levels: int) -> bool:
    """Whether JSON text can hold the value and every reader of that text can walk it."""
    if isinstance(value, dict):
        return levels > 0 and all(
            _is_storable(name, 0) and _is_storable(member, levels - 1) for name, member in value.items()
        )
    if isinstance(value, list):
        return levels > 0 and all(_is_storable(element, levels - 1) for element in value)
    if isinstance(value, str):
        return UNSTORABLE_CHARACTER.search(value) is None
    return not isinstance(value, float) or math.isfinite(value)
