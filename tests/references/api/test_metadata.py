import pytest

from references.categories import CATEGORIES
from references.models import Category
from references.services import record_delete, records_import
from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.factories import make_imported, make_record
from tests.references.api import V1, V2

pytestmark = pytest.mark.django_db

FIELDS = [
    "category",
    "last_updated",
    "last_operation_type",
    "last_operation_model",
    "total_creates",
    "total_updates",
    "total_deletes",
    "total_models",
    "initialization_time",
    "last_successful_operation",
    "error_count",
    "metadata_schema_version",
    "backend_type",
]
PATHS = ["last_updated", "metadata", "lora", "lora/last_updated"]
BEGUN = 1_700_000_000


@pytest.fixture(autouse=True)
def begun_long_ago():
    Category.objects.update(initialized_at=BEGUN, last_updated=BEGUN, last_successful_operation=BEGUN)


@pytest.fixture(params=[(V2, CanonicalFormat.V2), (V1, CanonicalFormat.LEGACY)], ids=["v2", "v1"])
def mount(request, settings) -> str:
    """Each mount on a deployment whose canonical format it is that of."""
    base, settings.CANONICAL_FORMAT = request.param
    return f"{base}/metadata"


def test_a_category_that_never_changed_tells_when_it_began(client, mount):
    assert client.get(f"{mount}/lora").json() == {
        **dict.fromkeys(("last_updated", "initialization_time", "last_successful_operation"), BEGUN),
        **dict.fromkeys(
            ("total_creates", "total_updates", "total_deletes", "total_models", "error_count"), 0
        ),
        "category": "lora",
        "last_operation_type": None,
        "last_operation_model": None,
        "metadata_schema_version": "1.0.0",
        "backend_type": client.get(f"{mount}/ti").json()["backend_type"],
    }


def test_operations_are_counted_and_the_last_one_is_told(client, mount):
    make_record("lora", "A", at=BEGUN + 10)
    make_record("lora", "B", at=BEGUN + 20)
    make_record("lora", "A", at=BEGUN + 30, homepage="h")
    record_delete(category="lora", name="B", at=BEGUN + 40)
    told = client.get(f"{mount}/lora").json()
    assert list(told) == FIELDS
    assert {name: told[name] for name in FIELDS[:11]} == {
        "category": "lora",
        "last_updated": BEGUN + 40,
        "last_operation_type": "delete",
        "last_operation_model": "B",
        "total_creates": 2,
        "total_updates": 1,
        "total_deletes": 1,
        "total_models": 1,
        "initialization_time": BEGUN,
        "last_successful_operation": BEGUN + 40,
        "error_count": 0,
    }
    assert told["metadata_schema_version"] == "1.0.0"
    assert isinstance(told["backend_type"], str)
    assert told["backend_type"]


def test_an_import_moves_the_time_and_no_counter(client, mount):
    make_record("lora", "A", at=BEGUN + 10)
    records_import(category="lora", records=[make_imported("B")], at=BEGUN + 20)
    told = client.get(f"{mount}/lora").json()
    assert (told["last_updated"], told["total_models"]) == (BEGUN + 20, 2)
    assert (told["total_creates"], told["last_operation_model"]) == (1, "A")


def test_all_categories_at_once_are_the_same_as_each_alone(client, mount):
    make_record("clip", "ViT-L/14", at=BEGUN + 5)
    together = client.get(f"{mount}/metadata").json()
    assert list(together) == list(CATEGORIES)
    assert together == {name: client.get(f"{mount}/{name}").json() for name in CATEGORIES}
    assert together["clip"]["total_models"] == 1


def test_last_updated_is_that_of_the_category_and_the_latest_of_all(client, mount):
    make_record("lora", "A", at=BEGUN + 50)
    make_record("clip", "A", at=BEGUN + 20)
    assert client.get(f"{mount}/lora/last_updated").json() == {"category": "lora", "last_updated": BEGUN + 50}
    assert client.get(f"{mount}/clip/last_updated").json() == {"category": "clip", "last_updated": BEGUN + 20}
    assert client.get(f"{mount}/last_updated").json() == {"last_updated": BEGUN + 50}


def test_without_any_metadata_the_latest_time_is_null(client, mount):
    Category.objects.all().delete()
    assert client.get(f"{mount}/last_updated").json() == {"last_updated": None}
    assert client.get(f"{mount}/lora").status_code == 404
    assert client.get(f"{mount}/lora/last_updated").status_code == 404


@pytest.mark.parametrize("path", ["bogus", "bogus/last_updated", "CLIP", "stable_diffusion", "clip.json"])
def test_an_unknown_category_is_a_problem_of_the_path(client, mount, path):
    answer = client.get(f"{mount}/{path}")
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == ("enum", ["path", "model_category_name"])
    assert problem["input"] == path.split("/")[0]
    assert all(name in problem["ctx"]["expected"] for name in CATEGORIES)


@pytest.mark.parametrize("path", [*PATHS, "bogus", "bogus/last_updated"])
@pytest.mark.parametrize("base", [V1, V2])
def test_a_replica_has_none(client, settings, base, path):
    settings.REPLICATE_MODE = ReplicateMode.REPLICA
    for canonical in CanonicalFormat:
        settings.CANONICAL_FORMAT = canonical
        answer = client.get(f"{base}/metadata/{path}")
        assert answer.status_code == 503
        assert "REPLICA mode" in answer.json()["detail"]


@pytest.mark.parametrize("path", [*PATHS, "bogus", "bogus/last_updated"])
@pytest.mark.parametrize(
    ("base", "canonical", "needed"),
    [(V2, CanonicalFormat.LEGACY, "v2"), (V1, CanonicalFormat.V2, "legacy")],
)
def test_only_the_mount_of_the_canonical_format_has_them(client, settings, base, canonical, needed, path):
    settings.CANONICAL_FORMAT = canonical
    answer = client.get(f"{base}/metadata/{path}")
    assert answer.status_code == 503
    assert f"canonical_format='{needed}'" in answer.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_polling_asks_each_time_and_costs_nothing_while_nothing_changed(client, mount, path):
    first = client.get(f"{mount}/{path}")
    assert "max-age=0" in first.headers["Cache-Control"]
    again = client.get(f"{mount}/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_record("lora", "A")
    changed = client.get(f"{mount}/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_metadata_of_all_categories_take_one_query(client, mount, path, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(f"{mount}/{path}")
