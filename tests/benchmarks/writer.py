"""Writes records in a process of its own: a name a line comes in, the seconds that its write took go out."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import django

from tests.benchmarks.load import LoadError
from tests.benchmarks.servers import ROOT


class Writer:
    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process

    def write(self, name: str) -> float:
        """Changes an image model's description; returns the seconds of the write alone."""
        self.process.stdin.write(f"{name}\n")
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


def _write_on_request() -> None:
    django.setup()
    from references.categories import IMAGE_CATEGORY
    from references.models import ModelRecord
    from references.services import record_put

    for line in sys.stdin:
        name = line.rstrip("\n")
        stored = ModelRecord.objects.in_category(IMAGE_CATEGORY).get(name=name).as_dict()
        changed = stored | {"description": f"Written at {time.time_ns()}"}
        begun = time.perf_counter()
        record_put(category=IMAGE_CATEGORY, name=name, record=changed)
        sys.stdout.write(f"{time.perf_counter() - begun}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _write_on_request()
