import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from references.categories import CATEGORIES
from references.models import ModelRecord
from references.services import record_delete, record_put, sources_import
from tests.factories import make_download, make_legacy, make_record, make_source, make_v2
from tests.recorded import golden
from tests.references.api import V2

pytestmark = pytest.mark.django_db

HASH = "0123456789abcdef" * 4
OTHER = "f" * 64


def make_model(category: str, name: str, *files: dict) -> ModelRecord:
    return make_record(category, name, config={"download": list(files)})


def holders(client, digest: str) -> list[dict]:
    answer = client.get(f"{V2}/by-hash/{digest}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert list(body) == ["sha256", "models"]
    assert body["sha256"] == digest.lower()
    return body["models"]


def test_a_file_is_found_in_every_category_that_has_it(client):
    make_model("image_generation", "A", make_download("a.ckpt", sha256sum=HASH))
    make_model("image_generation", "B", make_download("b.ckpt", sha256sum=OTHER))
    make_model("clip", "ViT-L/14", make_download("x", sha256sum=OTHER), make_download("y", sha256sum=HASH))
    found = [("image_generation", "A", "a.ckpt"), ("clip", "ViT-L/14", "y")]
    found.sort(key=lambda each: [*CATEGORIES].index(each[0]))
    assert holders(client, HASH) == [
        {
            "category": category,
            "name": name,
            "file_name": file_name,
            "file_url": f"https://example.org/{file_name}",
        }
        for category, name, file_name in found
    ]


@pytest.mark.parametrize("stored", [HASH, HASH.upper()])
@pytest.mark.parametrize("asked", [HASH, HASH.upper(), HASH.title()])
def test_case_does_not_matter(client, stored, asked):
    make_model("clip", "A", make_download("a", sha256sum=stored))
    assert [model["name"] for model in holders(client, asked)] == ["A"]


def test_a_file_that_no_model_holds_is_found_in_none(client):
    make_model("clip", "A", make_download("a", sha256sum=OTHER), make_download("b"))
    assert holders(client, HASH) == []


@pytest.mark.parametrize("given", ["FIXME", HASH[:-1], HASH + "0", "g" * 64, f"{HASH}%0A", "%C3%A9" * 64])
def test_what_is_no_hash_is_refused(client, given):
    answer = client.get(f"{V2}/by-hash/{given}")
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["path", "sha256"]
    assert problem["type"] == "string_pattern_mismatch"


def test_the_answer_follows_every_write(client):
    make_model("clip", "A", make_download("a", sha256sum=HASH))
    before = client.get(f"{V2}/by-hash/{HASH}")
    again = client.get(f"{V2}/by-hash/{HASH}", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 304
    changed = make_v2("clip", "A", config={"download": [make_download("b", sha256sum=OTHER)]})
    record_put(category="clip", name="A", record=changed)
    assert holders(client, HASH) == []
    assert [model["file_name"] for model in holders(client, OTHER)] == ["b"]
    record_delete(category="clip", name="A")
    assert holders(client, OTHER) == []


def test_imported_files_may_lack_what_they_should_tell(client):
    files = [{"sha256sum": HASH}, {"sha256sum": 7}, {"file_name": 1, "file_url": None, "sha256sum": HASH}, 5]
    record_put(category="lora", name="A", record=make_v2("lora", "A") | {"config": {"download": files}})
    nameless = {"category": "lora", "name": "A", "file_name": None, "file_url": None}
    assert holders(client, HASH) == [nameless, nameless]


def test_models_of_legacy_files_are_found(client):
    legacy = make_legacy("clip", "A", config={"files": [{"path": "a.pt", "sha256sum": HASH}]})
    sources_import([make_source("clip", legacy)])
    assert [(model["name"], model["file_name"]) for model in holders(client, HASH)] == [("A", "a.pt")]


def test_a_second_request_reads_no_records(client):
    make_model("clip", "A", make_download("a", sha256sum=HASH))
    holders(client, HASH)
    with CaptureQueriesContext(connection) as queries:
        holders(client, HASH)
    assert len(queries) == len(CATEGORIES)
    assert not any(ModelRecord._meta.db_table in query["sql"] for query in queries)


def test_every_hash_of_the_real_reference_leads_to_its_model(client, real_sources):
    sources_import(real_sources)
    for category in ("image_generation", "esrgan"):
        for name, record in golden("v2", f"{category}.json").items():
            for entry in record["config"]["download"]:
                if entry.get("sha256sum", "FIXME") != "FIXME":
                    assert {
                        "category": category,
                        "name": name,
                        "file_name": entry["file_name"],
                        "file_url": entry["file_url"],
                    } in holders(client, entry["sha256sum"])
