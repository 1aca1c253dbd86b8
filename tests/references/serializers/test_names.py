"""The rules for names."""

import pytest

from references.categories import CATEGORIES
from references.problems import BadRequest, Unprocessable
from references.serializers import backend_prefix_check, name_check


@pytest.mark.parametrize(
    "name",
    [
        "N",
        "x/y",
        "a b",
        "Stable Diffusion v1.5 (inpainting)",
        "ViT-L/14",
        "模型",
        "..a",
        "a/...",
        "search",
        "n" * 255,
    ],
)
def test_ordinary_names_pass(name: str):
    name_check(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "blank"),
        ("  ", "blank"),
        ("\t", "blank"),
        ("a\\b", "backslash"),
        (" a", "whitespace"),
        ("a\u3000", "whitespace"),
        ("/a", "slash"),
        ("a/", "slash"),
        ("a//b", "slash"),
        ("/", "slash"),
        (".", "segment"),
        ("..", "segment"),
        ("a/../b", "segment"),
        ("a/.", "segment"),
        ("a\nb", "control"),
        ("a\x7f", "control"),
        ("a\x85b", "control"),
        ("n" * 256, "255"),
    ],
)
def test_bad_names_are_unprocessable(name: str, reason: str):
    with pytest.raises(Unprocessable) as caught:
        name_check(name)
    assert caught.value.status_code == 422
    assert isinstance(caught.value.detail, str)
    assert reason in caught.value.detail


@pytest.mark.parametrize("name", ["koboldcpp/x", "aphrodite/P/x", "aphrodite/"])
def test_text_models_are_submitted_without_a_backend(name: str):
    with pytest.raises(BadRequest) as caught:
        backend_prefix_check("text_generation", name)
    assert caught.value.status_code == 400
    assert caught.value.detail == f"'{name}' carries a backend prefix; submit the base name."


@pytest.mark.parametrize("name", ["vllm/x", "Aphrodite/x", "x/koboldcpp/y", "koboldcpp", "koboldcpp-x/y"])
def test_other_prefixes_are_authors(name: str):
    backend_prefix_check("text_generation", name)


@pytest.mark.parametrize("category", [name for name in CATEGORIES if name != "text_generation"])
def test_only_text_models_have_backends(category: str):
    backend_prefix_check(category, "koboldcpp/x")
