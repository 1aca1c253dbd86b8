import json
from urllib.parse import urlencode

import pytest

from references.models import ModelRecord
from references.services import record_put
from tests.conftest import IMPORTED_AT
from tests.factories import make_record
from tests.references.api import V2

pytestmark = pytest.mark.django_db


@pytest.fixture
def four_models() -> None:
    make_record("image_generation", "A", tags=["anime"], size_on_disk_bytes=10)
    make_record("image_generation", "B c", baseline="stable_diffusion_1", nsfw=True, inpainting=True)
    make_record("clip", "ViT-L/14")
    make_record("text_generation", "Auth/M-7B-Q4_K_M")


def found(client, path: str) -> list[str]:
    answer = client.get(f"{V2}/{path}")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert list(body) == ["results", "total", "offset", "limit", "has_more"]
    return [record["name"] for record in body["results"]]


def refusal(client, path: str) -> tuple[int, object]:
    answer = client.get(f"{V2}/{path}")
    return answer.status_code, answer.json()["detail"]


IMAGE_NAMES = ["A", "B c"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("image_generation/search", IMAGE_NAMES),
        ("image_generation/search?nsfw=false&baseline=stable_diffusion_xl", ["A"]),
        ("image_generation/search?inpainting=true", ["B c"]),
        ("image_generation/search?inpainting=false", ["A"]),
        ("image_generation/search?tags_any=anime&tags_any=zzz", ["A"]),
        ("image_generation/search?tags_all=anime&tags_all=zzz", []),
        ("image_generation/search?tags_none=anime", ["B c"]),
        ("image_generation/search?name_contains=B%20C", ["B c"]),
        ("image_generation/search?name_contains=B+C", ["B c"]),
        ("image_generation/search?name_contains=", IMAGE_NAMES),
        ("image_generation/search?sort_by=size_on_disk_bytes&sort_desc=true", ["A", "B c"]),
        ("image_generation/search?sort_by=size_on_disk_bytes", ["A", "B c"]),
        ("image_generation/search?sort_by=name&sort_desc=true", ["B c", "A"]),
        ("image_generation/search?sort_desc=true", IMAGE_NAMES),
        ("image_generation/search?sort_by=nsfw&sort_desc=true", ["B c", "A"]),
        ("image_generation/search?sort_by=model_classification__domain", IMAGE_NAMES),
        ("image_generation/search?sort_by=metadata__updated_at&sort_desc=true", IMAGE_NAMES),
        ("image_generation/search?sort_by=tags", ["B c", "A"]),
        ("image_generation/search?baseline=", []),
        ("image_generation/search?baseline=SDXL", []),
        ("image_generation/search?baseline=zzz&baseline=stable_diffusion_1", ["B c"]),
        ("image_generation/search?tags_any=", IMAGE_NAMES),
        ("image_generation/search?tags_any=%20anime%20&tags_any=", ["A"]),
        ("image_generation/search?tags_any=Anime", []),
        ("image_generation/search?tags_any=anime,zzz", []),
        (
            "image_generation/search?backend=koboldcpp&quantized=true&exclude_backend_variations=true",
            IMAGE_NAMES,
        ),
        ("image_generation/search?source=any", IMAGE_NAMES),
        ("image_generation/search?unknown=parameter", IMAGE_NAMES),
        ("image_generation/search?offset=1", ["B c"]),
        ("image_generation/search?offset=2", []),
        ("image_generation/search?limit=1", ["A"]),
        ("clip/search?tags_any=%20", ["ViT-L/14"]),
        ("text_generation/search?quantized=true&sort_by=parameters", ["Auth/M-7B-Q4_K_M"]),
        ("text_generation/search?quantized=false", []),
        ("text_generation/search?sort_by=parameters_count", ["Auth/M-7B-Q4_K_M"]),
        ("text_generation/search?backend=koboldcpp", []),
        ("text_generation/search?exclude_backend_variations=true", ["Auth/M-7B-Q4_K_M"]),
        ("text_generation/search?nsfw=false", ["Auth/M-7B-Q4_K_M"]),
        ("ti/search", []),
        ("lora/search?nsfw=true&baseline=x&tags_any=y", []),
        ("search", ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ("search?baseline=stable_diffusion_1", ["B c"]),
        ("search?inpainting=false", ["A"]),
        ("search?tags_none=anime", ["B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ("search?nsfw=false", ["A", "Auth/M-7B-Q4_K_M"]),
        ("search?quantized=true", ["Auth/M-7B-Q4_K_M"]),
        ("search?backend=aphrodite", []),
        ("search?exclude_backend_variations=true", ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ("search?name_contains=m-7", ["Auth/M-7B-Q4_K_M"]),
        ("search?sort_by=name&sort_desc=true", ["ViT-L/14", "B c", "Auth/M-7B-Q4_K_M", "A"]),
        ("search?sort_by=parameters", ["Auth/M-7B-Q4_K_M", "A", "B c", "ViT-L/14"]),
        ("search?limit=2&offset=1", ["B c", "Auth/M-7B-Q4_K_M"]),
    ],
)
def test_search_finds(four_models, client, path, names):
    assert found(client, path) == names


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", (2, 0, 50, False)),
        ("?limit=1", (2, 0, 1, True)),
        ("?limit=1&offset=1", (2, 1, 1, False)),
        ("?limit=500&offset=9999", (2, 9999, 500, False)),
        ("?limit=2", (2, 0, 2, False)),
        ("?limit=7&limit=1", (2, 0, 1, True)),
        ("?limit=%201%20", (2, 0, 1, True)),
        ("?nsfw=true&limit=1", (1, 0, 1, False)),
        ("?offset=9223372036854775807", (2, 2**63 - 1, 50, False)),
    ],
)
def test_a_page_tells_where_it_lies(four_models, client, query, page):
    body = client.get(f"{V2}/image_generation/search{query}").json()
    assert (body["total"], body["offset"], body["limit"], body["has_more"]) == page


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "On", "t", "Y"])
@pytest.mark.parametrize("parameter", ["nsfw", "inpainting"])
def test_yes_in_many_spellings(four_models, client, parameter, word):
    assert found(client, f"image_generation/search?{parameter}={word}") == ["B c"]


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "OFF", "f", "n"])
def test_no_in_many_spellings(four_models, client, word):
    assert found(client, f"image_generation/search?nsfw={word}") == ["A"]


