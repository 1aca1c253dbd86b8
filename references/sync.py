"""Keeps the service and the legacy repositories in step: proposes changes there, and fills from there."""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
from django.conf import settings

from references.categories import CATEGORIES
from references.exports import (
    CategoryExport,
    category_export,
    changes_diff,
    export_file_names,
    export_side,
    file_replace,
    held_check,
)
from references.github import RepositoryApi, installation_token, raw_download, retried
from references.legacy import SourceError
from references.models import Category
from references.services import sources_import
from references.sources import Repository, github_read, legacy_repositories
from references.vocabulary import CanonicalFormat, ReplicateMode

logger = logging.getLogger(__name__)

PRIMARY_ATTEMPTS = 3
PRIMARY_WAIT_FLOOR = 1.0
PRIMARY_WAIT_CEILING = 10.0
MAX_CONSECUTIVE_ERRORS = 10
# GitHub refuses longer descriptions of pull requests than 65536 characters.
BODY_LIMIT = 60_000
SEVERAL = "multi-category"
DIFF_FILE = "changes.diff"
MOUNTS = {CanonicalFormat.V2: "v2", CanonicalFormat.LEGACY: "v1"}
SYNC_BRANCH = re.compile(r"sync/[a-z_-]+/\d{8}-\d{6}")

Report = Callable[[str], object]
"""Takes a line for the person who watches the job."""


class SyncError(Exception):
    """The job cannot start, or cannot go on."""


class PrimaryError(SourceError):
    """The service gave nothing usable."""


class PrimaryPassingError(PrimaryError):
    """The same, where asking again may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What `settings.GITHUB_SYNC` holds. An empty text or list stands for nothing given."""

    primary_api_url: str
    primary_api_timeout: int
    token: str = field(repr=False)
    app_id: str
    installation_id: str
    private_key: str = field(repr=False)
    private_key_path: str
    categories: list[str]
    min_changes: int
    reviewers: list[str]
    labels: list[str]
    team: str
    dry_run: bool
    no_pr: bool
    output_dir: str
    watch: bool
    watch_interval: int

    @property
    def is_proposing(self) -> bool:
        return not (self.dry_run or self.no_pr)

    @property
    def selected(self) -> list[str]:
        """The categories to sync, as far as they have a legacy file."""
        return [
            name
            for name, spec in CATEGORIES.items()
            if spec.has_legacy_form and (not self.categories or name in self.categories)
        ]


def options_check(options: SyncOptions) -> None:
    """Raises SyncError when the job has not been told all it needs."""
    unknown = [name for name in options.categories if name not in CATEGORIES]
    has_key = options.private_key or options.private_key_path
    has_app = options.app_id and options.installation_id and has_key
    if unknown:
        raise SyncError(f"There is no category {unknown[0]!r}.")
    if not options.primary_api_url:
        raise SyncError("The address of the service is not set: HORDE_GITHUB_SYNC_PRIMARY_API_URL.")
    if options.no_pr and not options.dry_run and not options.output_dir:
        raise SyncError("Without pull requests a folder is needed: HORDE_GITHUB_SYNC_OUTPUT_DIR.")
    if options.is_proposing and not (options.token or has_app):
        raise SyncError(
            "There are no credentials: HORDE_GITHUB_SYNC_GITHUB_TOKEN, or an app's "
            "HORDE_GITHUB_SYNC_GITHUB_APP_ID, …_GITHUB_INSTALLATION_ID and …_GITHUB_APP_PRIVATE_KEY."
        )


def sync_watch(options: SyncOptions, *, report: Report) -> None:
    """Syncs at once and whenever the service has changed; SyncError after too many errors in a row."""
    synced: Any = None
    errors = 0
    while True:
        try:
            updated = _last_updated(options)
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


