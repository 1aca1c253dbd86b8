import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from references import json_members
from references.categories import CATEGORIES
from references.documents import snapshot
from references.management import importing
from references.management.commands import import_v2, load_starter
from references.models import Category, LegacySource, ModelRecord
from references.sources import StoredRecords
from references.vocabulary import ReplicateMode
from tests.factories import make_folder, make_legacy, make_legacy_file, make_record, make_v2
from tests.recorded import legacy_dir

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {
    "image_generation": 161,
    "text_generation": 719,
    "clip": 2,
    "controlnet": 18,
    "blip": 2,
    "esrgan": 6,
    "gfpgan": 1,
    "codeformer": 1,
    "safety_checker": 1,
    "miscellaneous": 2,
}

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: object, **options: object) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def table(output: str) -> dict[str, dict[str, int]]:
    """The report at the end of an import: the numbers of each category by column."""
    lines = [line.split() for line in output.splitlines()]
    head = next(index for index, words in enumerate(lines) if words[:2] == ["category", "created"])
    columns = lines[head][1:]
    body = [words for words in lines[head + 1 :] if words and words[0] in CATEGORIES]
    return {name: dict(zip(columns, map(int, numbers), strict=True)) for name, *numbers in body}


def everything() -> tuple:
    return tuple(
        list(model.objects.order_by("pk").values()) for model in (Category, ModelRecord, LegacySource)
    )


# what commands need

IMPORTS = ("import_legacy", "import_v2", "import_published")


@pytest.fixture
def replica(settings) -> None:
    settings.REPLICATE_MODE = ReplicateMode.REPLICA


@pytest.mark.parametrize("command", [*IMPORTS, "import_github"])
def test_nothing_is_imported_into_a_replica(command, replica, tmp_path):
    before = everything()
    with pytest.raises(CommandError, match="This deployment is a REPLICA"):
        run(command, *([] if command == "import_github" else [tmp_path]))
    assert everything() == before


def test_a_replica_gets_no_starter_catalogue(replica):
    said = run("load_starter")
    assert said == "This deployment is a REPLICA: its models come from its PRIMARY; no starter catalogue.\n"
    assert not ModelRecord.objects.exists()


def test_the_log_does_not_restore_a_replica(replica):
    with pytest.raises(CommandError, match="This deployment is a REPLICA"):
        run("rebuild_from_audit", yes=True)


@pytest.mark.parametrize("command", ["import_github", "sync_github"])
def test_offline_nothing_is_fetched_by_hand(command, settings):
    settings.OFFLINE = True
    with pytest.raises(CommandError, match="OFFLINE is set: nothing is fetched"):
        run(command)


@pytest.mark.parametrize("command", [*IMPORTS, "load_starter"])
def test_a_database_without_tables_is_told_in_one_line(command, tmp_path):
    given = {"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3", "AIWORKER_CACHE_HOME": str(tmp_path)}
    arguments = [] if command == "load_starter" else [tmp_path]
    done = subprocess.run(
        [sys.executable, "manage.py", command, *arguments],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: The database is not up to date: run manage.py migrate first.\n"


# import_legacy


def test_import_legacy_reports_what_it_did_to_each_category():
    report = table(run("import_legacy", legacy_dir()))
    nothing = dict.fromkeys(("updated", "unchanged", "moved", "kept", "skipped"), 0)
    assert list(report) == list(COUNTS)
    for category, count in COUNTS.items():
        assert {**nothing, "created": count, "warnings": report[category]["warnings"]} == report[category]
        assert ModelRecord.objects.in_category(category).count() == count
    assert report["text_generation"]["warnings"] >= 4
    assert report["image_generation"]["warnings"] >= 88


def test_a_second_import_legacy_changes_nothing():
    run("import_legacy", legacy_dir())
    before = everything()
    report = table(run("import_legacy", legacy_dir()))
    assert everything() == before
    assert {name: numbers["unchanged"] for name, numbers in report.items()} == COUNTS
    assert sum(numbers["created"] + numbers["updated"] for numbers in report.values()) == 0


def test_a_dry_run_reports_the_same_and_changes_nothing():
    make_record("clip", "mine")
    before = everything()
    dry = run("import_legacy", legacy_dir(), dry_run=True)
    assert everything() == before
    assert [row.name for row in snapshot("clip").rows] == ["mine"]
    assert dry.splitlines()[-1] == "Dry run: nothing was changed."
    assert table(dry) == table(run("import_legacy", legacy_dir()))
    assert table(dry)["clip"]["kept"] == 1


def test_skipped_records_are_named_with_the_reason_and_warnings_only_when_asked_for(tmp_path):
    bad = make_legacy("image_generation", "Bad", baseline="unheard of")
    good = make_legacy("image_generation", "Good", description="d")
    folder = make_folder(tmp_path, {"stable_diffusion.json": make_legacy_file(bad, good)})
    terse = run("import_legacy", folder)
    assert "skipped: image_generation Bad: baseline 'unheard of' is not known" in terse.splitlines()
    assert "warning: " not in terse
    assert table(terse)["image_generation"] == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "moved": 0,
        "kept": 0,
        "skipped": 1,
        "warnings": 1,
    }
    talkative = run("import_legacy", folder, verbosity=2)
    assert "warning: image_generation Good: " in talkative


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("clip.json", "{broken", "clip.json: not JSON"),
        ("clip.json", "[]", "clip.json: not an object"),
        ("clip.json", '{"A": {"name": "A", "x": NaN}}', "clip.json: not JSON"),
        ("models.csv", "name,parameters_bn\n", "models.csv: line 1: the header lacks"),
        (
            "models.csv",
            "name,parameters_bn,display_name,url,baseline,description,style,tags,instruct_format,settings\n"
            'Org/A,7,"torn\n',
            "models.csv: line 2: unexpected end of data",
        ),
        (
            "models.csv",
            "name,parameters_bn,display_name,url,baseline,description,style,tags,instruct_format,settings\n"
            "Org/A,7,,,,,,,,\nOrg/B,7,,\n",
            "models.csv: line 3: 4 cells, not 10",
        ),
    ],
    ids=["broken", "list", "NaN", "header", "torn quote", "torn row"],
)
def test_one_unusable_file_stops_the_whole_import(tmp_path, file, text, complaint):
    make_record("blip", "mine")
    before = everything()
    good = make_legacy_file(make_legacy("blip", "A"))
    with pytest.raises(CommandError) as failure:
        run("import_legacy", make_folder(tmp_path, {"blip.json": good, file: text}))
    assert str(failure.value).startswith(complaint)
    assert str(failure.value).endswith("\nNothing was changed.")
    assert failure.value.returncode == 1
    assert everything() == before


