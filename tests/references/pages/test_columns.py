import pytest

from references.pages.columns import Selection, columns
from references.pages.facets import FACETS
from tests.factories import make_download, make_record

pytestmark = pytest.mark.django_db
GIB = 10**9


@pytest.fixture
def images() -> None:
    make_record(
        "image_generation",
        "Dawn",
        baseline="stable_diffusion_1",
        style="anime",
        tags=["retro", "scenes"],
        size_on_disk_bytes=2 * GIB,
        description="Soft light",
        config={"download": [make_download("dawn.safetensors", sha256sum="ab" * 32)]},
    )
    make_record(
        "image_generation",
        "dusk XL",
        style="anime",
        nsfw=True,
        tags=["retro"],
        size_on_disk_bytes=7 * GIB,
        showcases=["https://example.org/1.webp"],
    )
    make_record(
        "image_generation", "Noon", inpainting=True, trigger=["noon light"], style="realistic", tags=["sea"]
    )


def found(query: str = "", category: str = "image_generation", **chosen: tuple[str, ...]) -> list[str]:
    known = columns(category)
    flags = known.flags(known.mask(Selection(query, chosen)))
    return [name for name, is_in in zip(known.names, flags, strict=True) if is_in]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Dawn", "dusk XL", "Noon"]),
        ("d", ["Dawn", "dusk XL"]),
        ("LIGHT", ["Dawn", "Noon"]),
        ('"soft light"', ["Dawn"]),
        ("name:light", []),
        ("trigger:light", ["Noon"]),
        ("tag:retro dusk", ["dusk XL"]),
        ("style:anime", ["Dawn", "dusk XL"]),
        ("file:safetensors", ["Dawn"]),
        ("host:example.org", ["Dawn"]),
        ("abababababab", ["Dawn"]),
        ("hash:abab", ["Dawn"]),
        ("abab", []),
        ("size:>2GB", ["dusk XL"]),
        ("size:2GB", ["Dawn", "dusk XL"]),
        ("size:huge", []),
        ("a:b", []),
    ],
)
def test_search_looks_where_it_is_told(images, query, names):
    assert found(query) == names


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"style": ("anime", "realistic")}, ["Dawn", "dusk XL", "Noon"]),
        ({"tag": ("retro", "scenes")}, ["Dawn"]),
        ({"nsfw": ("yes",)}, ["dusk XL"]),
        ({"nsfw": ("no",), "style": ("anime",)}, ["Dawn"]),
        ({"size": ("2–3 GB", "6–8 GB")}, ["Dawn", "dusk XL"]),
        ({"with": ("pictures",)}, ["dusk XL"]),
        ({"with": ("inpainting", "trigger")}, ["Noon"]),
        ({"baseline": ("stable_diffusion_xl",)}, ["dusk XL", "Noon"]),
        ({"host": ("example.org",)}, ["Dawn"]),
        ({"style": ("no such style",)}, []),
        ({"nsfw": ("perhaps",)}, ["Dawn", "Noon"]),
    ],
)
def test_choices_narrow_down(images, chosen, names):
    assert found(**chosen) == names


def test_counts_tell_what_a_choice_would_leave(images):
    known = columns("image_generation")
    selection = Selection("", {"style": ("anime",), "tag": ("retro",)})
    assert known.counts(Selection("", {"style": ("anime",)}), FACETS["style"]) == {"anime": 2, "realistic": 1}
    assert known.counts(selection, FACETS["style"]) == {"anime": 2}
    assert known.counts(selection, FACETS["tag"]) == {"retro": 2, "scenes": 1}
    assert known.counts(selection, FACETS["nsfw"]) == {"no": 1, "yes": 1}


def test_only_properties_that_tell_models_apart_are_offered(images):
    assert [facet.name for facet in columns("image_generation").facets] == [
        "baseline", "style", "nsfw", "size", "tag", "with", "host",
    ]  # fmt: skip
    assert columns("lora").facets == []


def test_names_are_in_the_order_of_a_dictionary(images):
    known = columns("image_generation")
    assert [known.names[position] for position in known.by_name] == ["Dawn", "dusk XL", "Noon"]


def test_columns_follow_every_write(images):
    before = columns("image_generation")
    assert columns("image_generation") is before
    make_record("image_generation", "Night")
    assert found("night") == ["Night"]


def test_a_group_is_looked_up_by_its_whole_name():
    for name in ("a/Magnum-7B", "a/Magnum-12B", "a/Magnum-kto-7B"):
        make_record("text_generation", name, text_model_group="Magnum-kto" if "kto" in name else "Magnum")
    assert found("group:magnum", "text_generation") == ["a/Magnum-7B", "a/Magnum-12B"]
    assert columns("text_generation").group_sizes == {"Magnum": 2, "Magnum-kto": 1}


def test_the_records_are_gone_through_once_for_all_that_a_list_asks(images):
    known = columns("image_generation")
    gone_through = []

    class Counted(list):
        def __iter__(self):
            gone_through.append(1)
            return super().__iter__()

    known.records = Counted(known.records)
    assert [facet.name for facet in known.facets] == [
        "baseline",
        "style",
        "nsfw",
        "size",
        "tag",
        "with",
        "host",
    ]
    assert (known.sizes, known.groups) == ([2 * GIB, 7 * GIB, None], ["Dawn", "dusk XL", "Noon"])
    assert len(gone_through) == 1
    assert known.lowered("tag") == ["retro\nscenes", "retro", "sea"]
    assert known.lowered("description")[0] == "soft light"
    assert len(gone_through) == 2
