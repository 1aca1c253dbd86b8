from urllib.parse import quote

import pytest

from references.categories import CATEGORIES
from references.services import record_delete, record_put
from tests.factories import make_record, make_v2
from tests.recorded import golden
from tests.references.api import V2, ask

pytestmark = pytest.mark.django_db

RECORDED = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
EMPTY = [name for name in CATEGORIES if name not in RECORDED]
EVERY_NAME = [
    "image_generation",
    "text_generation",
    "clip",
    "controlnet",
    "blip",
    "esrgan",
    "gfpgan",
    "codeformer",
    "safety_checker",
    "video_generation",
    "audio_generation",
    "miscellaneous",
    "lora",
    "ti",
]
# Names that some layer of an HTTP stack may take for something else.
AWKWARD_NAMES = [
    "A",
    "B c",
    "ViT-L/14",
    "a/b/c/d",
    "100%",
    "100%25",
    "%2F",
    "a%2Fb",
    "C++",
    "1 + 1",
    "ünï/模型 🦄",
    "e\u0301",
    "what?",
    "a#b",
    "a&b=c;d",
    "a:b@c!d$e'f(g)h*i,j",
    '"quoted"',
    "[brackets]{braces}|pipe^caret`tick~",
    "<script>alert(1)</script>",
    "search",
    "popular",
    "add",
    "pending",
    "model",
    "model/model",
    "metadata",
    "group/common_fields",
    "name_exception",
    "x/name_exception",
    "ends.json",
    "..a",
    "a..",
    "x" * 255,
]


def model_url(category: str, name: str) -> str:
    return f"{V2}/{category}/model/{quote(name, safe='')}"


# Whole categories


@pytest.mark.parametrize("category", RECORDED)
def test_categories_are_answered_as_recorded(real_reference, client, category):
    answer = client.get(f"{V2}/{category}")
    recorded = golden("v2", f"{category}.json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == recorded
    assert list(answer.json()) == list(recorded)
    assert [list(record) for record in answer.json().values()] == [
        list(record) for record in recorded.values()
    ]
    assert ask(f"{V2}/{category}").body == answer.content


@pytest.mark.parametrize("category", RECORDED)
def test_each_model_is_the_same_alone_as_in_its_category(real_reference, client, category):
    recorded = golden("v2", f"{category}.json")
    for name in list(recorded)[:: max(1, len(recorded) // 8)]:
        for url in (model_url(category, name), f"{V2}/{category}/model/{quote(name)}"):
            assert ask(url).json() == client.get(url).json() == recorded[name]


@pytest.mark.parametrize("category", [*EMPTY, "bogus", "stable_diffusion", "clip.json", "CLIP", "clip ", "ü"])
def test_empty_and_unknown_categories_are_not_found(real_reference, client, category):
    url = f"{V2}/{quote(category)}"
    expected = {"detail": f"Model category '{category}' not found"}
    for answer in (client.get(url), ask(url)):
        assert (getattr(answer, "status_code", None) or answer.status, answer.json()) == (404, expected)


def test_a_category_that_lost_its_last_model_is_not_found(client):
    make_record("lora", "A")
    assert client.get(f"{V2}/lora").json() == {"A": make_record("lora", "A").as_dict()}
    record_delete(category="lora", name="A")
    assert client.get(f"{V2}/lora").status_code == ask(f"{V2}/lora").status == 404


@pytest.mark.parametrize("prefix", ["/api", ""])
def test_all_categories_are_named_in_their_order(client, prefix):
    for version in ("v1", "v2"):
        answer = client.get(f"{prefix}/model_references/{version}/model_categories")
        assert (answer.status_code, answer.json()) == (200, EVERY_NAME)


def test_what_is_written_is_read_at_once_in_stored_order(client):
    for name in ("z", "a"):
        make_record("lora", name)
    assert list(ask(f"{V2}/lora").json()) == ["z", "a"]
    make_record("lora", "z", homepage="new")
    assert [(name, record.get("homepage")) for name, record in ask(f"{V2}/lora").json().items()] == [
        ("z", "new"),
        ("a", None),
    ]


def test_a_record_is_found_by_the_name_it_is_known_by_even_if_it_says_another(empty_reference, client):
    record = make_v2("controlnet", "control_qr_xl")
    record_put(category="controlnet", name="control_qr_sdxl", record=record)
    assert client.get(model_url("controlnet", "control_qr_sdxl")).json()["name"] == "control_qr_xl"
    assert client.get(model_url("controlnet", "control_qr_xl")).status_code == 404
    assert list(client.get(f"{V2}/controlnet").json()) == ["control_qr_sdxl"]


# Names


@pytest.mark.parametrize("category", ["image_generation", "text_generation"])
@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_every_name_is_addressed_by_encoding_it_once(client, category, name):
    stored = make_record(category, name)
    for url in (model_url(category, name), f"{V2}/{category}/model/{quote(name, safe='/')}"):
        for answer in (client.get(url), ask(url)):
            assert answer.json() == stored.as_dict(), url


@pytest.mark.parametrize(
    ("stored", "path"),
    [
        ("ViT-L/14", "ViT-L%252F14"),
        ("Deliberate", "deliberate"),
        ("1 1", "1+1"),
        ("1+1", "1%201"),
        ("A", "A%2F%2F"),
        ("A", "%20A"),
        ("A", "A%00"),
        ("A", "A%0A"),
        ("A", "A%ff"),
        ("é", "e%CC%81"),
        ("A", "../image_generation/model/A"),
        ("A", "A.json"),
        ("Marx-3B", "koboldcpp/Marx-3B"),
    ],
)
def test_another_name_does_not_find_a_model(client, stored, path):
    make_record("image_generation", stored)
    make_record("text_generation", stored)
    for category in ("image_generation", "text_generation"):
        for answer in (client.get(f"{V2}/{category}/model/{path}"), ask(f"{V2}/{category}/model/{path}")):
            assert (getattr(answer, "status_code", None) or answer.status) == 404, category
            assert isinstance(answer.json()["detail"], str)


def test_a_missing_model_is_told_with_its_category(client):
    make_record("image_generation", "A")
    assert client.get(f"{V2}/image_generation/model/foo/bar").json() == {
        "detail": "Model 'foo/bar' not found in category 'image_generation'"
    }
    for category in ("lora", "bogus"):
        answer = client.get(f"{V2}/{category}/model/foo")
        assert answer.status_code == 404
        assert category in answer.json()["detail"]


def test_a_model_is_found_whether_or_not_the_process_has_read_its_category(client):
    stored = make_record("clip", "ViT-L/14")
    url = model_url("clip", "ViT-L/14")
    cold = client.get(url)
    client.get(f"{V2}/clip")
    warm = client.get(url)
    assert cold.content == warm.content == stored.record.encode()
    for header in ("ETag", "Last-Modified", "X-Model-Reference-Revision"):
        assert cold.headers[header] == warm.headers[header]


def test_without_the_prefix_the_same_is_answered(client):
    make_record("clip", "ViT-L/14")
    for path in ("clip", "clip/model/ViT-L%2F14", "clip/search", "search", "info", "model_categories"):
        bare = client.get(f"/model_references/v2/{path}")
        assert bare.status_code == 200
        assert bare.content == client.get(f"{V2}/{path}").content
