import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.documents import snapshot
from references.exports import CSV_FILE, DB_FILE
from references.models import Category, LegacySource, ModelRecord
from references.services import record_delete, record_put
from tests.factories import make_csv_file, make_record
from tests.recorded import legacy_dir

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("real_reference")]

LEGACY = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]


def run(command: str, *arguments: object) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def checkout(folder: Path) -> dict[str, bytes]:
    """Copies of the files of both repositories, and what they hold."""
    for side in ("image", "text"):
        shutil.copytree(legacy_dir() / side, folder / side, copy_function=shutil.copyfile)
        (folder / side).chmod(0o755)
    return tree(folder)


def test_an_export_right_after_an_import_changes_no_file(tmp_path):
    before = checkout(tmp_path)
    output = run("export_legacy", tmp_path)
    assert tree(tmp_path) == before
    assert "written" not in output
    assert output.count("unchanged") == len(LEGACY) + 1
    assert "image_generation: 0 added, 0 modified, 0 removed\n" in output


def test_an_empty_folder_gets_the_imported_texts(tmp_path):
    run("export_legacy", tmp_path / "new")
    written = tree(tmp_path / "new")
    assert len(written) == len(LEGACY) + 1
    for name, content in written.items():
        real = (legacy_dir() / name).read_bytes()
        # Of controlnet.json, the store keeps the text that version 1 serves.
        assert content == (real.replace(b"\r\n", b"\n") if name == "image/controlnet.json" else real)


def test_an_export_to_an_empty_folder_can_be_imported_without_any_change(tmp_path):
    run("export_legacy", tmp_path)
    before = list(ModelRecord.objects.order_by("pk").values())
    run("import_legacy", tmp_path)
    assert list(ModelRecord.objects.order_by("pk").values()) == before


def test_one_model_more_adds_one_row_and_three_entries(tmp_path):
    before = checkout(tmp_path)
    make_record(TEXT_CATEGORY, "Org/New-7B")
    output = run("export_legacy", tmp_path)
    after = tree(tmp_path)
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["text/db.json", "text/models.csv"]
    assert after["text/models.csv"] == before["text/models.csv"] + b"Org/New-7B,7,,,,,,,,\r\n"
    old, new = json.loads(before["text/db.json"]), json.loads(after["text/db.json"])
    assert list(new) == [*old, "Org/New-7B", "aphrodite/Org/New-7B", "koboldcpp/New-7B"]
    assert "text_generation: 1 added, 0 modified, 0 removed\n" in output
    assert f"  {tmp_path}/text/models.csv: written\n" in output


def test_writes_through_the_service_change_only_their_own_lines(tmp_path):
    before = checkout(tmp_path)
    record = ModelRecord.objects.get(category="clip", name="ViT-L/14").as_dict()
    record_put(category="clip", name="ViT-L/14", record={**record, "description": "d"})
    record_delete(category="esrgan", name="4x_AnimeSharp")
    record_delete(category=TEXT_CATEGORY, name="gpt2")
    run("export_legacy", tmp_path)
    after = tree(tmp_path)
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["image/clip.json", "image/esrgan.json", "text/db.json", "text/models.csv"]
    rows = before["text/models.csv"].splitlines(keepends=True)
    assert after["text/models.csv"] == b"".join(row for row in rows if not row.startswith(b"gpt2,"))
    clip = json.loads(before["image/clip.json"])
    now = json.loads(after["image/clip.json"])
    assert now["ViT-L/14"].pop("description") == "d"
    assert now == clip
    second = run("export_legacy", tmp_path)
    assert "written" not in second


def test_version_1_and_the_export_say_the_same_after_writes(tmp_path):
    make_record("clip", "new")
    make_record(IMAGE_CATEGORY, "newer")
    make_record(TEXT_CATEGORY, "Org/Newest-7B")
    checkout(tmp_path)
    run("export_legacy", tmp_path)
    for category, name in (
        (IMAGE_CATEGORY, "image/stable_diffusion.json"),
        (TEXT_CATEGORY, "text/db.json"),
    ):
        assert (tmp_path / name).read_bytes() == snapshot(category).v1.body
    assert json.loads((tmp_path / "image/clip.json").read_bytes()) == json.loads(snapshot("clip").v1.body)


def test_a_broken_file_stops_the_export_before_anything_is_written(tmp_path):
    checkout(tmp_path)
    make_record(IMAGE_CATEGORY, "new")
    (tmp_path / "text" / "db.json").write_bytes(b"{")
    before = tree(tmp_path)
    with pytest.raises(CommandError, match=r"^db\.json: not JSON.*\nNothing was written\.$") as failure:
        run("export_legacy", tmp_path)
    assert failure.value.returncode == 1
    assert tree(tmp_path) == before


def test_version_2_can_be_exported_and_imported_without_any_change(tmp_path):
    make_record("lora", "größer", description="é\u2028\n", metadata={"created_at": 5, "updated_at": 6})
    output = run("export_v2", tmp_path)
    assert sorted(tree(tmp_path)) == sorted(f"{name}.json" for name in CATEGORIES)
    assert f"{tmp_path}/text_generation.json: 719 models, written\n" in output
    assert (tmp_path / "lora.json").read_text(encoding="utf-8").startswith('{\n "größer": {\n  "record_type"')
    models = (Category, ModelRecord, LegacySource)
    before = [list(model.objects.order_by("pk").values()) for model in models]
    run("import_v2", tmp_path)
    assert [list(model.objects.order_by("pk").values()) for model in models] == before
    answers = {name: snapshot(name).v2.body for name in CATEGORIES}
    ModelRecord.objects.all().delete()
    run("import_v2", tmp_path)
    assert {name: snapshot(name).v2.body for name in CATEGORIES} == answers
    assert "written" not in run("export_v2", tmp_path)


@pytest.mark.usefixtures("empty_reference")
def test_files_that_lie_side_by_side_are_exported_in_their_place(tmp_path):
    (tmp_path / "clip.json").write_text("{}")
    (tmp_path / CSV_FILE).write_text(make_csv_file())
    make_record("clip", "A")
    make_record(TEXT_CATEGORY, "Org/A-7B")
    run("export_legacy", tmp_path)
    written = tree(tmp_path)
    assert list(json.loads(written["clip.json"])) == ["A"]
    assert written[CSV_FILE].endswith(b"\nOrg/A-7B,7,,,,,,,,\n")
    assert len(json.loads(written[DB_FILE])) == 3
    assert written["image/blip.json"] == b"{}\n"
    assert "image/clip.json" not in written


@pytest.mark.usefixtures("empty_reference")
@pytest.mark.parametrize("command", ["export_legacy", "export_v2"])
def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path, command):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CommandError, match=r"taken.*: (Not a directory|File exists)$"):
        run(command, tmp_path / "taken")


@pytest.mark.usefixtures("empty_reference")
def test_an_emptied_category_is_exported_as_empty(tmp_path):
    make_record("lora", "A")
    run("export_v2", tmp_path)
    record_delete(category="lora", name="A")
    run("export_v2", tmp_path)
    assert (tmp_path / "lora.json").read_bytes() == b"{}\n"
