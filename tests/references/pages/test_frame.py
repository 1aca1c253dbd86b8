"""The frame that all pages share, and the partials that other apps' pages are made of."""

import pytest
from django import forms
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.template.loader import render_to_string

from references.pages.panels import Link, Panel
from tests.references.pages.html import Page


def rendered(template: str, **context: object) -> Page:
    return Page(HttpResponse(render_to_string(template, context)))


@pytest.mark.django_db
def test_the_navigation_marks_where_one_is_and_takes_entries_of_other_apps(browser, monkeypatch):
    monkeypatch.setattr(
        "references.pages.panels.navigation", [lambda request: [Link("Review", "/admin/queue", "review")]]
    )
    page = Page(browser.get("/statistics/clip"))
    assert [(link["href"], link.get("aria-current")) for link in page.all("a") if link.get("href")][2:7] == [
        ("/", None),
        ("/statistics/clip", "true"),
        ("/deletion-risk", None),
        ("/api/docs", None),
        ("/admin/queue", None),
    ]


@pytest.mark.django_db
def test_the_header_has_room_for_who_is_signed_in(browser, monkeypatch):
    panel = Panel("", "_badge.html", {"label": "unused"})
    monkeypatch.setattr("references.pages.panels.header", [lambda request: panel, lambda request: None])
    assert browser.get("/").content.count(b'<span class="badge">') == 1


@pytest.mark.django_db
def test_a_page_has_one_heading_a_title_and_a_way_past_the_header(browser):
    for path in ("/", "/search", "/models/clip", "/statistics/clip", "/nothing"):
        page = Page(browser.get(path))
        assert len(page.all("h1")) == 1
        assert len(page.all("main", id="main")) == 1
        assert page.all("a")[0]["href"] == "#main"
        assert page.elements[0][1]["lang"] == "en"


def test_a_field_has_a_label_help_and_errors_that_belong_to_it():
    class Proposal(forms.Form):
        name = forms.CharField(help_text="Unique within its category.")
        nsfw = forms.BooleanField(required=False, label="NSFW")
        note = forms.CharField(required=False, widget=forms.Textarea)

    form = Proposal({"name": "", "note": "<b>"})
    page = rendered("_field.html", field=form["name"])
    [control] = page.all("input")
    assert control["aria-invalid"] == "true"
    assert set(control["aria-describedby"].split()) <= {
        attributes["id"] for _, attributes in page.elements if "id" in attributes
    }
    assert "This field is required." in page.text
    assert page.all("label")[0]["for"] == control["id"]
    assert rendered("_field.html", field=form["nsfw"]).text == "NSFW"
    note = rendered("_field.html", field=form["note"])
    assert note.text == "Note optional <b>"
    assert note.all("b") == []


def test_messages_tell_good_from_bad():
    page = rendered(
        "_messages.html", messages=[Message(constants.ERROR, "<i>No</i>"), Message(constants.SUCCESS, "Yes")]
    )
    assert [item["class"] for item in page.all("li")] == ["message message-error", "message message-success"]
    assert [item["role"] for item in page.all("li")] == ["alert", "status"]
    assert page.text == "<i>No</i> Yes"


def test_a_diff_shows_both_sides_as_text():
    gone, come = (
        {"kind": kind, "text": text, "pieces": [{"text": text}]}
        for kind, text in (("removed", "<b>"), ("added", "true"))
    )
    page = rendered(
        "_diff.html",
        rows=[
            {"path": "nsfw", "change_type": "modified", "old": [gone], "new": [come], "is_critical": True},
            {"path": "tags", "change_type": "added", "old": [], "new": [come]},
            {"path": "style", "change_type": "removed", "old": [gone], "new": []},
        ],
    )
    assert [row.get("class") for row in page.all("tr")] == [
        None, "diff-modified diff-critical", "diff-added", "diff-removed",
    ]  # fmt: skip
    assert page.text.endswith("nsfw critical <b> true tags not there true style <b> not there")


def test_an_address_that_is_none_is_only_text():
    assert rendered("_link.html", url="javascript:alert(1)").all("a") == []
    [link] = rendered("_link.html", url="https://a.example", label="A").all("a")
    assert link == {"href": "https://a.example", "rel": "noopener noreferrer nofollow"}


def test_code_is_escaped_unless_it_is_markup():
    assert rendered("_code.html", code="<b>", label="x").all("b") == []
    assert rendered("_code.html", code="<b>", label="x").text == "<b>"


def test_tabs_chips_and_an_empty_state():
    from references.pages.choices import Chip, Option

    tabs = rendered("_tabs.html", label="Parts", tabs=[Option("All", "/a", True, 1200), Option("Some", "/b")])
    assert tabs.text == "All 1,200 Some"
    assert [tab.get("aria-current") for tab in tabs.all("a")] == ["page", None]
    chips = rendered("_chips.html", chips=[Chip("Tag", "<x>", "/without")], clear_url="/all")
    assert chips.text == "Tag <x> , remove Clear all"
    assert rendered("_chips.html", chips=[], clear_url="/all").elements == []
    empty = rendered("_empty.html", title="Nothing", text="Later", url="/x", action="Go")
    assert empty.text == "Nothing Later Go"
