"""Maps of a record in the form: rows of a name and a value, without script."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from moderation.models import PendingChange
from moderation.pages.forms.documents import document_read
from moderation.pages.forms.fields import Kind, category_fields
from moderation.pages.forms.maps import map_text
from moderation.pages.forms.showing import form_view
from references.categories import TEXT_CATEGORY
from references.documents import snapshot
from references.services import record_put
from references.vocabulary import TEXT_SETTINGS_KEYS
from tests.moderation.factories import IMAGES, make_live
from tests.moderation.pages.formreader import FormReader
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
NEW = f"/propose/{IMAGES}"
EDIT = f"{NEW}/edit/painter"
NEW_TEXT = f"/propose/{TEXT_CATEGORY}"
NEEDED = {
    NEW: {"r.name": "fresh", "r.baseline": "flux_1", "r.nsfw": "false"},
    NEW_TEXT: {"r.name": "fresh", "r.parameters": "7"},
}
ODD_VALUES = {
    "clip_skip": "2",
    "cfg_scale": 1.0,
    "max_steps": None,
    "min_steps": ".5",
    "samplers": "k_euler",
    "schedulers": ["[1]", " karras", "two\nlines", ""],
    "nested": {"a": [{"b": 1}]},
    "lists": [[1], []],
    "mixed": [1, "1", True],
    "truth": True,
    "text of a truth": "true",
    "number": 10**30,
    "empty": "",
    "empty list": [],
    " spaces ": " kept ",
    "a = b": "{",
    "lines": "one\r\ntwo\n",
    "two lines": "one\ntwo",
    "quoted": '"x"',
}


@pytest.fixture
def rita(sign_in) -> Client:
    return sign_in("Rita")


def do(client: Client, url: str, act: str, form: dict[str, str]):
    return client.post(url, {**form, "act": act})


def rows(field: str, *pairs: tuple[str, str]) -> dict[str, str]:
    """What the rows of a map send."""
    return {
        f"r.{field}.{index}.{part}": text
        for index, pair in enumerate(pairs)
        for part, text in zip(("name", "value"), pair, strict=True)
    }


def preview(client: Client, url: str, typed: dict[str, str]):
    return do(client, url, "preview", {**FormReader(client.get(url)).values, **NEEDED.get(url, {}), **typed})


def draft(response) -> dict[str, Any]:
    """The record that the page has in hand."""
    return json.loads(FormReader(response).values["draft"])


def test_a_map_is_written_row_by_row(rita):
    typed = rows(
        "requirements",
        ("clip_skip", "2"),
        ("cfg_scale", " .5 "),
        ("samplers", "k_euler\r\n\r\n k_heun \r\n"),
        ("schedulers", "karras"),
        ("hint", '"2"'),
        ("max_steps", "12"),
        ("own", "[1, 2]"),
        ("words", "of several\r\nlines"),
    )
    shown = preview(rita, NEW, typed)
    do(rita, NEW, "send", FormReader(shown).values)
    requirements = PendingChange.objects.get().payload_as_dict()["requirements"]
    assert list(requirements.items()) == [
        ("clip_skip", 2),
        ("cfg_scale", 0.5),
        ("samplers", ["k_euler", "k_heun"]),
        ("schedulers", ["karras"]),
        ("hint", "2"),
        ("max_steps", 12),
        ("own", [1, 2]),
        ("words", "of several\nlines"),
    ]


def test_settings_of_a_text_model_are_asked_for_by_their_kind(rita):
    pairs = [("singleline", "true"), ("temperature", "0.70"), ("sampler_order", "6\r\n0"), ("n", "")]
    typed = rows("settings", *pairs[:3])
    shown = do(rita, NEW_TEXT, "form", {**FormReader(rita.get(NEW_TEXT)).values, **typed})
    assert draft(shown)["settings"] == {"singleline": True, "temperature": 0.7, "sampler_order": [6, 0]}
    page = Page(shown)
    assert page.all("select", id="f-settings-0-value")
    assert page.all("input", id="f-settings-1-value", inputmode="decimal", value="0.7")
    assert page.all("textarea", id="f-settings-2-value")
    offered = shown.content.decode().split('id="f-settings-0-name"')[1].split("</select>")[0]
    assert set(re.findall(r"<option[^>]*>([^<]+)</option>", offered)) >= TEXT_SETTINGS_KEYS
    values = FormReader(shown).values
    assert (values["r.settings.0.name"], values["r.settings.0.value"]) == ("singleline", "true")
    assert values["r.settings.2.value"] == "6\r\n0"


def test_names_of_an_open_map_are_suggested_and_others_taken(rita):
    page = Page(rita.get(NEW))
    assert page.all("input", id="f-requirements-0-name", list="f-requirements-0-name-list")
    assert {"clip_skip", "samplers"} <= {option.get("value") for option in page.all("option")}


@pytest.mark.parametrize("field", ["requirements", "settings"])
def test_values_that_no_field_can_show_survive_an_edit(rita, field):
    record = {**make_live("painter", description="old"), field: ODD_VALUES}
    record_put(category=IMAGES, name="painter", record=record)
    form = {**FormReader(rita.get(EDIT)).values, "r.version": "2"}
    document = draft(do(rita, EDIT, "form", form))
    assert json.dumps(document[field]) == json.dumps(ODD_VALUES)
    if field == "requirements":
        form = {**form, "r.requirements.0.value": "3"}
        document = draft(do(rita, EDIT, "form", form))
        assert json.dumps(document[field]) == json.dumps({**ODD_VALUES, "clip_skip": 3})


@pytest.mark.parametrize(
    "held",
    [
        [1],
        "text",
        3,
        {"": 1},
        {"a\nb": 1},
        {str(number): 1 for number in range(201)},
        [["a", 1, 2]],
        [],
        {},
        None,
    ],
)
def test_what_no_rows_can_show_is_asked_for_as_json_and_kept(rita, held):
    record = {**make_live("painter", description="old"), "requirements": held}
    record_put(category=IMAGES, name="painter", record=record)
    form = FormReader(rita.get(EDIT)).values
    assert ("r.requirements" in form) is (held not in ({}, None))
    assert draft(do(rita, EDIT, "form", form))["requirements"] == held


@pytest.mark.parametrize("value", ODD_VALUES.values())
@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.BOOLEAN, Kind.LINES, Kind.SCALAR, Kind.TEXT])
def test_a_field_of_one_line_holds_no_line_end(kind, value):
    text = map_text(kind, value)
    assert text
    assert "\r" not in text
    assert kind is Kind.LINES or "\n" not in text


def test_a_name_that_the_closed_list_lacks_stays_and_is_chosen(rita):
    record = {**make_live("writer", category=TEXT_CATEGORY, parameters=7), "settings": {"warmth": 1}}
    record_put(category=TEXT_CATEGORY, name="writer", record=record)
    form = FormReader(rita.get(f"{NEW_TEXT}/edit/writer")).values
    assert (form["r.settings.0.name"], form["r.settings.0.value"]) == ("warmth", "1")


def test_a_map_of_text_takes_everything_as_text(rita):
    typed = rows("config.embedded_component_hashes", ("vae", "0123"), ("clip", "true"))
    document = draft(do(rita, NEW, "form", {**FormReader(rita.get(NEW)).values, **typed}))
    assert document["config"] == {"embedded_component_hashes": {"vae": "0123", "clip": "true"}}


def test_rows_are_added_and_removed_without_script(rita):
    form = {**FormReader(rita.get(NEW)).values, **rows("requirements", ("clip_skip", "2"), ("", ""))}
    assert "r.requirements.2.name" not in form
    longer = FormReader(do(rita, NEW, "add:requirements", form))
    assert "r.requirements.2.name" in longer.values
    assert "r.requirements.3.name" not in longer.values
    longer = FormReader(do(rita, NEW, "add:requirements", longer.values))
    form = {**longer.values, "r.requirements.3.name": "n", "r.requirements.3.value": "3"}
    shown = do(rita, NEW, "form", form)
    assert draft(shown)["requirements"] == {"clip_skip": 2, "n": 3}
    assert [value for _, value in FormReader(shown).buttons if "requirements" in (value or "")] == [
        "remove:requirements.0",
        "remove:requirements.1",
        "add:requirements",
    ]
    less = do(rita, NEW, "remove:requirements.0", FormReader(shown).values)
    assert draft(less)["requirements"] == {"n": 3}
    none = do(rita, NEW, "remove:requirements.0", FormReader(less).values)
    assert "requirements" not in draft(none)


def test_the_row_that_was_asked_for_is_removed_though_another_is_empty(rita):
    typed = rows("requirements", ("", ""), ("clip_skip", "2"), ("n", "3"))
    form = {**FormReader(rita.get(NEW)).values, **typed}
    assert draft(do(rita, NEW, "remove:requirements.1", form))["requirements"] == {"n": 3}


def test_a_row_that_is_emptied_is_gone_and_a_name_that_is_changed_keeps_its_place(rita):
    make_live("painter", description="old", requirements={"clip_skip": 2, "max_steps": 8, "x": "y"})
    form = FormReader(rita.get(EDIT)).values
    form |= {"r.requirements.0.name": "", "r.requirements.0.value": "", "r.requirements.1.name": "min_steps"}
    requirements = draft(do(rita, EDIT, "form", form))["requirements"]
    assert list(requirements.items()) == [("min_steps", 8), ("x", "y")]


def test_faults_are_told_at_their_rows_and_nothing_typed_is_lost(rita):
    pairs = [("top_k", "1"), ("top_k", "2"), ("", "3"), ("min_p", ""), ("warmth", "hot")]
    typed = rows("settings", *pairs)
    response = preview(rita, NEW_TEXT, typed)
    assert response.status_code == 422
    values = FormReader(response).values
    assert {key: values[key] for key in typed} == typed
    page = Page(response)
    assert "3 things to put right." in page.text
    for part, words in {
        "1-name": "Settings: row 2 : This name is there twice.",
        "2-name": "Settings: row 3 : This value has no name.",
        "3-value": "Settings: row 4 : Give it a value, or remove the row.",
    }.items():
        assert words in page.text
        assert f"#f-settings-{part}" in page.links
        tag = "select" if part.endswith("name") else "input" if part.startswith("3") else "textarea"
        assert page.all(tag, id=f"f-settings-{part}", **{"aria-invalid": "true"})
        assert page.all("p", id=f"f-settings-{part}-error")


def test_what_the_api_refuses_of_a_map_is_said_at_its_row(rita):
    pairs = [("top_k", "1"), ("warmth", "1"), ("n", '{"a": 1}')]
    page = Page(preview(rita, NEW_TEXT, rows("settings", *pairs)))
    assert "Settings: warmth : Unknown name: warmth." in page.text
    assert page.all("select", id="f-settings-1-name", **{"aria-invalid": "true"})
    assert page.all("input", id="f-settings-2-value", value='{"a": 1}', **{"aria-invalid": "true"})
    assert {"#f-settings-1-name", "#f-settings-2-value"} <= set(page.links)


def test_a_name_with_dots_finds_its_row(rita):
    page = Page(preview(rita, NEW, rows("requirements", ("a", "1"), ("a.b", '{"c": 1}'))))
    assert "#f-requirements-1-value" in page.links


def test_the_form_and_the_json_show_the_same_rows(rita):
    form = {**FormReader(rita.get(NEW)).values, **rows("requirements", ("a", "1"), ("a", "x"), ("b", ""))}
    as_json = FormReader(do(rita, NEW, "json", form)).values
    assert json.loads(as_json["json"])["requirements"] == [["a", 1], ["a", "x"], ["b"]]
    back = FormReader(do(rita, NEW, "form", as_json)).values
    assert [back[f"r.requirements.{index}.value"] for index in range(3)] == ["1", "x", ""]
    back["r.requirements.1.name"], back["r.requirements.2.value"] = "c", "[]"
    again = FormReader(do(rita, NEW, "json", back)).values
    assert json.loads(again["json"])["requirements"] == {"a": 1, "c": "x", "b": []}


def test_infinity_stays_the_text_that_was_typed(rita):
    typed = rows("requirements", ("cfg_scale", "1e999"), ("x", "-1e999"))
    shown = do(rita, NEW, "form", {**FormReader(rita.get(NEW)).values, **typed})
    assert draft(shown)["requirements"] == {"cfg_scale": "1e999", "x": "-1e999"}


@pytest.mark.parametrize("name", ["sampler_order", "stop_sequence", "samplers"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\r\n2.5", [1, 2.5]),
        ("###\r\n1", ["###", "1"]),
        ('"\\n"\r\n### User', ["\n", "### User"]),
        ("[INST]", ["[INST]"]),
        ('["a"]', ["a"]),
        ("true", ["true"]),
    ],
)
def test_a_list_has_one_on_each_line(name, text, expected):
    specs = [spec for spec in category_fields(IMAGES) if spec.name == "requirements"]
    typed = {f"requirements.0.{part}": each for part, each in (("name", name), ("value", text))}
    assert document_read(specs, {}, typed) == {"requirements": {name: expected}}


def test_every_odd_value_is_read_back_from_rows_that_were_not_touched():
    document = {"requirements": ODD_VALUES}
    form = form_view(IMAGES, document, snapshot(IMAGES))
    view = next(field for field in form.fields if field.path == "requirements")
    typed = {member.path: member.text for row in view.rows for member in row.members}
    specs = [spec for spec in category_fields(IMAGES) if spec.name == "requirements"]
    assert json.dumps(document_read(specs, document, typed)) == json.dumps(document)
