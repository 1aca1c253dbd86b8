"""The reference in the admin: to look at, not to edit. Changes go through proposals."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from references import admin_structure  # noqa: F401 - registers its models
from references.admin_columns import cut_column
from references.models import CATEGORY_MODELS, Category, ModelRecord


@cache
def time_column(name: str) -> Callable[[Any], str]:
    """The column of that name, of UNIX seconds, as a date and a time to be shown; sorted by as it is stored."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def shown(row: Any) -> str:
        seconds = getattr(row, name)
        if seconds is None:
            return admin.site.empty_value_display
        return format_html('<span class="nowrap">{}</span>', time_text(seconds))

    shown.__name__ = name
    return shown


def time_text(seconds: int) -> str:
    """The moment in UTC; the number itself where no calendar goes that far."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows rows; nothing can be added, changed or removed here.

    `times` are columns of UNIX seconds, `texts` are those that lists show the beginning of.
    """

    times: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list:
        names = self._with_times(super().get_list_display(request))
        return [cut_column(name) if name in self.texts else name for name in names]

    def get_fields(self, request: HttpRequest, obj: object = None) -> list:
        return self._with_times(super().get_fields(request, obj))

    def _with_times(self, names: Sequence[str]) -> list:
        return [time_column(name) if name in self.times else name for name in names]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "model_count",
        "revision",
        "last_operation_type",
        "last_operation_model",
        "last_updated",
    )
    texts = ("last_operation_model",)
    times = ("initialized_at", "last_updated", "last_successful_operation")

    def get_queryset(self, request: HttpRequest) -> object:
        return super().get_queryset(request).with_model_count()

    @admin.display(description="models", ordering="model_count")
    def model_count(self, category: Category) -> int:
        return category.model_count


class ModelRecordAdmin(ReadOnlyAdmin):
    list_display = ("name", "baseline", "style", "nsfw", "size_on_disk_bytes")
    texts = ("name", "baseline", "style")
    list_filter = ("baseline", "style", "nsfw")
    search_fields = ("name",)
    ordering = ("position",)
    fields = ("name", "category", "position", "revision", "readable_record", "readable_legacy")

    @admin.display(description="record")
    def readable_record(self, stored: ModelRecord) -> str:
        return readable_json(stored.as_dict())

    @admin.display(description="legacy entry")
    def readable_legacy(self, stored: ModelRecord) -> str:
        return readable_json(stored.legacy_as_dict())


def readable_json(value: object) -> SafeString:
    """As JSON on lines of its own. Quotes need no escaping between tags, and are a good part of it."""
    return SafeString(escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False))


for model in CATEGORY_MODELS.values():
    admin.site.register(model, ModelRecordAdmin)
