"""What the queue can be narrowed down by: each condition has its control, and works in the address."""

import pytest

from moderation.models import PendingChange
from tests.moderation.desk.test_queue import QUEUE, ada, changes, ids, shown_ids
from tests.moderation.factories import ADA, approve, make_live, propose_create, propose_delete
from tests.references.pages.html import Page

__all__ = ["ada", "changes"]
pytestmark = pytest.mark.django_db
# Half past eleven in the night to the 2nd of November 2026, and half an hour later.
BEFORE_MIDNIGHT, MIDNIGHT = 1_793_575_800, 1_793_577_600


def chosen_preset(page: Page) -> list[str]:
    return [link["href"] for link in page.all("a", **{"aria-current": "page"}) if "queue" in link["href"]]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("?batch=1", ["applied"]),
        ("?batch=2", ["waiting"]),
        ("?show=review&batch=1", ["applied"]),
        ("?show=stale&batch=2", ["waiting"]),
        ("?show=approved&batch=2", ["waiting"]),
        ("?show=approved&batch=1", []),
        ("?batch=2&status=applied", []),
        ("?status=applied&status=approved", ["applied", "waiting"]),
        ("?show=approved&status=applied", ["applied"]),
        ("?batch=3", []),
        ("?kind=create", ["second", "first"]),
        ("?kind=update&by=102", ["critical"]),
        ("?kind=delete", []),
        ("?kind=create&kind=bogus&q=riv&by=101", ["first"]),
    ],
)
def test_the_address_narrows_the_queue(ada, changes, address, expected):
    assert shown_ids(ada, address) == ids(changes, *expected)


def test_a_batch_has_all_its_changes_whatever_became_of_them(ada):
    kept, dropped = propose_create("kept"), propose_create("dropped")
    ada.post(f"{QUEUE}{dropped.change_id}/", {"act": "reject", "title": "T", "reason": "No."})
    number = approve(kept)
    PendingChange.objects.filter(pk=dropped.pk).update(batch_id=number)
    page = Page(ada.get(f"{QUEUE}?batch={number}"))
    assert shown_ids(ada, f"?batch={number}") == [dropped.change_id, kept.change_id]
    assert chosen_preset(page) == [f"{QUEUE}?show=all"]
    assert "Batch 1 , remove" in page.text


def test_days_are_whole_and_of_the_clock_of_greenwich(ada):
    early, late = propose_create("early"), propose_create("late")
    for change, at in ((early, BEFORE_MIDNIGHT), (late, MIDNIGHT)):
        PendingChange.objects.filter(pk=change.pk).update(requested_at=at)
    assert shown_ids(ada, "?since=2026-11-01") == [late.change_id, early.change_id]
    assert shown_ids(ada, "?since=2026-11-02") == [late.change_id]
    assert shown_ids(ada, "?until=2026-11-01") == [early.change_id]
    assert shown_ids(ada, "?since=2026-11-02&until=2026-11-01") == []
    assert shown_ids(ada, "?since=yesterday&until=2026-02-30") == [late.change_id, early.change_id]


def test_kinds_are_counted_beside_the_list(ada):
    make_live("old")
    propose_create("one")
    propose_create("two")
    propose_delete("old", by=ADA)
    page = Page(ada.get(QUEUE))
    assert "Kind New 2 Removal 1 Category" in page.text
    assert f"{QUEUE}?kind=delete" in page.links


def test_batch_and_days_are_typed_into_a_form_that_keeps_the_other_conditions(ada, changes):
    page = Page(ada.get(f"{QUEUE}?show=all&kind=update&q=done&batch=1&since=2026-01-31&until=2999-12-31"))
    typed = {field["name"]: field["value"] for field in page.all("input") if field.get("id") != "search"}
    assert {name: typed[name] for name in ("show", "kind", "q", "batch", "since", "until")} == {
        "show": "all",
        "kind": "update",
        "q": "done",
        "batch": "1",
        "since": "2026-01-31",
        "until": "2999-12-31",
    }
    assert page.all("input", name="since")[-1]["type"] == "date"
    for words in ("Kind Edit", "Batch 1", "Proposed since 2026-01-31", "Proposed until 2999-12-31"):
        assert f"{words} , remove" in page.text


def test_the_way_through_the_list_keeps_to_what_it_was_narrowed_to(ada, changes):
    page = Page(ada.get(f"{QUEUE}{changes['first'].change_id}/?kind=create"))
    assert "2 of 2" in page.text
    assert page.all("a", rel="prev")[0]["href"].endswith("?kind=create")
    assert page.all("a", rel="next") == []
