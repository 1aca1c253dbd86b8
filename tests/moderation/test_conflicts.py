"""Whether a proposal still fits what is live."""

import pytest

from moderation.conflicts import Reason, Staleness, digest, staleness
from moderation.states import Operation

BASE = {"name": "m", "description": "d", "nsfw": False, "metadata": {"created_at": 1, "updated_at": 1}}
MOVED = {**BASE, "description": "theirs"}
TOUCHED = {**BASE, "metadata": {"created_at": 1, "updated_at": 9, "updated_by": "x"}}
MINE = {**BASE, "description": "mine", "nsfw": True}


@pytest.mark.parametrize(
    ("operation", "base", "live", "proposed", "expected"),
    [
        (Operation.CREATE, None, None, MINE, None),
        (Operation.CREATE, None, MOVED, MINE, Staleness(Reason.EXISTS, ("description", "nsfw"))),
        (Operation.UPDATE, BASE, BASE, MINE, None),
        (Operation.UPDATE, BASE, TOUCHED, MINE, None),
        (Operation.UPDATE, BASE, MOVED, MINE, Staleness(Reason.CHANGED, ("description",))),
        (Operation.UPDATE, BASE, {**BASE, "style": "anime"}, MINE, Staleness(Reason.CHANGED, ())),
        (Operation.UPDATE, BASE, {**MOVED, "nsfw": True}, MINE, Staleness(Reason.CHANGED, ("description",))),
        (Operation.UPDATE, BASE, None, MINE, Staleness(Reason.GONE, ())),
        (Operation.DELETE, BASE, BASE, None, None),
        (Operation.DELETE, BASE, MOVED, None, Staleness(Reason.CHANGED, ("description",))),
        (Operation.DELETE, BASE, None, None, Staleness(Reason.GONE, ())),
    ],
)
def test_a_proposal_is_stale_when_what_it_was_made_from_moved(operation, base, live, proposed, expected):
    found = staleness(operation, base=base, base_digest=digest(base), live=live, proposed=proposed)
    assert found == expected


def test_a_clash_may_lie_inside_what_the_other_side_replaced():
    base = {"config": {"download": [1]}}
    found = staleness(
        Operation.UPDATE,
        base=base,
        base_digest=digest(base),
        live={"config": "none"},
        proposed={"config": {"download": [2]}},
    )
    assert found == Staleness(Reason.CHANGED, ("config.download",))


def test_the_sentence_names_model_and_fields_and_for_clients_the_reason():
    stale = Staleness(Reason.CHANGED, ("nsfw", "tags"))
    words = "Model 'a model' was changed after this change was proposed"
    assert stale.sentence("a model") == f"{words}. Clashing fields: nsfw, tags."
    assert stale.sentence("a model", with_reason=True) == f"{words} (changed). Clashing fields: nsfw, tags."


def test_the_digest_looks_at_content_and_not_at_the_order_of_keys():
    assert digest(BASE) == digest(dict(reversed(BASE.items()))) == digest(TOUCHED)
    assert digest(BASE) != digest(MOVED)
    assert digest(BASE) != digest({**BASE, "nsfw": 0})
    assert digest(None) is None
