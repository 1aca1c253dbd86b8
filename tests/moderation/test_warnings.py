"""What a reviewer would ask about a record."""

import pytest

from moderation.warnings import RecordWarning, record_warnings
from tests.factories import make_download, make_record

pytestmark = pytest.mark.django_db
IMAGES = "image_generation"
HASH = "0123456789abcdef" * 4
OWN_HASH = "fedcba9876543210" * 4


def warned(name: str = "fresh", category: str = IMAGES, **fields: object) -> list[RecordWarning]:
    file = make_download("own.bin", file_url="https://huggingface.co/own.bin", sha256sum=OWN_HASH)
    record = {"name": name, "config": {"download": [file]}, **fields}
    return record_warnings(category=category, name=name, record=record)


def of_file(**fields: object) -> list[tuple[str, str]]:
    file = make_download("a.bin", **{"file_url": "https://huggingface.co/a.bin", "sha256sum": HASH, **fields})
    return [(warning.path, warning.text) for warning in warned(config={"download": [file]})]


def test_a_record_with_nothing_odd_raises_no_question():
    assert of_file() == []
    assert warned(homepage="https://example.org/") == []


@pytest.mark.parametrize("other", ["Fresh", "FRESH", "fre sh", "fre_sh", "fre-sh"])
def test_a_name_that_is_easily_mistaken_for_another_is_noticed(other):
    make_record(IMAGES, other)
    (found,) = warned("fresh")
    assert (found.path, found.level) == ("name", "notice")
    assert other in found.text


def test_a_model_is_no_duplicate_of_itself_nor_of_one_in_another_category():
    make_record(IMAGES, "fresh", config={"download": [make_download("a.bin", sha256sum=HASH)]})
    make_record("clip", "Fresh")
    assert of_file() == []


def test_a_file_that_another_model_has_is_noticed_whatever_its_category():
    make_record("clip", "other", config={"download": [make_download("b.bin", sha256sum=HASH.upper())]})
    assert of_file() == [("config.download.0.sha256sum", "other in clip has a file with the same hash.")]


def test_one_hash_for_two_files_of_a_record_is_noticed():
    files = [
        make_download(name, file_url="https://huggingface.co/a.bin", sha256sum=HASH)
        for name in ("a.bin", "b.bin")
    ]
    (found,) = warned(config={"download": files})
    assert (found.path, found.text) == (
        "config.download.1.sha256sum",
        "File 1 of this record has the same hash.",
    )


@pytest.mark.parametrize("second", ["a.bin", " A.BIN "])
def test_one_name_for_two_files_of_a_record_is_serious(second):
    files = [
        make_download(name, file_url="https://huggingface.co/a.bin", sha256sum=digest)
        for name, digest in (("a.bin", HASH), ("b.bin", OWN_HASH), (second, "13579bdf" * 8))
    ]
    (found,) = warned(config={"download": files})
    assert (found.path, found.level) == ("config.download.2.file_name", "serious")
    assert found.text == "File 1 of this record has the same name, so one would replace the other."


