"""Files and rows that are wrong in some way: what is refused, what is skipped, what is kept with a remark."""

import json
from typing import Any

import pytest

from references.categories import TEXT_CATEGORY
from references.legacy import CSV_COLUMNS, Issue, RecordError, Severity, SourceError, csv_rows, source_read

HASH = "a" * 64
HEADER = ",".join(CSV_COLUMNS)


def make_clip(name: str = "one", **fields: Any) -> dict:
    """A clip model without anything to remark on."""
    return {
        "name": name,
        "type": "clip",
        "description": "A clip model.",
        "config": {
            "files": [{"path": f"{name}.ckpt", "sha256sum": HASH}],
            "download": [{"file_name": f"{name}.ckpt", "file_path": "", "file_url": "https://example.com/1"}],
        },
        **fields,
    }


def make_image(name: str = "one", **fields: Any) -> dict:
    """An image model without anything to remark on."""
    legacy = make_clip(name, type="ckpt", baseline="stable diffusion 1", showcases=["https://example.com/p"])
    return {**legacy, **fields}


def read_json(category: str, entries: Any) -> Any:
    return source_read(category, json.dumps(entries).encode())


def skipped(name: str, code: str, reason: str) -> Issue:
    return Issue(name, Severity.SKIPPED, reason, code)


def warned(name: str, code: str, reason: str) -> Issue:
    return Issue(name, Severity.WARNING, reason, code)


def make_row(**cells: str) -> str:
    assert not cells.keys() - set(CSV_COLUMNS)
    return ",".join({"name": "Org/Model-7B", "parameters_bn": "7", **cells}.get(c, "") for c in CSV_COLUMNS)


