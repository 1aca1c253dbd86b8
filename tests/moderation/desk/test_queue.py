"""The queue: what it shows, how it is narrowed down, and deciding about many changes at once."""

from datetime import date

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from moderation.conflicts import digest
from moderation.desk.filters import QueueQuery, queue_query_parse
from moderation.desk.marks import open_changes
from moderation.desk.queue import PAGE_SIZE
from moderation.models import AuditEvent, PendingChange, SavedReason
from moderation.review import changes_diff
from moderation.services import change_propose
from moderation.services.remarks import comment_add
from references.categories import CATEGORIES
from references.models import Category, ModelRecord
from references.services import json_text, record_put
from tests.factories import make_download, make_v2
from tests.moderation.factories import (
    ADA,
    EARLY,
    RAVI,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)
from tests.references.pages.html import Page
from tests.references.pages.weights import weight

pytestmark = pytest.mark.django_db
QUEUE = "/admin/queue/"
MANY = 5000


@pytest.fixture
def ada(sign_in):
    return sign_in("Ada")


@pytest.fixture
def changes() -> dict[str, PendingChange]:
    """One change of each kind, the oldest first."""
    for name in ("plain", "moved", "rivals", "gone", "own", "waiting", "done"):
        make_live(name)
    made = {
        "plain": propose_update("plain", description="better", metadata=stamps()),
        "critical": propose_update("gone", nsfw=True, description="d", metadata=stamps(), by=RAVI),
        "stale": propose_update("moved", description="mine", metadata=stamps()),
        "first": propose_create("rival", by=RITA),
        "second": propose_create("rival", by=RAVI),
        "own": propose_update("own", version="2", metadata=stamps(), by=ADA),
        "waiting": propose_update("waiting", version="2", metadata=stamps()),
        "applied": propose_update("done", version="2", metadata=stamps()),
    }
    record_put(
        category="image_generation",
        name="moved",
        record=make_v2("image_generation", "moved", description="theirs", metadata=stamps()),
    )
    apply_at_once(made["applied"])
    approve(made["waiting"], title="November")
    return made


def shown_ids(client, address: str) -> list[int]:
    page = Page(client.get(QUEUE + address))
    links = page.all("a", **{"class": "row-link"})
    return [int(link["href"].split("/")[3]) for link in links]


def test_a_full_page_of_long_names_and_notes_is_light(ada):
    for number in range(PAGE_SIZE + 1):
        name = f"Organisation/A-rather-long-name-that-goes-on-{number:03}-{'x' * 40}"
        propose_create(name, nsfw=True, description="d", by=RAVI)
    PendingChange.objects.update(notes="Words & more. " * 40)
    answer = ada.get(QUEUE)
    assert len(Page(answer).all("a", **{"class": "row-link"})) == PAGE_SIZE
    sheets = [link["href"].removeprefix("/static/") for link in Page(answer).all("link", rel="stylesheet")]
    assert sheets == ["site.css"]
    assert weight(answer) < 100_000


def ids(changes: dict[str, PendingChange], *names: str) -> list[int]:
    return [changes[name].change_id for name in names]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", ["own", "second", "first", "stale", "critical", "plain"]),
        ("?sort=oldest", ["plain", "critical", "stale", "first", "second", "own"]),
        ("?show=others", ["second", "first", "stale", "critical", "plain"]),
        ("?show=critical", ["second", "first", "critical"]),
        ("?show=stale", ["stale"]),
        ("?show=competing", ["second", "first"]),
        ("?show=approved", ["waiting"]),
        ("?show=all", ["applied", "waiting", "own", "second", "first", "stale", "critical", "plain"]),
        ("?show=all&status=applied&status=approved", ["applied", "waiting"]),
        ("?by=102", ["second", "critical"]),
        ("?by=102&by=900&sort=oldest", ["critical", "second", "own"]),
        ("?q=RIV", ["second", "first"]),
        ("?q=RIV&by=101", ["first"]),
        ("?category=lora", []),
        ("?category=image_generation&category=lora&q=pla", ["plain"]),
        ("?show=all&batch=2", ["waiting"]),
        (
            "?show=nonsense&status=bogus&batch=-1&page=x",
            ["own", "second", "first", "stale", "critical", "plain"],
        ),
    ],
)
def test_the_address_says_what_is_shown(ada, changes, address, expected):
    assert shown_ids(ada, address) == ids(changes, *expected)


