"""Clients of a live server, and an approver who changes one model while they read it."""

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from tests.moderation.factories import IMAGES
from tests.moderation.processes import APPROVER, PATIENCE, REQUESTOR, Site

V2 = "model_references/v2"
QUEUE = f"{V2}/pending_queue"
MODEL = "read by many"
# Seconds after which an answer counts as none. Far more than any needs, and less than a caller's patience.
ANSWER_PATIENCE = 15
# What a deployment may answer whose store is out of reach.
OUT_OF_REACH = frozenset({500, 503})
READS = (
    f"{V2}/{IMAGES}/model/read%20by%20many",
    f"{V2}/{IMAGES}",
    f"{V2}/{IMAGES}/search?name_contains=read%20by%20many",
)


class Failure(NamedTuple):
    """A read that the deployment could not answer, and when it began."""

    begun: float
    status: int


class Truth:
    """What was written so far, by number. A read that begins now must show `answered` or a later one."""

    def __init__(self) -> None:
        self.begun = 0
        self.answered = 0
        self.base_revision = 0
        self._numbers: dict[int, int] = {}

    def check(self, number: int, *, least: int) -> None:
        """A read of this content, begun when `least` was answered."""
        assert least <= number <= self.begun, f"{number} was read after {least} was answered"

    def check_revision(self, revision: int, number: int) -> None:
        """Each revision has one content, and none comes from nowhere."""
        known = self._numbers.setdefault(revision, number)
        assert known == number, f"revision {revision} shows both {known} and {number}"
        assert revision <= self.base_revision + self.begun, f"revision {revision} was never written"


class Writer:
    """Changes the model again and again: each time a proposal, its approval and its apply.

    `proposed` are the changes whose proposal was answered, `applied` those whose apply was.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.truth = Truth()
        self.proposed: list[int] = []
        self.applied: list[int] = []
        self.failures: list[requests.Response] = []

    def begin(self) -> None:
        """Makes the model, so that readers find it."""
        assert self.write("POST", f"{V2}/{IMAGES}")
        answer = self.site.send("GET", READS[0])
        self.truth.base_revision = int(answer.headers["X-Model-Reference-Revision"]) - 1

    def write(self, method: str = "PUT", path: str = READS[0]) -> bool:
        """False where the deployment could not do all of it now; anything else but success is a fault."""
        self.truth.begun += 1
        number = self.truth.begun
        record = {"name": MODEL, "baseline": "stable_diffusion_xl", "nsfw": False}
        proposed = self._send(method, path, {**record, "description": str(number)}, key=REQUESTOR)
        if proposed is None:
            return False
        change_id = proposed["change_id"]
        self.proposed.append(change_id)
        decision = {"batch_title": "A batch", "approved_ids": [change_id]}
        if self._send("POST", f"{QUEUE}/batches", decision) is None:
            return False
        if self._send("POST", f"{QUEUE}/changes/{change_id}/apply", {}) is None:
            return False
        self.applied.append(change_id)
        self.truth.answered = number
        return True

    def _send(self, method: str, path: str, body: Any, *, key: str = APPROVER) -> Any:
        answer = self.site.send(method, path, body, key=key)
        if answer.status_code in OUT_OF_REACH:
            assert_plain_refusal(answer.status_code, answer.headers["Cache-Control"], answer.content)
            self.failures.append(answer)
            return None
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


def assert_plain_refusal(status: int, cache: str | None, body: bytes) -> None:
    """That an error has the contract's shape, and that no cache keeps it."""
    assert (cache, [*json.loads(body)]) == ("no-store", ["detail"]), f"{status} {cache} {body[:200]}"


