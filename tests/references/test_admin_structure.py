import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client

from references import journal
from references.journal import StructureWrite
from references.structure_models import GroupNameSchema
from references.structure_services import DEFAULT_SCHEMA, aliases_put, family_put, name_schema_put
from references.text_structure import text_structure as structure_now
from references.vocabulary import ReplicateMode

ALIASES, FAMILIES, SCHEMAS = "groupaliasentry", "groupfamily", "groupnameschema"
SCHEMA_FIELDS = {
    "separator": "_",
    "part_order": "base\nsize",
    "common_author": "",
    "template": " ",
    "extra_parts": "",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(client: Client, settings: Any) -> Client:
    """Signed in, on a deployment whose static files need no collecting."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    client.force_login(get_user_model().objects.create(username="admin", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[StructureWrite]:
    heard: list[StructureWrite] = []
    monkeypatch.setattr(journal, "structure_listeners", [heard.append])
    return heard


def save(client: Client, model: str, page: str = "add", **fields: Any) -> HttpResponse:
    return client.post(f"/admin/references/{model}/{page}/", fields)


def errors(response: HttpResponse) -> list[str]:
    """The complaints on a form that was not saved; none on one that was."""
    if response.status_code == 302:
        return []
    return [str(error) for listed in response.context["adminform"].form.errors.values() for error in listed]


def test_an_alias_entry_is_added_changed_and_deleted_by_the_services(admin_client, writes):
    assert errors(save(admin_client, ALIASES, canonical="Lumimaid", aliases="b\r\n\r\n a \r\nb")) == []
    assert structure_now().aliases == {"Lumimaid": ("b", "a")}
    page = admin_client.get("/admin/references/groupaliasentry/Lumimaid/change/")
    assert re.search(r"<textarea[^>]*>\s*b\na</textarea>", page.content.decode())
    assert errors(save(admin_client, ALIASES, "Lumimaid/change", aliases="")) == []
    assert structure_now().aliases == {"Lumimaid": ()}
    save(admin_client, ALIASES, "Lumimaid/delete", post="yes")
    assert structure_now().aliases == {}
    assert [(write.kind, write.operation, write.actor) for write in writes] == [
        ("alias", "create", "admin"),
        ("alias", "update", "admin"),
        ("alias", "delete", "admin"),
    ]


def test_a_family_is_added_changed_and_deleted_by_the_services(admin_client, writes):
    assert errors(save(admin_client, FAMILIES, name="A/b", members="Skyfall\nLumimaid")) == []
    assert errors(save(admin_client, FAMILIES, "A_2Fb/change", members="Lumimaid")) == []
    assert structure_now().families == {"A/b": ("Lumimaid",)}
    save(admin_client, FAMILIES, "A_2Fb/delete", post="yes")
    assert structure_now().families == {}
    assert [write.operation for write in writes] == ["create", "update", "delete"]


def test_a_naming_schema_is_added_changed_and_deleted_by_the_services(admin_client, writes):
    assert errors(save(admin_client, SCHEMAS, group="Lumimaid", author_included="on", **SCHEMA_FIELDS)) == []
    expected = {**DEFAULT_SCHEMA, "separator": "_", "part_order": ["base", "size"]}
    assert GroupNameSchema.objects.get().as_dict() == expected
    fields = {**SCHEMA_FIELDS, "common_author": "Org", "extra_parts": "date"}
    assert errors(save(admin_client, SCHEMAS, "Lumimaid/change", **fields)) == []
    changed = {**expected, "author_included": False, "common_author": "Org", "extra_parts": ["date"]}
    assert structure_now().schemas == {"Lumimaid": changed}
    save(admin_client, SCHEMAS, "Lumimaid/delete", post="yes")
    assert structure_now().schemas == {}
    assert [write.operation for write in writes] == ["create", "update", "delete"]


def test_forms_begin_with_what_is_stored_or_the_defaults(admin_client):
    name_schema_put(group="Lumimaid", schema={**DEFAULT_SCHEMA, "template": "{base}"})
    form = admin_client.get("/admin/references/groupnameschema/add/").context["adminform"].form
    assert (form["separator"].value(), form["part_order"].value().split()) == (
        "-",
        DEFAULT_SCHEMA["part_order"],
    )
    form = admin_client.get("/admin/references/groupnameschema/Lumimaid/change/").context["adminform"].form
    assert (form["template"].value(), "group" in form.fields) == ("{base}", False)


@pytest.mark.parametrize(
    ("model", "fields", "complaint"),
    [
        (ALIASES, {"canonical": "Other", "aliases": "a"}, "already belongs to canonical group 'Lumimaid'"),
        (ALIASES, {"canonical": "Other", "aliases": "Other"}, "cannot be an alias of itself"),
        (ALIASES, {"canonical": "Other", "aliases": "x" * 256}, "at most 255 characters"),
        (ALIASES, {"canonical": "Other", "aliases": "x\0"}, "null characters"),
        (ALIASES, {"canonical": "Lumimaid", "aliases": "c"}, "already exists"),
        (ALIASES, {"canonical": "", "aliases": "c"}, "required"),
        (FAMILIES, {"name": "Other", "members": "Skyfall"}, "already is a member of family 'Fam'"),
        (FAMILIES, {"name": "Other", "members": " "}, "required"),
        (FAMILIES, {"name": "detect", "members": "x"}, "names the detector"),
        (SCHEMAS, {"group": "", **SCHEMA_FIELDS}, "required"),
        (SCHEMAS, {"group": "G", **SCHEMA_FIELDS, "extra_parts": "a\0"}, "null characters"),
    ],
)
def test_what_the_api_would_refuse_is_complained_of_on_the_form(
    admin_client, writes, model, fields, complaint
):
    aliases_put(canonical="Lumimaid", aliases=["a"])
    family_put(name="Fam", members=["Skyfall"])
    del writes[:]
    found = errors(save(admin_client, model, **fields))
    assert any(complaint in error for error in found), found
    assert writes == []


def test_several_are_deleted_at_once(admin_client, writes):
    for name in ("a", "b", "c"):
        aliases_put(canonical=name, aliases=[f"{name}-alias"])
    fields = {"action": "delete_selected", "_selected_action": ["a", "c"], "post": "yes"}
    admin_client.post("/admin/references/groupaliasentry/", fields)
    assert structure_now().aliases == {"b": ("b-alias",)}
    assert [write.operation for write in writes[-2:]] == ["delete", "delete"]


def test_lists_show_and_find_what_belongs_together(admin_client):
    aliases_put(canonical="Lumimaid", aliases=["b", "a"])
    aliases_put(canonical="Skyfall", aliases=[])
    page = admin_client.get("/admin/references/groupaliasentry/?q=a")
    assert [entry.canonical for entry in page.context["cl"].result_list] == ["Lumimaid", "Skyfall"]
    page = admin_client.get("/admin/references/groupaliasentry/?q=b")
    assert [entry.canonical for entry in page.context["cl"].result_list] == ["Lumimaid"]
    assert "b, a" in page.content.decode()


@pytest.mark.parametrize("model", [ALIASES, FAMILIES, SCHEMAS])
def test_a_deployment_that_takes_no_writes_takes_none_here(admin_client, settings, model):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    assert admin_client.get(f"/admin/references/{model}/").status_code == 200
    assert admin_client.get(f"/admin/references/{model}/add/").status_code == 403
    settings.REPLICATE_MODE = ReplicateMode.PRIMARY
    settings.QUEUE_ENABLED = False
    assert admin_client.get(f"/admin/references/{model}/add/").status_code == 403


def test_only_who_may_edit_is_let_in(client):
    response = client.get(f"/admin/references/{ALIASES}/add/")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/")
