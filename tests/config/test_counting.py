import os
import subprocess
import sys

import pytest
from prometheus_client import REGISTRY

from config.counting import Counted, folder_prepare, request_kind

V2 = "/api/model_references/v2"


def counted(path: str, status: str = "200 OK", error: type[Exception] | None = None) -> list[bytes]:
    def application(environ, start_response):
        if error:
            raise error
        start_response(status, [("Content-Type", "text/plain")])
        return [b"body"]

    started = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET"}
    body = Counted(application)(environ, lambda *given: started.append(given))
    assert started == [(status, [("Content-Type", "text/plain")])]
    return body


def count(kind: str, status: str, sample: str = "count", **labels: str) -> float:
    name = f"horde_model_reference_http_request_seconds_{sample}"
    return REGISTRY.get_sample_value(name, {"kind": kind, "status": status, **labels}) or 0


def test_a_request_counts_once_with_its_kind_its_status_and_its_time():
    before = count("category", "304"), count("category", "304", "bucket", le="+Inf")
    assert counted(f"{V2}/clip", "304 Not Modified") == [b"body"]
    assert (count("category", "304"), count("category", "304", "bucket", le="+Inf")) == (
        before[0] + 1,
        before[1] + 1,
    )
    assert 0 < count("category", "304", "sum") < 5


def test_a_request_that_fails_counts_as_such():
    before = count("search", "500")
    with pytest.raises(ZeroDivisionError):
        counted(f"{V2}/search", error=ZeroDivisionError)
    assert count("search", "500") == before + 1


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{V2}/clip", "category"),
        ("/model_references/v2/clip", "category"),
        ("/api/model_references/v1/stable_diffusion.json", "category"),
        (f"{V2}/clip/model/ViT-L/14", "record"),
        (f"{V2}/text_generation/model/search", "record"),
        (f"{V2}/search", "search"),
        (f"{V2}/clip/search", "search"),
        (f"{V2}/by-hash/abc", "search"),
        (f"{V2}/image_generation/popular", "statistics"),
        ("/api/model_references/statistics/clip", "statistics"),
        (f"{V2}/metadata/last_updated", "metadata"),
        (f"{V2}/pending_queue/changes/1/diff", "queue"),
        (f"{V2}/clip/pending", "queue"),
        (f"{V2}/text_generation/groups/summary", "text_utils"),
        (f"{V2}/made/up", "other"),
        ("/api/model_references/v3/clip", "other"),
        ("/api/heartbeat", "service"),
        ("/heartbeat", "service"),
        ("/metrics", "service"),
        ("/admin/x", "admin"),
        ("/static/site.css", "static"),
        ("/", "page"),
        ("/made/up", "page"),
    ],
)
def test_paths_are_of_few_kinds(path, kind):
    assert request_kind(path) == kind


def test_the_counts_of_servers_that_have_ended_are_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (str(ended.pid), str(os.getpid()), "notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "histogram_1.db").touch()
    folder_prepare(tmp_path / "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([str(os.getpid()), "1", "notes"])


def test_beside_a_folder_that_somebody_chose_nothing_is_removed(tmp_path):
    # No process has so high a number.
    release = tmp_path / "20260101"
    release.mkdir()
    folder_prepare(tmp_path / "metrics")
    assert sorted(tmp_path.iterdir()) == [release, tmp_path / "metrics"]


def test_processes_count_together(tmp_path):
    code = (
        "from config.counting import Counted\n"
        "answer = lambda environ, start: start('200 OK', []) or []\n"
        "Counted(answer)({'PATH_INFO': '/', 'REQUEST_METHOD': 'GET'}, lambda *given: None)\n"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert len(list(tmp_path.glob("histogram_*.db"))) == 3
    code = (
        "import sys\n"
        "from prometheus_client import CollectorRegistry\n"
        "from prometheus_client.multiprocess import MultiProcessCollector\n"
        "registry = CollectorRegistry()\n"
        "MultiProcessCollector(registry)\n"
        "labels = {'kind': 'page', 'status': '200'}\n"
        "name = 'horde_model_reference_http_request_seconds_count'\n"
        "sys.stdout.write(str(registry.get_sample_value(name, labels)))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert told.stdout == "3.0"