@pytest.mark.parametrize(
    ("query", "parameter", "kind"),
    [
        ("limit=501", "limit", "less_than_equal"),
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=-1", "limit", "greater_than_equal"),
        ("offset=-1", "offset", "greater_than_equal"),
        ("limit=ten", "limit", "int_parsing"),
        ("limit=", "limit", "int_parsing"),
        ("limit=1.5", "limit", "int_parsing"),
        ("limit=1e2", "limit", "int_parsing"),
        ("offset=%D9%A1", "offset", "int_parsing"),
        ("nsfw=maybe", "nsfw", "bool_parsing"),
        ("nsfw=", "nsfw", "bool_parsing"),
        ("inpainting=2", "inpainting", "bool_parsing"),
        ("sort_desc=desc", "sort_desc", "bool_parsing"),
        ("quantized=q4", "quantized", "bool_parsing"),
        ("exclude_backend_variations=", "exclude_backend_variations", "bool_parsing"),
        ("limit=1&limit=x", "limit", "int_parsing"),
    ],
)
@pytest.mark.parametrize("path", ["image_generation/search", "search"])
def test_a_parameter_of_the_wrong_form_is_told_by_name(four_models, client, path, query, parameter, kind):
    status, problems = refusal(client, f"{path}?{query}")
    assert status == 422
    assert [(problem["type"], problem["loc"]) for problem in problems] == [(kind, ["query", parameter])]
    assert all(problem["msg"] for problem in problems)


def test_bounds_are_told_with_the_problem(four_models, client):
    _, [problem] = refusal(client, "search?limit=501")
    assert (problem["input"], problem["ctx"]) == ("501", {"le": 500})


