"""Bodies of the text toolkit: what it takes and what it answers."""

from rest_framework import serializers

from references.serializers.base import ObjectSerializer
from references.serializers.fields import OPTIONAL, BooleanField, ListField, StringField, TagsField
from references.structure_models import NAME_LENGTH
from references.text import BACKENDS
from references.text.health import SEVERITIES

# One statement looks all names of a request up, and databases bind only so many values.
MAX_NAMES = 5000

# Names ------------------------------------------------------------------------------------------------------


class ExtraPartInfo(serializers.Serializer):
    """A part of a name beyond the five known ones."""

    value = serializers.CharField()
    position = serializers.IntegerField(help_text="How many separators stand before it.")
    inferred_type = serializers.CharField(help_text="What it looks like, such as `DATE`.")


class ParsedNameInfo(serializers.Serializer):
    """The parts of a name."""

    base_name = serializers.CharField(help_text="What is left when all parts are taken out.")
    size = serializers.CharField(allow_null=True)
    variant = serializers.CharField(allow_null=True)
    quant = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    extras = ExtraPartInfo(many=True)


class ParsedNameResponse(ParsedNameInfo):
    """The parts of a name, and the group a model of that name belongs to."""

    original_name = serializers.CharField()
    suggested_group = serializers.CharField()


class ComposeNameRequest(ObjectSerializer):
    """The parts to make a name of."""

    base_name = StringField()
    size = StringField()
    variant = StringField(**OPTIONAL)
    version = StringField(**OPTIONAL)
    quant = StringField(**OPTIONAL)
    author = StringField(**OPTIONAL, help_text="Goes in front, with a slash.")
    separator = StringField(**OPTIONAL, help_text="What joins the parts; a hyphen if left out.")
    part_order = ListField(
        child=StringField(),
        **OPTIONAL,
        help_text="The parts to use, in order: base, size, variant, version, quant.",
    )


class ComposeNameResponse(serializers.Serializer):
    """A name made of parts."""

    composed_name = serializers.CharField()
    already_exists = serializers.BooleanField(help_text="Whether a text model has that name.")
    suggested_group = serializers.CharField()


class DistinctBaselinesResponse(serializers.Serializer):
    """All baselines that text models name."""

    baselines = serializers.ListField(child=serializers.CharField())


# Groups -----------------------------------------------------------------------------------------------------


class GroupListResponse(serializers.Serializer):
    """The names of all groups."""

    groups = serializers.ListField(child=serializers.CharField())


class GroupMemberInfo(serializers.Serializer):
    """A model of a group."""

    name = serializers.CharField()
    parsed = ParsedNameInfo()
    parameters = serializers.IntegerField(allow_null=True)
    baseline = serializers.CharField(allow_null=True)
    nsfw = serializers.BooleanField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    url = serializers.CharField(allow_null=True)
    style = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), allow_null=True)
    display_name = serializers.CharField(allow_null=True)
    instruct_format = serializers.CharField(allow_null=True)
    is_backend_duplicate = serializers.BooleanField()
    backend_prefix = serializers.ChoiceField(BACKENDS, allow_null=True)


class NameFormatInfo(serializers.Serializer):
    """How the names in a group are put together."""

    separator = serializers.CharField()
    part_order = serializers.ListField(child=serializers.CharField())
    author_included = serializers.BooleanField()
    common_author = serializers.CharField(allow_null=True)
    template = serializers.CharField(allow_blank=True)
    extra_parts = serializers.ListField(child=serializers.CharField())


class NameExceptionInfo(serializers.Serializer):
    """A model whose name departs from its group's schema, and why."""

    name = serializers.CharField()
    reason = serializers.CharField()


class GroupFamilyResponse(serializers.Serializer):
    """A family of groups."""

    family_name = serializers.CharField()
    members = serializers.ListField(child=serializers.CharField())


class GroupMembersResponse(serializers.Serializer):
    """A group: its models, what they share and how they differ."""

    group_name = serializers.CharField()
    members = GroupMemberInfo(many=True)
    common_fields = serializers.DictField(help_text="What all canonical members have the same value in.")
    available_sizes = serializers.ListField(child=serializers.CharField(), help_text="Smallest first.")
    available_variants = serializers.ListField(child=serializers.CharField(allow_null=True))
    available_quants = serializers.ListField(child=serializers.CharField(allow_null=True))
    available_versions = serializers.ListField(child=serializers.CharField(allow_null=True))
    size_usage = serializers.DictField(child=serializers.IntegerField())
    variant_usage = serializers.DictField(child=serializers.IntegerField())
    quant_usage = serializers.DictField(child=serializers.IntegerField())
    name_format = NameFormatInfo()
    canonical_count = serializers.IntegerField()
    backend_duplicate_count = serializers.IntegerField()
    name_schema_is_custom = serializers.BooleanField()
    exception_members = NameExceptionInfo(many=True)
    related_family = GroupFamilyResponse(allow_null=True)


class GroupHealthIssue(serializers.Serializer):
    """Something about a group that wants a look."""

    group_name = serializers.CharField()
    issue_type = serializers.ChoiceField(list(SEVERITIES))
    message = serializers.CharField()
    severity = serializers.ChoiceField(sorted(set(SEVERITIES.values())))


