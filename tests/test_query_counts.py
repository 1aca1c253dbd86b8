"""How many database queries each endpoint and page takes, held against the committed `query_counts.txt`.

A line is `route method role status cold warm`: `cold` is the first request of a process that remembers nothing,
`warm` the same request once more. Statements that only open, keep or undo a transaction do not count, and all
requests are made inside one: there SQLite has no commit mark to save it a look at the revision. So the counts are
those of either database; outside of a transaction SQLite takes fewer.

After a change that is meant to move them, write the file anew:
`REWRITE_QUERY_COUNTS=1 pytest tests/test_query_counts.py`.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as deployed
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from moderation.models import PendingChange
from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.services import record_put
from references.vocabulary import CanonicalFormat
from tests.furnished import (
    ANONYMOUS,
    APPROVER,
    REQUESTOR,
    STAFF,
    Deployment,
    people_know,
    plain,
    process_forget,
    record_full,
    session_of,
    store_furnish,
)
from tests.hordedouble import stop_clock
from tests.urlmap import Route, url_map

pytestmark = pytest.mark.django_db

BASELINE = Path(__file__).with_name("query_counts.txt")
REWRITE = "REWRITE_QUERY_COUNTS"
KEY_OF = {REQUESTOR: "key-requestor", APPROVER: "key-approver"}
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# What opens, keeps or undoes a transaction. Inside a test it is a savepoint, elsewhere it may be nothing at all.
_TRANSACTION = re.compile(r"\s*(SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT)\b", re.IGNORECASE)
MANY = 130
QUEUE_BUDGET = 12

Line = tuple[str, str, str]
Counts = tuple[int, int, int]


@pytest.fixture(autouse=True)
def deployment(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people_know(settings)
    stop_clock(monkeypatch)


@pytest.fixture
def made(db: None) -> Deployment:
    return store_furnish()


def body_of(method: str, route: str, made: Deployment) -> dict[str, Any]:
    """What a write is sent so that it does what it is for; nothing for those that need nothing."""
    name, text_name = made.name(IMAGE_CATEGORY), made.name(TEXT_CATEGORY)
    ids = made.samples
    bodies = {
        "v2/<model_category_name>": record_full(IMAGE_CATEGORY, "new", plain),
        "v2/<model_category_name>/add": record_full(IMAGE_CATEGORY, "new", plain),
        "v2/<model_category_name>/model/<model_name>": record_full(IMAGE_CATEGORY, name, plain),
        "v1/<model_category_name>": {
            "name": "new" if method == "POST" else name,
            "baseline": "stable diffusion 1",
            "nsfw": False,
        },
        "v1/text_generation": {
            "name": "new" if method == "POST" else text_name,
            "model_name": "new" if method == "POST" else text_name,
            "parameters": 7_000_000_000,
        },
        "pending_queue/batches": {
            "batch_title": "A batch",
            "approved_ids": [int(ids["create_change"])],
            "rejected_ids": [int(ids["delete_change"])],
            "reject_reason": "no",
        },
        "pending_queue/apply": {"change_ids": [int(ids["approved_change"])]},
        "pending_queue/purge": {"statuses": ["rejected"]},
        "group/name_schema": {"separator": "_"},
        "name_schema": {"separator": "_"},
        "common_fields": {"nsfw": True},
        "name_exception": {"reason": "an old name"},
        "aliases/<canonical>": {"aliases": ["one", "two"]},
        "aliases/<canonical>/add": {"alias": "one"},
        "aliases/<canonical>/remove": {"alias": plain("alias")},
        "families/<family_name>": {"members": ["one", "two"]},
        "families/<family_name>/add": {"group_name": "one"},
        "families/<family_name>/remove": {"group_name": plain("member")},
        "compose_name": {"base_name": "Writer", "size": "7B"},
    }
    found = [end for end in bodies if route.endswith(end)]
    return bodies[max(found, key=len)] if found else {}


# What reads must be asked to answer at all.
QUERIES = {
    "api/model_references/v2/search": "?q=some",
    "api/model_references/v2/text_generation/parse_name": "?name=Writer-7B",
    "api/model_references/v2/text_generation/group": "?name=some+text_model_group",
    "api/model_references/v2/text_generation/group/name_schema": "?name=some+text_model_group",
    "api/model_references/v2/text_generation/group/common_fields": "?name=some+text_model_group",
    "search": "?q=some",
}
# Acts that want a change in another state than pending.
CHANGE_FOR = {"apply": "approved", "reopen": "approved", "revert": "applied", "resubmit": "rejected"}
FORMS = {
    "admin/queue/": {"act": "approve", "title": "A batch"},
    "admin/queue/<change_id>/": {"act": "approve", "title": "A batch"},
    "admin/queue/reasons/": {"text": "A reason"},
    "admin/batches/<batch_id>/reopen/<change_id>/": {"reason": "Look again"},
    "theme": {"theme": "dark"},
}


def address_of(route: str, made: Deployment) -> str:
    act = next((act for act in CHANGE_FOR if route.rstrip("/").endswith(f"<change_id>/{act}")), None)
    given = {"change_id": made.samples[f"{CHANGE_FOR[act]}_change"]} if act else {}
    if "/reopen/<change_id>" in route:
        given = {"change_id": made.samples["approved_change"]}
    if "batches/<batch_id>" in route and "revert" in route:
        given = {"batch_id": "1"}
    if route.startswith("my-changes/") and not act:
        given = {"change_id": made.samples["create_change"]}
    if diffs := route.endswith("pending_queue/diffs"):
        return f"/{route}?change_ids={made.samples['change_id']}" if diffs else ""
    return made.path_of(route, **given) + QUERIES.get(route, "")


class Caller:
    """Sends requests as people do: API calls with a key, pages with a session."""

    def __init__(self, made: Deployment, settings: Any) -> None:
        self.made, self.settings = made, settings
        self.sessions = {role: session_of(role) for role in (REQUESTOR, APPROVER, STAFF)}

    def send(self, route: str, method: str, role: str) -> HttpResponse:
        is_api = route.startswith("api/")
        client = Client(raise_request_exception=True, headers={} if is_api else {"Accept": "text/html"})
        path = address_of(route, self.made)
        if is_api:
            headers = {"apikey": KEY_OF[role]} if role in KEY_OF else {}
            sent = json.dumps(body_of(method, route, self.made)) if method in WRITES else ""
            return client.generic(method, path, sent, content_type="application/json", headers=headers)
        if role in self.sessions:
            client.cookies[deployed.SESSION_COOKIE_NAME] = self.sessions[role]
        form = {**FORMS.get(route, {})}
        if route == "admin/queue/":
            form["change"] = self.made.samples["create_change"]
        if route.startswith("admin/apply/"):
            form["change_ids"] = self.made.samples["approved_change"]
        return (
            client.get(path)
            if method == "GET"
            else client.generic(
                method,
                path,
                "&".join(f"{key}={value}" for key, value in form.items()),
                content_type="application/x-www-form-urlencoded",
            )
        )

    def counted(self, route: str, method: str, role: str) -> tuple[HttpResponse, int]:
        statements: list[str] = []

        def note(execute: Callable, sql: str, *rest: Any) -> Any:
            statements.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            response = self.send(route, method, role)
            b"".join(response) if response.streaming else response.content
        return response, sum(not _TRANSACTION.match(sql) for sql in statements)

    def measured(self, route: str, method: str, role: str) -> Counts:
        """Status, cold and warm. What a write does is undone each time."""
        is_legacy = "model_references/v1/" in route
        wanted = CanonicalFormat.LEGACY if is_legacy else CanonicalFormat.V2
        # Each setting of a setting is one more layer until the end of the test.
        if self.settings.CANONICAL_FORMAT is not wanted:
            self.settings.CANONICAL_FORMAT = wanted
        counts = []
        process_forget()
        for _ in range(2):
            with transaction.atomic():
                response, count = self.counted(route, method, role)
                counts.append(count)
                transaction.set_rollback(method in WRITES)
        return response.status_code, counts[0], counts[1]


def roles_of(route: Route) -> tuple[str, ...]:
    """Nobody else sees more of the admin than its front door."""
    return (APPROVER, STAFF) if route.is_admin else (ANONYMOUS, REQUESTOR, APPROVER)


def lines_of(route: Route) -> Iterator[Line]:
    for method in sorted(route.methods or {"GET", "POST"}):
        for role in roles_of(route):
            yield route.path or "/", method, role


def measure_all(made: Deployment, settings: Any) -> dict[Line, Counts]:
    caller = Caller(made, settings)
    found: dict[Line, Counts] = {}
    for route in url_map():
        for line in lines_of(route):
            counts = caller.measured(route.path, *line[1:])
            # A view that is a function tells by this that it takes no such requests.
            if route.methods is not None or counts[0] != 405:
                found[line] = counts
    return found


def baseline_read() -> dict[Line, Counts]:
    rows = (line.rsplit(" ", 5) for line in BASELINE.read_text(encoding="utf-8").splitlines())
    return {(route, method, role): tuple(map(int, counts)) for route, method, role, *counts in rows}


def baseline_write(found: dict[Line, Counts]) -> None:
    lines = sorted(" ".join(map(str, (*line, *counts))) for line, counts in found.items())
    BASELINE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_no_request_takes_more_queries_than_it_did(made, settings):
    found = measure_all(made, settings)
    if os.environ.get(REWRITE):
        baseline_write(found)
    known = baseline_read()
    again = f"set {REWRITE}=1 to write {BASELINE.name} anew"
    assert sorted(found.keys() - known.keys()) == [], f"routes without a count; {again}"
    assert sorted(known.keys() - found.keys()) == [], f"counts of routes that are gone; {again}"
    moved = [
        f"{' '.join(line)}: status, cold and warm were {known[line]}, are {counts}"
        for line, counts in sorted(found.items())
        if counts != known[line]
    ]
    assert not moved, "\n".join([f"more is a fault unless it is meant; {again}", *moved])


def test_the_baseline_is_sorted_and_says_every_thing_once():
    lines = BASELINE.read_text(encoding="utf-8").splitlines()
    assert lines == sorted(set(lines))
    assert len(baseline_read()) == len(lines)
    assert not [line for line in lines if line.rsplit(" ", 3)[1] == "500"]


def rows_add(made: Deployment) -> None:
    """Many more rows of all that lists are made of; nearly none fits on a page that is there already."""
    for number in range(MANY):
        for category in (IMAGE_CATEGORY, TEXT_CATEGORY):
            record_put(
                category=category,
                name=f"more {number}",
                record=record_full(category, f"more {number}", plain),
            )
    first = PendingChange.objects.get(pk=made.samples["create_change"])
    changes_add(first, MANY)


def changes_add(like: PendingChange, count: int) -> None:
    """Queues copies of a change, for models that are called otherwise."""
    held = {
        field.attname: getattr(like, field.attname) for field in like._meta.fields if not field.primary_key
    }
    PendingChange.objects.bulk_create(
        PendingChange(**{**held, "model_name": f"another {number}"}) for number in range(count)
    )


def test_reads_take_no_more_queries_where_there_are_more_rows(made, settings):
    rows_add(made)
    caller, known, grown = Caller(made, settings), baseline_read(), []
    for line in known:
        route, method, role = line
        if method == "GET" and role in (APPROVER, STAFF):
            counts = caller.measured("" if route == "/" else route, method, role)
            if counts[1] > known[line][1] or counts[2] > known[line][2]:
                grown.append(f"{route} {role}: cold and warm were {known[line][1:]}, are {counts[1:]}")
    assert not grown, "\n".join(grown)


def test_the_queue_takes_few_queries_however_long_it_is(made, settings, monkeypatch):
    changes_add(PendingChange.objects.get(pk=made.samples["create_change"]), 5_000)
    caller = Caller(made, settings)
    for query in ("", "?show=all", "?q=another", "?sort=oldest&page=7"):
        monkeypatch.setitem(QUERIES, "admin/queue/", query)
        status, cold, warm = caller.measured("admin/queue/", "GET", APPROVER)
        assert status == 200
        assert max(cold, warm) <= QUEUE_BUDGET, f"{query}: {cold} cold, {warm} warm"
