"""One run: fills the stores, starts the servers, takes every measurement, and leaves nothing behind."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.double import HordeDouble, running_horde
from tests.benchmarks.load import Client, LoadError, Request, client, fetch
from tests.benchmarks.measuring import REAL_ONLY, Bench, in_turns, seconds_lines
from tests.benchmarks.rows import (
    API,
    CATEGORIES,
    FIRST_SEARCHES,
    GZIP,
    IMAGE,
    LOAD_ROWS,
    TEXT,
    LoadRow,
    Subject,
)
from tests.benchmarks.servers import (
    NGINX,
    NginxSite,
    ServerAlone,
    Site,
    application,
    nginx,
    server_alone,
    worker_memory,
)
from tests.benchmarks.stores import LEGACY_FILES, REAL, Size, Store, store
from tests.benchmarks.table import Budget, Line, Samples, at_most
from tests.benchmarks.writer import Writer, running_writer
from tests.benchmarks.writing import QUEUE_LENGTH, changes_through_queue, queue_rows, reads_after_write

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    sizes: Sequence[Size]
    repeats: int
    quick: bool


class Session:
    """`lines` is what was measured, `notes` what was not, and why; `failed` when something refused to run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lines: list[Line] = []
        self.notes: list[str] = []
        self.failed = False
        self.begun = time.monotonic()

    def run(self) -> None:
        with ExitStack() as stack:
            try:
                self._measure(stack)
            except LoadError as error:
                self._failure(str(error))
            self._progress("stopping")

    def _measure(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="model-reference-bench-")))
        horde = stack.enter_context(running_horde())
        stores = self._filled_stores(stack, folder, horde)
        self._take("cold start", lambda: self._cold_starts(stores, folder))
        sites = [stack.enter_context(_application(each, folder)) for each in stores]
        _figures_report(horde, sites[0])
        self._progress("first searches")
        subjects = [Subject.of(site) for site in sites]
        for title in FIRST_SEARCHES:
            taken = {each.site.label: (each.first_searches[title],) for each in subjects}
            self.lines += seconds_lines(f"first {title} of a worker", taken)
        others = self._nginx(stack, folder), self._alone(stack, folder)
        bench = Bench(subjects, self._client(), *others, self.plan.repeats)
        rows = [row for row in LOAD_ROWS if row.quick or not self.plan.quick]
        self._take("memory", lambda: self._memory_when_warm(bench, rows))
        for row in rows:
            self._take(row.title, lambda row=row: bench.load(row))
        self._take("memory after the load", lambda: self._memory(bench, "memory after the load"))
        self._take("changes through the queue", lambda: changes_through_queue(bench))
        if not self.plan.quick:
            writers = {each.size.label: stack.enter_context(running_writer(each.env)) for each in stores}
            self._take("reads after a write", lambda: reads_after_write(bench, writers))
            self._take(f"a queue of {QUEUE_LENGTH:,}", lambda: _long_queue(bench, writers))

    def _take(self, title: str, measured: Callable[[], Iterable[Line]]) -> None:
        """Measures; what a server refuses is noted, and the run goes on."""
        self._progress(title)
        try:
            self.lines += measured()
        except LoadError as error:
            self._failure(f"{title}: {error}")

    def _failure(self, note: str) -> None:
        self.failed = True
        self.notes.append(note)

    def _progress(self, text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self.begun:6.1f} s  {text}\n")

    def _client(self) -> Client:
        chosen = client()
        if not chosen.outruns_nginx:
            self.notes.append("ratios to the published service, and true ones to nginx: wrk is not installed")
        return chosen

    def _nginx(self, stack: ExitStack, folder: Path) -> NginxSite | None:
        if NGINX is None:
            self.notes.append("ratios to nginx: it is not installed")
            return None
        place = folder / "nginx"
        place.mkdir()
        return stack.enter_context(nginx(place))

    def _alone(self, stack: ExitStack, folder: Path) -> ServerAlone:
        place = folder / "alone"
        place.mkdir()
        return stack.enter_context(server_alone(place))

    def _filled_stores(self, stack: ExitStack, folder: Path, horde: HordeDouble) -> list[Store]:
        if not LEGACY_FILES.is_dir():
            self.notes.append(
                f"the real records: {LEGACY_FILES} is not there, the starter catalogue stands in"
            )
        server_url = os.environ.get("DATABASE_URL", "")
        stores: list[Store] = []
        first_imports: list[float] = []
        made_up_imports: dict[str, Samples] = {}
        for number, size in enumerate(self.plan.sizes):
            self._progress(f"filling a store: {size.label}")
            made = stack.enter_context(
                store(size, folder / str(number), horde_url=horde.url, server_url=server_url)
            )
            stores.append(made)
            first_imports.append(made.import_real())
            if size.made_up:
                made_up_imports[size.label] = (made.import_made_up(folder / f"made-up-{number}"),)
        self.lines.append(Line("import, real records", "s", {REAL: tuple(first_imports)}))
        if made_up_imports:
            self.lines.append(Line("import, made-up records", "s", made_up_imports))
        return stores

    def _cold_starts(self, stores: Sequence[Store], folder: Path) -> Iterator[Line]:
        def start(each: Store) -> float:
            with _application(each, folder) as site:
                return site.first_answer

        takes = {each.size.label: lambda each=each: start(each) for each in stores}
        taken = in_turns(takes, repeats=self.plan.repeats)
        yield from seconds_lines("cold start to the first category", taken, unit="s")

    def _memory_when_warm(self, bench: Bench, rows: Sequence[LoadRow]) -> Iterator[Line]:
        for subject in bench.subjects:
            _read_everything(subject, rows)
        yield from self._memory(bench, "memory of the worker, all read once", budget=at_most(120))

    def _memory(self, bench: Bench, title: str, *, budget: Budget | None = None) -> Iterator[Line]:
        found = {each.site.label: worker_memory(each.site.pid) for each in bench.subjects}
        cells = {label: (size / MEGABYTE,) for label, size in found.items() if size is not None}
        if not cells:
            self.notes.append(f"{title}: this system does not tell")
            return
        yield Line(title, "MB", cells, budget=budget, judged=REAL_ONLY)


def _long_queue(bench: Bench, writers: Mapping[str, Writer]) -> Iterator[Line]:
    """On the first store alone: the list of changes does not depend on the records."""
    writers[bench.labels[0]].fill_queue(QUEUE_LENGTH)
    for row in queue_rows():
        yield from bench.load(row)


def _application(store: Store, folder: Path) -> AbstractContextManager[Site]:
    return application(store.size.label, store.env, folder, first=Request(IMAGE))


def _figures_report(horde: HordeDouble, site: Site) -> None:
    """Gives the AI-Horde figures for the models of the first store."""
    for kind, path in (("image", IMAGE), ("text", TEXT)):
        horde.models[kind] = list(json.loads(site.fetch(Request(path))))


def _read_everything(subject: Subject, rows: Sequence[LoadRow]) -> None:
    """Every category in each version and encoding, and every row; what is not there takes no memory."""
    categories = json.loads(subject.site.fetch(Request(CATEGORIES)))
    paths = [f"{API}/{version}/{category}" for version in ("v1", "v2") for category in categories]
    requests = [Request(path, headers) for path in paths for headers in ({}, GZIP)]
    for request in [*requests, *(row.request(subject) for row in rows)]:
        with suppress(LoadError):
            fetch(subject.site.port, request)