def read_csv(*lines: str, header: str = HEADER) -> Any:
    return source_read(TEXT_CATEGORY, "".join(f"{line}\r\n" for line in (header, *lines)).encode())


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "clip.json: not JSON: Expecting property name enclosed in double quotes"),
        (b"", "clip.json: not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[]\r\n", "clip.json: not an object but list"),
        (b"null", "clip.json: not an object but NoneType"),
        (b'{"a": "\xff"}', "clip.json: not UTF-8 at byte 7"),
        (b'{"a": NaN}', "clip.json: not JSON: NaN is not JSON"),
        (b'{"a": ' + b"[" * 100_000, "clip.json: not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_json_file_that_is_no_object_is_refused_whole(raw, message):
    with pytest.raises(SourceError) as refused:
        source_read("clip", raw)
    assert str(refused.value).startswith(message)


def test_a_category_without_legacy_file_has_nothing_to_read():
    with pytest.raises(SourceError, match="lora has no legacy file"):
        source_read("lora", b"{}")


def test_a_byte_order_mark_and_line_ends_of_a_json_file_are_normalised():
    raw = b"\xef\xbb\xbf" + json.dumps({"one": make_clip()}, indent=1).replace("\n", "\r\n").encode()
    source = source_read("clip", raw)
    assert source.text == json.dumps({"one": make_clip()}, indent=1)
    assert source.issues == []
    assert [imported.name for imported in source.records] == ["one"]


def test_an_empty_object_is_a_file_without_records():
    source = source_read("clip", b"{}\n")
    assert (source.records, source.issues, source.text) == ([], [], "{}\n")


def test_a_record_that_occurs_twice_counts_as_written_last():
    first, last = json.dumps(make_clip(version="1")), json.dumps(make_clip(version="2"))
    source = source_read(
        "clip", f'{{"one": {first}, "two": {json.dumps(make_clip("two"))}, "one": {last}}}'.encode()
    )
    assert source.issues == [
        warned("one", "repeated_record", "occurs more than once in the file; the last one counts")
    ]
    assert [(imported.name, imported.record.get("version")) for imported in source.records] == [
        ("one", "2"),
        ("two", None),
    ]


def test_a_key_that_occurs_twice_within_a_record_is_reported_under_its_name():
    twice = json.dumps(make_clip()).replace('"path": ', '"path": "old", "path": ')
    source = source_read("clip", f'{{"one": {twice}}}'.encode())
    assert source.issues == [warned("one", "repeated_key", "has 'path' more than once; the last one counts")]
    assert source.records[0].legacy == make_clip()


BAD_RECORDS = [
    ("clip", 5, "not_an_object", "is not an object"),
    ("clip", [], "not_an_object", "is not an object"),
    ("clip", {"type": "clip"}, "no_name", "has no name"),
    ("clip", make_clip(description=5), "wrong_type", "description must be text"),
    ("clip", make_clip(pretrained_name=["x"]), "wrong_type", "pretrained_name must be text"),
    ("clip", make_clip(config=[]), "wrong_type", "config must be an object"),
    ("clip", make_clip(config={"files": {}}), "wrong_type", "files must be a list of objects"),
    ("clip", make_clip(config={"files": ["one.ckpt"]}), "wrong_type", "files must be a list of objects"),
    ("clip", make_clip(config={"files": [{"sha256sum": HASH}]}), "file_without_path", "a file has no path"),
    ("clip", make_clip(config={"files": [{"path": 1}]}), "wrong_type", "path must be text"),
    (
        "clip",
        make_clip(config={"files": [{"path": "a", "sha256sum": 1}]}),
        "wrong_type",
        "sha256sum must be text",
    ),
    (
        "clip",
        make_clip(config={"download": [{"file_name": "a", "file_url": 1}]}),
        "wrong_type",
        "file_url must be text",
    ),
    (
        "clip",
        make_clip(config={"embedded_component_hashes": {"vae": None}}),
        "wrong_type",
        "embedded_component_hashes.vae must be text",
    ),
    ("clip", make_clip(note="\ud800"), "not_storable", "holds what JSON in UTF-8 cannot carry"),
    ("controlnet", make_clip(type=1), "wrong_type", "type must be text"),
    ("image_generation", make_clip(), "no_baseline", "has no baseline"),
    ("image_generation", make_image(baseline="novel"), "unknown_baseline", "baseline 'novel' is not known"),
    ("image_generation", make_image(style="noir"), "unknown_style", "style 'noir' is not known"),
    ("image_generation", make_image(tags="anime"), "wrong_type", "tags must be a list of text"),
    ("image_generation", make_image(trigger=[1]), "wrong_type", "trigger must be a list of text"),
    ("image_generation", make_image(nsfw="maybe"), "wrong_type", "nsfw must be true or false"),
    ("image_generation", make_image(inpainting=2), "wrong_type", "inpainting must be true or false"),
    (
        "image_generation",
        make_image(size_on_disk_bytes="big"),
        "wrong_type",
        "size_on_disk_bytes must be a whole number",
    ),
    (
        "image_generation",
        make_image(size_on_disk_bytes=1.5),
        "wrong_type",
        "size_on_disk_bytes must be a whole number",
    ),
    (
        "image_generation",
        make_image(size_on_disk_bytes=True),
        "wrong_type",
        "size_on_disk_bytes must be a whole number",
    ),
    (
        "image_generation",
        make_image(size_on_disk_bytes=-1),
        "out_of_range",
        "size_on_disk_bytes is negative or larger than 64 bits hold",
    ),
    (
        "image_generation",
        make_image(size_on_disk_bytes=2**63),
        "out_of_range",
        "size_on_disk_bytes is negative or larger than 64 bits hold",
    ),
    (
        "image_generation",
        make_image(requirements={"a": {"b": 1}}),
        "nested",
        "requirements.a must be a single value or a list of single values",
    ),
    (
        "image_generation",
        make_image(requirements={"a": [[1]]}),
        "nested",
        "requirements.a must be a single value or a list of single values",
    ),
]


@pytest.mark.parametrize(("category", "legacy", "code", "reason"), BAD_RECORDS)
def test_a_bad_record_is_skipped_and_its_neighbours_are_kept(category, legacy, code, reason):
    good = make_image("good") if category == "image_generation" else make_clip("good", type="clip")
    if category == "controlnet":
        good["type"] = "control_canny"
    source = read_json(category, {"one": legacy, "good": good})
    assert source.issues == [skipped("one", code, reason)]
    assert [imported.name for imported in source.records] == ["good"]
    assert not source.is_complete


@pytest.mark.parametrize(
    ("key", "code", "reason"),
    [
        ("", "no_name", "has no name"),
        ("  ", "no_name", "has no name"),
        ("x" * 256, "name_too_long", "the name is longer than 255 characters"),
        ("a\x00b", "name_has_control", "the name holds control characters"),
        ("\udc00", "not_storable", "holds what JSON in UTF-8 cannot carry"),
    ],
)
def test_a_key_no_record_can_go_by_is_skipped(key, code, reason):
    assert read_json("clip", {key: make_clip(key)}).issues == [skipped(key, code, reason)]


def test_infinity_written_as_a_number_is_skipped():
    text = json.dumps({"one": make_clip(weight=7)}).replace("7", "1e999")
    assert source_read("clip", text.encode()).issues == [
        skipped("one", "not_storable", "holds what JSON in UTF-8 cannot carry")
    ]


@pytest.mark.parametrize("config", [None, {}, {"files": None, "download": None}])
def test_a_config_that_says_nothing_is_no_downloads(config):
    source = read_json("clip", {"one": make_clip(config=config)})
    assert source.issues == []
    assert source.records[0].record["config"] == {"download": []}
    assert source.records[0].legacy == make_clip(config=config)


def test_a_download_of_a_file_that_is_not_listed_is_kept_with_a_warning():
    legacy = make_clip()
    legacy["config"]["download"].append({"file_name": "civitai.ckpt", "file_url": "https://example.com/2"})
    source = read_json("clip", {"one": legacy})
    assert source.issues == [
        warned("one", "download_unknown_file", "download of 'civitai.ckpt', which is not among the files")
    ]
    assert source.records[0].record["config"]["download"][1] == {
        "file_name": "civitai.ckpt",
        "file_url": "https://example.com/2",
        "sha256sum": "FIXME",
        "known_slow_download": True,
    }


def test_a_download_without_file_name_is_passed_over_with_a_warning():
    legacy = make_clip()
    legacy["config"]["download"].insert(0, {"file_url": "https://example.com/2"})
    source = read_json("clip", {"one": legacy})
    assert source.issues == [warned("one", "download_unnamed", "a download names no file")]
    assert [d["file_url"] for d in source.records[0].record["config"]["download"]] == [
        "https://example.com/1"
    ]


@pytest.mark.parametrize(
    ("category", "legacy", "code", "reason"),
    [
        ("clip", make_clip("other"), "name_differs", "the record calls itself 'other'"),
        ("clip", make_clip(description=""), "no_description", "has no description"),
        ("clip", make_clip(type="klip"), "unknown_type", "type 'klip' is not one of this category"),
        ("image_generation", make_image(showcases=[]), "no_showcases", "has no showcases"),
        (
            "image_generation",
            make_image(showcases=["https://huggingface.co/p"]),
            "showcase_host",
            "showcase https://huggingface.co/p is on huggingface, which writes through the API refuse",
        ),
        (
            "image_generation",
            make_image(baseline="flux_1"),
            "unusual_baseline",
            "baseline 'flux_1' is not one of the established spellings",
        ),
        (
            "clip",
            make_clip(config={"files": [{"path": "a.pt", "sha256sum": HASH}]}),
            "not_ckpt",
            "a.pt is not a .ckpt file",
        ),
        (
            "clip",
            make_clip(config={"files": [{"path": "a.ckpt"}]}),
            "no_sha256sum",
            "a.ckpt has no sha256sum",
        ),
        (
            "clip",
            make_clip(config={"files": [{"path": "a.json"}]}),
            "no_sha256sum",
            "a.json has no sha256sum",
        ),
        (
            "clip",
            make_clip(config={"files": [{"path": "My.YAML"}]}),
            "unusual_yaml",
            "My.YAML is not one of the stock configurations",
        ),
    ],
)
def test_what_is_unusual_is_kept_with_a_warning(category, legacy, code, reason):
    source = read_json(category, {"one": legacy})
    assert source.issues == [warned("one", code, reason)]
    assert source.records[0].legacy == legacy
    assert source.is_complete


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], f"models.csv: line 1: the header lacks {', '.join(CSV_COLUMNS)}"),
        (["name,parameters_bn"], f"models.csv: line 1: the header lacks {', '.join(CSV_COLUMNS[2:])}"),
        ([HEADER + ",name"], "models.csv: line 1: the header repeats name"),
        ([make_row(), make_row()], f"models.csv: line 1: the header lacks {', '.join(CSV_COLUMNS)}"),
        ([HEADER, make_row(), "Org/Torn-7B,7"], "models.csv: line 3: 2 cells, not 10 as in the header"),
        ([HEADER, make_row() + ",more"], "models.csv: line 2: 11 cells, not 10 as in the header"),
        (
            [HEADER, make_row(description='"two\r\nlines"'), "a,b"],
            "models.csv: line 4: 2 cells, not 10 as in the header",
        ),
        (
            [HEADER, make_row(description='"never closed'), make_row()],
            "models.csv: line 2: unexpected end of data",
        ),
        ([HEADER, make_row(description='"closed"early')], "models.csv: line 2: ',' expected after '\"'"),
        ([HEADER, make_row(description="a\0b")], "models.csv: holds a null character"),
    ],
)
def test_a_torn_csv_file_is_refused_whole(lines, message):
    raw = "".join(f"{line}\r\n" for line in lines).encode()
    with pytest.raises(SourceError) as refused:
        source_read(TEXT_CATEGORY, raw)
    assert str(refused.value) == message


