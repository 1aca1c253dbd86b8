"""An object is read member by member as it would be read whole, wherever what was read so far happens to end."""

import json
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from references import json_members as module
from references.json_members import json_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Trickle(StringIO):
    """Hands over at most so many characters at a time."""

    def __init__(self, text: str, size: int) -> None:
        super().__init__(text)
        self.size = size

    def read(self, size: int = -1) -> str:
        return super().read(self.size)


@given(
    entries=st.dictionaries(st.text(), VALUES, max_size=5),
    size=st.integers(min_value=1, max_value=40),
    indent=st.sampled_from([None, 0, 4, "\t"]),
    is_ascii=st.booleans(),
)
def test_what_is_read_in_pieces_is_what_is_read_whole(entries, size, indent, is_ascii):
    text = json.dumps(entries, indent=indent, ensure_ascii=is_ascii)
    members = list(json_members(Trickle(f" {text}\r\n", size)))
    assert json.dumps(members) == json.dumps(list(json.loads(text).items()))


@given(text=st.text(alphabet='{}[]":,\\ \n019-.eEtruAfals', max_size=30), size=st.integers(1, 5))
def test_what_is_no_object_is_an_error_wherever_it_is_cut(text, size):
    try:
        whole = json.loads(text, object_pairs_hook=list)
        is_object = text.strip().startswith("{")
    except ValueError:
        is_object = False
    if is_object:
        names = [name for name, _ in json_members(Trickle(text, size))]
        assert names == [name for name, _ in whole]
    else:
        with pytest.raises(ValueError, match=r"^line \d+: "):
            list(json_members(Trickle(text, size)))


def test_repeated_names_are_told_each_time():
    assert list(json_members(StringIO('{"a":1,"b":2,"a":3}'))) == [("a", 1), ("b", 2), ("a", 3)]


@pytest.mark.parametrize("size", [3, 1000])
def test_an_error_names_the_line_it_is_on(size):
    text = '{\n"a": 1,\n"b": {"c":\n!}}'
    with pytest.raises(ValueError, match=r"^line 4: Expecting value$"):
        list(json_members(Trickle(text, size)))


def test_only_a_part_of_the_text_is_held(monkeypatch):
    """Members come before the rest is read, and what cannot be read does not draw in everything behind it."""
    monkeypatch.setattr(module, "READ_SIZE", 100)
    monkeypatch.setattr(module, "LONGEST_MEMBER", 400)
    text = "{" + ",".join(f'"{number}":"{number:020}"' for number in range(1000)) + "}"
    stream = StringIO(text)
    members = json_members(stream)
    assert next(members) == ("0", "0" * 20)
    assert stream.tell() <= 200
    assert sum(1 for _ in members) == 999

    broken = StringIO('{"a": !' + text)
    with pytest.raises(ValueError, match="Expecting value"):
        list(json_members(broken))
    assert broken.tell() < 2000
