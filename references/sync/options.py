"""What the job that syncs the legacy repositories has been told."""

from dataclasses import dataclass, field

from references.categories import CATEGORIES


class SyncError(Exception):
    """The job cannot start, or cannot go on."""


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
        raise SyncError(f"HORDE_GITHUB_SYNC_CATEGORIES_TO_SYNC: there is no category {unknown[0]!r}.")
    if not options.primary_api_url:
        raise SyncError("The address of the service is not set: HORDE_GITHUB_SYNC_PRIMARY_API_URL.")
    if options.no_pr and not options.dry_run and not options.output_dir:
        raise SyncError("Without pull requests a folder is needed: HORDE_GITHUB_SYNC_OUTPUT_DIR.")
    if options.is_proposing and not (options.token or has_app):
        raise SyncError(
            "There are no credentials: HORDE_GITHUB_SYNC_GITHUB_TOKEN, or an app's "
            "HORDE_GITHUB_SYNC_GITHUB_APP_ID, …_GITHUB_INSTALLATION_ID and …_GITHUB_APP_PRIVATE_KEY."
        )
