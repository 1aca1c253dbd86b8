"""Aliases, families and naming schemas in the admin: written by the services, under the rules of the API."""

from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.exceptions import NotFound

from references.admin_columns import cut_column, cut_text
from references.api.schemas_text import GroupNameSchemaUpdateRequest, SetAliasesRequest, SetFamilyRequest
from references.problems import Conflict, RequestInvalid
from references.serializers.base import request_validated
from references.structure_models import GroupAliasEntry, GroupFamily, GroupNameSchema
from references.structure_services import (
    DEFAULT_SCHEMA,
    aliases_check,
    aliases_delete,
    aliases_put,
    family_check,
    family_delete,
    family_put,
    name_schema_delete,
    name_schema_put,
    structure_lock,
)
from references.vocabulary import ReplicateMode


class LinesField(forms.Field):
    """A list of strings, one a line; empty lines do not count."""

    widget = forms.Textarea(attrs={"rows": 8})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = (line.strip() for line in (value or "").split("\n"))
        return [line for line in lines if line]


class NamesForm(forms.ModelForm):
    """A row and the names that belong to it.

    The names pass the schema and the rule of the request that would write them. The lock that the rule is
    checked under lasts until they are saved, since the admin validates and saves in one transaction.
    """

    names_field: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial[self.names_field] = self.instance.listed()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        owner = cleaned.get(self._meta.model._meta.pk.name, self.instance.pk)
        names = cleaned.get(self.names_field)
        if owner and names is not None:
            try:
                self.names_check(owner, names)
            except RequestInvalid as invalid:
                self.add_error(self.names_field, [problem["msg"] for problem in invalid.detail])
            except Conflict as conflict:
                self.add_error(self.names_field, str(conflict.detail))
        return cleaned

    def names_check(self, owner: str, names: list[str]) -> None:
        raise NotImplementedError


class AliasEntryForm(NamesForm):
    names_field = "aliases"
    aliases = LinesField(required=False, help_text="One a line.")

    class Meta:
        model = GroupAliasEntry
        fields = ("canonical",)

    def names_check(self, owner: str, names: list[str]) -> None:
        request_validated(SetAliasesRequest, {"aliases": names})
        structure_lock()
        aliases_check(owner, names)


class FamilyForm(NamesForm):
    names_field = "members"
    members = LinesField(help_text="Names of groups, one a line.")

    class Meta:
        model = GroupFamily
        fields = ("name",)

    def names_check(self, owner: str, names: list[str]) -> None:
        request_validated(SetFamilyRequest, {"members": names})
        structure_lock()
        family_check(owner, names)


class NameSchemaForm(forms.ModelForm):
    separator = forms.CharField(required=False, strip=False)
    part_order = LinesField(help_text="One part a line: base, size, variant, version, quant.")
    author_included = forms.BooleanField(required=False)
    common_author = forms.CharField(required=False, empty_value=None)
    template = forms.CharField(required=False, empty_value=None, help_text="Such as {author}/{base}-{size}.")
    extra_parts = LinesField(required=False, help_text="One a line.")

    class Meta:
        model = GroupNameSchema
        fields = ("group",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial |= self.instance.as_dict() if self.instance.pk else DEFAULT_SCHEMA

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            request_validated(
                GroupNameSchemaUpdateRequest, {part: cleaned.get(part) for part in DEFAULT_SCHEMA}
            )
        except RequestInvalid as invalid:
            for problem in invalid.detail:
                self.add_error(problem["loc"][1], problem["msg"])
        return cleaned


class StructureAdmin(admin.ModelAdmin):
    """What a row is called is fixed once the row is there."""

    # Fewer than elsewhere: each row has its name in an address and at a box to tick, too.
    list_per_page = 12
    # What stands in for the fields of the form where nothing may be changed.
    shown_field: str

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj and not self.has_change_permission(request, obj):
            return [self.opts.pk.name, self.shown_field]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (self.opts.pk.name, self.shown_field) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _takes_writes() and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _takes_writes() and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _takes_writes() and super().has_delete_permission(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            # Somebody else may have been faster.
            with suppress(NotFound):
                self.delete_model(request, row)


class NamesAdmin(StructureAdmin):
    names_field: str
    shown_field = "listed"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related(self.names_field)

    @admin.display(description="names")
    def listed(self, row: GroupAliasEntry | GroupFamily) -> str:
        return ", ".join(row.listed())

    @admin.display(description="names")
    def first_listed(self, row: GroupAliasEntry | GroupFamily) -> str | None:
        return cut_text(self.listed(row))


@admin.register(GroupAliasEntry)
class AliasEntryAdmin(NamesAdmin):
    form = AliasEntryForm
    names_field = "aliases"
    list_display = (cut_column("canonical", "canonical group name"), "first_listed")
    search_fields = ("canonical", "aliases__alias")

    def save_model(self, request: HttpRequest, obj: GroupAliasEntry, form: forms.Form, change: bool) -> None:
        aliases_put(canonical=obj.canonical, aliases=form.cleaned_data["aliases"], actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: GroupAliasEntry) -> None:
        aliases_delete(canonical=obj.canonical, actor=_actor(request))


@admin.register(GroupFamily)
class FamilyAdmin(NamesAdmin):
    form = FamilyForm
    names_field = "members"
    list_display = (cut_column("name", "family name"), "first_listed")
    search_fields = ("name", "members__group")

    def save_model(self, request: HttpRequest, obj: GroupFamily, form: forms.Form, change: bool) -> None:
        family_put(name=obj.name, members=form.cleaned_data["members"], actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: GroupFamily) -> None:
        family_delete(name=obj.name, actor=_actor(request))


@admin.register(GroupNameSchema)
class NameSchemaAdmin(StructureAdmin):
    form = NameSchemaForm
    shown_field = "schema"
    list_display = (cut_column("group", "group name"), cut_column("schema"))
    search_fields = ("group",)

    def save_model(self, request: HttpRequest, obj: GroupNameSchema, form: forms.Form, change: bool) -> None:
        schema = {part: form.cleaned_data[part] for part in DEFAULT_SCHEMA}
        name_schema_put(group=obj.group, schema=schema, actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: GroupNameSchema) -> None:
        name_schema_delete(group=obj.group, actor=_actor(request))


def _takes_writes() -> bool:
    return settings.REPLICATE_MODE is ReplicateMode.PRIMARY and settings.QUEUE_ENABLED


def _actor(request: HttpRequest) -> str:
    return request.user.get_username()
