import pytest
from django.db import connection

from moderation.api.feed import record_events
from moderation.models import AuditEvent
from moderation.services import batch_decide
from references.services import record_delete
from references.structure_services import aliases_put
from tests.factories import make_record
from tests.moderation.api.callers import V2, problems, send, told
from tests.moderation.factories import ADA, apply_at_once, propose_create, propose_delete, propose_update

pytestmark = pytest.mark.django_db

CHANGES = f"{V2}/changes"


def page(query: str = "") -> dict:
    answer = send("GET", CHANGES + query)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert list(body) == ["events", "next_since", "has_more"]
    return body


def subjects(body: dict) -> list[tuple[str, str, str]]:
    return [(event["category"], event["model_name"], event["operation"]) for event in body["events"]]


def test_before_anything_happens_there_is_nothing():
    assert page() == {"events": [], "next_since": None, "has_more": False}


def test_writes_of_live_records_come_in_order():
    apply_at_once(propose_create("one"))
    apply_at_once(propose_update("one", description="better"))
    make_record("clip", "Org/two ü")
    apply_at_once(propose_delete("one"))
    assert subjects(page()) == [
        ("image_generation", "one", "create"),
        ("image_generation", "one", "update"),
        ("clip", "Org/two ü", "create"),
        ("image_generation", "one", "delete"),
    ]


def test_an_event_tells_no_person_and_no_content():
    apply_at_once(propose_create("one", description="a secret"))
    [event] = page()["events"]
    stored = AuditEvent.objects.get(category="image_generation")
    assert event == {
        "event_id": stored.event_id,
        "timestamp": stored.timestamp,
        "category": "image_generation",
        "model_name": "one",
        "operation": "create",
    }
    assert stored.logical_user_id == ADA.user_id


def test_acts_on_the_queue_and_on_text_groups_are_left_out():
    refused = propose_create("refused")
    batch_decide(actor=ADA, title="No", rejected_ids=[refused.change_id], reject_reason="no")
    propose_create("waiting")
    aliases_put(canonical="Mistral", aliases=["mistral-7b"])
    assert AuditEvent.objects.filter(category=AuditEvent.STRUCTURE).exists()
    assert page() == {"events": [], "next_since": None, "has_more": False}


def test_pages_follow_each_other_without_gap_or_overlap():
    for number in range(5):
        apply_at_once(propose_create(f"m{number}"))
    names, since, sizes = [], "", []
    while True:
        body = page(f"?limit=2{since}")
        names += [event["model_name"] for event in body["events"]]
        sizes.append(len(body["events"]))
        since = f"&since={body['next_since']}"
        if not body["has_more"]:
            break
    assert names == [f"m{number}" for number in range(5)]
    assert sizes == [2, 2, 1]
    last = body["next_since"]
    assert page(f"?since={last}") == {"events": [], "next_since": last, "has_more": False}
    make_record("clip", "later")
    assert subjects(page(f"?since={last}")) == [("clip", "later", "create")]


def test_a_page_that_is_just_full_says_that_nothing_follows():
    make_record("clip", "a")
    make_record("clip", "b")
    assert page("?limit=2")["has_more"] is False
    assert page("?limit=1")["has_more"] is True


def test_without_a_limit_a_page_has_a_hundred_events():
    for number in range(101):
        make_record("clip", f"m{number}")
    body = page()
    assert (len(body["events"]), body["has_more"]) == (100, True)
    assert len(page("?limit=500")["events"]) == 101


@pytest.mark.parametrize(
    ("query", "kind", "name"),
    [
        ("since=-1", "greater_than_equal", "since"),
        ("since=x", "int_parsing", "since"),
        (f"since={2**63}", "int_parsing_size", "since"),
        ("limit=0", "greater_than_equal", "limit"),
        ("limit=501", "less_than_equal", "limit"),
        ("limit=many", "int_parsing", "limit"),
    ],
)
def test_parameters_out_of_bounds_are_refused(query, kind, name):
    assert problems(send("GET", f"{CHANGES}?{query}")) == (422, [(kind, ["query", name])])


def test_a_mirror_that_has_it_all_is_told_so_without_a_body():
    make_record("clip", "a")
    first = send("GET", CHANGES)
    assert "max-age=0" in first.headers["Cache-Control"]
    held = {"if_none_match": first.headers["ETag"]}
    assert told(send("GET", CHANGES, **held)) == (304, None)
    record_delete(category="clip", name="a")
    assert send("GET", CHANGES, **held).status_code == 200


def test_a_deployment_without_a_log_has_no_feed(settings):
    settings.AUDIT_ENABLED = False
    status, body = told(send("GET", CHANGES))
    assert status == 503
    assert "log" in body["detail"]


@pytest.mark.parametrize("order", ["event_id", "-event_id"])
def test_a_page_is_read_by_the_index_on_event_ids(order):
    if connection.vendor != "sqlite":
        pytest.skip("other databases plan by the number of rows, and there are none")
    plan = record_events().filter(event_id__gt=7).order_by(order)[:3].explain()
    assert "event_id>?" in plan
    assert "TEMP B-TREE" not in plan
