import pytest

from references.pages.terms import MOST_TERMS, Amount, Term, amount_parse, terms_parse, unknown_fields

FIELDS = frozenset({"name", "size", "tag"})


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("", ()),
        ("Anime  Mix", (Term("", "anime"), Term("", "mix"))),
        ('"two words" one', (Term("", "two words"), Term("", "one"))),
        ("tag:Retro", (Term("tag", "retro"),)),
        ('TAG:"tv show"', (Term("tag", "tv show"),)),
        ("name:", (Term("", "name:"),)),
        ("http://a.example", (Term("", "http://a.example"),)),
        ("author/model-7B", (Term("", "author/model-7b"),)),
        ('"never closed', (Term("", "never closed"),)),
        ('"" x', (Term("", "x"),)),
        ('n_o:"two words"', (Term("", "n_o:two words"),)),
        ("same SAME", (Term("", "same"),)),
    ],
)
def test_a_query_is_words_and_fields(query, terms):
    assert terms_parse(query, FIELDS) == terms


def test_long_queries_are_cut_instead_of_worked_off():
    assert len(terms_parse(" ".join(f"w{number}" for number in range(10_000)), FIELDS)) == MOST_TERMS


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("4gb", Amount(">=", 4e9)),
        (">4GB", Amount(">", 4e9)),
        ("<=13B", Amount("<=", 13e9)),
        ("=560m", Amount("=", 560e6)),
        ("<1.5t", Amount("<", 1.5e12)),
        ("large", None),
        ("", None),
        (">", None),
    ],
)
def test_amounts_have_a_sign_and_a_unit(value, amount):
    assert amount_parse(value) == amount


@pytest.mark.parametrize(
    ("value", "holding"),
    [("<2", [1]), ("<=2", [1, 2]), ("=2", [2]), ("2", [2, 3]), (">=2", [2, 3]), (">2", [3])],
)
def test_amounts_compare(value, holding):
    assert [number for number in (1, 2, 3) if amount_parse(value).holds(number)] == holding


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ("bogus:xx", ("bogus",)),
        ('Bogus:"two words" bogus:y n_o:z', ("bogus", "n_o")),
        ("tag:retro TAG:x", ()),
        ("http://a.example author/model:7B", ()),
        ('"bogus:xx" 7:30', ()),
        ("as follows: xx", ()),
        ("script:alert(1) data:text/html", ()),
    ],
)
def test_prefixes_that_name_no_field_are_known(query, unknown):
    assert unknown_fields(query, FIELDS) == unknown