def test_all_problems_of_a_query_are_told_at_once(four_models, client):
    status, problems = refusal(client, "search?limit=x&nsfw=maybe&offset=-1")
    assert status == 422
    assert {tuple(problem["loc"]) for problem in problems} == {
        ("query", "limit"),
        ("query", "nsfw"),
        ("query", "offset"),
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("clip/search?nsfw=true", ["nsfw", "clip"]),
        ("clip/search?baseline=x", ["baseline", "clip"]),
        ("clip/search?tags_none=x", ["tags_none", "clip"]),
        ("controlnet/search?tags_all=x", ["tags_all", "controlnet"]),
        ("text_generation/search?inpainting=true", ["inpainting", "text_generation"]),
        ("lora/search?inpainting=false", ["inpainting", "lora"]),
        ("image_generation/search?sort_by=bogus", ["bogus", "baseline"]),
        ("image_generation/search?sort_by=", ["sort"]),
        ("image_generation/search?sort_by=config", ["config"]),
        ("image_generation/search?sort_by=requirements", ["requirements"]),
        ("image_generation/search?sort_by=parameters", ["parameters"]),
        ("image_generation/search?sort_by=metadata__bogus", ["metadata__bogus"]),
        ("image_generation/search?sort_by=Name", ["Name"]),
        ("clip/search?sort_by=baseline", ["baseline"]),
        ("image_generation/search?source=bogus", ["bogus"]),
        ("image_generation/search?source=", ["source"]),
        ("search?source=bogus", ["bogus"]),
        ("search?sort_by=bogus", ["bogus"]),
        ("search?sort_by=settings", ["settings"]),
        ("text_generation/search?backend=vllm", ["vllm"]),
        ("text_generation/search?backend=", ["backend"]),
        ("search?backend=vllm", ["vllm"]),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(four_models, client, path, words):
    status, detail = refusal(client, path)
    assert status == 400
    assert isinstance(detail, str)
    assert [word for word in words if word not in detail] == []


@pytest.mark.parametrize("category", ["bogus", "stable_diffusion", "IMAGE_GENERATION"])
def test_search_in_an_unknown_category_is_refused_in_a_sentence(client, category):
    for query in ("", "?limit=x"):
        status, detail = refusal(client, f"{category}/search{query}")
        assert status == 422
        assert isinstance(detail, str)
        assert category in detail
        assert "image_generation" in detail


# Results


def test_results_have_defaults_and_no_nulls(client):
    sparse = {
        "name": "A",
        "baseline": "flux_1",
        "nsfw": False,
        "style": None,
        "config": {"download": []},
        "mine": 1,
    }
    record_put(category="image_generation", name="A", record=sparse, legacy={"name": "A"})
    [result] = client.get(f"{V2}/image_generation/search").json()["results"]
    assert result == {
        "record_type": "image_generation",
        "name": "A",
        "metadata": {"schema_version": "2.0.0"},
        "config": {"download": []},
        "model_classification": {"domain": "image", "purpose": "generation"},
        "inpainting": False,
        "baseline": "flux_1",
        "tags": [],
        "showcases": [],
        "trigger": [],
        "nsfw": False,
        "mine": 1,
    }
    assert client.get(f"{V2}/image_generation/model/A").json() == sparse


def test_text_results_have_their_parameters_under_both_names(four_models, client):
    for path in ("text_generation/search", "search?name_contains=M-7B"):
        [result] = client.get(f"{V2}/{path}").json()["results"]
        assert result["parameters"] == result["parameters_count"] == 7_000_000_000
    assert "parameters_count" not in client.get(f"{V2}/text_generation/model/Auth/M-7B-Q4_K_M").json()


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "X", "baseline": "removed_baseline", "nsfw": False},
        {"name": "X", "baseline": 5, "nsfw": "perhaps", "tags": "anime", "config": None},
        {"name": "X"},
        {},
        {
            "name": None,
            "tags": [1, None, "anime"],
            "size_on_disk_bytes": "large",
            "metadata": [],
            "requirements": 3,
        },
    ],
)
def test_a_record_that_lost_its_schema_is_served_as_it_is_and_breaks_nothing(four_models, client, broken):
    make_record("image_generation", "X")
    ModelRecord.objects.filter(name="X").update(record=json.dumps(broken))
    assert client.get(f"{V2}/image_generation/search").json()["results"][2] == broken
    fields = ("name", "baseline", "nsfw", "tags", "size_on_disk_bytes", "metadata__updated_at", "style")
    for path in ("image_generation/search", "search"):
        total = 3 if path.startswith("image") else 5
        for query in ({}, *({"sort_by": field, "sort_desc": down} for field in fields for down in (0, 1))):
            assert client.get(f"{V2}/{path}?{urlencode(query)}").json()["total"] == total
        for query in ("nsfw=false", "tags_any=anime", "tags_none=x", "name_contains=x", "inpainting=false"):
            assert client.get(f"{V2}/{path}?{query}").status_code == 200


