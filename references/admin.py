"""The reference in the admin: to look at, not to edit. Changes go through proposals."""

import json

from django.contrib import admin
from django.http import HttpRequest

from references import admin_structure  # noqa: F401 - registers its models
from references.models import CATEGORY_MODELS, Category, ModelRecord


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows rows; nothing can be added, changed or removed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    list_display = ("name", "model_count", "revision", "last_operation_type", "last_operation_model")

    def get_queryset(self, request: HttpRequest) -> object:
        return super().get_queryset(request).with_model_count()

    @admin.display(description="models", ordering="model_count")
    def model_count(self, category: Category) -> int:
        return category.model_count


class ModelRecordAdmin(ReadOnlyAdmin):
    list_display = ("name", "baseline", "style", "nsfw", "size_on_disk_bytes")
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


def readable_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


for model in CATEGORY_MODELS.values():
    admin.site.register(model, ModelRecordAdmin)
