"""The objects that model records are made of."""

from functools import cached_property
from typing import Any

from references.serializers.base import ObjectSerializer
from references.serializers.fields import (
    OPTIONAL,
    BooleanField,
    EnumField,
    IntegerField,
    ListField,
    MapField,
    StringField,
)
from references.vocabulary import RECORD_SCHEMA_VERSION, UNKNOWN_HASH, Domain, Purpose


class RecordPart(ObjectSerializer):
    """An object of a model record. Where null is allowed, a null member is the same as an absent one."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and None in data.values():
            data = {
                name: value for name, value in data.items() if value is not None or name not in self._nullable
            }
        return super().to_internal_value(data)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return instance

    def get_default(self) -> Any:
        # Through validation: members left out get their own default, and no two records share an object.
        return self.to_internal_value(super().get_default())

    @cached_property
    def _nullable(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if field.allow_null)


class FineTuneSeriesInfo(RecordPart):
    """The series of fine-tunes a model is a member of."""

    name = StringField(help_text="What the series is called.")
    version = StringField(**OPTIONAL, help_text="The member's version within the series.")
    author = StringField(**OPTIONAL, help_text="Who makes the series.")
    description = StringField(**OPTIONAL, help_text="What the series is about.")
    homepage = StringField(**OPTIONAL, help_text="Where to read more about the series.")


class GenericModelRecordMetadata(RecordPart):
    """When a record was made and changed, and by whom. Times are UNIX seconds."""

    schema_version = StringField(default=RECORD_SCHEMA_VERSION, help_text="The record format's version.")
    created_at = IntegerField(**OPTIONAL, help_text="When the record was created.")
    updated_at = IntegerField(**OPTIONAL, help_text="When the record was last changed.")
    created_by = StringField(**OPTIONAL, help_text="Who created the record.")
    updated_by = StringField(**OPTIONAL, help_text="Who last changed the record.")


class DownloadRecord(RecordPart):
    """One file of a model."""

    file_name = StringField(help_text="The name the file is saved under.")
    file_url = StringField(help_text="Where the file is fetched from.")
    sha256sum = StringField(
        default=UNKNOWN_HASH,
        help_text=f"The file's SHA-256 in hexadecimal, or {UNKNOWN_HASH} while it is unknown.",
    )
    content_hash = StringField(
        **OPTIONAL, help_text="A hash of the weights alone, the same whatever file format they are packed in."
    )
    file_purpose = StringField(
        **OPTIONAL, help_text="Which part of the model the file holds, such as vae; none for the main file."
    )
    known_slow_download = BooleanField(**OPTIONAL, help_text="Whether the host is known to serve it slowly.")
    size_bytes = IntegerField(**OPTIONAL, min_value=0, help_text="The file's size in bytes.")


class GenericModelRecordConfig(RecordPart):
    """What a worker needs to fetch and load a model."""

    download = ListField(child=DownloadRecord(), default=list, help_text="The files, the main one first.")
    embedded_component_hashes = MapField(
        child=StringField(),
        **OPTIONAL,
        help_text="Hashes of the components inside the main file, by kind, such as vae.",
    )


class ModelClassification(RecordPart):
    """What a model works on and what it is for."""

    domain = EnumField(Domain, component="MODEL_DOMAIN", help_text="The kind of media.")
    purpose = EnumField(Purpose, component="MODEL_PURPOSE", help_text="The step the model does.")
