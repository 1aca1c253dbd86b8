import logging
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from references.categories import CATEGORIES
from references.models import Category, LegacySource, ModelRecord
from references.services import record_delete
from references.sync import missing_categories_seed
from references.vocabulary import ReplicateMode
from tests.factories import make_record
from tests.hordedouble import stop_clock
from tests.recorded import legacy_dir
from tests.references.syncing import running_real_files

pytestmark = pytest.mark.django_db

LEGACY = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]


@pytest.fixture
def double(settings, monkeypatch):
    stop_clock(monkeypatch)
    with running_real_files(settings, monkeypatch) as double:
        yield double


def everything() -> tuple:
    return tuple(
        list(model.objects.order_by("pk").values()) for model in (Category, ModelRecord, LegacySource)
    )


def import_github(**options: Any) -> str:
    out = StringIO()
    call_command("import_github", stdout=out, **options)
    return out.getvalue()


def test_import_github_imports_the_real_repositories(double):
    before = everything()
    assert import_github(dry_run=True).endswith("Dry run: nothing was changed.\n")
    assert everything() == before
    import_github()
    from_github = everything()[1]
    assert len(from_github) == 913
    assert double.count("lora") == 0
    ModelRecord.objects.all().delete()
    call_command("import_legacy", str(legacy_dir()), stdout=StringIO())
    assert [row["record"] for row in everything()[1]] == [row["record"] for row in from_github]


@pytest.mark.parametrize("mode", ["404", "500", "html", "cut", "down"])
def test_a_download_that_breaks_changes_nothing(double, mode):
    make_record("clip", "mine")
    before = everything()
    double.modes["miscellaneous.json"] = [mode] * 3
    with pytest.raises(CommandError, match=r"miscellaneous\.json.*\nNothing was changed\.$") as failure:
        import_github()
    assert failure.value.returncode == 1
    assert everything() == before


@pytest.fixture
def seeding(settings):
    settings.GITHUB_SEED_ENABLED = True
    settings.REPLICATE_MODE = ReplicateMode.PRIMARY


def counts() -> dict[str, int]:
    held = Category.objects.with_model_count().values_list("name", "model_count")
    return {name: count for name, count in held if count}


def test_only_categories_that_were_never_filled_are_seeded(double, seeding):
    make_record("clip", "mine")
    make_record("blip", "gone")
    record_delete(category="blip", name="gone")
    missing_categories_seed()
    held = counts()
    assert held.pop("clip") == 1
    assert held == {
        "image_generation": 161,
        "text_generation": 719,
        "controlnet": 18,
        "esrgan": 6,
        "gfpgan": 1,
        "codeformer": 1,
        "safety_checker": 1,
        "miscellaneous": 2,
    }
    assert double.count("clip.json") + double.count("blip.json") == 0
    before, calls = everything(), double.calls.total()
    missing_categories_seed()
    assert everything() == before
    assert double.calls.total() == calls


def test_a_category_that_cannot_be_had_is_logged_and_tried_at_the_next_start(double, seeding, caplog):
    double.modes["clip.json"] = ["html"] * 3
    with caplog.at_level(logging.INFO, logger="references"):
        missing_categories_seed()
    assert "clip" not in counts()
    assert len(counts()) == len(LEGACY) - 1
    assert "clip is not filled: from GitHub: clip.json: not JSON" in caplog.text
    assert "blip is filled with 2 models" in caplog.text
    missing_categories_seed()
    assert counts()["clip"] == 2


@pytest.mark.parametrize(("enabled", "mode"), [(False, ReplicateMode.PRIMARY), (True, ReplicateMode.REPLICA)])
def test_nothing_is_seeded_unasked_or_on_a_replica(double, settings, enabled, mode):
    settings.GITHUB_SEED_ENABLED = enabled
    settings.REPLICATE_MODE = mode
    missing_categories_seed()
    assert double.calls == {}
