import html
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from references.pages.json_markup import json_highlighted, json_indented

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=12,
)


@settings(max_examples=150)
@given(JSON_VALUES)
def test_the_markup_says_exactly_what_the_json_says(value):
    markup = json_highlighted(value)
    without_tags = re.sub(r'<span class="j[ksn]">|</span>', "", markup)
    assert "<" not in without_tags
    assert html.unescape(without_tags) == json_indented(value)
    assert json.loads(html.unescape(without_tags)) == value


def test_keys_and_values_are_told_apart():
    assert json_highlighted({"a": ["b", 1, None]}) == (
        '{\n  <span class="jk">&quot;a&quot;</span>: [\n    <span class="js">&quot;b&quot;</span>,\n'
        '    <span class="jn">1</span>,\n    <span class="jn">null</span>\n  ]\n}'
    )


def test_a_very_long_record_is_text_alone():
    value = {"files": [f"<{number}>" for number in range(2_000)]}
    assert json_highlighted(value) == html.escape(json_indented(value))