def test_a_csv_file_in_another_encoding_is_refused():
    with pytest.raises(SourceError, match="models.csv: not UTF-8 at byte"):
        source_read(TEXT_CATEGORY, f"{HEADER}\r\nÖrg/Model,7".encode("latin-1"))


def test_a_csv_file_may_begin_with_a_byte_order_mark_and_hold_blank_lines():
    raw = b"\xef\xbb\xbf" + f"{HEADER}\n\n{make_row()}\n\n".encode()
    source = source_read(TEXT_CATEGORY, raw)
    assert source.issues == []
    assert [imported.name for imported in source.records] == ["Org/Model-7B"]
    assert source.text.encode() == raw
    assert "".join(row for _, row in csv_rows(source.text)).encode() == raw
    assert [name for name, _ in csv_rows(source.text)] == [None, None, "Org/Model-7B", None]


@pytest.mark.parametrize(
    ("cells", "name", "code", "reason"),
    [
        ({"name": " "}, "", "no_name", "has no name"),
        ({"name": "https://example.com/x"}, "https://example.com/x", "name_is_url", "the name is a URL"),
        (
            {"name": "koboldcpp/x-7B"},
            "koboldcpp/x-7B",
            "backend_prefix",
            "the name has a backend's prefix; such entries are made, not stored",
        ),
        (
            {"name": " aphrodite/Org/x "},
            "aphrodite/Org/x",
            "backend_prefix",
            "the name has a backend's prefix; such entries are made, not stored",
        ),
        ({"parameters_bn": "7B"}, "Org/Model-7B", "bad_parameters", "parameters_bn '7B' is not a number"),
        ({"parameters_bn": "nan"}, "Org/Model-7B", "bad_parameters", "parameters_bn 'nan' is not a number"),
        (
            {"parameters_bn": "1e999"},
            "Org/Model-7B",
            "bad_parameters",
            "parameters_bn '1e999' is not a number",
        ),
        (
            {"parameters_bn": "1e290"},
            "Org/Model-7B",
            "out_of_range",
            "parameters_bn is negative or larger than 64 bits hold",
        ),
        (
            {"parameters_bn": "-3"},
            "Org/Model-7B",
            "out_of_range",
            "parameters_bn is negative or larger than 64 bits hold",
        ),
        ({"settings": "top_p=1"}, "Org/Model-7B", "bad_settings", "settings is not JSON"),
        ({"settings": '"{""top_p"": NaN}"'}, "Org/Model-7B", "bad_settings", "settings is not JSON"),
        ({"settings": "[1]"}, "Org/Model-7B", "wrong_type", "settings must be an object"),
        (
            {"settings": '"{""top_p"": {""a"": 1}}"'},
            "Org/Model-7B",
            "nested",
            "settings.top_p must be a single value or a list of single values",
        ),
        (
            {"settings": '"{""top_p"": null}"'},
            "Org/Model-7B",
            "nested",
            "settings.top_p must be a single value or a list of single values",
        ),
        (
            {"settings": r'"{""stop_sequence"": ""\ud800""}"'},
            "Org/Model-7B",
            "not_storable",
            "holds what JSON in UTF-8 cannot carry",
        ),
    ],
)
def test_a_bad_row_is_skipped_with_its_line_and_its_neighbours_are_kept(cells, name, code, reason):
    source = read_csv(make_row(name="first"), make_row(**cells), make_row(name="last"))
    assert source.issues == [skipped(name, code, f"line 3: {reason}")]
    assert [imported.name for imported in source.records] == ["first", "last"]


