from moderation.telling import tells_critical, told_diffs

IMPORTED = {
    "name": "Old",
    "description": "as it was",
    "baseline": "stable_diffusion_1",
    "nsfw": False,
    "config": {"download": [{"file_name": "a", "file_url": "https://example.org/a", "sha256sum": "f" * 64}]},
}
FILLED_IN = {
    **IMPORTED,
    "record_type": "image_generation",
    "inpainting": False,
    "style": "",
    "tags": [],
    "metadata": {"schema_version": "2.0.0", "created_at": 1, "updated_at": 2},
    "model_classification": {"domain": "image", "purpose": "generation"},
}


def paths(diffs):
    return [diff.path for diff in diffs]


def test_what_the_service_fills_in_says_nothing():
    telling, idle = told_diffs("image_generation", IMPORTED, FILLED_IN)
    assert paths(telling) == []
    assert {"inpainting", "record_type", "style", "tags", "metadata.updated_at"} <= set(paths(idle))
    assert not tells_critical("image_generation", IMPORTED, FILLED_IN)


def test_what_somebody_changed_says_something_among_all_that_is_filled_in():
    changed = {**FILLED_IN, "description": "better", "inpainting": True}
    assert sorted(paths(told_diffs("image_generation", IMPORTED, changed).telling)) == [
        "description",
        "inpainting",
    ]
    assert tells_critical("image_generation", IMPORTED, changed)
    assert not tells_critical("image_generation", IMPORTED, {**FILLED_IN, "description": "better"})


def test_a_new_record_tells_all_but_empty_fields_and_stamps():
    telling, idle = told_diffs("image_generation", None, FILLED_IN)
    assert {"name", "inpainting", "baseline"} <= set(paths(telling))
    assert set(paths(idle)) == {"style", "tags", "metadata.created_at", "metadata.updated_at"}


def test_a_record_that_breaks_its_schema_is_told_as_it_is():
    broken = {"name": "Old", "nsfw": "maybe"}
    assert paths(told_diffs("image_generation", broken, {**broken, "inpainting": False}).telling) == [
        "inpainting"
    ]