@pytest.mark.parametrize("names", [("", ""), (None, None), (7, 7)])
def test_files_without_a_name_are_not_taken_for_each_other(names):
    files = [
        {"file_name": name, "file_url": "https://huggingface.co/a.bin", "sha256sum": digest}
        for name, digest in zip(names, (HASH, OWN_HASH), strict=True)
    ]
    assert warned(config={"download": files}) == []


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        ("FIXME", "hash is missing"),
        ("fixme", "hash is missing"),
        ("", "hash is missing"),
        (None, "hash is missing"),
        ("0" * 64, "placeholder"),
        ("ab" * 32, "placeholder"),
        ("abc", "no SHA-256"),
        ("z" * 64, "no SHA-256"),
    ],
)
def test_a_hash_that_proves_nothing_is_noticed(digest, words):
    ((path, text),) = of_file(sha256sum=digest)
    assert path == "config.download.0.sha256sum"
    assert words in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://huggingface.co/a.bin", "does not use HTTPS"),
        ("a.bin", "is no complete web address"),
        ("https://[", "is no complete web address"),
        ("", "has no address"),
        (None, "has no address"),
        ("https://example.org/a.bin", "example.org is not a preferred host; preferred: huggingface.co."),
        ("https://nothuggingface.co/a.bin", "nothuggingface.co is not a preferred host"),
    ],
)
def test_an_address_that_workers_may_not_get_the_file_from_is_noticed(url, words):
    ((path, text),) = of_file(file_url=url)
    assert path == "config.download.0.file_url"
    assert words in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://civitai.com/models/123", "names no version"),
        ("https://civitai.com/models/123/name", "names no version"),
        ("https://civitai.com/models/123?modelVersionId=4", "is a page of Civitai, not a file"),
        ("https://civitai.com/api/download/models/", "is a page of Civitai, not a file"),
        ("https://civitai.com/api/download/models/4", None),
        ("https://civitai.com/api/download/models/4?type=Model", None),
    ],
)
def test_civitai_links_have_to_name_the_version(settings, url, words):
    settings.PREFERRED_FILE_HOSTS = ["civitai.com"]
    texts = [text for _, text in of_file(file_url=url)]
    assert (texts == []) if words is None else words in texts[0]


def test_without_preferred_hosts_any_host_will_do(settings):
    settings.PREFERRED_FILE_HOSTS = []
    assert of_file(file_url="https://example.org/a.bin") == []


@pytest.mark.parametrize("field", ["homepage", "url"])
def test_other_addresses_are_looked_at_too(field):
    (found,) = warned(**{field: "http://example.org"})
    assert (found.path, found.text) == (field, "The address does not use HTTPS.")


@pytest.mark.parametrize("field", ["homepage", "url", "showcases"])
@pytest.mark.parametrize(
    ("address", "level"),
    [
        ("http://example.org/a.png", "notice"),
        ("not a url", "serious"),
        ("javascript:alert(1)", "serious"),
        ("javascript://example.org/%0aalert(1)", "serious"),
        ("ftp://example.org/a.png", "serious"),
    ],
)
def test_an_address_that_no_browser_may_be_sent_to_is_serious(field, address, level):
    is_list = field == "showcases"
    (found,) = warned(**{field: ["https://example.org/fine.png", address] if is_list else address})
    assert (found.path, found.level) == ("showcases.1" if is_list else field, level)


@pytest.mark.parametrize(
    ("category", "holder", "values", "words"),
    [
        ("text_generation", "settings", {"rep_pen": "abc"}, "This is no number."),
        ("text_generation", "settings", {"top_k": True}, "This is no number."),
        ("text_generation", "settings", {"singleline": "yes"}, "This is neither true nor false."),
        ("text_generation", "settings", {"stop_sequence": "</s>"}, "This is no list."),
        (IMAGES, "requirements", {"clip_skip": "two"}, "This is no number."),
        (IMAGES, "requirements", {"samplers": "k_euler"}, "This is no list."),
    ],
)
def test_options_of_another_kind_than_workers_read_are_serious(category, holder, values, words):
    (found,) = warned(category=category, **{holder: values})
    assert (found.path, found.text, found.level) == (f"{holder}.{next(iter(values))}", words, "serious")


def test_options_as_workers_read_them_and_unknown_ones_raise_no_question():
    fine = {"rep_pen": 1.1, "top_k": 40, "singleline": False, "stop_sequence": ["</s>"], "hint": "any"}
    assert warned(category="text_generation", settings=fine) == []


def test_a_model_without_files_is_of_no_use_unless_it_is_a_text_model():
    (found,) = warned(config={"download": []})
    assert (found.path, found.level) == ("config.download", "serious")
    assert "no file" in found.text
    assert warned(category="text_generation", config={"download": []}) == []


@pytest.mark.parametrize("config", [None, [], {"download": "x"}, {"download": [None, 5]}])
def test_odd_records_raise_no_error(config):
    (found,) = warned(config=config, homepage=5, showcases=[5], settings=[], requirements="x")
    assert found.path == "config.download"
