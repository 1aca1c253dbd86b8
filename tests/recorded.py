"""Finds the recorded answers and legacy files that lie beside the project; without them, tests skip."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def golden(*parts: str) -> Any:
    """A recorded answer, parsed: `golden("v2", "clip.json")`."""
    return json.loads(_existing(SHARED.joinpath("golden", *parts)).read_text(encoding="utf-8"))


def legacy_dir() -> Path:
    """The folder with the raw files of the two legacy repositories."""
    return _existing(SHARED / "data" / "legacy")


def _existing(path: Path) -> Path:
    if not path.exists():
        reason = f"recorded data is missing: {path.relative_to(SHARED.parent)}"
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
