import pytest

from references.pages import values


@pytest.mark.parametrize(
    "url", ["https://a.example/x", "http://a.example", "HTTPS://A.example/?q=1#x", "https://ä.example/ü"]
)
def test_web_addresses_may_be_gone_to(url):
    assert values.web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\tjavascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//a.example/x",
        "/local",
        "https:///nothing",
        "https:",
        "https://",
        "http://a.example/ x",
        "https://a.example\\@b.example",
        "https://a.example/\u202etxt.exe",
        "http://[::1",
        "",
        None,
        7,
        ["https://a.example"],
    ],
)
def test_nothing_else_may(url):
    assert values.web_url(url) == ""


def test_a_record_that_breaks_its_schema_is_read_as_far_as_it_goes():
    record = {
        "description": ["no", "text"],
        "tags": "anime",
        "metadata": 5,
        "finetune_series": [],
        "requirements": "x",
        "config": {
            "download": [None, {"file_name": 3, "file_url": "https://a.example/f", "size_bytes": "big"}]
        },
    }
    assert values.text(record, "description") == ""
    assert values.texts(record, "tags") == []
    assert values.metadata_time(record, "updated_at") is None
    assert values.member_text(record, "finetune_series", "name") == ""
    assert values.pairs(record, "requirements") == []
    [file] = values.model_files(record)
    assert (file.name, file.host, file.size, file.lacks_hash) == ("", "a.example", None, True)


@pytest.mark.parametrize(("sha256", "lacks"), [("FIXME", True), ("", True), (None, True), ("ab" * 32, False)])
def test_a_placeholder_is_no_checksum(sha256, lacks):
    record = {
        "config": {"download": [{"file_name": "f", "file_url": "https://a.example/f", "sha256sum": sha256}]}
    }
    assert values.lacks_hash(record) is lacks
