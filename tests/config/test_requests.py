import json
from urllib.parse import quote

import pytest

from tests.factories import make_record
from tests.references.api import V2, ask

pytestmark = pytest.mark.django_db
SEARCH = f"{V2}/image_generation/search?name_contains="


def named(target: str, charset: str | None = None) -> list[str]:
    headers = {"Content-Type": f"text/plain; charset={charset}"} if charset else {}
    answer = ask(target, headers=headers)
    assert answer.status == 200
    return [record["name"] for record in answer.json()["results"]]


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16-le", "utf-7", "base64", "no-charset"])
def test_an_address_means_the_same_whatever_charset_a_request_names(charset):
    make_record("image_generation", "Über")
    make_record("image_generation", "Other")
    for part, found in ((quote("Über"), ["Über"]), ("xyz", [])):
        assert named(SEARCH + part, charset) == found
        # As the next one is told who asks the same.
        assert named(SEARCH + part) == found


def test_a_body_is_utf_8_whatever_charset_it_names():
    body = json.dumps({"base_name": "Über", "size": "7B"}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=iso-8859-1"}
    answer = ask(f"{V2}/text_generation/compose_name", method="POST", headers=headers, body=body)
    assert answer.json()["composed_name"] == "Über-7B"
