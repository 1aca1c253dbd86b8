"""A category's bytes, ready to send.

A process keeps one snapshot of each category, keyed by the category's revision. Each read compares the revision (one
indexed row, asked for only if the store may have changed), so what another process wrote a moment ago is in the next
answer. A snapshot reuses the rows of the one before it: after a write only what changed is read and rendered again.
"""

import gzip
import json
import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property, lru_cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.utils.http import http_date

from references.categories import CATEGORIES
from references.commit_mark import asked_once
from references.downloads import download_entries
from references.legacy import category_dump, group_view
from references.models import Category, LegacySource, ModelRecord
from references.remembered import read_settled, remember, remembered_in_transaction
from references.rows import PresentedRecords, Row
from references.search import RecordReader, SearchIndex
from references.serializers import schema_fields

Value = TypeVar("Value")

GZIP_LEVEL = 6
# Below this size a compressed body saves less than its header costs.
GZIP_MINIMUM = 1000
READ_BATCH = 5000
# After so many single rows read from the store, a process reads the category they are of.
ROW_READS = 20

# The records of a category share their time, and are read one by one.
_http_date = lru_cache(maxsize=64)(http_date)


class Document:
    """Bytes to send, with what entity tags and encodings are made of.

    `last_modified` (UNIX seconds) and `revision` are None for what is computed for one request. `is_negotiated`
    tells that the address has other forms of it, among which `Accept` chooses.
    """

    def __init__(
        self,
        body: bytes,
        *,
        last_modified: int | None = None,
        revision: int | None = None,
        is_negotiated: bool = False,
    ) -> None:
        self.body = body
        self.last_modified = last_modified
        self.revision = revision
        self.is_negotiated = is_negotiated
        # What was answered with it, by all that such an answer depends on.
        self.answers: dict[Hashable, Any] = {}

    @cached_property
    def origin(self) -> list[tuple[str, str]]:
        """The headers that tell which state of the store this is."""
        headers = []
        if self.revision is not None:
            headers.append(("X-Model-Reference-Revision", str(self.revision)))
        if self.last_modified is not None:
            headers.append(("Last-Modified", _http_date(self.last_modified)))
        return headers

    @cached_property
    def digest(self) -> str:
        return blake2b(self.body, digest_size=12).hexdigest()

    @cached_property
    def gzipped(self) -> bytes | None:
        """The compressed body; None where compressing does not pay."""
        if len(self.body) < GZIP_MINIMUM:
            return None
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


class HeldFile(NamedTuple):
    """One file of a model; what an imported record does not tell as text is None."""

    model_name: str
    file_name: str | None
    file_url: str | None


class Snapshot:
    """A category as it was at one revision."""

    def __init__(self, category: str, state: "_State", rows: Sequence[Row], source: bytes | None) -> None:
        """`source` is the legacy file that the category was filled with, as long as it still says the same."""
        self.category = category
        self.revision = state.revision
        self.last_updated = state.last_updated
        self.rows = rows
        self.source = source

    @cached_property
    def by_name(self) -> dict[str, Row]:
        return {row.name: row for row in self.rows}

    @cached_property
    def v2(self) -> Document:
        return self._document(b"{" + b",".join(row.member for row in self.rows) + b"}")

    @cached_property
    def v1(self) -> Document:
        return self._document(self.source or self._v1_text().encode())

    def _v1_text(self) -> str:
        # A later model may own the same key: two authors' models share one koboldcpp name.
        slices = dict(piece for row in self.rows for piece in row.legacy_slices)
        return "{\n" + ",\n".join(slices.values()) + "\n}\n" if slices else category_dump({})

    @cached_property
    def v1_grouped(self) -> Document:
        """The v1 text entries with the group each belongs to and a summary of it."""
        entries = dict(piece for row in self.rows for piece in row.legacy_entries)
        return self._document(json.dumps(group_view(entries)).encode())

    @cached_property
    def index(self) -> SearchIndex:
        records = PresentedRecords(self.rows)
        # The index must not hold the snapshot, whose bodies are large: in a circle, both outlived the next write.
        return SearchIndex(
            self.category, records, schema_fields(self.category), column=partial(_column, self.rows)
        )

    @cached_property
    def files_by_hash(self) -> dict[str, list[HeldFile]]:
        """The files of all records by their SHA-256 in lower case, or by the word that stands in its place."""
        files = defaultdict(list)
        for row in self.rows:
            for entry in download_entries(row.record):
                if digest := _text_or_none(entry.get("sha256sum")):
                    names = (_text_or_none(entry.get(key)) for key in ("file_name", "file_url"))
                    files[digest.lower()].append(HeldFile(row.name, *names))
        return dict(files)

    def _document(self, body: bytes) -> Document:
        return Document(body, last_modified=self.last_updated, revision=self.revision)


def _column(rows: Sequence[Row], key: Hashable, compute: Callable[[RecordReader], Value]) -> list[Value]:
    """What `compute` makes of each record as presented; after a write it is asked for what changed alone."""
    return [row.value(key, compute) for row in rows]


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _State(NamedTuple):
    revision: int
    last_updated: int