def test_backend_prefixes_are_case_sensitive():
    source = read_csv(make_row(name="Aphrodite/x-7B"), make_row(name="vllm/x-7B"))
    assert source.issues == []
    assert [imported.name for imported in source.records] == ["Aphrodite/x-7B", "vllm/x-7B"]


def test_a_row_without_parameters_counts_none_and_warns():
    source = read_csv(make_row(parameters_bn=" "))
    assert source.issues == [warned("Org/Model-7B", "no_parameters", "has no number of parameters")]
    assert source.records[0].record["parameters"] == 0


def test_an_unknown_setting_is_kept_with_a_warning():
    source = read_csv(make_row(settings='"{""zzz"": 1}"'))
    assert source.issues == [warned("Org/Model-7B", "unknown_setting", "setting 'zzz' is not known")]
    assert source.records[0].record["settings"] == {"zzz": 1}


def test_the_last_good_row_of_a_name_counts_at_the_place_of_the_first():
    source = read_csv(
        make_row(description="old"),
        make_row(name="other"),
        make_row(description="new"),
        make_row(parameters_bn="?"),
    )
    assert source.issues == [
        warned(
            "Org/Model-7B",
            "repeated_record",
            "line 4: occurs more than once in the file; the last one counts",
        ),
        skipped("Org/Model-7B", "bad_parameters", "line 5: parameters_bn '?' is not a number"),
    ]
    assert [(imported.name, imported.record["description"]) for imported in source.records] == [
        ("Org/Model-7B", "new"),
        ("other", ""),
    ]