def test_presets_tell_how_much_is_in_them(ada, changes):
    text = Page(ada.get(QUEUE)).text
    for words in (
        "To review 6", "Not mine 5", "Critical 3", "Stale 1", "Competing 2", "To apply 1", "All 8"
    ):  # fmt: skip
        assert words in text


def test_rows_carry_their_marks(ada, changes):
    rows = {}
    for name, change in changes.items():
        body = ada.get(f"{QUEUE}?show=all&q={change.model_name}").content.decode()
        row = body.split(f"/admin/queue/{change.change_id}/")[1].split("</tr>")[0]
        rows[name] = [
            mark for mark in ("critical", "stale", "competing", "yours") if f">{mark}</span>" in row
        ]
    assert rows == {
        "plain": [],
        "critical": ["critical"],
        "stale": ["stale"],
        "first": ["critical", "competing"],
        "second": ["critical", "competing"],
        "own": ["yours"],
        "waiting": [],
        "applied": [],
    }


def test_marks_are_those_of_the_diffs(changes):
    make_live("linked", config={"download": [make_download("a.ckpt")]})
    propose_update("linked", config={"download": [make_download("b.ckpt")]})
    propose_delete("plain")
    propose_delete("moved")
    marked = open_changes()
    diffs = changes_diff(PendingChange.objects.open().oldest_first())
    assert len(diffs) == len(marked) == 10
    assert {each.change.change_id: (each.is_critical, each.staleness is not None) for each in diffs} == {
        change_id: (each.is_critical, each.is_stale) for change_id, each in marked.items()
    }


def test_a_write_of_the_record_makes_kept_marks_new(changes):
    assert not open_changes()[changes["plain"].change_id].is_stale
    record_put(
        category="image_generation",
        name="plain",
        record=make_v2("image_generation", "plain", description="theirs", metadata=stamps()),
    )
    assert open_changes()[changes["plain"].change_id].is_stale


def test_what_people_wrote_is_escaped(ada):
    change_propose(
        actor=RITA,
        category="lora",
        name="<img src=x>",
        operation="create",
        payload=make_v2("lora", "<img src=x>"),
        route="x",
        notes="<script>alert(1)</script>",
    )
    body = ada.get(QUEUE).content.decode()
    assert "&lt;img src=x&gt;" in body
    assert "<img src=x>" not in body
    assert "<script>alert" not in body


def test_several_are_approved_into_the_open_batch_at_once(ada, changes):
    chosen = ids(changes, "plain", "own")
    response = ada.post(
        f"{QUEUE}?sort=oldest", {"act": "approve", "change": chosen, "title": "December", "reason": ""}
    )
    assert (response.status_code, response.headers["Location"]) == (303, f"{QUEUE}?sort=oldest")
    stored = PendingChange.objects.in_bulk(chosen)
    assert {(each.status, each.batch_id, each.batch_title) for each in stored.values()} == {
        ("approved", 2, "December")
    }
    page = Page(ada.get(QUEUE))
    assert "2 changes are approved, in batch 2: December." in page.text
    assert "Open batch 2 December 3 changes to apply" in page.text


@pytest.mark.parametrize(
    ("saved", "reason", "expected"),
    [
        (False, "Too big.", "Too big."),
        (True, "", "The licence is not clear."),
        (True, "See the model card.", "The licence is not clear. See the model card."),
    ],
)
def test_rejecting_takes_a_saved_reason_or_own_words(ada, changes, saved, reason, expected):
    kept = SavedReason.objects.create(text="The licence is not clear.")
    change = changes["plain"]
    ada.post(
        QUEUE,
        {
            "act": "reject",
            "change": change.change_id,
            "title": "T",
            "saved": kept.pk if saved else "",
            "reason": reason,
        },
    )
    change.refresh_from_db()
    assert (change.status, change.reject_reason, change.batch_id) == ("rejected", expected, None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"act": "reject"}, "Rejecting needs a reason"),
        ({"title": " "}, "This field is required."),
        ({"title": "x" * 121}, "at most 120 characters"),
        ({"title": "nul\x00"}, "Null characters are not allowed."),
        ({"act": "reject", "reason": "x" * 501}, "at most 500 characters"),
        ({"change": []}, "Choose the changes to decide about first."),
        ({"change": ["999999"]}, "Change 999999 does not exist."),
        ({"change": ["x", "-1"]}, "Choose the changes to decide about first."),
        ({"act": "destroy"}, "Choose the changes to decide about first."),
    ],
)
def test_a_wrong_request_decides_nothing_and_keeps_what_was_typed(ada, changes, wrong, words):
    events = AuditEvent.objects.count()
    chosen = changes["plain"].change_id
    asked = {"act": "approve", "change": chosen, "title": "Kept title", "reason": "", **wrong}
    response = ada.post(QUEUE, asked)
    assert response.status_code == 422
    page = Page(response)
    assert words in page.text
    assert AuditEvent.objects.count() == events
    if "title" not in wrong:
        assert page.all("input", name="title")[0]["value"] == "Kept title"
    if "change" not in wrong:
        boxes = {box["value"] for box in page.all("input", name="change") if "checked" in box}
        assert boxes == {str(chosen)}


