"""What writing costs: the write, the first reads after it, and the way of a change through the queue."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import quote

from tests.benchmarks.double import APPROVER_KEY, REQUESTOR_KEY
from tests.benchmarks.load import Request, fetch
from tests.benchmarks.measuring import Bench, in_turns, seconds_lines
from tests.benchmarks.rows import API, GZIP, IMAGE, PAGE, LoadRow, Subject, search
from tests.benchmarks.table import Line, Samples, at_most
from tests.benchmarks.writer import Writer

QUEUE = f"{API}/v2/pending_queue"
QUEUE_LENGTH = 5000
_APPROVER = {"apikey": APPROVER_KEY, "Content-Type": "application/json"}
_REQUESTOR = {"apikey": REQUESTOR_KEY, "Content-Type": "application/json"}
_READS: dict[str, Callable[[Subject], Request]] = {
    "single record": Subject.record,
    "search page": lambda _: search(limit=PAGE),
    "category, plain": lambda _: Request(IMAGE),
    "category, gzip": lambda _: Request(IMAGE, GZIP),
}
_numbers = count()


def reads_after_write(bench: Bench, writers: dict[str, Writer]) -> Iterator[Line]:
    """One record is written by another process; then the server is asked, once."""
    writes: dict[str, list[float]] = {label: [] for label in bench.labels}

    def first_read(subject: Subject, request: Callable[[Subject], Request]) -> float:
        writes[subject.site.label].append(writers[subject.site.label].change_record(subject.model))
        return fetch(subject.site.port, request(subject)).seconds

    reads = {
        title: _seconds(bench, lambda each, ask=ask: first_read(each, ask)) for title, ask in _READS.items()
    }
    # Each repeat of each read had a write of its own.
    yield from seconds_lines("one write", {label: tuple(taken) for label, taken in writes.items()})
    for title, cells in reads.items():
        yield from seconds_lines(f"first read after it: {title}", cells)


def changes_through_queue(bench: Bench) -> Iterator[Line]:
    """Proposals of new descriptions for the first models, approved and applied together, and one alone."""
    names = {
        subject.site.label: [
            each["name"] for each in json.loads(subject.site.fetch(search(limit=PAGE)))["results"]
        ]
        for subject in bench.subjects
    }
    steps = ("propose one", f"approve {PAGE}", f"apply {PAGE}", "apply one")
    taken: dict[str, dict[str, list[float]]] = {step: {label: [] for label in bench.labels} for step in steps}

    def whole_way(subject: Subject) -> float:
        label = subject.site.label
        proposed = [_propose(subject, name) for name in names[label]]
        taken[steps[0]][label].append(sum(seconds for _, seconds in proposed) / len(proposed))
        ids = [change_id for change_id, _ in proposed]
        taken[steps[1]][label].append(_approve(subject, ids))
        taken[steps[2]][label].append(_apply(subject, ids))
        single, _ = _propose(subject, subject.model)
        _approve(subject, [single])
        taken[steps[3]][label].append(_apply(subject, [single]))
        return 0.0

    _seconds(bench, whole_way)
    for step in steps:
        cells = {label: tuple(samples) for label, samples in taken[step].items()}
        yield from seconds_lines(step, cells, budget=at_most(1000) if step == steps[2] else None)


def _propose(subject: Subject, name: str) -> tuple[int, float]:
    path = f"{IMAGE}/model/{quote(name, safe='')}"
    record = json.loads(subject.site.fetch(Request(path))) | {"description": f"Proposal {next(_numbers)}"}
    reply = fetch(
        subject.site.port, Request(path, _REQUESTOR, "PUT", json.dumps(record).encode(), expected=202)
    )
    return json.loads(reply.body)["change_id"], reply.seconds


def _approve(subject: Subject, ids: list[int]) -> float:
    return _post(subject, "batches", {"batch_title": "Measured", "approved_ids": ids})


def _apply(subject: Subject, ids: list[int]) -> float:
    return _post(subject, "apply", {"change_ids": ids})


def _post(subject: Subject, path: str, body: dict) -> float:
    return fetch(
        subject.site.port, Request(f"{QUEUE}/{path}", _APPROVER, "POST", json.dumps(body).encode())
    ).seconds


def queue_rows() -> list[LoadRow]:
    listed = f"{QUEUE}/changes?statuses=pending&limit={PAGE}"
    last = f"{listed}&offset={QUEUE_LENGTH - PAGE}"
    key = {"apikey": APPROVER_KEY}
    return [
        LoadRow(f"queue of {QUEUE_LENGTH:,}, first page", lambda _: Request(listed, key)),
        LoadRow(f"queue of {QUEUE_LENGTH:,}, last page", lambda _: Request(last, key)),
    ]


def _seconds(bench: Bench, take: Callable[[Subject], float]) -> dict[str, Samples]:
    takes = {subject.site.label: lambda each=subject: take(each) for subject in bench.subjects}
    return in_turns(takes, repeats=bench.repeats)
