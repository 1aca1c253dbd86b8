"""What a form begins with: a copy of another model, or a change of one's own that was not approved."""

from django.http import Http404, HttpRequest

from moderation.live import live_read, payload_as_record
from moderation.models import PendingChange
from moderation.pages.change_view import REPLACEABLE
from moderation.pages.forms.documents import Document, merged
from moderation.pages.proposing import Target
from moderation.states import Operation
from references.horde import HordeUser
from references.serializers.fields import UNSTORABLE_CHARACTER
from references.vocabulary import CanonicalFormat

COPY, CHANGE = "copy", "change"
# What is true of the copied record only.
_OWN = ("name", "metadata")


def storable_or_404(name: str) -> str:
    """The name, unless it holds what no stored name can hold and some databases fail to compare with."""
    if UNSTORABLE_CHARACTER.search(name):
        raise Http404(f"no model {name!r}")
    return name


def document_copied(request: HttpRequest, target: Target) -> Document | None:
    """The record of the model that is to be copied, without its name."""
    name = request.GET.get(COPY)
    if not name:
        return None
    live = live_read(target.category, storable_or_404(name))
    if live is None:
        raise Http404(f"no model {name!r} in {target.category}")
    return {key: value for key, value in live.record.items() if key not in _OWN}


def document_again(
    request: HttpRequest, user: HordeUser, target: Target, live: Document | None
) -> Document | None:
    """What the earlier change wanted, with what others have changed in the record since."""
    change = earlier_change(request, user)
    if change is None:
        return None
    if change.status not in REPLACEABLE:
        raise Http404(f"change {change.change_id} was approved")
    is_about = change.category == target.category and change.operation == target.operation
    if not is_about or target.name not in (None, change.model_name):
        raise Http404(f"change {change.change_id} is about something else")
    record = payload_as_record(change)
    base = change.base_as_dict()
    if live is None or base is None or change.domain != CanonicalFormat.V2:
        return record
    return merged(base, record, live)


def earlier_change(request: HttpRequest, user: HordeUser) -> PendingChange | None:
    """The change of the user's own that the address names; raises Http404 for another one."""
    number = request.GET.get(CHANGE)
    if not number:
        return None
    own = PendingChange.objects.matching(requested_by=[user.user_id])
    is_number = number.isascii() and number.isdecimal() and len(number) < 20
    change = own.with_id(int(number)).exclude(operation=Operation.DELETE).first() if is_number else None
    if change is None:
        raise Http404(f"no change {number} of this user")
    return change
