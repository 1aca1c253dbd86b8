"""Record types: for each category one class that is its schema, its validation and its OpenAPI component."""

from references.serializers.legacy import LEGACY_RECORD_TYPES, legacy_record_type, legacy_validate
from references.serializers.names import backend_prefix_check, name_check
from references.serializers.presenting import Reading, reading_of, record_presented
from references.serializers.records import RECORD_TYPES, record_type
from references.serializers.validation import FieldTree, record_validate, schema_fields

__all__ = [
    "LEGACY_RECORD_TYPES",
    "RECORD_TYPES",
    "FieldTree",
    "Reading",
    "backend_prefix_check",
    "legacy_record_type",
    "legacy_validate",
    "name_check",
    "reading_of",
    "record_presented",
    "record_type",
    "record_validate",
    "schema_fields",
]
