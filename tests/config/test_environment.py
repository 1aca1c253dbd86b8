from enum import StrEnum

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import (
    base_url,
    boolean,
    choice,
    folder,
    listing,
    number,
    origins,
    repository_part,
    text,
    url,
    word,
)


class Size(StrEnum):
    SMALL = "Small"
    LARGE = "large"


@pytest.fixture
def value(monkeypatch):
    """Sets the variable that the tests read, or unsets it."""

    def set_value(given: str | None) -> None:
        if given is None:
            monkeypatch.delenv("PROBED", raising=False)
        else:
            monkeypatch.setenv("PROBED", given)

    set_value(None)
    return set_value


@pytest.mark.parametrize("unset", [None, "", "   "])
def test_unset_and_empty_variables_have_their_default(value, unset):
    value(unset)
    assert text("PROBED", default="d") == "d"
    assert text("PROBED") == ""
    assert boolean("PROBED", default=True) is True
    assert boolean("PROBED", default=False) is False
    assert number("PROBED", default=7, minimum=100) == 7
    assert choice("PROBED", default=Size.LARGE) is Size.LARGE
    assert listing("PROBED", default=("a", "b")) == ["a", "b"]
    assert listing("PROBED") == []


def test_the_first_of_several_variables_that_is_set_counts(monkeypatch):
    monkeypatch.setenv("SECOND", " two ")
    assert text("FIRST", "SECOND", "THIRD") == "two"
    monkeypatch.setenv("FIRST", "")
    assert text("FIRST", "SECOND") == "two"
    monkeypatch.setenv("FIRST", "one")
    assert text("FIRST", "SECOND") == "one"


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "On", "t", "y", " true "])
def test_words_for_true(value, word):
    value(word)
    assert boolean("PROBED", default=False) is True


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "OFF", "f", "n"])
def test_words_for_false(value, word):
    value(word)
    assert boolean("PROBED", default=True) is False


@pytest.mark.parametrize("word", ["2", "maybe", "truee", "-1", "enabled"])
def test_another_word_for_a_boolean_stops_the_start(value, word):
    value(word)
    with pytest.raises(ImproperlyConfigured, match="PROBED"):
        boolean("PROBED", default=False)


@pytest.mark.parametrize(("given", "expected"), [("5", 5), (" 12 ", 12), ("-3", -3), ("0", 0)])
def test_whole_numbers(value, given, expected):
    value(given)
    assert number("PROBED", default=1) == expected


@pytest.mark.parametrize(("given", "expected"), [("0.0065", 0.0065), ("1", 1.0), ("2e-3", 0.002)])
def test_numbers_with_a_fraction(value, given, expected):
    value(given)
    assert number("PROBED", default=0.5, kind=float) == expected


@pytest.mark.parametrize("given", ["ten", "1.5", "1e3", "5s", "0x10", "1,000"])
def test_what_is_no_whole_number_stops_the_start(value, given):
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED"):
        number("PROBED", default=1)


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "half"])
def test_what_is_no_finite_number_stops_the_start(value, given):
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED"):
        number("PROBED", default=1.0, kind=float, minimum=0)


@pytest.mark.parametrize("given", ["2147483648", "1" + "0" * 400])
def test_a_number_beyond_what_anybody_can_wait_for_stops_the_start(value, given):
    value("2147483647")
    assert number("PROBED", default=1) == 2147483647
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED must be a number of at most 2147483647"):
        number("PROBED", default=1)


def test_a_number_below_its_minimum_stops_the_start(value):
    value("0")
    assert number("PROBED", default=5, minimum=0) == 0
    with pytest.raises(ImproperlyConfigured, match="PROBED must be at least 1"):
        number("PROBED", default=5, minimum=1)


@pytest.mark.parametrize(
    ("given", "expected"), [("small", Size.SMALL), ("SMALL", Size.SMALL), (" Large ", Size.LARGE)]
)
def test_choices_in_any_case(value, given, expected):
    value(given)
    assert choice("PROBED", default=Size.LARGE) is expected


def test_another_choice_stops_the_start_and_tells_the_right_ones(value):
    value("medium")
    with pytest.raises(ImproperlyConfigured, match="PROBED must be one of Small, large"):
        choice("PROBED", default=Size.LARGE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , b ,, ", ["a", "b"]),
        (",", []),
        ('["a", "b"]', ["a", "b"]),
        ('[" a ", "", "b,c"]', ["a", "b,c"]),
        ("[1, 2]", ["1", "2"]),
        ("[]", []),
        ("localhost,[::1]", ["localhost", "[::1]"]),
        ("[::1],localhost", ["[::1]", "localhost"]),
        ("[::1]", ["[::1]"]),
    ],
)
def test_lists_are_json_or_words_between_commas(value, given, expected):
    value(given)
    assert listing("PROBED", default=["unused"]) == expected


