"""Conversions of made-up records: what both formats can say survives every way round."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.legacy import (
    CSV_COLUMNS,
    category_dump,
    csv_row,
    csv_rows,
    entry_dump,
    legacy_from_record,
    legacy_normalised,
    legacy_overlay,
    record_from_legacy,
    source_read,
    text_entries,
)
from references.legacy.csv_rows import parameters_cell, parameters_from_cell
from references.legacy.text import automatic_display_name, automatic_tags
from references.text import split_backend
from references.vocabulary import IMAGE_BASELINES, ImageStyle

SMALL = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_objects and spec.name != IMAGE_CATEGORY]
WIDE_COLUMNS = (*CSV_COLUMNS, "version", "nsfw")

relaxed = settings(deadline=None, max_examples=60)

anything = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
words = st.lists(anything, max_size=3)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.strip)
scalars = (
    st.none()
    | anything
    | st.booleans()
    | st.integers(0, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
)
options = st.dictionaries(anything, scalars.filter(lambda value: value is not None) | words, max_size=3)
hashes = st.text("0123456789abcdefABCDEF", min_size=64, max_size=64)
paths = st.text("abcivt./", min_size=1, max_size=9) | st.just("civitai.safetensors")


def without_nulls(record: dict) -> dict:
    return {field: value for field, value in record.items() if value is not None}


@st.composite
def downloads(draw: st.DrawFn) -> list[dict]:
    return [
        without_nulls(
            {
                "file_name": path,
                "file_url": draw(anything),
                "sha256sum": draw(hashes | st.just("FIXME")),
                "content_hash": draw(st.none() | hashes),
                "file_purpose": draw(st.none() | st.sampled_from(["vae", "text_encoders"])),
                "known_slow_download": "civitai" in path,
            }
        )
        for path in draw(st.lists(paths, unique=True, max_size=4))
    ]


@st.composite
def configs(draw: st.DrawFn) -> dict:
    component_hashes = draw(st.none() | st.dictionaries(anything, anything, max_size=2))
    return without_nulls({"download": draw(downloads()), "embedded_component_hashes": component_hashes})


@st.composite
def image_records(draw: st.DrawFn, name: str = "model") -> dict:
    """Records as an import makes them, in that order."""
    return without_nulls(
        {
            "name": name,
            "description": draw(st.none() | anything),
            "version": draw(st.none() | anything),
            "config": draw(configs()),
            "size_on_disk_bytes": draw(st.none() | st.integers(0, 2**63 - 1)),
            "inpainting": draw(st.none() | st.just(True)),
            "baseline": draw(st.sampled_from(list(IMAGE_BASELINES))),
            "optimization": draw(st.none() | anything),
            "tags": [tag.strip() for tag in draw(words)],
            "showcases": draw(words),
            "min_bridge_version": draw(st.none() | st.integers(0, 99)),
            "trigger": draw(words),
            "homepage": draw(st.none() | anything),
            "nsfw": draw(st.booleans()),
            "style": draw(st.none() | st.sampled_from([str(style) for style in ImageStyle])),
            "requirements": draw(st.none() | options),
            "metadata": {},
        }
    )


@st.composite
def small_records(draw: st.DrawFn, category: str, name: str = "model") -> dict:
    spec = CATEGORIES[category]
    extra = {
        "controlnet": {"controlnet_style": draw(anything)},
        "clip": {"pretrained_name": draw(st.none() | anything)},
    }
    return without_nulls(
        {
            "record_type": category,
            "name": name,
            "description": draw(st.none() | anything),
            "version": draw(st.none() | anything),
            "metadata": {"schema_version": "2.0.0"},
            "config": draw(configs()),
            "model_classification": {"domain": str(spec.domain), "purpose": str(spec.purpose)},
            **extra.get(category, {}),
        }
    )


def records(category: str) -> st.SearchStrategy[dict]:
    return image_records() if category == IMAGE_CATEGORY else small_records(category)


categories = st.sampled_from([IMAGE_CATEGORY, *SMALL])
converted_pairs = categories.flatmap(lambda c: st.tuples(st.just(c), records(c), records(c)))


@st.composite
def shadows(draw: st.DrawFn) -> tuple[str, dict, dict]:
    """A category, a legacy object with all that v2 has no place for, and a v2 record it is changed to."""
    category, record, after = draw(converted_pairs)
    legacy = legacy_from_record(category, record)
    files = [{**file, "md5sum": f"md5 of {file['path']}"} for file in legacy["config"]["files"]]
    for number in range(draw(st.integers(0, 3))):
        files.insert(draw(st.integers(0, len(files))), {"path": f"{number}.yaml"})
    entries = [{**entry, "file_path": "there", "extra": 1} for entry in legacy["config"]["download"]]
    config = {
        **legacy["config"],
        "files": files,
        "download": draw(st.permutations(entries)),
        "remark": "kept",
    }
    extras = {"download_all": True, "available": True, "features_not_supported": ["x"], "curator": "Ada"}
    shadow = {**legacy, **extras, "config": config}
    if category in SMALL:
        shadow["style"] = "generalist"
    return category, dict(draw(st.permutations(list(shadow.items())))), after


@relaxed
@given(categories.flatmap(lambda category: st.tuples(st.just(category), records(category))))
def test_a_new_record_survives_the_way_through_version_1(case):
    category, record = case
    legacy = legacy_from_record(category, record)
    assert legacy_normalised(category, legacy) == legacy
    assert json.dumps(record_from_legacy(category, "model", legacy)[0]) == json.dumps(record)


@relaxed
@given(shadows())
def test_an_overlay_of_no_change_is_the_shadow(case):
    category, shadow, _ = case
    record = record_from_legacy(category, "model", shadow)[0]
    assert json.dumps(legacy_overlay(category, shadow, record, record)) == json.dumps(shadow)


@relaxed
@given(shadows())
def test_an_overlay_converts_to_the_changed_record_and_keeps_the_rest(case):
    category, shadow, after = case
    before = record_from_legacy(category, "model", shadow)[0]
    overlaid = legacy_overlay(category, shadow, before, after)
    assert json.dumps(record_from_legacy(category, "model", overlaid)[0]) == json.dumps(after)
    for field in ("download_all", "available", "features_not_supported", "curator"):
        assert overlaid[field] == shadow[field]
    if category in SMALL:
        assert overlaid["style"] == "generalist"
    assert overlaid["config"]["remark"] == "kept"
    assert [key for key in shadow if key in overlaid] == [key for key in overlaid if key in shadow]


@relaxed
@given(shadows())
def test_an_overlay_keeps_checksums_by_path_and_yaml_files_in_place(case):
    category, shadow, after = case
    before = record_from_legacy(category, "model", shadow)[0]
    files = legacy_overlay(category, shadow, before, after)["config"]["files"]
    old = {file["path"]: file.get("md5sum") for file in shadow["config"]["files"]}
    assert all(file.get("md5sum") == old.get(file["path"]) for file in files)
    yaml = [file for file in shadow["config"]["files"] if file["path"].endswith(".yaml")]
    assert [file for file in files if file["path"].endswith(".yaml")] == yaml
    for file in yaml:
        place = shadow["config"]["files"].index(file)
        assert files.index(file) == place or files[files.index(file) :] == yaml[yaml.index(file) :]


@st.composite
def text_records(draw: st.DrawFn) -> dict:
    """Records as an import makes them."""
    name = draw(
        names.map(str.strip).filter(lambda name: "://" not in name and split_backend(name)[0] is None)
    )
    plain = st.just("") | anything.filter(lambda cell: cell.strip() and "\0" not in cell)
    record = record_from_legacy(
        TEXT_CATEGORY,
        name,
        {
            "parameters": draw(st.integers(1, 10**13)),
            "nsfw": draw(st.booleans()),
            "settings": draw(options),
            **{
                field: draw(plain)
                for field in ("description", "version", "baseline", "display_name", "url", "instruct_format")
            },
        },
    )[0]
    record["style"] = draw(plain)
    tags = {tag.strip() for tag in draw(words) if tag.strip() and "," not in tag and "\0" not in tag}
    record["tags"] = sorted(tags - automatic_tags(record))
    if record["display_name"] == automatic_display_name(name):
        record["display_name"] = ""
    return record


@relaxed
@given(
    st.lists(text_records(), max_size=4, unique_by=lambda record: record["name"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_text_records_survive_the_way_through_csv(records, line_end):
    text = "".join(
        row + line_end for row in (",".join(WIDE_COLUMNS), *(csv_row(r, WIDE_COLUMNS) for r in records))
    )
    source = source_read(TEXT_CATEGORY, text.encode())
    assert [json.dumps(imported.record) for imported in source.records] == [json.dumps(r) for r in records]
    assert [name for name, _ in csv_rows(text)] == [None, *(record["name"] for record in records)]
    assert "".join(raw for _, raw in csv_rows(text)) == text


@relaxed
@given(text_records())
def test_a_text_entry_written_back_is_served_as_before(record):
    entries = text_entries(record)
    again = record_from_legacy(TEXT_CATEGORY, *entries[0])[0]
    assert json.dumps(text_entries(again)) == json.dumps(entries)


@relaxed
@given(st.integers(0, 10**13))
def test_every_number_of_parameters_has_a_cell(parameters):
    assert parameters_from_cell(parameters_cell(parameters)) == parameters


@relaxed
@given(
    st.dictionaries(anything, st.dictionaries(anything, scalars | words | options), min_size=1, max_size=4)
)
def test_a_dump_is_its_entries_joined(entries):
    joined = "{\n" + ",\n".join(entry_dump(key, entry) for key, entry in entries.items()) + "\n}\n"
    assert joined == category_dump(entries)
    assert json.loads(joined) == entries
