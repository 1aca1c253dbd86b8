import json
from datetime import UTC, datetime
from typing import Any

import pytest

from references.categories import CATEGORIES, TEXT_CATEGORY
from references.exports import CSV_FILE, DB_FILE, export_file_names
from references.legacy import category_dump, text_entries
from references.sync import proposing, rounds, sync_run
from tests.factories import make_csv_file, make_legacy
from tests.githubdouble import APP_TOKEN, IMAGES, TEXTS
from tests.hordedouble import stop_clock
from tests.references.syncing import (
    BLIP,
    CLIP,
    MORE_TEXT,
    ROW,
    V1,
    make_options,
    running_in_step,
    running_real_files,
)

LEGACY = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
OLDER = "sync/clip/20250101-000000"


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


@pytest.fixture
def double(settings, monkeypatch, clock):
    with running_in_step(settings, monkeypatch) as double:
        yield double


def run(double, **given: Any) -> tuple[bool, list[str]]:
    """Whether the round went well, and what it said."""
    lines: list[str] = []
    return sync_run(make_options(double, **given), report=lines.append, at=AT), lines


def writes(double) -> int:
    return double.count("POST") + double.count("PATCH")


# Comparing


def test_nothing_is_proposed_where_nothing_differs(double):
    assert run(double) == (
        True,
        ["clip: no difference", "blip: no difference", "text_generation: no difference"],
    )
    assert writes(double) == 0


def test_other_whitespace_and_order_of_keys_are_no_difference(double):
    double.primary[f"{V1}/clip"] = {key: dict(reversed(CLIP[key].items())) for key in reversed(CLIP)}
    assert run(double, categories=["clip"]) == (True, ["clip: no difference"])


def test_each_difference_is_told_by_name(double):
    double.primary[f"{V1}/clip"] = {"A": {**CLIP["A"], "description": "d"}, "N": make_legacy("clip", "N")}
    good, lines = run(double, categories=["clip"], dry_run=True)
    assert good
    assert lines == ["clip: 1 added, 1 modified, 1 removed", "  + N", "  ~ A", "  - B"]


def test_categories_without_a_legacy_file_are_skipped_in_silence(double):
    assert run(double, categories=["lora", "video_generation"]) == (True, [])
    assert double.calls == {}


def test_without_a_selection_all_categories_with_a_legacy_file_are_synced():
    assert make_options(None, categories=[]).selected == LEGACY
    assert make_options(None, categories=["blip", "lora", "clip"]).selected == ["clip", "blip"]


