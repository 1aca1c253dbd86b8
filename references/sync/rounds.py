"""Rounds of the job: in each, both repositories are compared with the service."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from references.exports import file_replace
from references.following.client import PrimaryError
from references.github import installation_token
from references.legacy import SourceError
from references.sources import legacy_repositories
from references.sync.options import SyncError, SyncOptions
from references.sync.primary import last_updated
from references.sync.proposing import Report, RepositorySync

MAX_CONSECUTIVE_ERRORS = 10
DIFF_FILE = "changes.diff"


def sync_watch(options: SyncOptions, *, report: Report) -> None:
    """Syncs at once and whenever the service has changed; SyncError after too many errors in a row."""
    synced: Any = None
    errors = 0
    while True:
        try:
            updated = last_updated(options)
            is_good = updated == synced or sync_run(options, report=report)
        except PrimaryError as error:
            report(str(error))
            is_good = False
        if is_good:
            synced, errors = updated, 0
        else:
            errors += 1
        if errors == MAX_CONSECUTIVE_ERRORS:
            raise SyncError(f"{errors} errors in a row.")
        time.sleep(options.watch_interval)


def sync_run(options: SyncOptions, *, report: Report, at: datetime | None = None) -> bool:
    """Compares the selected categories and proposes what differs; false when something failed."""
    try:
        token = _token(options) if options.is_proposing else None
    except SourceError as error:
        report(str(error))
        return False
    now = at or datetime.now(UTC)
    syncs = [
        RepositorySync(options, repository, side, token=token, at=now, report=report)
        for side, repository in zip(("image", "text"), legacy_repositories(), strict=True)
    ]
    outcomes = [sync.run() for sync in syncs if sync.categories]
    if options.no_pr and not options.dry_run:
        diff = "".join(text for sync in syncs for text in sync.diffs)
        file_replace(Path(options.output_dir) / DIFF_FILE, diff.encode())
    return all(outcomes)


def _token(options: SyncOptions) -> str:
    if options.token:
        return options.token
    key = options.private_key
    if not key:
        try:
            key = Path(options.private_key_path).read_text()
        except (OSError, UnicodeDecodeError):
            raise SourceError("the private key of the GitHub App cannot be read") from None
    return installation_token(app_id=options.app_id, installation_id=options.installation_id, private_key=key)
