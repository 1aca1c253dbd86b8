"""Open changes to one and the same model: once one of them is applied, the others no longer fit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from moderation.live import ModelKey
from moderation.models import PendingChange

# Changes that a warning names; more are counted.
MOST_NAMED = 8


def rivals_of(changes: Iterable[PendingChange]) -> dict[int, Sequence[PendingChange]]:
    """The other open changes to the model of each of these, by change id: one read."""
    keys = {change.change_id: (change.category, change.model_name) for change in changes}
    found = (
        PendingChange.objects.open()
        .filter(
            category__in={category for category, _ in keys.values()},
            model_name__in={name for _, name in keys.values()},
        )
        .without_states()
        .defer("payload")
        .oldest_first()
    )
    open_by_key: dict[ModelKey, list[PendingChange]] = defaultdict(list)
    for change in found:
        open_by_key[change.category, change.model_name].append(change)
    return {
        number: [other for other in open_by_key[key] if other.change_id != number]
        for number, key in keys.items()
    }


def rivals_warning(approved: Sequence[PendingChange]) -> str:
    """What approvers should know of rivals of the changes that they just approved; nothing where there are none."""
    pairs = {number: rivals for number, rivals in rivals_of(approved).items() if rivals}
    if not pairs:
        return ""
    names = {change.change_id: change.model_name for change in approved}
    sentences = [
        f"{number} with {_listed([f'{rival.change_id} ({rival.status})' for rival in rivals])} "
        f"for '{names[number]}'"
        for number, rivals in list(pairs.items())[:MOST_NAMED]
    ]
    more = len(pairs) - len(sentences)
    ending = f"; and {more} more" if more else ""
    return (
        f"Competing changes: {'; '.join(sentences)}{ending}. "
        "Once one of them is applied, the others no longer fit and would have to overwrite it."
    )


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:MOST_NAMED])
    return f"{shown} and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else shown
