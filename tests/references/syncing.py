"""What tests of the sync job share: a service and repositories that are in step, and how the job is told of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import LazySettings

from references.categories import TEXT_CATEGORY
from references.exports import CSV_FILE, DB_FILE
from references.legacy import category_dump, text_entries
from references.sync import SyncOptions
from tests.factories import make_csv_file, make_legacy
from tests.githubdouble import TOKEN, GitHubDouble, only_loopback, running_github
from tests.recorded import legacy_dir

V1 = "model_references/v1"
CLIP = {"A": make_legacy("clip", "A"), "B": make_legacy("clip", "B")}
BLIP = {"C": make_legacy("blip", "C")}
ROW = {"name": "Org/A-7B", "parameters_bn": "7"}
TEXT = dict(text_entries({"name": "Org/A-7B", "parameters": 7_000_000_000}))
MORE_TEXT = {**TEXT, **dict(text_entries({"name": "Org/New-7B", "parameters": 7_000_000_000}))}


@contextmanager
def running_in_step(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubDouble]:
    """Three categories, with a service that says of them what the repositories say."""
    only_loopback(monkeypatch)
    images = {"clip.json": json.dumps(CLIP, indent="\t").encode(), "blip.json": category_dump(BLIP).encode()}
    texts = {CSV_FILE: make_csv_file(ROW).encode(), DB_FILE: category_dump(TEXT).encode()}
    images["README.md"] = texts["defaults.json"] = b"untouched"
    with running_github(settings, images, texts) as double:
        double.primary = {
            f"{V1}/clip": dict(CLIP),
            f"{V1}/blip": dict(BLIP),
            f"{V1}/{TEXT_CATEGORY}": dict(TEXT),
            "replicate_mode": {"replicate_mode": "PRIMARY", "canonical_format": "v2", "writable": True},
            "model_references/v2/metadata/last_updated": {"last_updated": 1},
        }
        yield double


@contextmanager
def running_real_files(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubDouble]:
    """Both repositories as they are."""
    only_loopback(monkeypatch)
    files = {
        side: {path.name: path.read_bytes() for path in (legacy_dir() / side).iterdir()}
        for side in ("image", "text")
    }
    with running_github(settings, files["image"], files["text"]) as double:
        yield double


def make_options(double: GitHubDouble | None, **given: Any) -> SyncOptions:
    fields = {
        "primary_api_url": double.primary_url if double else "",
        "primary_api_timeout": 5,
        "token": TOKEN,
        "app_id": "",
        "installation_id": "",
        "private_key": "",
        "private_key_path": "",
        "categories": ["clip", "blip", TEXT_CATEGORY],
        "min_changes": 1,
        "reviewers": [],
        "labels": ["automated", "sync"],
        "team": "",
        "dry_run": False,
        "no_pr": False,
        "output_dir": "",
        "watch": False,
        "watch_interval": 60,
    }
    return SyncOptions(**{**fields, **given})