def test_a_decision_that_came_too_late_says_so(ada, changes):
    waiting = changes["waiting"].change_id
    response = ada.post(
        QUEUE, {"act": "approve", "change": [waiting, changes["plain"].change_id], "title": "T"}
    )
    assert response.status_code == 422
    assert f"Nothing was decided. Change {waiting} was approved by Ada#900." in Page(response).text
    changes["plain"].refresh_from_db()
    assert changes["plain"].status == "pending"


def test_own_changes_stay_where_self_approval_is_forbidden(ada, changes, settings):
    settings.QUEUE_FORBID_SELF_APPROVAL = True
    response = ada.post(QUEUE, {"act": "approve", "change": changes["own"].change_id, "title": "T"})
    assert "is your own; someone else has to approve it." in Page(response).text


def test_only_pending_changes_can_be_chosen_and_all_of_a_page_without_script(ada, changes):
    page = Page(ada.get(f"{QUEUE}?show=all&sort=oldest&choose=page"))
    chosen = [int(box["value"]) for box in page.all("input", name="change") if "checked" in box]
    assert chosen == ids(changes, "plain", "critical", "stale", "first", "second", "own")
    assert f"{QUEUE}?show=all&sort=oldest&choose=page" in page.links


def test_an_empty_queue_says_so(ada):
    assert "Nothing waits for a decision." in Page(ada.get(QUEUE)).text
    assert "No batch is open" in Page(ada.get(QUEUE)).text
    assert "Nothing fits." in Page(ada.get(f"{QUEUE}?q=nothing")).text


def test_reasons_are_saved_and_forgotten(ada):
    path = f"{QUEUE}reasons/"
    ada.post(path, {"text": " Not reachable. "})
    ada.post(path, {"text": "Not reachable."})
    assert [saved.text for saved in SavedReason.objects.all()] == ["Not reachable."]
    assert "Not reachable." in Page(ada.get(path)).text
    assert ada.post(path, {"text": ""}).status_code == 422
    ada.post(f"{path}{SavedReason.objects.get().pk}/forget/")
    assert not SavedReason.objects.exists()


def test_the_query_keeps_what_it_was_asked():
    asked = QueueQuery(
        show="competing",
        text="a b",
        statuses=("pending",),
        kinds=("update", "delete"),
        categories=("lora",),
        proposers=("1", "2"),
        batch=3,
        since=date(2026, 11, 1),
        until=date(2026, 11, 30),
    )
    assert queue_query_parse(QueryDict(asked.encoded()[1:])) == asked


@pytest.fixture
def many(db) -> None:
    """5,000 pending edits over all categories, each of a model of its own; each tenth is stale."""
    categories = list(CATEGORIES)
    names = [(categories[number % len(categories)], f"model {number}") for number in range(MANY)]
    payloads = {name: make_v2(name, "x", description="before", metadata=stamps()) for name in categories}
    rows = {category.name: category for category in Category.objects.all()}
    ModelRecord.objects.bulk_create(
        ModelRecord(
            category=rows[category],
            name=name,
            position=number,
            revision=1,
            record=json_text({**payloads[category], "name": name}),
            updated_at=EARLY,
        )
        for number, (category, name) in enumerate(names)
    )
    PendingChange.objects.bulk_create(
        PendingChange(
            category=category,
            model_name=name,
            operation="update",
            domain="v2",
            payload=json_text(
                {**payloads[category], "name": name, "description": "after", "nsfw": number % 3 == 0}
            ),
            base_record=json_text({**payloads[category], "name": name}),
            base_digest="moved" if number % 10 == 0 else digest({**payloads[category], "name": name}),
            requested_by=str(number % 40),
            requested_username=f"User#{number % 40}",
            requested_at=EARLY,
            updated_at=EARLY,
        )
        for number, (category, name) in enumerate(names)
    )


