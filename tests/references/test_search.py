from collections.abc import Iterable, Mapping
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from references.categories import CATEGORIES
from references.search import SearchError, SearchIndex, SearchPage, SearchQuery, search_all, search_category
from references.text import BACKENDS, is_quantized
from tests.recorded import golden


def leaves(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


COMMON = {
    **leaves("name", "record_type", "description", "version", "size_on_disk_bytes"),
    "finetune_series": leaves("name", "author"),
    "metadata": leaves("schema_version", "created_at", "updated_at"),
    "config": {"download": None, "embedded_component_hashes": {}},
    "model_classification": leaves("domain", "purpose"),
}
TAGGED = {**COMMON, **leaves("baseline", "nsfw", "tags")}
IMAGE_FIELDS = {**TAGGED, **leaves("inpainting", "style", "showcases", "homepage"), "requirements": {}}
TEXT_FIELDS = {
    **TAGGED,
    **leaves("parameters", "parameters_count", "style", "text_model_group", "instruct_format"),
    "settings": {},
}
FIELDS = {"image_generation": IMAGE_FIELDS, "text_generation": TEXT_FIELDS, "lora": TAGGED, "ti": TAGGED}


def make_index(category: str, *records: Mapping[str, Any]) -> SearchIndex:
    return SearchIndex(category, records, FIELDS.get(category, COMMON))


def names_of(page: SearchPage, *indexes: SearchIndex) -> list[str]:
    records = {index.category: index.records for index in indexes}
    return [records[category][position]["name"] for category, position in page.hits]


def found(index: SearchIndex, **asked: Any) -> list[str]:
    return names_of(search_category(index, SearchQuery(**asked)), index)


def found_anywhere(indexes: list[SearchIndex], **asked: Any) -> list[str]:
    return names_of(search_all(indexes, SearchQuery(**asked)), *indexes)


IMAGE = make_index(
    "image_generation",
    {
        "name": "A",
        "baseline": "stable_diffusion_xl",
        "nsfw": False,
        "tags": ["anime"],
        "size_on_disk_bytes": 10,
        "metadata": {"updated_at": 5},
        "requirements": {"clip_skip": 2},
    },
    {"name": "B c", "baseline": "stable_diffusion_1", "nsfw": True, "inpainting": True, "tags": []},
)
TEXT = make_index(
    "text_generation",
    {"name": "Auth/M-7B-Q4_K_M", "parameters": 7 * 10**9, "parameters_count": 7 * 10**9, "nsfw": False},
)
CLIP = make_index("clip", {"name": "ViT-L/14", "baseline": "stable_diffusion_1", "tags": ["anime"]})
TI = make_index("ti")
EVERYWHERE = [IMAGE, TEXT, CLIP, TI]
TEXTS = make_index(
    "text_generation",
    *({"name": name} for name in ("koboldcpp/M-7B", "aphrodite/A/M-7B", "A/M-7B", "Aphrodite/M-8B-GGUF")),
    {"name": "A/unquantized-q4_0"},
)


@pytest.mark.parametrize(
    ("index", "asked", "names"),
    [
        (IMAGE, {}, ["A", "B c"]),
        (IMAGE, {"nsfw": False}, ["A"]),
        (IMAGE, {"nsfw": True}, ["B c"]),
        (IMAGE, {"nsfw": False, "baseline": "stable_diffusion_xl"}, ["A"]),
        (IMAGE, {"nsfw": True, "baseline": "stable_diffusion_xl"}, []),
        (IMAGE, {"baseline": "SDXL"}, []),
        (IMAGE, {"baseline": "Stable_Diffusion_XL"}, []),
        (IMAGE, {"inpainting": True}, ["B c"]),
        (IMAGE, {"inpainting": False}, ["A"]),
        (IMAGE, {"tags_any": ("anime", "zzz")}, ["A"]),
        (IMAGE, {"tags_any": ("Anime",)}, []),
        (IMAGE, {"tags_all": ("anime", "zzz")}, []),
        (IMAGE, {"tags_all": ("anime",)}, ["A"]),
        (IMAGE, {"tags_none": ("anime",)}, ["B c"]),
        (IMAGE, {"tags_none": ("zzz",)}, ["A", "B c"]),
        (IMAGE, {"name_contains": "B C"}, ["B c"]),
        (IMAGE, {"name_contains": "a"}, ["A"]),
        (IMAGE, {"name_contains": ""}, ["A", "B c"]),
        (IMAGE, {"sort_desc": True}, ["A", "B c"]),
        (IMAGE, {"sort_by": "name", "sort_desc": True}, ["B c", "A"]),
        (IMAGE, {"source": "any"}, ["A", "B c"]),
        (IMAGE, {"source": "horde"}, ["A", "B c"]),
        (IMAGE, {"offset": 1}, ["B c"]),
        (IMAGE, {"offset": 10**30}, []),
        (IMAGE, {"backend": "vllm", "quantized": True, "exclude_backend_variations": True}, ["A", "B c"]),
        (TEXT, {"quantized": True, "sort_by": "parameters"}, ["Auth/M-7B-Q4_K_M"]),
        (TEXT, {"quantized": False}, []),
        (TEXT, {"sort_by": "parameters_count"}, ["Auth/M-7B-Q4_K_M"]),
        (TEXT, {"backend": "koboldcpp"}, []),
        (TEXT, {"tags_none": ("anime",)}, ["Auth/M-7B-Q4_K_M"]),
        (TEXT, {"tags_any": ("anime",)}, []),
        (TEXTS, {"backend": "koboldcpp"}, ["koboldcpp/M-7B"]),
        (TEXTS, {"backend": "aphrodite"}, ["aphrodite/A/M-7B"]),
        (
            TEXTS,
            {"exclude_backend_variations": True},
            ["A/M-7B", "Aphrodite/M-8B-GGUF", "A/unquantized-q4_0"],
        ),
        (TEXTS, {"quantized": True}, ["Aphrodite/M-8B-GGUF"]),
        (TI, {"nsfw": True, "sort_by": "tags"}, []),
    ],
)
def test_a_category_search_finds_what_was_asked_for(index, asked, names):
    assert found(index, **asked) == names


def test_an_empty_baseline_matches_nothing_even_where_records_hold_one():
    assert found(make_index("text_generation", {"name": "m", "baseline": ""}), baseline="") == []


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"baseline": "stable_diffusion_1"}, ["B c"]),
        ({"nsfw": False}, ["A", "Auth/M-7B-Q4_K_M"]),
        ({"inpainting": False}, ["A"]),
        ({"tags_none": ("anime",)}, ["B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"tags_any": ("anime",)}, ["A"]),
        ({"tags_all": ("anime",)}, ["A"]),
        ({"quantized": True}, ["Auth/M-7B-Q4_K_M"]),
        ({"quantized": False}, []),
        ({"backend": "aphrodite"}, []),
        ({"exclude_backend_variations": True}, ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"name_contains": "/"}, ["Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"sort_by": "name", "sort_desc": True}, ["ViT-L/14", "B c", "Auth/M-7B-Q4_K_M", "A"]),
        ({"sort_by": "size_on_disk_bytes", "sort_desc": True}, ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"sort_by": "parameters"}, ["Auth/M-7B-Q4_K_M", "A", "B c", "ViT-L/14"]),
        ({"sort_by": "baseline"}, ["B c", "A", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
        ({"limit": 2, "offset": 1}, ["B c", "Auth/M-7B-Q4_K_M"]),
        ({"source": "any"}, ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]),
    ],
)
def test_a_search_over_all_categories_finds_what_was_asked_for(asked, names):
    assert found_anywhere(EVERYWHERE, **asked) == names


def test_same_names_in_two_categories_are_both_found():
    indexes = [make_index("image_generation", {"name": "x"}), make_index("clip", {"name": "x"})]
    assert search_all(indexes, SearchQuery()).hits == [("image_generation", 0), ("clip", 0)]


@pytest.mark.parametrize(
    ("index", "asked", "words"),
    [
        (CLIP, {"nsfw": True}, ["'nsfw'", "'clip'"]),
        (CLIP, {"baseline": ""}, ["'baseline'", "'clip'"]),
        (CLIP, {"inpainting": False}, ["'inpainting'", "'clip'"]),
        (CLIP, {"tags_any": ("a",)}, ["'tags_any'", "'clip'"]),
        (CLIP, {"tags_all": ("a",)}, ["'tags_all'", "'clip'"]),
        (CLIP, {"tags_none": ("a",)}, ["'tags_none'", "'clip'"]),
        (TEXT, {"inpainting": True}, ["'inpainting'", "'text_generation'"]),
        (TI, {"inpainting": True}, ["'inpainting'", "'ti'"]),
        (TEXT, {"backend": "vllm"}, ["'vllm'", *BACKENDS]),
        (TEXT, {"backend": ""}, ["''", *BACKENDS]),
        (IMAGE, {"source": "bogus"}, ["'bogus'", "horde", "any"]),
        (IMAGE, {"source": ""}, ["''", "horde", "any"]),
        (IMAGE, {"sort_by": "bogus"}, ["'bogus'", "size_on_disk_bytes", "metadata__updated_at"]),
        (IMAGE, {"sort_by": ""}, ["''", "name"]),
        (IMAGE, {"sort_by": "parameters"}, ["'parameters'", "name"]),
        (IMAGE, {"sort_by": "metadata__bogus"}, ["'metadata__bogus'"]),
        (IMAGE, {"sort_by": "metadata__"}, ["'metadata__'"]),
        (IMAGE, {"sort_by": "name__length"}, ["'name__length'"]),
        (IMAGE, {"sort_by": "requirements__clip_skip"}, ["'requirements__clip_skip'"]),
        *(
            (IMAGE, {"sort_by": field}, [f"'{field}'", "object"])
            for field in ("config", "metadata", "requirements", "finetune_series", "model_classification")
        ),
        (IMAGE, {"sort_by": "config__embedded_component_hashes"}, ["object"]),
        (TEXT, {"sort_by": "settings"}, ["'settings'", "object"]),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(index, asked, words):
    with pytest.raises(SearchError) as error:
        search_category(index, SearchQuery(**asked))
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize(
    "asked",
    [{"backend": "vllm"}, {"source": ""}, {"sort_by": "bogus"}, {"sort_by": "settings"}, {"sort_by": ""}],
)
def test_a_search_over_all_categories_refuses_unknown_words_too(asked):
    with pytest.raises(SearchError):
        search_all(EVERYWHERE, SearchQuery(**asked))


def test_filters_one_category_has_are_available_over_all():
    assert found_anywhere(EVERYWHERE, inpainting=True) == ["B c"]


def sorted_values(values: Iterable[Any], *, descending: bool = False, field: str = "homepage") -> list[Any]:
    records = [{"name": str(number)} | ({} if v is None else {field: v}) for number, v in enumerate(values)]
    index = make_index("image_generation", *records)
    page = search_category(index, SearchQuery(sort_by=field, sort_desc=descending))
    return [records[position].get(field) for _, position in page.hits]


@pytest.mark.parametrize(
    ("values", "ascending", "descending"),
    [
        ([2, None, 10, 1], [1, 2, 10, None], [10, 2, 1, None]),
        ([0, None, -1], [-1, 0, None], [0, -1, None]),
        (["b", "B", "", "é", "a1", "a"], ["", "B", "a", "a1", "b", "é"], ["é", "b", "a1", "a", "B", ""]),
        (["\uffff", "\U0001f600"], ["\uffff", "\U0001f600"], ["\U0001f600", "\uffff"]),
        ([True, None, False], [False, True, None], [True, False, None]),
        (
            [["b"], [], ["a", "b"], None, ["a"]],
            [[], ["a"], ["a", "b"], ["b"], None],
            [["b"], ["a", "b"], ["a"], [], None],
        ),
        (["1", [1], 0, {"a": 1}, True], [True, 0, "1", [1], {"a": 1}], [{"a": 1}, [1], "1", 0, True]),
        ([[2], ["1"], [None], [True]], [[True], [2], ["1"], [None]], [[None], ["1"], [2], [True]]),
    ],
)
def test_values_sort_by_kind_then_value_with_nulls_last_both_ways(values, ascending, descending):
    assert sorted_values(values) == ascending
    assert sorted_values(values, descending=True) == descending


@pytest.mark.parametrize("descending", [False, True])
def test_ties_keep_stored_order_both_ways(descending):
    records = [{"name": name, "style": style} for name, style in (("c", "x"), ("a", "x"), ("b", "x"))]
    records += [{"name": "z"}, {"name": "y"}]
    index = make_index("image_generation", *records)
    assert found(index, sort_by="style", sort_desc=descending) == ["c", "a", "b", "z", "y"]
    again = make_index("lora", {"name": "d", "version": "1"}, {"name": "e"})
    first = make_index("image_generation", {"name": "f", "version": "1"}, {"name": "g"})
    assert found_anywhere([first, again], sort_by="version", sort_desc=descending) == ["f", "d", "g", "e"]


def test_nested_fields_sort_and_absent_parents_count_as_null():
    index = make_index(
        "image_generation",
        {"name": "none"},
        {"name": "late", "metadata": {"updated_at": 9}},
        {"name": "odd", "metadata": "not an object"},
        {"name": "early", "metadata": {"updated_at": 3}},
    )
    assert found(index, sort_by="metadata__updated_at") == ["early", "late", "none", "odd"]
    assert found(index, sort_by="metadata__updated_at", sort_desc=True) == ["late", "early", "none", "odd"]


def test_kinds_that_differ_between_categories_sort_without_error():
    image = make_index("image_generation", {"name": "i", "version": "1"}, {"name": "n"})
    lora = make_index("lora", {"name": "l", "version": 2}, {"name": "m", "version": ["x"]})
    assert found_anywhere([image, lora], sort_by="version") == ["l", "i", "m", "n"]
    assert found_anywhere([image, lora], sort_by="version", sort_desc=True) == ["m", "i", "l", "n"]


def test_a_field_outside_a_categorys_schema_is_neither_filtered_nor_sorted_by():
    assert found_anywhere([CLIP, IMAGE], sort_by="baseline") == ["B c", "A", "ViT-L/14"]


def test_records_that_break_their_schema_do_not_break_the_search():
    index = make_index(
        "image_generation",
        {},
        {"name": 7, "tags": "anime", "nsfw": "yes", "baseline": ["sd"]},
        {"name": "ok", "tags": [{"a": 1}, "anime"], "nsfw": True, "baseline": "sd"},
    )
    for asked in ({"tags_any": ("anime",)}, {"nsfw": True}, {"baseline": "sd"}, {"name_contains": "o"}):
        assert search_category(index, SearchQuery(**asked)).hits == [("image_generation", 2)]
    for field in IMAGE_FIELDS.keys() - index.objects:
        assert search_category(index, SearchQuery(sort_by=field)).total == 3


@pytest.mark.parametrize(
    ("limit", "offset", "hits", "has_more"),
    [
        (50, 0, 5, False),
        (1, 0, 1, True),
        (4, 0, 4, True),
        (5, 0, 5, False),
        (2, 3, 2, False),
        (2, 5, 0, False),
    ],
)
def test_a_page_counts_all_matches_and_knows_whether_more_follow(limit, offset, hits, has_more):
    page = search_category(TEXTS, SearchQuery(limit=limit, offset=offset))
    assert (len(page.hits), page.total, page.limit, page.offset) == (hits, 5, limit, offset)
    assert page.has_more is has_more


def test_pages_of_everything_join_to_everything_in_stored_order():
    everything = names_of(search_all(EVERYWHERE, SearchQuery()), *EVERYWHERE)
    assert everything == ["A", "B c", "Auth/M-7B-Q4_K_M", "ViT-L/14"]
    for limit in range(1, 6):
        for offset in (*range(6), 2**63 - 1):
            page = found_anywhere(EVERYWHERE, limit=limit, offset=offset)
            assert page == everything[offset : offset + limit], (limit, offset)


def test_every_default_is_the_documented_one():
    query = SearchQuery()
    assert (query.limit, query.offset, query.source, query.sort_desc) == (50, 0, "horde", False)


# The rules once more, written for clarity instead of speed.


def matches(category: str, record: Mapping[str, Any], query: SearchQuery) -> bool:
    fields, is_text = FIELDS.get(category, COMMON), category == "text_generation"
    tags, prefix = set(record.get("tags") or []), record["name"].split("/")[0]
    verdicts = [
        query.nsfw is None or ("nsfw" in fields and record.get("nsfw") == query.nsfw),
        query.baseline is None
        or ("baseline" in fields and query.baseline != "" and record.get("baseline") == query.baseline),
        query.inpainting is None
        or ("inpainting" in fields and (record.get("inpainting") or False) == query.inpainting),
        not query.tags_any or any(tag in tags for tag in query.tags_any),
        all(tag in tags for tag in query.tags_all),
        not any(tag in tags for tag in query.tags_none),
        (query.name_contains or "").lower() in record["name"].lower(),
        query.backend is None or (is_text and prefix == query.backend),
        not (query.exclude_backend_variations and is_text and prefix in BACKENDS),
        query.quantized is None or (is_text and is_quantized(record["name"]) == query.quantized),
    ]
    return all(verdicts)


def compare(left: Any, right: Any) -> int:
    if isinstance(left, list):
        for one, other in zip(left, right, strict=False):
            if one != other:
                return compare(one, other)
        return len(left) - len(right)
    return (left > right) - (left < right)


def expected_hits(indexes: list[SearchIndex], query: SearchQuery) -> list[tuple[str, int]]:
    hits = [
        (index.category, position, record)
        for index in indexes
        for position, record in enumerate(index.records)
        if matches(index.category, record, query)
    ]
    if query.sort_by:
        valued = [hit for hit in hits if hit[2].get(query.sort_by) is not None]
        valueless = [hit for hit in hits if hit[2].get(query.sort_by) is None]
        sign = -1 if query.sort_desc else 1
        valued.sort(key=cmp_to_key(lambda a, b: sign * compare(a[2][query.sort_by], b[2][query.sort_by])))
        hits = valued + valueless
    return [hit[:2] for hit in hits]


NAMES = st.sampled_from(["a", "A b", "koboldcpp/a-Q4_0", "aphrodite/x/b", "x/a-GGUF", "x/unquantized-q4_0"])
TAGS = st.lists(st.sampled_from(["anime", "game", "cg"]), max_size=3)
BASELINES = st.sampled_from(["", "sd1", "sdxl"])
PLAIN = {"version": st.sampled_from(["", "1", "B", "b"]), "size_on_disk_bytes": st.integers(0, 3)}
RATED = {"nsfw": st.booleans(), "tags": TAGS, "baseline": BASELINES}
OPTIONAL = {
    "image_generation": PLAIN | RATED | {"inpainting": st.booleans()},
    "text_generation": PLAIN | RATED,
    "clip": PLAIN,
}
INDEXES = st.tuples(
    *(
        st.lists(st.fixed_dictionaries({"name": NAMES}, optional=optional), max_size=12).map(
            lambda records, category=category: make_index(category, *records)
        )
        for category, optional in OPTIONAL.items()
    )
).map(list)


def queries(**fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[SearchQuery]:
    tags = st.just(()) | TAGS.map(tuple)
    flag = st.none() | st.booleans()
    drawn = {
        "nsfw": flag,
        "baseline": st.none() | BASELINES,
        "inpainting": flag,
        "tags_any": tags,
        "tags_all": tags,
        "tags_none": tags,
        "name_contains": st.sampled_from([None, "", "A", "q4", "/b"]),
        "backend": st.sampled_from([None, None, None, *BACKENDS]),
        "exclude_backend_variations": st.booleans(),
        "quantized": flag,
        "sort_by": st.sampled_from([None, "name", *PLAIN, *RATED]),
        "sort_desc": st.booleans(),
        "limit": st.integers(1, 40),
        "offset": st.integers(0, 5),
    }
    return st.builds(SearchQuery, **(drawn | fixed))


def expected_page(indexes: list[SearchIndex], query: SearchQuery) -> SearchPage:
    hits = expected_hits(indexes, query)
    page = hits[query.offset : query.offset + query.limit]
    return SearchPage(page, len(hits), query.offset, query.limit)


@settings(deadline=None)
@given(INDEXES, queries())
def test_a_search_over_all_categories_agrees_with_the_plain_rules(indexes, query):
    assert search_all(indexes, query) == expected_page(indexes, query)


@settings(deadline=None)
@given(INDEXES, queries(inpainting=st.none()))
def test_a_category_search_agrees_with_the_plain_rules(indexes, query):
    text = indexes[1]
    assert search_category(text, query) == expected_page([text], query)


@settings(deadline=None)
@given(INDEXES, st.lists(queries(), min_size=2, max_size=6))
def test_earlier_queries_do_not_change_later_answers(indexes, asked):
    first = [search_all(indexes, query) for query in asked]
    assert [search_all(indexes, query) for query in asked] == first


def recorded_index(category: str) -> SearchIndex:
    records = list(golden("v2", f"{category}.json").values())
    if category == "text_generation":
        records = [record | {"parameters_count": record["parameters"]} for record in records]
    return make_index(category, *records)


def test_recorded_text_models_are_found_filtered_and_sorted():
    index = recorded_index("text_generation")
    page = search_category(index, SearchQuery(sort_by="parameters", sort_desc=True, limit=500, offset=300))
    sizes = [index.records[position]["parameters"] for _, position in page.hits]
    assert (page.total, len(page.hits), page.has_more) == (719, 419, False)
    assert sizes == sorted((record["parameters"] for record in index.records), reverse=True)[300:]
    llamas = found(index, name_contains="LLAMA", limit=500)
    assert llamas == [r["name"] for r in index.records if "llama" in r["name"].lower()]
    assert len(llamas) > 50
    quantized = search_category(index, SearchQuery(quantized=True)).total
    assert quantized + search_category(index, SearchQuery(quantized=False)).total == 719
    assert search_category(index, SearchQuery(baseline="")).total == 0


def test_recorded_image_models_are_found_filtered_and_sorted():
    index = recorded_index("image_generation")
    totals = {
        "all": search_category(index, SearchQuery()).total,
        "nsfw": search_category(index, SearchQuery(nsfw=True)).total,
        "inpainting": search_category(index, SearchQuery(inpainting=True)).total,
        "sd1": search_category(index, SearchQuery(baseline="stable_diffusion_1")).total,
    }
    assert totals == {"all": 161, "nsfw": 82, "inpainting": 8, "sd1": 106}
    assert found(index, sort_by="size_on_disk_bytes", offset=160) == ["Deliberate 3.0"]
    assert found(index, sort_by="size_on_disk_bytes", sort_desc=True, offset=160) == ["Deliberate 3.0"]


def test_every_recorded_record_is_found_when_searching_everywhere():
    indexes = [recorded_index(name) for name, spec in CATEGORIES.items() if spec.has_legacy_form]
    pages = [search_all(indexes, SearchQuery(limit=500, offset=offset)) for offset in (0, 500)]
    assert [page.total for page in pages] == [913, 913]
    assert sum((page.hits for page in pages), []) == [(i.category, p) for i in indexes for p in range(len(i))]
