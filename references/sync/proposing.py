"""What one repository is told: the comparison, the files, and the pull request."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from references.exports import (
    CategoryExport,
    category_export,
    changes_diff,
    export_file_names,
    export_side,
    file_replace,
    held_check,
)
from references.github import PullRequest, RepositoryApi, raw_download
from references.legacy import SourceError
from references.sources import Repository
from references.sync.options import SyncOptions
from references.sync.primary import primary_entries

# GitHub refuses longer descriptions of pull requests than 65536 characters.
BODY_LIMIT = 60_000
SEVERAL = "multi-category"
SYNC_BRANCH = re.compile(r"sync/[a-z_-]+/\d{8}-\d{6}")

Report = Callable[[str], object]
"""Takes a line for the person who watches the job."""


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
            entries = primary_entries(self.options, category)
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
        same = next((pull for pull in older if api.tree(pull.commit) == tree), None)
        if same:
            self.report(f"{self.repository.name}: already proposed, {same.url}")
            self._close(api, [pull for pull in older if pull is not same])
        else:
            created = self._create(api, exports, tree=tree, parent=parent)
            self._close(api, older)
            self._assign(api, created.number)

    def _create(
        self, api: RepositoryApi, exports: list[CategoryExport], *, tree: str, parent: str
    ) -> PullRequest:
        subject = exports[0].category if len(exports) == 1 else SEVERAL
        title = f"Auto Sync {subject} from horde_model_reference service - {self.at:%Y-%m-%d}"
        branch = f"sync/{subject}/{self.at:%Y%m%d-%H%M%S}"
        api.branch_create(branch, api.commit_create(message=title, tree=tree, parent=parent))
        created = api.pull_create(title=title, body=_description(exports), branch=branch)
        self.report(f"{self.repository.name}: proposed, {created.url}")
        return created

    def _close(self, api: RepositoryApi, older: Iterable[PullRequest]) -> None:
        # What failed now may be part of an older proposal.
        for pull in () if self._failed else older:
            api.pull_close(pull.number)
            self.report(f"{self.repository.name}: closed, {pull.url}")

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