class RepositorySync:
    """One round for one repository."""

    def __init__(
        self,
        options: SyncOptions,
        repository: Repository,
        side: str,
        *,
        token: str | None,
        at: datetime,
        report: Report,
    ) -> None:
        self.options = options
        self.side = side
        self.repository = repository
        self.at = at
        self.report = report
        self.categories = [name for name in options.selected if export_side(name) == side]
        self.diffs: list[str] = []
        self._api = RepositoryApi(repository, token) if token else None
        self._failed = False

    def run(self) -> bool:
        """False when something failed."""
        try:
            # All files are read as of one commit, which becomes the parent of the new one.
            commit = self._api.head() if self._api else None
            exports = [export for name in self.categories if (export := self._export(name, commit))]
            if exports and self._api:
                self._propose(self._api, exports, commit)
            elif exports and self.options.no_pr and not self.options.dry_run:
                self._write(exports)
        except SourceError as error:
            self._fail(self.repository.name, error)
        return not self._failed

    def _fail(self, what: str, error: SourceError) -> None:
        self._failed = True
        self.report(f"{what}: failed: {error}")

    def _export(self, category: str, commit: str | None) -> CategoryExport | None:
        """The category's export, if it is to be proposed."""
        try:
            entries = _primary_entries(self.options, category)
            held = {
                name: raw_download(
                    self.repository,
                    name,
                    partial(held_check, category, name),
                    commit=commit,
                )
                for name in export_file_names(category)
            }
            export = category_export(category, entries, held)
        except SourceError as error:
            self._fail(category, error)
            return None
        if not export.change_count:
            self.report(f"{category}: no difference")
            return None
        is_enough = export.change_count >= self.options.min_changes
        self.report(f"{category}: {export.summary}{'' if is_enough else ', too few to propose'}")
        for line in _change_lines(export):
            self.report(f"  {line}")
        return export if is_enough else None

    def _write(self, exports: list[CategoryExport]) -> None:
        for export in exports:
            for file in export.changed_files:
                path = f"{self.side}/{file.name}"
                file_replace(Path(self.options.output_dir) / path, file.content)
                self.diffs.append(changes_diff(path, file))
                self.report(f"{path}: written")

    def _propose(self, api: RepositoryApi, exports: list[CategoryExport], parent: str) -> None:
        files = {file.name: file.content for export in exports for file in export.changed_files}
        tree = api.tree_create(base=api.tree(parent), files=files)
        older = [pull for pull in api.pulls() if pull.branch and SYNC_BRANCH.fullmatch(pull.branch)]
        for pull in older:
            if api.tree(pull.commit) == tree:
                self.report(f"{self.repository.name}: already proposed, {pull.url}")
                return
        subject = exports[0].category if len(exports) == 1 else SEVERAL
        title = f"Auto Sync {subject} from horde_model_reference service - {self.at:%Y-%m-%d}"
        branch = f"sync/{subject}/{self.at:%Y%m%d-%H%M%S}"
        api.branch_create(branch, api.commit_create(message=title, tree=tree, parent=parent))
        created = api.pull_create(title=title, body=_description(exports), branch=branch)
        self.report(f"{self.repository.name}: proposed, {created.url}")
        # What failed now may be part of an older proposal.
        for pull in () if self._failed else older:
            api.pull_close(pull.number)
            self.report(f"{self.repository.name}: closed, {pull.url}")
        self._assign(api, created.number)

    def _assign(self, api: RepositoryApi, number: int) -> None:
        if self.options.labels:
            api.labels_add(number, self.options.labels)
        # A team may be written with its organisation, which the call does not take.
        teams = [self.options.team.rpartition("/")[2]] if self.options.team else []
        if self.options.reviewers or teams:
            api.reviewers_request(number, people=self.options.reviewers, teams=teams)


def _description(exports: Iterable[CategoryExport]) -> str:
    """The text of a pull request. Names stand in code blocks, where they are neither markup nor mentions."""
    parts = ["What the model reference service says, where this repository says something else."]
    for export in exports:
        lines = "\n".join(f"    {line}" for line in _change_lines(export))
        parts.append(f"**{export.category}**: {export.summary}\n\n{lines}")
    return "\n\n".join(parts)[:BODY_LIMIT]


def _change_lines(export: CategoryExport) -> Iterator[str]:
    for mark, names in (("+", export.added), ("~", export.modified), ("-", export.removed)):
        yield from (f"{mark} {name}" for name in names)


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


def _primary_entries(options: SyncOptions, category: str) -> dict[str, dict]:
    """The v1 entries of a category. None at all are an error: no repository is emptied by mistake."""
    entries = _primary_get(options, f"model_references/v1/{category}")
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise PrimaryError("the service answers with something that is no records by name")
    if not entries:
        raise PrimaryError("the service has no records at all")
    return entries


def _last_updated(options: SyncOptions) -> Any:
    """When the service last changed, by the only version whose metadata it serves."""
    mode = _primary_get(options, "replicate_mode")
    mount = MOUNTS.get(str(mode.get("canonical_format"))) if isinstance(mode, dict) else None
    if mount is None:
        raise PrimaryError("the service does not say which version it takes writes on")
    answer = _primary_get(options, f"model_references/{mount}/metadata/last_updated")
    if not isinstance(answer, dict) or "last_updated" not in answer:
        raise PrimaryError("the service does not say when it last changed")
    return answer["last_updated"]


def _primary_get(options: SyncOptions, path: str) -> Any:
    def attempt() -> Any:
        return _primary_answer(options, path)

    pauses = [
        random.uniform(PRIMARY_WAIT_FLOOR, min(PRIMARY_WAIT_CEILING, 2.0**turn))  # noqa: S311
        for turn in range(1, PRIMARY_ATTEMPTS)
    ]
    return retried(attempt, passing=PrimaryPassingError, pauses=pauses)


def _primary_answer(options: SyncOptions, path: str) -> Any:
    try:
        response = requests.get(f"{options.primary_api_url}/{path}", timeout=options.primary_api_timeout)
    except requests.RequestException as error:
        raise PrimaryPassingError(f"{path} of the service: {type(error).__name__}") from None
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PrimaryPassingError(f"{path} of the service: status {status}")
    if status != HTTPStatus.OK:
        raise PrimaryError(f"{path} of the service: status {status}")
    try:
        return response.json()
    except requests.JSONDecodeError:
        raise PrimaryError(f"{path} of the service: not JSON") from None


def missing_categories_seed() -> None:
    """On a PRIMARY that is to be seeded: fetches the categories that were never filled from GitHub.

    One that cannot be had stays empty until the next start; a category that people have emptied stays empty.
    """
    if not settings.GITHUB_SEED_ENABLED or settings.REPLICATE_MODE is not ReplicateMode.PRIMARY:
        return
    for name in Category.objects.filter(revision=0).values_list("name", flat=True):
        try:
            counts = sources_import(list(github_read([name])))
        except SourceError as error:
            logger.error("%s is not filled: %s", name, error)
            continue
        for done in counts.values():
            logger.info("%s is filled with %d models from its legacy repository", name, done.created)
