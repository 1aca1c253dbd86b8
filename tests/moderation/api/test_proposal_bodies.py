"""Bodies that nobody should send, as proposals."""

import pytest

from moderation.models import PendingChange
from tests.moderation.api.callers import REQUESTOR, V2, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

CLIPS = f"{V2}/clip"
JSON = "application/json"


def sized(digits: bytes) -> bytes:
    """A record whose size is written like this."""
    return b'{"name": "N", "size_on_disk_bytes": ' + digits + b"}"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"", JSON, (422, "missing")),
        (b"null", JSON, (422, "missing")),
        (b"{", JSON, (422, "json_invalid")),
        (b'{"name": "\xff"}', JSON, (422, "json_invalid")),
        (b'{"name": "N", "config": NaN}', JSON, (422, "json_invalid")),
        (b'{"name": "N"}', "text/plain", (422, "model_attributes_type")),
        (b"name=N", "application/x-www-form-urlencoded", (422, "model_attributes_type")),
        (b'{"name": "\\ud800"}', JSON, (422, "string_unicode")),
        (b'{"name": "\\u0000"}', JSON, (422, "value_error")),
        (sized(b"1e999"), JSON, (422, "finite_number")),
        (sized(b"9" * 5000), JSON, (422, "finite_number")),
        (sized(b"9" * 30), JSON, (422, "int_parsing_size")),
        (b"[" * 100_000, JSON, (422, "json_invalid")),
        (b" " * (5 * 1024 * 1024 + 1), JSON, (413, "Request body too large.")),
    ],
)  # fmt: skip
def test_a_hostile_body_is_refused_and_unseen_without_a_key(body, content_type, expected):
    response = send("POST", CLIPS, body, key=REQUESTOR, content_type=content_type)
    detail = response.json()["detail"]
    assert (response.status_code, detail if isinstance(detail, str) else detail[0]["type"]) == expected
    assert send("POST", CLIPS, body, content_type=content_type).status_code == 401
    assert PendingChange.objects.count() == 0


@pytest.mark.parametrize("depth", [10, 100, 900, 980, 5000])
@pytest.mark.parametrize("member", ["unknown", "description", "config", "finetune_series"])
def test_a_deep_member_is_refused_or_dropped(depth, member):
    body = b'{"name": "N", "%s": ' % member.encode() + b'{"a":[' * depth + b"]}" * depth + b"}"
    assert send("POST", CLIPS, body, key=REQUESTOR).status_code in (202, 422)