def test_a_missing_file_or_folder_stops_the_whole_import(tmp_path):
    (make_folder(tmp_path) / "esrgan.json").unlink()
    with pytest.raises(CommandError, match=r"^esrgan\.json is missing"):
        run("import_legacy", tmp_path)
    with pytest.raises(CommandError, match=r"^stable_diffusion\.json is missing"):
        run("import_legacy", tmp_path / "nowhere")
    assert not ModelRecord.objects.exists()


def test_the_shell_sees_a_failed_import_as_a_message_and_a_status(tmp_path):
    (make_folder(tmp_path) / "clip.json").write_text("{broken")
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
        "SECRET_KEY": "x" * 50,
    }

    def manage(*arguments):
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert manage("migrate").returncode == 0
    done = manage("import_legacy", tmp_path)
    assert done.returncode == 1
    assert "CommandError: clip.json: not JSON" in done.stderr
    assert "Nothing was changed." in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_over_the_starter_catalogue_serves_the_files_themselves(tmp_path):
    run("load_starter")
    images = json.loads((legacy_dir() / "image" / "stable_diffusion.json").read_text())
    starting = set(ModelRecord.objects.filter(category="image_generation").values_list("name", flat=True))
    assert starting & set(images)
    run("import_legacy", legacy_dir())
    served = {
        category: list(ModelRecord.objects.filter(category=category).order_by("position").names())
        for category in ("image_generation", "text_generation")
    }
    assert served["image_generation"] == [*images, *(starting - set(images))]
    assert starting <= set(images)
    assert snapshot("image_generation").v1.body == (legacy_dir() / "image/stable_diffusion.json").read_bytes()
    assert snapshot("text_generation").v1.body == (legacy_dir() / "text" / "db.json").read_bytes()
    before = everything()
    report = table(run("import_legacy", legacy_dir()))
    assert all(numbers["moved"] == numbers["updated"] == 0 for numbers in report.values())
    assert everything() == before


# import_v2


def test_what_version_2_answers_can_be_imported_again(tmp_path):
    run("import_legacy", legacy_dir())
    answers = {name: snapshot(name).v2.body for name in COUNTS}
    for name, body in answers.items():
        file = "stable_diffusion" if name == "image_generation" else name
        (tmp_path / f"{file}.json").write_bytes(body)
    before = everything()

    assert {name: n["unchanged"] for name, n in table(run("import_v2", tmp_path)).items()} == COUNTS
    assert everything() == before

    ModelRecord.objects.all().delete()
    report = table(run("import_v2", tmp_path))
    assert {name: numbers["created"] for name, numbers in report.items()} == COUNTS
    assert {name: snapshot(name).v2.body for name in COUNTS} == answers