@pytest.mark.parametrize(
    "address", ["", "?show=critical", "?show=stale&sort=oldest", "?show=competing", "?q=model&page=3"]
)
def test_five_thousand_changes_take_a_dozen_queries_and_later_ten(ada, many, address):
    with CaptureQueriesContext(connection) as asked:
        response = ada.get(QUEUE + address)
    assert response.status_code == 200
    assert len(asked) <= 12
    with CaptureQueriesContext(connection) as again:
        ada.get(QUEUE + address)
    assert len(again) <= 10
    if address.startswith("?show=stale"):
        assert "500 changes, 1 to 30 here" in Page(response).text


def test_approving_rivals_warns_and_names_them(ada):
    make_live("painter", description="first")
    one = propose_update("painter", description="one")
    two = propose_update("painter", description="two", by=RAVI)
    other = propose_create("other")
    chosen = {"act": "approve", "title": "T", "change": [one.change_id, other.change_id]}
    page = Page(ada.get(ada.post(QUEUE, chosen).headers["Location"]))
    assert f"Competing changes: {one.change_id} with {two.change_id} (pending) for 'painter'." in page.text
    assert PendingChange.objects.approved().count() == 2


def test_approving_what_has_no_rivals_warns_of_nothing(ada):
    one = propose_create("painter")
    page = Page(
        ada.get(
            ada.post(QUEUE, {"act": "approve", "title": "T", "change": [one.change_id]}).headers["Location"]
        )
    )
    assert "approved, in batch" in page.text
    assert "Competing changes" not in page.text


def test_rows_count_what_there_is_to_look_at_and_name_the_proposer_on_phones(ada):
    file = make_download("a.bin", file_url="http://example.org/a.bin", sha256sum="00" * 32)
    propose_create("odd", config={"download": [file]})
    make_live("painter")
    propose_delete("painter", by=RAVI)
    text = Page(ada.get(QUEUE)).text
    assert "odd critical 3 to look at" in text
    assert text.count("to look at") == 1
    assert "Removal · Image generation · Ravi#102" in text


def test_the_order_is_a_link_apart_from_the_presets(ada, changes):
    page = Page(ada.get(f"{QUEUE}?show=stale"))
    tabs = page.text.partition("Competing")[0].rpartition("To review")[2]
    assert "Oldest first" not in tabs
    assert f"{QUEUE}?show=stale&sort=oldest" in page.links
    page = Page(ada.get(f"{QUEUE}?sort=oldest"))
    assert page.all("input", type="hidden", name="sort")[0]["value"] == "oldest"
    assert page.all("a", href=QUEUE, **{"aria-current": "page"})


def test_rows_count_the_same_warnings_as_the_page_of_the_change(ada):
    digest = "0123456789abcdef" * 4
    make_live("Painter", config={"download": [make_download("a.bin", sha256sum=digest)]})
    make_live(
        "lens", category="clip", config={"download": [make_download("b.bin", sha256sum=digest.upper())]}
    )
    copied = make_download("c.bin", file_url="https://huggingface.co/c.bin", sha256sum=digest)
    copy = propose_create("pain-ter", config={"download": [copied]})
    assert "pain-ter critical 3 to look at" in Page(ada.get(QUEUE)).text
    assert "To look at 3" in Page(ada.get(f"{QUEUE}{copy.change_id}/")).text
    record_put(category="clip", name="lens", record=make_v2("clip", "lens"))
    assert "pain-ter critical 2 to look at" in Page(ada.get(QUEUE)).text


def test_a_row_tells_of_a_record_that_cannot_be_applied(ada):
    change = propose_create("painter")
    PendingChange.objects.filter(pk=change.pk).update(payload=json_text({"name": "painter", "nsfw": "often"}))
    assert "cannot be applied" in Page(ada.get(QUEUE)).text
    assert "It could not be applied" in Page(ada.get(f"{QUEUE}{change.change_id}/")).text


def test_rows_count_the_comments_on_each_change(ada):
    said, quiet = propose_create("said"), propose_create("quiet")
    for text in ("one", "two"):
        comment_add(actor=ADA, change_id=said.change_id, text=text)
    comment_add(actor=ADA, change_id=quiet.change_id, text="only")
    text = Page(ada.get(QUEUE)).text
    assert text.count("2 comments") == text.count("1 comment") == 1
