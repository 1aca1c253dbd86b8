import copy
import csv
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.exports import (
    CSV_FILE,
    DB_FILE,
    ExportFile,
    category_export,
    changes_diff,
    export_file_names,
    export_side,
    file_replace,
)
from references.legacy import CSV_COLUMNS, SourceError, category_dump, source_read, text_entries
from references.text import name_variants
from tests.factories import make_legacy
from tests.recorded import golden, legacy_dir

LEGACY = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
OBJECTS = [name for name in LEGACY if name != TEXT_CATEGORY]
HEADER = ",".join(CSV_COLUMNS)


def real_file(name: str, side: str = "image") -> bytes:
    return (legacy_dir() / side / name).read_bytes()


def real_files(category: str) -> dict[str, bytes]:
    side = export_side(category)
    return {name: real_file(name, side) for name in export_file_names(category)}


def real_entries(category: str) -> dict[str, Any]:
    """The v1 entries of the real files, in their order."""
    name = DB_FILE if category == TEXT_CATEGORY else CATEGORIES[category].source
    return json.loads(real_file(name, export_side(category)))


def contents(category: str, entries: dict, held: dict[str, bytes]) -> dict[str, bytes]:
    return {file.name: file.content for file in category_export(category, entries, held).files}


def line_changes(before: bytes, after: bytes) -> tuple[list[bytes], list[bytes]]:
    """The lines that only one of both has, and a check that the others kept their order."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    both = set(old) & set(new)
    assert [line for line in old if line in both] == [line for line in new if line in both]
    gone = [line for line in old if line not in both]
    come = [line for line in new if line not in both]
    return gone, come


def make_entry(name: str, **fields: Any) -> dict[str, Any]:
    """The v1 entry of a text model under its own name."""
    record = {"name": name, "parameters": 7_000_000_000, **fields}
    return text_entries(record)[0][1]


def make_entries(*entries: dict[str, Any]) -> dict[str, Any]:
    """The three v1 entries of each text model."""
    return {key: {**entry, "name": key} for entry in entries for key in name_variants(entry["name"])}


def make_rows(*rows: str, end: str = "\r\n") -> bytes:
    return "".join(row + end for row in (HEADER, *rows)).encode()


def csv_names(content: bytes) -> list[str]:
    return [row["name"] for row in csv.DictReader(io.StringIO(content.decode(), newline=""))]


# The real files


@pytest.mark.parametrize("category", LEGACY)
def test_real_files_that_say_the_same_keep_every_byte(category):
    export = category_export(category, real_entries(category), real_files(category))
    assert export.changed_files == []
    assert {file.name: file.content for file in export.files} == real_files(category)
    assert (export.added, export.modified, export.removed) == ((), (), ())


def test_the_real_db_json_is_what_the_rows_make():
    held = {CSV_FILE: real_file(CSV_FILE, "text")}
    made = contents(TEXT_CATEGORY, real_entries(TEXT_CATEGORY), held)
    assert len(made[DB_FILE]) == 1_120_214
    assert made[DB_FILE] == real_file(DB_FILE, "text")
    assert made[CSV_FILE] == held[CSV_FILE]


def test_the_real_image_file_is_what_its_records_make():
    made = contents(IMAGE_CATEGORY, real_entries(IMAGE_CATEGORY), {})["stable_diffusion.json"]
    assert len(made) == 219_361
    assert made == real_file("stable_diffusion.json")


@pytest.mark.parametrize("category", OBJECTS)
def test_other_order_and_other_whitespace_are_no_change(category):
    entries = real_entries(category)
    turned = {key: dict(reversed(entry.items())) for key, entry in reversed(entries.items())}
    assert contents(category, turned, real_files(category)) == real_files(category)


def test_the_published_service_s_order_of_fields_is_no_change():
    entries = golden("v1", "text_generation.json")
    assert list(entries["acrastt/Marx-3B-V3"]) != list(real_entries(TEXT_CATEGORY)["acrastt/Marx-3B-V3"])
    assert contents(TEXT_CATEGORY, entries, real_files(TEXT_CATEGORY)) == real_files(TEXT_CATEGORY)


def test_an_added_a_changed_and_a_deleted_image_model_change_exactly_their_lines():
    entries = real_entries(IMAGE_CATEGORY)
    name, gone = "stable_diffusion_2.1", "Deliberate"
    entries[name]["description"] = "Größer"
    removed = entries.pop(gone)
    entries["New"] = make_legacy(IMAGE_CATEGORY, "New")
    export = category_export(IMAGE_CATEGORY, entries, real_files(IMAGE_CATEGORY))
    assert (export.added, export.modified, export.removed) == (("New",), (name,), (gone,))
    [file] = export.files
    # A dump whose bytes are known: that of the real file with the three edits made in its text.
    before = json.loads(file.held)
    assert file.held.decode() == category_dump(before)
    expected = file.held.decode().replace(json.dumps(before[name]["description"]), '"Gr\\u00f6\\u00dfer"', 1)
    expected = expected.replace(category_dump({gone: removed})[2:-3] + ",\n", "", 1)
    expected = expected.removesuffix("\n}\n") + ",\n" + category_dump({"New": entries["New"]})[2:]
    assert file.content.decode() == expected


@pytest.mark.parametrize("category", [name for name in OBJECTS if name != IMAGE_CATEGORY])
def test_a_file_with_tabs_or_carriage_returns_is_normalised_at_its_first_change(category):
    entries = real_entries(category)
    held = real_files(category)
    [name] = held
    last = list(entries)[-1]
    changed = {**entries, last: {**entries[last], "description": "é"}}
    once = contents(category, changed, held)
    assert once[name] == category_dump(changed).encode()
    assert b"\r" not in once[name]
    assert b"\t" not in once[name]
    assert once[name].endswith(b"\n}\n")
    assert b'"description": "\\u00e9"' in once[name]
    assert contents(category, changed, once) == once


def test_an_added_a_changed_and_a_deleted_text_model_change_exactly_their_lines():
    entries = real_entries(TEXT_CATEGORY)
    changed, gone = "acrastt/Marx-3B-V3", "gpt2-xl"
    for key in name_variants(gone):
        del entries[key]
    for key in name_variants(changed):
        entries[key]["description"] = 'says "hello", twice'
    entries |= make_entries(
        make_entry("Org/New-0.56B", parameters=560_000_000, tags=["z", "b"], style="chat")
    )
    held = real_files(TEXT_CATEGORY)
    export = category_export(TEXT_CATEGORY, entries, held)
    assert (export.added, export.modified, export.removed) == (("Org/New-0.56B",), (changed,), (gone,))
    assert export.change_count == 3
    made = {file.name: file.content for file in export.files}

    removed, added = line_changes(held[CSV_FILE], made[CSV_FILE])
    assert [line.split(b",")[0].decode() for line in removed] == [changed, gone]
    assert added == [
        b"acrastt/Marx-3B-V3,3,,https://huggingface.co/acrastt/Marx-3B-V3,StableLM-3B-4E1T,"
        b'"says ""hello"", twice",,,,'
        b'"{""temperature"": 0.7, ""top_p"": 0.1, ""top_k"": 40, ""rep_pen"": 1.18}"\r\n',
        b'Org/New-0.56B,0.56,,,,,chat,"b,z",,\r\n',
    ]
    assert made[CSV_FILE].endswith(added[1])

    before, after = json.loads(held[DB_FILE]), json.loads(made[DB_FILE])
    assert made[DB_FILE].decode() == category_dump(after)
    assert list(after)[-3:] == ["Org/New-0.56B", "aphrodite/Org/New-0.56B", "koboldcpp/New-0.56B"]
    assert after["koboldcpp/New-0.56B"] == {
        "name": "koboldcpp/New-0.56B",
        "model_name": "New-0.56B",
        "baseline": "",
        "parameters": 560_000_000,
        "description": "",
        "version": "1",
        "style": "chat",
        "nsfw": False,
        "display_name": "New 0.56B",
        "tags": ["1B", "b", "chat", "z"],
    }
    others = {key: value for key, value in before.items() if key not in name_variants(gone)}
    for key in name_variants(changed):
        others[key] = {**others[key], "description": 'says "hello", twice'}
    assert category_dump(others) == category_dump(dict(list(after.items())[:-3]))


def test_a_real_model_that_occurs_twice_loses_both_rows():
    entries = real_entries(TEXT_CATEGORY)
    name = "Sao10K/Llama-3.1-8B-Stheno-v3.4"
    for key in name_variants(name):
        del entries[key]
    held = real_files(TEXT_CATEGORY)
    made = contents(TEXT_CATEGORY, entries, held)
    assert csv_names(held[CSV_FILE]).count(name) == 2
    assert csv_names(made[CSV_FILE]) == [row for row in csv_names(held[CSV_FILE]) if row != name]
    assert len(json.loads(made[DB_FILE])) == 2157 - 3


# Rows of the CSV file


def test_a_new_file_has_line_feeds_and_the_known_columns():
    made = contents(TEXT_CATEGORY, make_entries(make_entry("Org/A-7B")), {})
    assert made[CSV_FILE] == f"{HEADER}\nOrg/A-7B,7,,,,,,,,\n".encode()
    assert list(json.loads(made[DB_FILE])) == ["Org/A-7B", "aphrodite/Org/A-7B", "koboldcpp/A-7B"]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_new_rows_end_as_the_file_s_rows_do(end):
    held = {CSV_FILE: make_rows("Org/A-7B,7,,,,,,,,", end=end)}
    entries = make_entries(make_entry("Org/A-7B"), make_entry("Org/B-7B"))
    assert (
        contents(TEXT_CATEGORY, entries, held)[CSV_FILE]
        == held[CSV_FILE] + f"Org/B-7B,7,,,,,,,,{end}".encode()
    )


def test_a_last_row_without_line_end_gets_one_only_when_another_follows():
    held = {CSV_FILE: make_rows("Org/A-7B,7,,,,,,,,").removesuffix(b"\r\n")}
    same = make_entries(make_entry("Org/A-7B"))
    assert contents(TEXT_CATEGORY, same, held)[CSV_FILE] == held[CSV_FILE]
    more = {**same, **make_entries(make_entry("Org/B-7B"))}
    assert contents(TEXT_CATEGORY, more, held)[CSV_FILE] == held[CSV_FILE] + b"\r\nOrg/B-7B,7,,,,,,,,\r\n"


@pytest.mark.parametrize(
    "row",
    [
        'Org/A-7B, 7.0,A 7B,,,,chat,"z, chat ,7B, a",,"{""top_k"":  40}"',
        'Org/A-7B,7,,,,"two\r\nlines",,,,',
        '"Org/A-7B",7,"","","","","",,,',
        "Org/A-7B,7,,,,  ,,,,",
        "Org/A-7B,7,,,,,generalist,,,",
        "Org/A-7B,7,,,,,,generalist,,",
        "Org/A-7B,,,,,,,,,",
    ],
    ids=["spaces", "line break", "quotes", "blank cell", "style", "tag", "no parameters"],
)
def test_rows_that_say_the_same_are_copied_however_they_are_written(row):
    held = {CSV_FILE: b"\xef\xbb\xbf" + make_rows(row, "", "Org/B-7B,7,,,,,,,,")}
    base = text_entries(imported(held[CSV_FILE])["Org/A-7B"])
    entries = {**dict(base), **make_entries(make_entry("Org/B-7B", description="new"))}
    made = contents(TEXT_CATEGORY, entries, held)[CSV_FILE]
    assert made == held[CSV_FILE].replace(b"Org/B-7B,7,,,,,,,,", b"Org/B-7B,7,,,,new,,,,")


def imported(content: bytes) -> dict[str, dict]:
    return {item.name: item.record for item in source_read(TEXT_CATEGORY, content).records}


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"parameters": 560_000_000}, "Org/A-7B,0.56,,,,,,,,"),
        ({"tags": ["b", "7B", "a", "chat"], "style": "chat"}, 'Org/A-7B,7,,,,,chat,"a,b",,'),
        ({"display_name": "A 7B"}, "Org/A-7B,7,,,,,,,,"),
        ({"display_name": "Ay"}, "Org/A-7B,7,Ay,,,,,,,"),
        ({"description": "a, b"}, 'Org/A-7B,7,,,,"a, b",,,,'),
        ({"settings": {"top_k": 1, "min_p": 0.5}}, 'Org/A-7B,7,,,,,,,,"{""top_k"": 1, ""min_p"": 0.5}"'),
        ({"url": "u", "baseline": "b", "instruct_format": "f"}, "Org/A-7B,7,,u,b,,,,f,"),
    ],
)
def test_a_changed_row_is_written_in_the_one_known_form(fields, row):
    held = {CSV_FILE: make_rows("Org/A-7B,7,old,,,,,,,")}
    made = contents(TEXT_CATEGORY, make_entries(make_entry("Org/A-7B", **fields)), held)
    assert made[CSV_FILE] == make_rows(row)


def test_repeated_rows_stay_until_their_model_changes():
    held = {CSV_FILE: make_rows("Org/A-7B,7,,,,one,,,,", "Org/B-7B,7,,,,,,,,", "Org/A-7B,7,,,,two,,,,")}
    b = make_entry("Org/B-7B")
    same = make_entries(make_entry("Org/A-7B", description="two"), b)
    assert contents(TEXT_CATEGORY, same, held)[CSV_FILE] == held[CSV_FILE]
    changed = make_entries(make_entry("Org/A-7B", description="three"), b)
    assert contents(TEXT_CATEGORY, changed, held)[CSV_FILE] == make_rows(
        "Org/A-7B,7,,,,three,,,,", "Org/B-7B,7,,,,,,,,"
    )
    back_to_the_first = make_entries(make_entry("Org/A-7B", description="one"), b)
    export = category_export(TEXT_CATEGORY, back_to_the_first, held)
    assert export.modified == ("Org/A-7B",)
    assert export.files[0].content == make_rows("Org/A-7B,7,,,,one,,,,", "Org/B-7B,7,,,,,,,,")


def test_a_row_that_can_only_read_otherwise_is_no_change_until_its_repetition_goes():
    row = "Org/A-7B,7,,,,  ,,,,"
    entries = make_entries(make_entry("Org/A-7B", description="  "))
    export = category_export(TEXT_CATEGORY, entries, {CSV_FILE: make_rows(row, row)})
    assert (export.files[0].content, export.modified) == (make_rows(row), ("Org/A-7B",))
    export = category_export(TEXT_CATEGORY, entries, {file.name: file.content for file in export.files})
    assert (export.changed_files, export.change_count) == ([], 0)


def test_what_the_columns_cannot_say_changes_db_json_alone():
    held = {CSV_FILE: make_rows("Org/A-7B,7,,,,,,,,")}
    held[DB_FILE] = contents(TEXT_CATEGORY, make_entries(make_entry("Org/A-7B")), held)[DB_FILE]
    entries = make_entries(make_entry("Org/A-7B", nsfw=True, version="3"))
    export = category_export(TEXT_CATEGORY, entries, held)
    assert [file.name for file in export.changed_files] == [DB_FILE]
    assert export.modified == ("Org/A-7B",)
    again = category_export(TEXT_CATEGORY, entries, {file.name: file.content for file in export.files})
    assert again.changed_files == []


def test_columns_in_another_order_and_extra_ones_are_kept():
    held = {CSV_FILE: f"nsfw,{HEADER},version\r\ntrue,Org/A-7B,7,,,,,,,,,2\r\n".encode()}
    made = contents(
        TEXT_CATEGORY, make_entries(make_entry("Org/A-7B", description="new", nsfw=True, version="2")), held
    )
    assert made[CSV_FILE] == f"nsfw,{HEADER},version\r\ntrue,Org/A-7B,7,,,,new,,,,,2\r\n".encode()


def test_rows_no_import_could_read_stay_with_what_db_json_says_of_them():
    rows = ("https://example.org/x,7,,,,,,,,", "Org/Odd-7B,many,,,,,,,,", ",7,,,,,,,,", "Org/A-7B,7,,,,,,,,")
    odd = {"name": "Org/Odd-7B", "parameters": "many"}
    held = {
        CSV_FILE: make_rows(*rows),
        DB_FILE: category_dump({"Org/Odd-7B": odd, **make_entries(make_entry("Org/A-7B"))}).encode(),
    }
    assert contents(TEXT_CATEGORY, make_entries(make_entry("Org/A-7B")), held) == held
    made = contents(TEXT_CATEGORY, make_entries(make_entry("Org/B-7B")), held)
    assert made[CSV_FILE] == make_rows(*rows[:3], "Org/B-7B,7,,,,,,,,")
    assert json.loads(made[DB_FILE]) == {"Org/Odd-7B": odd, **make_entries(make_entry("Org/B-7B"))}


def test_an_unreadable_row_gives_way_to_a_model_of_its_name():
    held = {CSV_FILE: make_rows("Org/A-7B,many,,,,,,,,")}
    made = contents(TEXT_CATEGORY, make_entries(make_entry("Org/A-7B")), held)
    assert made[CSV_FILE] == make_rows("Org/A-7B,7,,,,,,,,")


def test_two_authors_share_one_koboldcpp_entry_which_the_later_row_owns():
    entries = make_entries(make_entry("One/A-7B", description="1"), make_entry("Two/A-7B", description="2"))
    db = json.loads(contents(TEXT_CATEGORY, entries, {})[DB_FILE])
    assert len(db) == 5
    assert db["koboldcpp/A-7B"]["description"] == "2"


def test_a_db_json_that_lags_behind_is_mended_and_counts_by_model():
    entries = make_entries(make_entry("Org/A-7B"), make_entry("Org/B-7B"))
    held = contents(TEXT_CATEGORY, entries, {})
    lagging = {key: value for key, value in entries.items() if key not in name_variants("Org/B-7B")}
    lagging["koboldcpp/Old-7B"] = make_entry("koboldcpp/Old-7B")
    export = category_export(TEXT_CATEGORY, entries, {**held, DB_FILE: category_dump(lagging).encode()})
    assert [file.name for file in export.changed_files] == [DB_FILE]
    assert (export.modified, export.removed) == (("Org/B-7B",), ("koboldcpp/Old-7B",))
    assert export.files[1].content == held[DB_FILE]


def test_a_model_no_row_can_hold_stops_the_export():
    entries = {"Org/A-7B": {**make_entry("Org/A-7B"), "settings": {"top_k": {"deep": 1}}}}
    with pytest.raises(SourceError, match="'Org/A-7B' cannot be written as a row: settings"):
        category_export(TEXT_CATEGORY, entries, {})


# Files of JSON objects


def test_records_keep_the_order_of_the_file_and_new_ones_come_last():
    held = {
        "clip.json": category_dump({"B": make_legacy("clip", "B"), "A": make_legacy("clip", "A")}).encode()
    }
    entries = {name: make_legacy("clip", name) for name in ("N", "A", "B", "M")}
    assert list(json.loads(contents("clip", entries, held)["clip.json"])) == ["B", "A", "N", "M"]


def test_a_service_that_orders_fields_otherwise_changes_no_line_of_records_that_stay():
    held = real_files(TEXT_CATEGORY)
    entries = golden("v1", "text_generation.json")
    for key in name_variants("acrastt/Marx-3B-V3"):
        entries[key]["description"] = "new"
    gone, come = line_changes(held[DB_FILE], contents(TEXT_CATEGORY, entries, held)[DB_FILE])
    assert len(gone) == 3
    assert come == [b'        "description": "new",\n'] * 3

    entries = {name: dict(reversed(entry.items())) for name, entry in real_entries(IMAGE_CATEGORY).items()}
    entries["N"] = make_legacy(IMAGE_CATEGORY, "N")
    held = real_files(IMAGE_CATEGORY)
    made = contents(IMAGE_CATEGORY, entries, held)
    before, after = held["stable_diffusion.json"], made["stable_diffusion.json"]
    assert after.startswith(before.removesuffix(b"\n}\n") + b",\n")


def test_a_record_no_import_takes_is_not_removed():
    odd = make_legacy(IMAGE_CATEGORY, "Odd", baseline="unheard of")
    entries = {"Good": make_legacy(IMAGE_CATEGORY, "Good")}
    held = {"stable_diffusion.json": json.dumps({"Odd": odd, **entries}, indent="\t").encode()}
    assert contents(IMAGE_CATEGORY, entries, held) == held
    export = category_export(IMAGE_CATEGORY, {}, held)
    assert export.removed == ("Good",)
    assert json.loads(export.files[0].content) == {"Odd": odd}


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, "1"), (None, "")])
def test_values_that_only_python_holds_equal_are_changes(one, other):
    held = {"clip.json": category_dump({"A": make_legacy("clip", "A", extra=one)}).encode()}
    export = category_export("clip", {"A": make_legacy("clip", "A", extra=other)}, held)
    assert export.modified == ("A",)


@pytest.mark.parametrize(
    ("category", "file", "content"),
    [
        ("clip", "clip.json", b"<html>"),
        ("clip", "clip.json", b"[]"),
        ("clip", "clip.json", b"\xff"),
        (TEXT_CATEGORY, DB_FILE, b"{"),
        (TEXT_CATEGORY, DB_FILE, b"[]"),
        (TEXT_CATEGORY, CSV_FILE, b"name\n"),
    ],
)
def test_a_file_that_is_no_use_is_not_exported_over(category, file, content):
    with pytest.raises(SourceError, match=f"^{file}: "):
        category_export(category, {}, {file: content})


# Diffs and writing


def test_a_diff_can_be_applied(tmp_path):
    before = b"a\r\nb\r\nc\xe2\x80\xa8\rd\r\n" + b"x\n" * 9 + b"end"
    after = b"a\r\nB\r\nc\xe2\x80\xa8\rd\r\n" + b"x\n" * 9 + b"end\nmore\n"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "f").write_bytes(before)
    diff = changes_diff("sub/f", ExportFile("f", before, after))
    diff += changes_diff("sub/new", ExportFile("new", None, b"1\n2"))
    assert diff.startswith("--- a/sub/f\n+++ b/sub/f\n@@ -1,5 +1,5 @@\n a\r\n-b\r\n+B\r\n")
    assert "-end\n\\ No newline at end of file\n+end\n+more\n" in diff
    assert "--- /dev/null\n+++ b/sub/new\n" in diff
    done = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=diff.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "sub" / "f").read_bytes() == after
    assert (tmp_path / "sub" / "new").read_bytes() == b"1\n2"


def test_an_equal_file_has_no_diff():
    assert changes_diff("f", ExportFile("f", b"a\n", b"a\n")) == ""


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "deep" / "file"
    file_replace(path, b"one")
    path.chmod(0o640)
    file_replace(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["file"]


def test_two_processes_that_replace_a_file_at_once_do_not_meet_in_their_drafts(tmp_path, monkeypatch):
    path, write = tmp_path / "file", Path.write_bytes

    def written_in_between(self: Path, content: bytes) -> None:
        write(self, content)
        monkeypatch.setattr(Path, "write_bytes", write)
        monkeypatch.setattr(os, "getpid", lambda: 2)
        file_replace(path, b"of the other")
        assert path.read_bytes() == b"of the other"

    monkeypatch.setattr(Path, "write_bytes", written_in_between)
    file_replace(path, b"of this one")
    assert path.read_bytes() == b"of this one"
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_cannot_be_replaced_leaves_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"one")

    def fail(self: Path, target: Path) -> None:
        raise OSError("full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        file_replace(path, b"two")
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"one"


def test_the_entries_that_are_handed_over_are_not_changed():
    entries = make_entries(make_entry("Org/A-7B"))
    before = copy.deepcopy(entries)
    category_export(TEXT_CATEGORY, entries, {CSV_FILE: make_rows("Org/A-7B,8,,,,,,,,")})
    assert entries == before


# Any models


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
text_records = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"\AOrg/[A-C][- ]?[17]B\Z"),
        "parameters": st.integers(1, 2**60),
        "tags": st.lists(words, max_size=3),
        **dict.fromkeys(
            ("description", "style", "baseline", "url", "display_name", "instruct_format"), words
        ),
        "settings": st.dictionaries(words, st.integers() | words, max_size=2),
        "nsfw": st.booleans(),
    }
)
categories_of_text = st.lists(text_records, max_size=4, unique_by=lambda record: record["name"])


@given(before=categories_of_text, after=categories_of_text)
def test_an_export_over_any_export_settles_at_once(before, after):
    first, then = (make_entries(*(text_entries(record)[0][1] for record in each)) for each in (before, after))
    made = contents(TEXT_CATEGORY, then, contents(TEXT_CATEGORY, first, {}))
    again = category_export(TEXT_CATEGORY, then, made)
    assert (again.changed_files, again.change_count) == ([], 0)
    assert json.loads(made[DB_FILE]) == then
    assert csv_names(made[CSV_FILE]) == [
        *(record["name"] for record in before if record["name"] in then),
        *(record["name"] for record in after if record["name"] not in first),
    ]