def test_cells_of_nothing_but_spaces_are_empty_and_others_keep_their_spaces():
    source = read_csv(
        make_row(
            name="  Org/Model-7B ",
            parameters_bn=" 12",
            display_name="  ",
            description=" ",
            style=" ",
            tags='" b,, a ,"',
            instruct_format=" Gemma 4",
            settings=" ",
        )
    )
    assert source.issues == []
    assert source.records[0].record == {
        "record_type": "text_generation",
        "name": "Org/Model-7B",
        "description": "",
        "version": "",
        "metadata": {"schema_version": "2.0.0"},
        "config": {"download": []},
        "model_classification": {"domain": "text", "purpose": "generation"},
        "baseline": "",
        "parameters": 12_000_000_000,
        "nsfw": False,
        "style": "",
        "display_name": "",
        "url": "",
        "tags": ["b", "a"],
        "instruct_format": " Gemma 4",
        "text_model_group": "Model",
    }


def test_columns_may_stand_in_any_order_and_further_ones_are_read_or_left_alone():
    header = "config,nsfw,version," + ",".join(reversed(CSV_COLUMNS))
    row = "junk,TRUE,2.0," + ",".join(reversed(make_row(url="https://example.com").split(",")))
    record = read_csv(row, header=header).records[0].record
    assert (record["nsfw"], record["version"], record["url"], record["name"], record["config"]) == (
        True,
        "2.0",
        "https://example.com",
        "Org/Model-7B",
        {"download": []},
    )


def test_record_errors_carry_their_code():
    error = RecordError("no_name", "has no name")
    assert (error.code, str(error)) == ("no_name", "has no name")
