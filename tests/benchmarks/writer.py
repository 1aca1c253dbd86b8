"""Writes to a store from a process of its own: orders come in by the line, the seconds they took go out."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import django

from tests.benchmarks.double import REQUESTOR_ID
from tests.benchmarks.load import LoadError
from tests.benchmarks.servers import ROOT


class Writer:
    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def change_record(self, name: str) -> float:
        """Gives an image model another description; returns the seconds of the write."""
        return self._order("change_record", name)

    def fill_queue(self, count: int) -> float:
        """Proposes so many new image models."""
        return self._order("fill_queue", str(count))

    def _order(self, order: str, argument: str) -> float:
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{order} {argument}\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise LoadError(f"the writer ended: {self.process.stderr.read()[-1000:]}")
        return float(answer)


@contextmanager
def running_writer(env: Mapping[str, str]) -> Iterator[Writer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.writer"],
        cwd=ROOT,
        env={**env, "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Writer(process)
    finally:
        process.kill()
        process.communicate()


def _change_record(name: str) -> float:
    from references.categories import IMAGE_CATEGORY
    from references.models import ModelRecord
    from references.services import record_put

    stored = ModelRecord.objects.in_category(IMAGE_CATEGORY).get(name=name).as_dict()
    changed = stored | {"description": f"Written at {time.time_ns()}"}
    begun = time.perf_counter()
    record_put(category=IMAGE_CATEGORY, name=name, record=changed)
    return time.perf_counter() - begun


def _fill_queue(count: str) -> float:
    from moderation.actors import LoggedActor
    from moderation.services import changes_propose
    from moderation.services.proposing import Proposal
    from moderation.states import Operation
    from references.categories import IMAGE_CATEGORY
    from tests.benchmarks.data import records

    proposals = [
        Proposal(
            IMAGE_CATEGORY,
            f"Proposed {name}",
            Operation.CREATE,
            record | {"name": f"Proposed {name}"},
            "bench",
        )
        for name, record in records(int(count), seed=1)
    ]
    begun = time.perf_counter()
    changes_propose(actor=LoggedActor(REQUESTOR_ID, f"Rita#{REQUESTOR_ID}"), proposals=proposals)
    return time.perf_counter() - begun


_ORDERS: dict[str, Callable[[str], float]] = {"change_record": _change_record, "fill_queue": _fill_queue}


def main() -> None:
    django.setup()
    for line in sys.stdin:
        order, _, argument = line.rstrip("\n").partition(" ")
        sys.stdout.write(f"{_ORDERS[order](argument)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
