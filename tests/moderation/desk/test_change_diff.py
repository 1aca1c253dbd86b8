"""The diff of a change: what it would take back, what it would leave as it is, and the addresses one can open."""

import pytest

from moderation.models import PendingChange
from references.services import json_text, record_put
from tests.factories import make_download, make_v2
from tests.moderation.desk.test_change import _text, cells, path, show
from tests.moderation.factories import (
    IMAGES,
    apply_at_once,
    make_live,
    propose_create,
    propose_delete,
    propose_update,
    stamps,
)
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
LOST = "lost Only others changed it: overwriting takes a later edit back"
CLASH = "clash Both sides changed it: overwriting replaces a later edit"


@pytest.fixture
def ada(sign_in):
    return sign_in("Ada")


@pytest.fixture
def stale() -> PendingChange:
    """Proposed by one; since then others edited tags and description alone, and did the rest as proposed."""
    make_live("painter", description="base", nsfw=False, style="generalist", tags=[], version="1")
    change = propose_update(
        "painter", description="mine", nsfw=True, style="anime", tags=[], version="2", metadata=stamps()
    )
    others = {"description": "theirs", "nsfw": True, "style": "anime", "tags": ["fast"], "version": "1"}
    record_put(
        category=IMAGES, name="painter", record=make_v2(IMAGES, "painter", metadata=stamps(), **others)
    )
    return change


def heads(client, change: PendingChange) -> dict[str, str]:
    """What stands beside each field of the table of differences."""
    body = client.get(path(change)).content.decode()
    table = body.split('<table class="diff')[1].split("</table>")[0]
    rows = [_text(row.split("</th>")[0]) for row in table.split('<th scope="row">')[1:]]
    return {field: words for field, _, words in (row.partition(" ") for row in rows)}


def told(client, change: PendingChange, query: str = "") -> str:
    return show(client, change, query).text.replace(" ,", ",").replace(" .", ".")


def folded(client, change: PendingChange) -> dict[str, str]:
    body = client.get(path(change)).content.decode()
    fold = body.split("unchanged</summary>")[1].split("</details>")[0]
    pairs = (pair.split("</dt>") for pair in fold.split("<dt>")[1:])
    return {field: _text(value) for field, value in pairs}


def opened(client, address: str) -> list[dict]:
    page = Page(client.get(address))
    return [link for link in page.all("a", rel="noopener noreferrer nofollow") if "class" not in link]


def test_a_field_that_only_others_changed_says_that_it_would_be_lost(ada, stale):
    assert heads(ada, stale) == {"description": CLASH, "tags": LOST, "version": ""}
    assert cells(ada, stale, "tags") == ["[]", "fast", "[]"]
    assert cells(ada, stale, "version") == ["1", "1", "2"]


@pytest.mark.parametrize("view", ["side", "inline", "raw"])
def test_what_would_be_lost_is_named_above_every_view(ada, stale, view):
    text = told(ada, stale, f"?view={view}")
    assert (
        "Clashing fields: description. Overwriting would take back what others since wrote in tags." in text
    )


def test_what_is_live_as_proposed_is_folded_even_if_it_is_critical(ada, stale):
    kept = folded(ada, stale)
    already = "same as now: others made this change already"
    assert (kept["nsfw"], kept["style"]) == (f"true {already}", f"anime {already}")
    assert kept["baseline"] == "stable_diffusion_xl"
    assert list(kept)[:2] == ["nsfw", "style"]
    assert {"description", "tags", "version"}.isdisjoint(kept)


def test_what_others_dropped_as_proposed_is_folded_too(ada):
    make_live("painter", description="base", homepage="https://example.org/")
    change = propose_update("painter", description="mine", metadata=stamps())
    theirs = make_v2(IMAGES, "painter", description="theirs", metadata=stamps())
    record_put(category=IMAGES, name="painter", record=theirs)
    assert heads(ada, change) == {"description": CLASH}
    assert folded(ada, change)["homepage"] == "not there same as now: others made this change already"


def test_a_model_that_is_gone_loses_nothing_to_its_proposal(ada):
    make_live("painter", description="base")
    change = propose_update("painter", description="mine", metadata=stamps())
    apply_at_once(propose_delete("painter"))
    assert set(heads(ada, change).values()) <= {"", "critical"}
    assert "Overwriting would take back" not in show(ada, change).text


def test_a_change_that_still_fits_has_neither_marks_nor_words_on_others(ada):
    make_live("painter", description="base")
    change = propose_update("painter", description="mine", metadata=stamps())
    assert heads(ada, change) == {"description": ""}
    assert "others made this change" not in show(ada, change).text


@pytest.mark.parametrize("view", ["", "?view=inline"])
def test_proposed_addresses_can_be_opened(ada, view):
    make_live("painter", homepage="https://old.example.org/", showcases=["https://example.org/1.png"])
    change = propose_update(
        "painter",
        description="Read https://example.org/words first.",
        homepage="http://new.example.org/?a=1&b=2",
        showcases=["https://example.org/1.png", "https://example.org/2.png"],
        config={"download": [make_download("a.bin", file_url="https://example.org/a.bin")]},
        metadata=stamps(),
    )
    found = opened(ada, path(change, view))
    assert {link["href"] for link in found} == {
        "http://new.example.org/?a=1&b=2",
        "https://old.example.org/",
        "https://example.org/2.png",
        "https://example.org/a.bin",
    }


def test_the_link_stands_beside_its_address(ada):
    file = make_download("a.bin", file_url="https://example.org/a.bin", sha256sum="a" * 64)
    change = propose_create("painter", homepage="https://example.org/", config={"download": [file]})
    assert cells(ada, change, "homepage") == ["not there", "https://example.org/ open"]
    assert cells(ada, change, "config.download")[1] == (
        f"a.bin file_url: https://example.org/a.bin open sha256sum: {'a' * 64}"
    )


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://example.org/", "https://", "//example.org/", "https://a b.org/"]
)
def test_other_addresses_are_text_alone(ada, address):
    make_live("painter")
    change = propose_update("painter", metadata=stamps())
    payload = {**change.payload_as_dict(), "homepage": address}
    PendingChange.objects.filter(pk=change.pk).update(payload=json_text(payload))
    assert cells(ada, change, "homepage") == ["not there", address]
    assert address not in [link["href"] for link in opened(ada, path(change))]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (propose_create, "It gets entries under the names that backends give it"),
        (propose_update, "Its entries under the names that backends give it change with it"),
        (
            propose_delete,
            "Its entries under the names that backends give it go with it, if no other model has them",
        ),
    ],
)
def test_the_names_of_a_text_model_are_told_by_what_becomes_of_them(ada, operation, words):
    if operation is not propose_create:
        make_live("Org/Base-7B", category="text_generation")
    text = told(ada, operation("Org/Base-7B", category="text_generation"))
    assert f"{words}: aphrodite/Org/Base-7B, koboldcpp/Base-7B." in text
    assert ("go with it" in text) == (operation is propose_delete)