def test_import_v2_skips_bad_records_and_says_why(tmp_path):
    entries = {
        "Good": make_v2("lora", "Good"),
        "Bad": {"name": "Bad", "nsfw": "perhaps", "tags": 1},
        "a//b": {"name": "a//b"},
    }
    (tmp_path / "lora.json").write_text(json.dumps(entries))
    output = run("import_v2", tmp_path)
    skipped = [line for line in output.splitlines() if line.startswith("skipped: ")]
    assert [line.split(": ")[1] for line in skipped] == ["lora Bad", "lora a//b"]
    assert "nsfw: " in skipped[0]
    assert "tags: " in skipped[0]
    assert table(output) == {
        "lora": {
            "created": 1,
            "updated": 0,
            "unchanged": 0,
            "moved": 0,
            "kept": 0,
            "skipped": 2,
            "warnings": 0,
        }
    }
    assert [record.name for record in ModelRecord.objects.all()] == ["Good"]


def test_import_v2_dry_run_and_unusable_files_change_nothing(tmp_path):
    (tmp_path / "lora.json").write_text(json.dumps({"A": make_v2("lora", "A")}))
    before = everything()
    assert table(run("import_v2", tmp_path, dry_run=True))["lora"]["created"] == 1
    assert everything() == before
    (tmp_path / "ti.json").write_text("{")
    with pytest.raises(CommandError, match=r"^ti\.json: not a JSON object of records: line 1: "):
        run("import_v2", tmp_path)
    assert everything() == before


def test_import_v2_tells_how_far_it_is_while_it_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(importing, "PROGRESS_EVERY", 2)
    entries = {name: make_v2("lora", name) for name in "ABCDE"}
    (tmp_path / "lora.json").write_text(json.dumps(entries))
    told = [line for line in run("import_v2", tmp_path).splitlines() if line.startswith("lora: ")]
    assert told == ["lora: 2 of 5 records", "lora: 4 of 5 records"]
    assert "lora: " not in run("import_v2", tmp_path, verbosity=0)


def test_import_v2_takes_everything_back_where_a_file_breaks_off_under_way(monkeypatch, tmp_path):
    entries = {f"model {number}": make_v2("lora", f"model {number}") for number in range(1200)}
    (tmp_path / "lora.json").write_text(json.dumps(entries))
    before = everything()

    def cut(category, names):
        (tmp_path / "lora.json").write_text('{"A"')
        return StoredRecords()(category, names)

    monkeypatch.setattr(import_v2, "StoredRecords", lambda: cut)
    monkeypatch.setattr(json_members, "READ_SIZE", 1000)
    with pytest.raises(CommandError, match=r"^lora\.json: not a JSON object of records") as failure:
        run("import_v2", tmp_path)
    assert failure.value.returncode == 1
    assert everything() == before


@pytest.mark.parametrize("number", [1, 1501])
def test_import_v2_of_unchanged_records_changes_nothing(tmp_path, number):
    entries = {f"model {each}": make_v2("clip", f"model {each}") for each in range(number)}
    (tmp_path / "clip.json").write_text(json.dumps(entries))
    run("import_v2", tmp_path)
    before = everything()
    assert table(run("import_v2", tmp_path))["clip"]["unchanged"] == number
    assert everything() == before


@pytest.mark.parametrize(("stored", "given"), [(1, True), (2, 2.0), (0, False)])
def test_import_v2_writes_a_value_that_python_takes_for_the_stored_one(tmp_path, stored, given):
    for value in (stored, given):
        record = make_v2("clip", "model") | {"a_member_of_no_schema": value}
        (tmp_path / "clip.json").write_text(json.dumps({"model": record}))
        run("import_v2", tmp_path)
    held = ModelRecord.objects.get().as_dict()["a_member_of_no_schema"]
    assert (held, type(held)) == (given, type(given))


# load_starter


def test_the_starter_catalogue_fills_an_empty_store_once():
    first = run("load_starter")
    before = everything()
    count = ModelRecord.objects.count()
    assert first == f"Loaded the starter catalogue: {count} models.\n"
    assert set(ModelRecord.objects.values_list("category", flat=True).distinct()) == {
        name for name, spec in CATEGORIES.items() if not spec.curated_elsewhere
    }
    second = run("load_starter")
    assert second == "The store holds models already; the starter catalogue is not loaded.\n"
    assert everything() == before


def test_the_starter_catalogue_leaves_a_store_with_any_model_alone():
    make_record("lora", "mine")
    before = everything()
    run("load_starter")
    assert everything() == before


def test_the_starter_catalogue_loads_wholly_or_not_at_all(monkeypatch, tmp_path):
    monkeypatch.setattr(load_starter, "STARTER", tmp_path)
    make_folder(tmp_path, {"clip.json": make_legacy_file(make_legacy("clip", "A"))})
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "lora.json").write_text("{")
    with pytest.raises((CommandError, ValueError), match=r"lora\.json"):
        run("load_starter")
    assert not ModelRecord.objects.exists()