class Reader(threading.Thread):
    """Reads without a pause on one connection, and checks every answer. It ends at the first fault."""

    def __init__(self, site: Site, truth: Truth, turn: int) -> None:
        super().__init__(daemon=True)
        self.truth = truth
        self.turn = turn
        self.faults: list[str] = []
        self.failures: list[Failure] = []
        self.statuses: Counter[int] = Counter()
        self.longest = 0.0
        self.is_over = threading.Event()
        self._revision = 0
        self._tags: dict[str, str] = {}
        self._connection = HTTPConnection(urlsplit(site.base).netloc, timeout=ANSWER_PATIENCE)

    def run(self) -> None:
        while not self.is_over.is_set() and not self.faults:
            try:
                self._read(READS[self.turn % len(READS)])
            except (AssertionError, OSError, HTTPException, ValueError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")
            self.turn += 1
        self._connection.close()

    def _read(self, path: str) -> None:
        least, begun = self.truth.answered, time.monotonic()
        headers = {"Accept-Encoding": "gzip"} if self.turn % 2 else {}
        if self.turn % 5 == 0:
            headers["If-None-Match"] = self._tags.get(path, "")
        self._connection.request("GET", f"/api/{path}", headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        self.statuses[answer.status] += 1
        self.longest = max(self.longest, time.monotonic() - begun)
        if answer.status in OUT_OF_REACH:
            assert_plain_refusal(answer.status, answer.headers["Cache-Control"], body)
            self.failures.append(Failure(begun, answer.status))
            return
        assert answer.status in (200, 304), f"{path}: {answer.status} {body[:200]}"
        self._tags[path] = answer.headers["ETag"]
        revision = int(answer.headers["X-Model-Reference-Revision"] or 0)
        if revision:
            assert revision >= self._revision, f"{path}: revision {revision} came after {self._revision}"
            self._revision = revision
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return
        number = _number(path, gzip.decompress(body) if answer.headers["Content-Encoding"] else body)
        self.truth.check(number, least=least)
        if revision:
            self.truth.check_revision(revision, number)


def _number(path: str, body: bytes) -> int:
    """Which write a read shows."""
    read = json.loads(body)
    if "/search" in path:
        record = next(each for each in read["results"] if each["name"] == MODEL)
    elif path == READS[1]:
        record = read[MODEL]
    else:
        record = read
    return int(record["description"])


class Crowd:
    """Readers who run at the same time."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers

    @property
    def faults(self) -> list[str]:
        return [fault for reader in self.readers for fault in reader.faults]

    @property
    def failures(self) -> list[Failure]:
        return [failure for reader in self.readers for failure in reader.failures]

    @property
    def statuses(self) -> Counter[int]:
        return sum((reader.statuses for reader in self.readers), Counter())

    @property
    def successes(self) -> int:
        return self.statuses[HTTPStatus.OK] + self.statuses[HTTPStatus.NOT_MODIFIED]

    def await_answers(self, number: int, *, ok: bool) -> None:
        """Returns once every reader had so many more answers, successes or failures."""
        wanted = {reader: self._answers(reader, ok) + number for reader in self.readers}
        deadline = time.monotonic() + PATIENCE
        while any(self._answers(reader, ok) < least for reader, least in wanted.items()):
            assert self.faults == []
            assert time.monotonic() < deadline, "readers wait for answers"
            time.sleep(0.02)

    @staticmethod
    def _answers(reader: Reader, ok: bool) -> int:
        return reader.statuses[200] if ok else len(reader.failures)


@contextmanager
def reading(writer: Writer, number: int) -> Iterator[Crowd]:
    """A crowd of so many readers, who have all ended afterwards."""
    crowd = Crowd([Reader(writer.site, writer.truth, turn) for turn in range(number)])
    for reader in crowd.readers:
        reader.start()
    try:
        yield crowd
    finally:
        for reader in crowd.readers:
            reader.is_over.set()
        for reader in crowd.readers:
            reader.join(PATIENCE)


@contextmanager
def writing(writer: Writer) -> Iterator[list[AssertionError]]:
    """The writer at work without a pause, who has ended afterwards; yields its faults."""
    is_over = threading.Event()
    faults: list[AssertionError] = []

    def work() -> None:
        try:
            while not is_over.is_set():
                writer.write()
        except AssertionError as fault:
            faults.append(fault)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield faults
    finally:
        is_over.set()
        worker.join(PATIENCE)