_snapshots: dict[str, Snapshot] = {}
_locks: dict[str, threading.Lock] = {}


def snapshot(category: str) -> Snapshot:
    """The category as it is now."""
    held = _held(category)
    if held is not None and held.revision == _state(category).revision:
        return held
    with _locks.setdefault(category, threading.Lock()):
        return _refresh(category)


def category_revision(category: str) -> int:
    """The revision that a snapshot would have now."""
    return _state(category).revision


def snapshots(categories: Iterable[str] = CATEGORIES) -> list[Snapshot]:
    return [snapshot(category) for category in categories]


def _held(category: str) -> Snapshot | None:
    """The snapshot last made, which may be behind."""
    return remembered_in_transaction(("snapshot", category)) or _snapshots.get(category)


def _hold(fresh: Snapshot) -> None:
    _snapshots[fresh.category] = fresh


def _state(category: str) -> _State:
    """Revision and time of the last change; both zero for a category that has no row yet."""
    return asked_once(("state", category), partial(_state_stored, category))


def _state_stored(category: str) -> _State:
    with connection.cursor() as cursor:
        cursor.execute(_STATE_SQL, (category,))
        found = cursor.fetchone()
    return _State(*found) if found else _State(0, 0)


_STATE_SQL = f"SELECT revision, last_updated FROM {Category._meta.db_table} WHERE name = %s"  # noqa: S608


def _refresh(category: str) -> Snapshot:
    """Reads what changed since the snapshot held; a snapshot never mixes two revisions."""
    held = _held(category)
    fresh = read_settled(partial(_state, category), partial(_snapshot_read, category, held))
    if fresh is not held:
        remember(("snapshot", category), fresh, _hold)
    return fresh


def _snapshot_read(category: str, known: Snapshot | None, state: _State) -> Snapshot:
    if known is not None and known.revision == state.revision:
        return known
    if known is not None and known.revision > state.revision:
        # The store was put back to an earlier state: what was written since then cannot be told.
        known = None
    return Snapshot(category, state, _rows(category, known), _source(category, state.revision))


def _source(category: str, revision: int) -> bytes | None:
    """Read with the records: the next write may do away with it."""
    if not CATEGORIES[category].has_legacy_objects:
        return None
    stored = LegacySource.objects.filter(category=category, revision=revision)
    text = stored.values_list("text", flat=True).first()
    return None if text is None else text.encode()


def _rows(category: str, known: Snapshot | None) -> list[Row]:
    stored = ModelRecord.objects.in_category(category)
    changed = stored.changed_since(known.revision) if known else stored
    fresh = {
        name: Row(category, name, position, text, legacy)
        for name, position, text, legacy in changed.values_list(
            "name", "position", "record", "legacy"
        ).iterator(chunk_size=READ_BATCH)
    }
    if known is None:
        return sorted(fresh.values(), key=_position)
    count = stored.count()
    # As many as before, and what is fresh in places that were taken before: so all the others stand as they did.
    if count == len(known.rows) and (rows := _replaced(known.rows, fresh.values())):
        return rows
    merged = {**known.by_name, **fresh}
    if len(merged) != count:
        names = set(stored.names())
        merged = {name: row for name, row in merged.items() if name in names}
    return sorted(merged.values(), key=_position)


def _replaced(rows: Sequence[Row], fresh: Iterable[Row]) -> list[Row] | None:
    """The rows with the fresh ones in their places; None where one of these stands where none has been."""
    replaced = list(rows)
    for row in fresh:
        index = bisect_left(rows, row.position, key=_position)
        if index == len(rows) or rows[index].position != row.position:
            return None
        replaced[index] = row
    return replaced


def _position(row: Row) -> int:
    return row.position


_row_reads: Counter[str] = Counter()


def record_document(category: str, name: str) -> Document | None:
    """One record's bytes; None when the category has no such record.

    A process whose snapshot is behind reads the one row instead of the whole category.
    """
    if "\0" in name:
        # No name holds it, and PostgreSQL refuses to be asked.
        return None
    held = _held(category)
    if held is None or held.revision != _state(category).revision:
        if _row_reads[category] < ROW_READS:
            _row_reads[category] += 1
            return read_settled(partial(_state, category), partial(_record_stored, category, name))
        # This process is asked for single records all the time, so it had better know them.
        _row_reads[category] = 0
        held = snapshot(category)
    row = held.by_name.get(name)
    return _record_document(row.text, _State(held.revision, held.last_updated)) if row else None


def _record_stored(category: str, name: str, state: _State) -> Document | None:
    stored = ModelRecord.objects.in_category(category).filter(name=name)
    text = stored.values_list("record", flat=True).first()
    return None if text is None else _record_document(text, state)


def _record_document(text: str, state: _State) -> Document:
    return Document(text.encode(), last_modified=state.last_updated, revision=state.revision)