def test_models_of_one_name_are_found_in_each_category(client):
    make_record("ti", "same")
    make_record("lora", "same")
    results = client.get(f"{V2}/search?name_contains=SAME").json()["results"]
    assert [result["record_type"] for result in results] == ["lora", "ti"]


def test_nulls_are_last_both_ways_and_ties_stay_in_stored_order(client):
    sizes = {"a": None, "b": 5, "c": 9, "d": 5, "e": None}
    for name, size in sizes.items():
        make_record("lora", name, size_on_disk_bytes=size)
    assert found(client, "lora/search?sort_by=size_on_disk_bytes") == ["b", "d", "c", "a", "e"]
    assert found(client, "lora/search?sort_by=size_on_disk_bytes&sort_desc=1") == ["c", "b", "d", "a", "e"]


def test_strings_sort_by_code_point(client):
    for name in ("b", "B", "é", "a", "Z", "10", "9"):
        make_record("lora", name)
    assert found(client, "lora/search?sort_by=name") == ["10", "9", "B", "Z", "a", "b", "é"]


def test_prefixed_names_are_found_by_their_backend(client):
    for name in ("Org/M", "aphrodite/Org/M", "koboldcpp/M", "Aphrodite/M"):
        make_record("text_generation", name)
    assert found(client, "text_generation/search?backend=aphrodite") == ["aphrodite/Org/M"]
    assert found(client, "search?backend=koboldcpp") == ["koboldcpp/M"]
    assert found(client, "text_generation/search?exclude_backend_variations=true") == ["Org/M", "Aphrodite/M"]


def test_a_name_that_says_unquantized_is_not_quantized(client):
    for name in ("Org/M-7B-unquantized-q4_0", "Org/M-7B-q4_0", "Org/M-7B"):
        make_record("text_generation", name)
    assert found(client, "text_generation/search?quantized=true") == ["Org/M-7B-q4_0"]
    assert found(client, "text_generation/search?quantized=false") == [
        "Org/M-7B-unquantized-q4_0",
        "Org/M-7B",
    ]


def test_what_is_written_is_found_at_once(four_models, client):
    assert found(client, "image_generation/search?tags_any=new") == []
    make_record("image_generation", "A", tags=["new"])
    assert found(client, "image_generation/search?tags_any=new") == ["A"]
    assert found(client, "search?tags_any=new") == ["A"]


# Over the real reference


def test_paging_visits_every_model_once_in_stored_order(real_reference, client):
    stored = list(ModelRecord.objects.in_category("text_generation").in_stored_order().names())
    pages = [
        client.get(f"{V2}/text_generation/search?limit=300&offset={offset}").json()
        for offset in (0, 300, 600)
    ]
    assert [record["name"] for page in pages for record in page["results"]] == stored
    assert [page["has_more"] for page in pages] == [True, True, False]
    assert {page["total"] for page in pages} == {719}


def test_imported_records_are_shown_with_what_their_import_left_out(real_reference, client):
    [result] = client.get(f"{V2}/image_generation/search?name_contains=stable_diffusion_2.1").json()[
        "results"
    ]
    stored = ModelRecord.objects.get(category="image_generation", name="stable_diffusion_2.1").as_dict()
    assert {name: result[name] for name in stored if name != "metadata"} == {
        name: value for name, value in stored.items() if name != "metadata"
    }
    assert (result["inpainting"], result["record_type"]) == (False, "image_generation")
    assert result["metadata"]["created_at"] == IMPORTED_AT
    assert None not in result.values()
    assert json.dumps(result)
