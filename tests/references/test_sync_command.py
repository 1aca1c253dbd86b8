import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from references.sync import SyncError, SyncOptions, sync_watch
from tests.factories import make_legacy
from tests.githubdouble import TOKEN
from tests.hordedouble import stop_clock
from tests.references.syncing import CLIP, V1, make_options, running_in_step


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


@pytest.fixture
def double(settings, monkeypatch, clock):
    with running_in_step(settings, monkeypatch) as double:
        yield double


# Watching


class Enough(Exception):
    """Ends a job that would watch for ever."""


@pytest.fixture
def rounds(monkeypatch):
    """Rounds are only counted; each takes its outcome from `outcomes`, or goes well."""
    rounds: dict[str, list] = {"run": [], "outcomes": []}

    def counted(options: SyncOptions, *, report: Any) -> bool:
        rounds["run"].append(options)
        return rounds["outcomes"].pop(0) if rounds["outcomes"] else True

    monkeypatch.setattr("references.sync.rounds.sync_run", counted)
    return rounds


@pytest.fixture
def watch(double, clock, monkeypatch):
    """Watches; each step is taken in place of one sleep, and after the last one the job ends."""

    def watched(steps: list[Callable[[], None]]) -> None:
        pending = iter(steps)

        def sleep(seconds: float) -> None:
            clock.slept.append(seconds)
            step = next(pending, None)
            if step is None:
                raise Enough
            step()

        monkeypatch.setattr(time, "sleep", sleep)
        with pytest.raises(Enough):
            sync_watch(make_options(double, watch_interval=45), report=lambda line: None)

    return watched


def nothing() -> None:
    pass


def updates(double, mount: str, value: Any) -> Any:
    def update() -> None:
        double.primary[f"model_references/{mount}/metadata/last_updated"] = value

    return update


def test_a_watching_job_syncs_at_once_and_after_each_change(double, clock, rounds, watch):
    steps = [nothing, updates(double, "v2", {"last_updated": 2}), nothing, nothing]
    watch(steps)
    assert len(rounds["run"]) == 2
    assert double.count("v2/metadata/last_updated") == 5
    assert clock.slept == [45] * 5


def test_a_watching_job_polls_the_version_that_takes_writes(double, clock, rounds, watch):
    double.primary["replicate_mode"] = {"canonical_format": "legacy"}
    updates(double, "v1", {"last_updated": 7})()
    watch([updates(double, "v1", {"last_updated": 8})])
    assert len(rounds["run"]) == 2
    assert double.count("v2/metadata") == 0


def test_a_round_that_failed_is_repeated_at_the_next_poll(double, clock, rounds, watch):
    rounds["outcomes"] = [False, False, True]
    watch([nothing] * 5)
    assert len(rounds["run"]) == 3


@pytest.mark.parametrize(
    "answer",
    [
        ("replicate_mode", 404),
        ("replicate_mode", {}),
        ("replicate_mode", []),
        ("replicate_mode", {"canonical_format": ["v2"]}),
        ("model_references/v2/metadata/last_updated", {}),
        ("model_references/v2/metadata/last_updated", 403),
    ],
)
def test_a_watching_job_stops_after_ten_errors_in_a_row(double, clock, rounds, answer):
    path, body = answer
    double.primary[path] = body
    lines: list[str] = []
    with pytest.raises(SyncError, match=r"^10 errors in a row\.$"):
        sync_watch(make_options(double), report=lines.append)
    assert len(lines) == 10
    assert clock.slept == [60] * 9
    assert rounds["run"] == []


def test_a_good_poll_forgets_earlier_errors(double, clock, rounds, watch):
    rounds["outcomes"] = [False] * 9 + [True] + [False] * 9
    steps = [nothing] * 9 + [updates(double, "v2", {"last_updated": 2})] + [nothing] * 8
    watch(steps)
    assert len(rounds["run"]) == 19


# The command


def command(settings, double, *arguments: str, **given: Any) -> str:
    options = make_options(double, **given)
    settings.GITHUB_SYNC = {name: getattr(options, name) for name in SyncOptions.__slots__}
    out = StringIO()
    call_command("sync_github", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_reports_and_ends_well(settings, double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    output = command(settings, double)
    assert "clip: 1 added, 0 modified, 0 removed\n  + N\n" in output
    assert f"proposed, {double.images.pulls[0]['html_url']}\n" in output
    assert TOKEN not in output


def test_arguments_of_the_command_come_before_settings(settings, double, tmp_path):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    command(settings, double, "--dry-run", token="")
    assert list(tmp_path.iterdir()) == []
    command(settings, double, "--no-pr", "--output-dir", str(tmp_path), token="")
    assert (tmp_path / "image" / "clip.json").is_file()
    assert double.count("/api") == 0


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"primary_api_url": ""}, "PRIMARY_API_URL"),
        ({"token": ""}, "There are no credentials"),
        ({"token": "wrong-token"}, "Not everything could be synced"),
    ],
)
def test_the_command_ends_with_status_1_when_something_failed(settings, double, given, complaint):
    with pytest.raises(CommandError, match=complaint) as failure:
        command(settings, double, **given)
    assert failure.value.returncode == 1
    assert "wrong-token" not in str(failure.value)


def test_a_folder_that_cannot_be_written_is_a_clear_error(settings, double, tmp_path):
    (tmp_path / "taken").write_text("")
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    with pytest.raises(CommandError, match=r"taken.*: (Not a directory|File exists)$"):
        command(settings, double, no_pr=True, output_dir=str(tmp_path / "taken"))


def test_a_watching_command_can_be_interrupted(settings, double, monkeypatch):
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    assert command(settings, double, "--watch").endswith("no difference\nstopped\n")
