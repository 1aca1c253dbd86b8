import xml.etree.ElementTree as ET

import pytest
from django.http import HttpResponse
from django.utils.http import http_date

from moderation.models import AuditEvent
from references.services import record_delete, record_put
from tests.factories import make_record, make_v2
from tests.moderation.api.callers import send, told
from tests.moderation.factories import EARLY, apply_at_once, propose_create

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
FEED = "/api/feed.atom"


def read(path: str = FEED, **headers: str) -> HttpResponse:
    response = send("GET", path, **headers)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    return response


def parsed(response: HttpResponse) -> ET.Element:
    feed = ET.fromstring(response.content)  # noqa: S314 - our own answer
    assert feed.tag == f"{ATOM}feed"
    return feed


def texts(feed: ET.Element, path: str) -> list[str]:
    return [found.text for found in feed.findall("/".join(ATOM + step for step in path.split("/")))]


def links(entry: ET.Element) -> dict[str, str]:
    return {link.get("rel"): link.get("href") for link in entry.findall(f"{ATOM}link")}


def test_the_feed_of_an_untouched_reference_is_empty_and_complete():
    feed = parsed(read())
    assert texts(feed, "entry/id") == []
    assert texts(feed, "id") == ["http://testserver/api/feed.atom"]
    assert texts(feed, "updated") == ["1970-01-01T00:00:00+00:00"]
    assert texts(feed, "author/name") == ["Horde Model Reference"]
    assert links(feed) == {
        "alternate": "http://testserver/api/model_references/v2/changes",
        "self": "http://testserver/api/feed.atom",
    }


def test_entries_tell_what_was_done_to_which_model_the_newest_first():
    make_record("clip", "Org/a b?#ü")
    record_put(category="clip", name="Org/a b?#ü", record=make_v2("clip", "Org/a b?#ü", description="x"))
    record_delete(category="clip", name="Org/a b?#ü")
    feed = parsed(read())
    assert texts(feed, "entry/title") == [
        f"clip: Org/a b?#ü {done}" for done in ("removed", "changed", "added")
    ]
    assert {links(entry)["alternate"] for entry in feed.findall(f"{ATOM}entry")} == {
        "http://testserver/api/model_references/v2/clip/model/Org/a%20b%3F%23%C3%BC"
    }


def test_the_link_of_an_entry_leads_to_the_model():
    make_record("clip", "Org/a b?#ü")
    [entry] = parsed(read()).findall(f"{ATOM}entry")
    record = send("GET", links(entry)["alternate"].removeprefix("http://testserver"))
    assert told(record)[0] == 200
    assert record.json()["name"] == "Org/a b?#ü"


def test_ids_are_of_their_own_and_stay(monkeypatch):
    make_record("clip", "a")
    make_record("clip", "b")
    [newer, older] = texts(parsed(read()), "entry/id")
    assert newer != older
    assert newer.startswith("urn:uuid:")
    make_record("clip", "c")
    assert texts(parsed(read()), "entry/id")[1:] == [newer, older]


def test_the_feed_and_its_entries_tell_when(monkeypatch):
    monkeypatch.setattr("moderation.events.time.time", lambda: EARLY + 0.5)
    make_record("clip", "a")
    feed = parsed(read())
    assert texts(feed, "updated") == texts(feed, "entry/updated") == ["2023-11-14T22:13:20+00:00"]


def test_the_time_of_the_last_change_does_not_go_back_with_what_was_moved_in_from_elsewhere(monkeypatch):
    for at in (EARLY + 100, EARLY):
        monkeypatch.setattr("moderation.events.time.time", lambda at=at: at)
        make_record("clip", f"at {at}")
    response = read()
    assert response.headers["Last-Modified"] == http_date(EARLY + 100)
    assert texts(parsed(response), "updated") == ["2023-11-14T22:15:00+00:00"]


def test_only_the_fifty_newest_are_told():
    for number in range(51):
        make_record("clip", f"m{number}")
    titles = texts(parsed(read()), "entry/title")
    assert (len(titles), titles[0], titles[-1]) == (50, "clip: m50 added", "clip: m1 added")


def test_acts_on_the_queue_are_left_out_and_so_is_who_acted():
    propose_create("waiting")
    change = apply_at_once(propose_create("live"))
    response = read()
    assert texts(parsed(response), "entry/title") == ["image_generation: live added"]
    assert change.applied_username not in response.content.decode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("</title><entry>&amp;", "</title><entry>&amp;"),
        ("\"]]>'", "\"]]>'"),
        ("a\x01b\x0b\ufffe", "a\ufffdb\ufffd\ufffd"),
    ],
)
def test_names_stay_text(name, shown):
    make_record("clip", name)
    feed = parsed(read())
    assert texts(feed, "entry/title") == [f"clip: {shown} added"]
    assert "<script" not in read().content.decode()


def test_who_has_the_feed_gets_no_body_until_something_happens():
    make_record("clip", "a")
    first = read()
    held = {"if_none_match": first.headers["ETag"]}
    assert told(send("GET", FEED, **held)) == (304, None)
    propose_create("waiting")
    assert send("GET", FEED, **held).status_code == 304
    make_record("clip", "b")
    assert send("GET", FEED, **held).status_code == 200


def test_an_unchanged_log_is_read_once(django_assert_num_queries):
    make_record("clip", "a")
    read()
    with django_assert_num_queries(1):
        read()


def test_the_feed_has_an_address_without_the_prefix_of_the_api():
    make_record("clip", "a")
    assert read("/feed.atom").content == read().content


def test_addresses_are_those_the_client_knows(settings):
    settings.ALLOWED_HOSTS = ["models.example.org", "testserver"]
    make_record("clip", "a")
    assert links(parsed(read()))["self"] == "http://testserver/api/feed.atom"
    assert links(parsed(read(host="models.example.org")))["self"] == "http://models.example.org/api/feed.atom"


def test_large_feeds_are_sent_compressed():
    for number in range(10):
        make_record("clip", f"m{number}")
    assert read(accept_encoding="gzip").headers["Content-Encoding"] == "gzip"


def test_a_deployment_without_a_log_has_no_feed(settings):
    settings.AUDIT_ENABLED = False
    assert told(send("GET", FEED))[0] == 503
    assert not AuditEvent.objects.exists()
