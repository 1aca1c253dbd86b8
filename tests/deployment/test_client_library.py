"""The published client library as a replica of a live server, by its public interface alone."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.backends import migrated
from tests.deployment.clients import MODEL, V2, Writer
from tests.moderation.factories import IMAGES
from tests.moderation.processes import Site, live_server

pytestmark = pytest.mark.deployment

LIBRARY, VERSION = "horde-model-reference", "8.6.2"
OLDEST = (3, 12)
# Longer than the library takes to read all categories one after the other.
CACHE_SECONDS = 20
INSTALL_PATIENCE = 300
PATIENCE = 60
TEXTS = "text_generation"


@pytest.fixture(scope="session")
def library() -> Path:
    """An interpreter that has the library, in an environment kept for the next run."""
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "model-reference-tests"
    environment = kept / f"{LIBRARY}-{VERSION}"
    python, done = environment / "bin" / "python", environment / ".installed"
    if not done.exists():
        found = interpreter()
        if found is None:
            pytest.skip(f"the client library needs Python {OLDEST[0]}.{OLDEST[1]}, which is not installed")
        subprocess.run([found, "-m", "venv", "--clear", environment], check=True, timeout=INSTALL_PATIENCE)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", f"{LIBRARY}=={VERSION}"],
            check=True,
            timeout=INSTALL_PATIENCE,
        )
        done.touch()
    return python


def interpreter() -> Path | None:
    """The oldest installed Python that is new enough, in the path or among those of pyenv."""
    minors = range(OLDEST[1], OLDEST[1] + 5)
    candidates = [shutil.which(f"python3.{minor}") for minor in minors]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates += sorted(path for minor in minors for path in pyenv.glob(f"3.{minor}.*/bin/python"))
    # A shim of pyenv is there for versions that are not chosen, too, and fails.
    return next((Path(path) for path in candidates if path and works(path)), None)


def works(python: str | Path) -> bool:
    return subprocess.run([python, "-c", "import venv"], stderr=subprocess.DEVNULL).returncode == 0


class Replica:
    """A process that uses the library."""

    def __init__(self, process: subprocess.Popen, log: Path) -> None:
        self._process = process
        self._log = log

    def tell(self, *words: str) -> None:
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def seen(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-4000:]
        return json.loads(line)


@contextmanager
def replica(library: Path, site: Site, folder: Path) -> Iterator[Replica]:
    log = folder / "log"
    process = subprocess.Popen(
        [library, Path(__file__).with_name("replica.py")],
        cwd=folder,
        env={
            "HOME": str(folder),
            "AIWORKER_CACHE_HOME": str(folder),
            "HORDE_MODEL_REFERENCE_PRIMARY_API_URL": site.base,
            "HORDE_MODEL_REFERENCE_CACHE_TTL_SECONDS": str(CACHE_SECONDS),
            # Everything it shows must come from the server.
            "HORDE_MODEL_REFERENCE_ENABLE_GITHUB_FALLBACK": "false",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log.open("wb"),
        text=True,
    )
    try:
        yield Replica(process, log)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_library_reads_this_server_and_sees_what_changes(library: Path, tmp_path: Path) -> None:
    store = migrated(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path)
    folder = tmp_path / "client"
    folder.mkdir()
    with live_server(store, workers=2) as site:
        writer = Writer(site)
        writer.begin()
        images, texts = (site.send("GET", f"{V2}/{name}").json() for name in (IMAGES, TEXTS))
        with replica(library, site, folder) as client:
            seen = client.seen()
            assert seen["types"] == ["ImageGenerationModelRecord", "TextGenerationModelRecord"]
            assert (seen["images"], seen["texts"]) == (sorted(images), sorted(texts))
            assert seen["counted"] == len(texts)
            assert seen["sizes"] == {name: record["parameters"] for name, record in texts.items()}
            assert seen["checksums"] == {
                name: [file["sha256sum"] for file in record["config"]["download"]]
                for name, record in images.items()
            }
            assert seen["found"] == sorted(
                name
                for name, record in images.items()
                if record["baseline"] == "stable_diffusion_xl" and not record["nsfw"]
            )
            assert MODEL in seen["found"]
            assert writer.write()
            client.tell(MODEL, str(writer.truth.answered))
            assert client.seen() == {"description": str(writer.truth.answered)}