@pytest.mark.parametrize("given", ['["a"', '["a", true]', '["a", null]', '[["a"]]', '[{"a": 1}]', "[1.5]"])
def test_a_broken_list_stops_the_start(value, given):
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED"):
        listing("PROBED")


@pytest.mark.parametrize(
    "given", ["http://a", "https://a.example:8443/api/", "http://[::1]:9/x?y=z", "https://u:p@a.example"]
)
def test_addresses(value, given):
    value(given)
    assert url("PROBED") == given


def test_an_address_may_be_missing_or_have_a_default(value):
    assert url("PROBED") == ""
    assert url("PROBED", default="https://a.example/") == "https://a.example/"


@pytest.mark.parametrize(
    "given",
    [
        "notaurl",
        "a.example/api",
        "ftp://a",
        "http://",
        "http:///x",
        "http://a:port",
        "http://a:99999",
        "http://a b",
    ],
)
def test_what_is_no_address_stops_the_start(value, given):
    value(given)
    with pytest.raises(
        ImproperlyConfigured, match="PROBED must be a URL that begins with http:// or https://"
    ):
        url("PROBED")


@pytest.mark.parametrize("given", ["https://a.example/api?key=hidden", "https://a.example/api#hidden"])
def test_an_address_that_paths_are_put_behind_ends_with_its_own(value, given):
    value("https://a.example/api//")
    assert base_url("PROBED") == "https://a.example/api"
    value(given)
    with pytest.raises(
        ImproperlyConfigured, match="^PROBED must be a URL that ends with its path"
    ) as failure:
        base_url("PROBED")
    assert "hidden" not in str(failure.value)


def test_a_wrong_address_is_told_by_the_variable_that_holds_it_and_without_its_password(monkeypatch):
    monkeypatch.setenv("SECOND", "redis://user:hidden@/0")
    with pytest.raises(
        ImproperlyConfigured, match="^SECOND must be a URL that begins with redis://.$"
    ) as failure:
        url("FIRST", "SECOND", schemes=["redis"])
    assert "hidden" not in str(failure.value)


def test_a_folder_is_made(value, tmp_path):
    value(str(tmp_path / "new"))
    made = folder("PROBED", default=tmp_path / "other", inside="data")
    assert made == tmp_path / "new" / "data"
    assert made.is_dir()
    value(None)
    assert folder("PROBED", default=tmp_path / "other", inside="data") == tmp_path / "other" / "data"


def test_a_folder_that_cannot_be_made_or_written_stops_the_start(value, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    value(str(tmp_path / "file"))
    with pytest.raises(
        ImproperlyConfigured, match="PROBED must be a folder that can be written.*Not a directory"
    ):
        folder("PROBED", default=tmp_path, inside="data")
    value(str(tmp_path))
    monkeypatch.setattr("config.environment.os.access", lambda path, mode: False)
    with pytest.raises(ImproperlyConfigured, match="PROBED must be a folder that can be written"):
        folder("PROBED", default=tmp_path, inside="data")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("https://A.org/, http://b.org:8080", ["https://a.org", "http://b.org:8080"]),
        ('["http://[::1]:3000", "*"]', ["http://[::1]:3000", "*"]),
    ],
)
def test_origins_are_as_browsers_send_them(value, given, expected):
    value(given)
    assert origins("PROBED", words=("*",)) == expected


@pytest.mark.parametrize(
    "given", ["a.org", "https://a.org/path", "https://", "*", "https://*.a.org", "https://a b"]
)
def test_what_is_no_origin_stops_the_start(value, given):
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED must hold origins"):
        origins("PROBED")


def test_an_origin_may_stand_for_the_names_below_it_where_that_is_of_use(value):
    value("https://*.a.org")
    assert origins("PROBED", subdomains=True) == ["https://*.a.org"]


@pytest.mark.parametrize("given", ["a b", "../a", "a/../b", "/a", "a/", "a?b", "a#b", "a%2Fb"])
def test_what_is_no_part_of_a_repository_s_address_stops_the_start(value, given):
    value("feature/new_1.0")
    assert repository_part("PROBED", default="main") == "feature/new_1.0"
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED must be of letters"):
        repository_part("PROBED", default="main")


@pytest.mark.parametrize("given", ["secret\nX-Other: y", "secret secret", "secret…"])
def test_a_token_that_fits_in_no_header_stops_the_start_and_is_not_shown(value, given):
    value(" ghp_secret ")
    assert word("PROBED") == "ghp_secret"
    value(given)
    with pytest.raises(ImproperlyConfigured, match="PROBED must be of printable ASCII") as caught:
        word("PROBED")
    assert "secret" not in str(caught.value)