class GroupHealthResponse(serializers.Serializer):
    """The issues of all groups."""

    issues = GroupHealthIssue(many=True)
    total_groups_checked = serializers.IntegerField()
    groups_with_issues = serializers.IntegerField()
    issue_counts_by_type = serializers.DictField(child=serializers.IntegerField())


class GroupSummaryEntry(serializers.Serializer):
    """A group in short."""

    group_name = serializers.CharField()
    canonical_count = serializers.IntegerField()
    backend_duplicate_count = serializers.IntegerField()
    has_custom_schema = serializers.BooleanField()
    family_name = serializers.CharField(allow_null=True)
    alias_canonical = serializers.CharField(allow_null=True, help_text="The group this one is an alias of.")
    aliases = serializers.ListField(child=serializers.CharField())
    available_sizes = serializers.ListField(child=serializers.CharField())
    health_issues = GroupHealthIssue(many=True)


class GroupsSummaryResponse(serializers.Serializer):
    """All groups in short."""

    groups = GroupSummaryEntry(many=True)
    total_groups = serializers.IntegerField()
    total_models = serializers.IntegerField()
    groups_with_families = serializers.IntegerField()
    groups_with_aliases = serializers.IntegerField()
    groups_with_issues = serializers.IntegerField()


# Naming schemas ---------------------------------------------------------------------------------------------


class TextModelGroupNameSchema(serializers.Serializer):
    """How names in a group should be put together."""

    separator = serializers.CharField()
    part_order = serializers.ListField(child=serializers.CharField())
    author_included = serializers.BooleanField()
    common_author = serializers.CharField(allow_null=True)
    template = serializers.CharField(allow_null=True)
    extra_parts = serializers.ListField(child=serializers.CharField())


class GroupNameSchemaResponse(serializers.Serializer):
    """A group's naming schema, laid down or inferred from its names."""

    group_name = serializers.CharField()
    name_schema = TextModelGroupNameSchema()
    is_custom = serializers.BooleanField(help_text="Whether it was laid down.")


class GroupNameSchemaUpdateRequest(ObjectSerializer):
    """The parts of a naming schema to lay down; what is left out or null stays as it is."""

    separator = StringField(**OPTIONAL)
    part_order = ListField(child=StringField(), **OPTIONAL)
    author_included = BooleanField(**OPTIONAL)
    common_author = StringField(**OPTIONAL)
    template = StringField(**OPTIONAL)
    extra_parts = ListField(child=StringField(), **OPTIONAL)


# Aliases and families ---------------------------------------------------------------------------------------


class GroupNameField(StringField):
    """The name of a group, an alias or a family, as one is stored."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"min_length": 1, "max_length": NAME_LENGTH, **kwargs})


class GroupAliasResponse(serializers.Serializer):
    """A canonical group name and what else the group is called."""

    canonical = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())


class GroupAliasListResponse(serializers.Serializer):
    """All alias entries."""

    entries = GroupAliasResponse(many=True)


class SetAliasesRequest(ObjectSerializer):
    """All aliases of a group."""

    aliases = ListField(child=GroupNameField(), max_length=MAX_NAMES, help_text="Repeated ones count once.")


class AddAliasRequest(ObjectSerializer):
    """An alias to add."""

    alias = GroupNameField()


class RemoveAliasRequest(ObjectSerializer):
    """An alias to remove."""

    alias = GroupNameField()


class GroupFamilyListResponse(serializers.Serializer):
    """All families."""

    families = GroupFamilyResponse(many=True)


class SetFamilyRequest(ObjectSerializer):
    """All groups of a family."""

    members = ListField(
        child=GroupNameField(), max_length=MAX_NAMES, help_text="At least one; repeated ones count once."
    )


class AddFamilyMemberRequest(ObjectSerializer):
    """A group to add."""

    group_name = GroupNameField()


class RemoveFamilyMemberRequest(ObjectSerializer):
    """A group to remove."""

    group_name = GroupNameField()


class DetectFamiliesResponse(serializers.Serializer):
    """Families that the names of groups suggest."""

    suggestions = GroupFamilyResponse(many=True)
    total_groups_analyzed = serializers.IntegerField()
    groups_in_families = serializers.IntegerField()
    standalone_groups = serializers.IntegerField()


# Queued changes ---------------------------------------------------------------------------------------------


class CommonFieldsUpdateRequest(ObjectSerializer):
    """Values for all canonical models of a group; what is left out or null stays as it is."""

    baseline = StringField(**OPTIONAL)
    description = StringField(**OPTIONAL)
    url = StringField(**OPTIONAL)
    nsfw = BooleanField(**OPTIONAL)
    tags = TagsField(**OPTIONAL)
    style = StringField(**OPTIONAL)
    instruct_format = StringField(**OPTIONAL)


class BatchUpdateResponse(serializers.Serializer):
    """Changes queued together."""

    updated_count = serializers.IntegerField()
    batch_id = serializers.UUIDField(help_text="Marks the changes in their request metadata.")
    pending_change_ids = serializers.ListField(child=serializers.IntegerField())


class NameExceptionRequest(ObjectSerializer):
    """Why a model's name may depart from its group's schema; null to take that back."""

    reason = StringField(allow_null=True)


class NameExceptionResponse(serializers.Serializer):
    """The change queued."""

    pending_change_id = serializers.IntegerField()