def test_fewer_changes_than_the_threshold_are_not_proposed(double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.primary[f"{V1}/{TEXT_CATEGORY}"] = MORE_TEXT
    good, lines = run(double, min_changes=2)
    assert good
    assert "clip: 1 added, 0 modified, 0 removed, too few to propose" in lines
    assert "text_generation: 1 added, 0 modified, 0 removed, too few to propose" in lines
    assert writes(double) == 0
    double.primary[f"{V1}/clip"]["M"] = make_legacy("clip", "M")
    run(double, min_changes=2)
    assert [pull["title"].split()[2] for pull in double.images.pulls] == ["clip"]


# Proposing


def test_one_commit_on_one_branch_and_one_pull_request_is_made_per_repository(double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.primary[f"{V1}/blip"] = {"C": {**BLIP["C"], "description": "d"}}
    double.primary[f"{V1}/{TEXT_CATEGORY}"] = MORE_TEXT
    heads = {name: held.branches["main"] for name, held in double.repositories.items()}
    good, lines = run(double, reviewers=["ada"], team="Haidra-Org/core")
    assert good

    [pull] = double.images.pulls
    assert pull["title"] == "Auto Sync multi-category from horde_model_reference service - 2026-03-04"
    assert pull["head"]["ref"] == "sync/multi-category/20260304-050607"
    commit = double.images.branches[pull["head"]["ref"]]
    assert double.images.commits[commit]["parents"] == [heads[IMAGES]]
    assert double.images.commits[commit]["message"] == pull["title"]
    assert double.images.files(commit) == {
        "clip.json": category_dump({**CLIP, "N": make_legacy("clip", "N")}).encode(),
        "blip.json": category_dump({"C": {**BLIP["C"], "description": "d"}}).encode(),
        "README.md": b"untouched",
    }

    [pull] = double.texts.pulls
    assert pull["title"] == "Auto Sync text_generation from horde_model_reference service - 2026-03-04"
    assert pull["head"]["ref"] == "sync/text_generation/20260304-050607"
    commit = double.texts.branches[pull["head"]["ref"]]
    assert double.texts.commits[commit]["parents"] == [heads[TEXTS]]
    assert double.texts.files(commit) == {
        CSV_FILE: make_csv_file(ROW, {"name": "Org/New-7B", "parameters_bn": "7"}).encode(),
        DB_FILE: category_dump(MORE_TEXT).encode(),
        "defaults.json": b"untouched",
    }
    for held in double.repositories.values():
        assert held.branches["main"] == heads[held.full_name]
        assert held.pulls[0]["labels"] == ["automated", "sync"]
        assert held.pulls[0]["reviewers"] == {"reviewers": ["ada"], "team_reviewers": ["core"]}
        assert f"{held.full_name.split('/')[1]}: proposed, {held.pulls[0]['html_url']}" in lines
    assert double.count("POST /api/repos/Haidra-Org/AI-Horde-image-model-reference/git/commits") == 1


def test_only_files_of_categories_that_differ_are_written(double):
    double.primary[f"{V1}/blip"] = {"C": {**BLIP["C"], "description": "d"}}
    run(double)
    [pull] = double.images.pulls
    assert pull["head"]["ref"] == "sync/blip/20260304-050607"
    files = double.images.files(double.images.branches[pull["head"]["ref"]])
    assert files["clip.json"] == json.dumps(CLIP, indent="\t").encode()
    assert double.texts.pulls == []
    assert double.count("git/blobs") == 1


def test_names_in_a_description_are_neither_markup_nor_mentions(double):
    name = "@everyone **`x`** <b>"
    double.primary[f"{V1}/clip"] = {**CLIP, name: make_legacy("clip", name)}
    run(double)
    assert f"\n\n    + {name}" in double.images.pulls[0]["body"]


def test_a_description_is_never_longer_than_github_takes(double):
    names = [f"{number:0250}" for number in range(400)]
    double.primary[f"{V1}/clip"] = {**CLIP, **{name: make_legacy("clip", name) for name in names}}
    assert run(double)[0]
    assert len(double.images.pulls[0]["body"]) == 60_000


def test_files_are_read_as_of_the_commit_that_becomes_the_parent(double, monkeypatch):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    parent = double.images.branches["main"]
    primary_entries = proposing.primary_entries

    def commit_first(*args: Any) -> Any:
        turned = json.dumps(dict(reversed(CLIP.items()))).encode()
        double.images.commit("main", {"clip.json": turned, "README.md": b"newer"})
        return primary_entries(*args)

    monkeypatch.setattr(proposing, "primary_entries", commit_first)
    run(double, categories=["clip"])
    commit = double.images.branches["sync/clip/20260304-050607"]
    assert double.images.commits[commit]["parents"] == [parent]
    assert list(json.loads(double.images.files(commit)["clip.json"])) == ["A", "B", "N"]


def test_older_proposals_are_closed_and_nothing_else_is(double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.images.commit(OLDER, {"clip.json": b"{}"})
    closing = [
        double.images.pull_add(OLDER),
        double.images.pull_add("sync/multi-category/20250101-000000"),
    ]
    staying = [
        double.images.pull_add("feature"),
        double.images.pull_add("sync/clip"),
        double.images.pull_add("sync/clip/20250101-000000-mine"),
        double.images.pull_add(OLDER, fork="Someone/fork"),
        double.images.pull_add(OLDER, base={"ref": "stable"}),
        double.texts.pull_add(OLDER),
    ]
    assert run(double)[0]
    assert [pull["state"] for pull in closing] == ["closed"] * 2
    assert [pull["state"] for pull in staying] == ["open"] * 6
    assert double.images.pulls[-1]["state"] == "open"


def test_the_same_proposal_is_not_made_twice(double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    run(double)
    later = datetime(2026, 3, 5, tzinfo=UTC)
    lines: list[str] = []
    assert sync_run(make_options(double), report=lines.append, at=later)
    [pull] = double.images.pulls
    assert pull["state"] == "open"
    assert f"AI-Horde-image-model-reference: already proposed, {pull['html_url']}" in lines
    double.primary[f"{V1}/clip"]["M"] = make_legacy("clip", "M")
    assert sync_run(make_options(double), report=lines.append, at=later)
    assert [pull["state"] for pull in double.images.pulls] == ["closed", "open"]


def test_an_older_proposal_that_could_not_be_closed_is_closed_by_the_next_round(double):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.images.commit(OLDER, {"clip.json": b"{}"})
    double.images.pull_add(OLDER)
    double.modes["/pulls/1"] = ["limited"] * 3
    assert not run(double)[0]
    assert [pull["state"] for pull in double.images.pulls] == ["open", "open"]
    good, lines = run(double)
    assert good
    older, created = double.images.pulls
    assert (older["state"], created["state"]) == ("closed", "open")
    assert f"AI-Horde-image-model-reference: closed, {older['html_url']}" in lines


def test_an_app_s_token_is_used_where_no_other_is_given(double, monkeypatch, tmp_path):
    asked = []

    def installation_token(**given: str) -> str:
        asked.append(given)
        return APP_TOKEN

    monkeypatch.setattr(rounds, "installation_token", installation_token)
    (tmp_path / "key.pem").write_text("the key")
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    app = {"token": "", "app_id": "1", "installation_id": "2"}
    assert run(double, **app, private_key_path=str(tmp_path / "key.pem"))[0]
    assert run(double, **app, private_key="given")[0]
    common = {"app_id": "1", "installation_id": "2"}
    assert asked == [{**common, "private_key": "the key"}, {**common, "private_key": "given"}]
    assert set(double.authorizations) == {f"Bearer {APP_TOKEN}"}
    assert run(double, **app, private_key_path=str(tmp_path / "none")) == (
        False,
        ["the private key of the GitHub App cannot be read"],
    )


# Dry runs and folders


@pytest.mark.parametrize("no_pr", [False, True])
def test_a_dry_run_only_reports(double, tmp_path, no_pr):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    good, lines = run(double, dry_run=True, no_pr=no_pr, output_dir=str(tmp_path), token="")
    assert good
    assert "clip: 1 added, 0 modified, 0 removed" in lines
    assert list(tmp_path.iterdir()) == []
    assert double.count("/api") == 0


def test_without_pull_requests_files_and_a_diff_are_written(double, tmp_path):
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.primary[f"{V1}/{TEXT_CATEGORY}"] = MORE_TEXT
    good, lines = run(double, no_pr=True, output_dir=str(tmp_path / "out"), token="")
    assert good
    written = {
        str(path.relative_to(tmp_path / "out")): path.read_text(encoding="utf-8")
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert sorted(written) == ["changes.diff", "image/clip.json", "text/db.json", "text/models.csv"]
    assert written["image/clip.json"] == category_dump({**CLIP, "N": make_legacy("clip", "N")})
    assert written["text/models.csv"].endswith("\nOrg/New-7B,7,,,,,,,,\n")
    assert [line for line in written["changes.diff"].splitlines() if line.startswith("+++")] == [
        "+++ b/image/clip.json",
        "+++ b/text/models.csv",
        "+++ b/text/db.json",
    ]
    assert "\n+Org/New-7B,7,,,,,,,,\n" in written["changes.diff"]
    assert "image/clip.json: written" in lines
    assert double.count("/api") == 0


def test_a_folder_gets_an_empty_diff_when_nothing_differs(double, tmp_path):
    assert run(double, no_pr=True, output_dir=str(tmp_path))[0]
    assert [path.name for path in tmp_path.iterdir()] == ["changes.diff"]
    assert (tmp_path / "changes.diff").read_bytes() == b""


# What can go wrong


@pytest.mark.parametrize("mode", ["500", "429", "down", "cut"])
def test_the_service_is_asked_three_times(double, clock, mode):
    double.modes["/primary/"] = [mode] * 3
    good, lines = run(double, categories=["clip"])
    assert not good
    assert double.count("/primary/") == 3
    assert lines[0].startswith("clip: failed: model_references/v1/clip: ")
    first, second = clock.slept
    assert 1 <= first <= 2
    assert 1 <= second <= 4


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (404, "no such thing"),
        (403, "status 403"),
        (b"<html>", "not JSON"),
        (b'{"A": {"parameters": NaN}}', "not JSON"),
        (b"[" * 5000, "not JSON"),
        ([1], "no records by name"),
        ({"A": 1}, "no records by name"),
        ({}, "no records at all"),
    ],
)
def test_an_answer_that_is_no_use_is_final_and_changes_nothing(double, clock, answer, reason):
    double.primary[f"{V1}/clip"] = answer
    good, lines = run(double, categories=["clip"])
    assert not good
    assert len(lines) == 1
    assert reason in lines[0]
    assert clock.slept == []
    assert writes(double) == 0


def test_one_category_that_fails_does_not_hold_up_the_others(double):
    double.primary[f"{V1}/clip"] = 404
    double.primary[f"{V1}/blip"] = {"C": {**BLIP["C"], "description": "d"}}
    double.images.commit(OLDER, {"clip.json": b"{}"})
    double.images.pull_add(OLDER)
    good, _ = run(double)
    assert not good
    older, created = double.images.pulls
    assert created["head"]["ref"] == "sync/blip/20260304-050607"
    assert older["state"] == "open"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("clip.json", b"<html>", "clip.json: not JSON"),
        ("clip.json", None, "GitHub has no such file"),
        (DB_FILE, b"[]", "db.json: not an object but list"),
        (CSV_FILE, b"a,b\n", "models.csv: line 1: the header lacks"),
    ],
)
def test_a_file_of_a_repository_that_is_no_use_is_not_written_over(double, file, content, reason):
    held = double.images if file == "clip.json" else double.texts
    if content is None:
        held.trees[held.commits[held.branches["main"]]["tree"]].pop(file)
    else:
        held.commit("main", {file: content})
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    double.primary[f"{V1}/{TEXT_CATEGORY}"] = MORE_TEXT
    good, lines = run(double)
    assert not good
    assert any(reason in line for line in lines)
    assert held.pulls == []


def test_a_repository_that_refuses_does_not_hold_up_the_other(double):
    double.modes[f"{IMAGES}/git/ref"] = ["401"]
    double.primary[f"{V1}/{TEXT_CATEGORY}"] = MORE_TEXT
    good, lines = run(double)
    assert not good
    assert lines[0].startswith("AI-Horde-image-model-reference: failed: GET ")
    assert len(double.texts.pulls) == 1


def test_reviewers_that_cannot_be_asked_are_an_error_after_the_proposal(double):
    double.modes["requested_reviewers"] = ["422"]
    double.primary[f"{V1}/clip"] = {**CLIP, "N": make_legacy("clip", "N")}
    good, lines = run(double, reviewers=["nobody"])
    assert not good
    assert len(double.images.pulls) == 1
    assert any("proposed" in line for line in lines)


# The real files


@pytest.fixture
def real_double(settings, monkeypatch, clock):
    """The real repositories, with a service that has just imported them."""
    with running_real_files(settings, monkeypatch) as double:
        for category in LEGACY:
            held = double.texts if category == TEXT_CATEGORY else double.images
            files = held.files(held.branches["main"])
            double.primary[f"{V1}/{category}"] = json.loads(files[export_file_names(category)[-1]])
        yield double


def test_the_real_repositories_are_in_step_with_a_service_that_has_imported_them(real_double):
    good, lines = run(real_double, categories=[])
    assert good
    assert sorted(lines) == sorted(f"{category}: no difference" for category in LEGACY)


def test_a_change_at_the_service_changes_its_own_lines_of_the_real_files(real_double):
    entries = real_double.primary[f"{V1}/{TEXT_CATEGORY}"]
    entries |= dict(text_entries({"name": "Org/New-7B", "parameters": 7_000_000_000}))
    assert run(real_double, categories=[])[0]
    main = real_double.texts.files(real_double.texts.branches["main"])
    changed = real_double.texts.files(real_double.texts.branches["sync/text_generation/20260304-050607"])
    assert changed[CSV_FILE] == main[CSV_FILE] + b"Org/New-7B,7,,,,,,,,\r\n"
    assert changed[DB_FILE] == category_dump(entries).encode()
    assert real_double.images.pulls == []
