"""The table of transitions, in code and in the database."""

import pytest
from django.db import IntegrityError, connection, transaction

from moderation.models import PendingChange
from moderation.problems import PendingChangeStateError
from moderation.services import (
    batch_decide,
    change_apply,
    change_reopen,
    change_withdraw,
)
from moderation.states import TRANSITIONS, Action, Status
from tests.moderation.factories import (
    ADA,
    RITA,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_update,
)

pytestmark = pytest.mark.django_db


def in_status(status: Status) -> PendingChange:
    change = propose_create(f"{status} one")
    if status is Status.APPROVED:
        approve(change)
    elif status is Status.APPLIED:
        apply_at_once(change)
    elif status is Status.REJECTED:
        batch_decide(actor=ADA, title="No", rejected_ids=[change.change_id], reject_reason="no")
    change.refresh_from_db()
    assert change.status == status
    return change


def act(action: Action, change: PendingChange) -> None:
    number = change.change_id
    if action is Action.APPROVE:
        batch_decide(actor=ADA, title="T", approved_ids=[number])
    elif action is Action.REJECT:
        batch_decide(actor=ADA, title="T", rejected_ids=[number], reject_reason="r")
    elif action is Action.APPLY:
        change_apply(actor=ADA, change_id=number)
    elif action is Action.WITHDRAW:
        change_withdraw(actor=RITA, change_id=number)
    else:
        change_reopen(actor=ADA, change_id=number)


STORED = (Status.PENDING, Status.APPROVED, Status.APPLIED, Status.REJECTED)
ALLOWED = {
    (Status.PENDING, Action.APPROVE): Status.APPROVED,
    (Status.PENDING, Action.REJECT): Status.REJECTED,
    (Status.PENDING, Action.WITHDRAW): Status.REJECTED,
    (Status.APPROVED, Action.APPLY): Status.APPLIED,
    (Status.APPROVED, Action.REOPEN): Status.PENDING,
}


@pytest.mark.parametrize("action", TRANSITIONS)
@pytest.mark.parametrize("status", STORED)
def test_every_act_from_every_status_goes_where_it_should_or_changes_nothing(status, action):
    change = in_status(status)
    if target := ALLOWED.get((status, action)):
        act(action, change)
    else:
        target = status
        with pytest.raises(PendingChangeStateError, match=rf"is not \w+ \(status={status}\)\.$"):
            act(action, change)
    assert PendingChange.objects.get(pk=change.pk).status == target


BROKEN_ROWS = [
    (Status.PENDING, {"status": "applying"}),
    (Status.PENDING, {"status": "nonsense"}),
    (Status.PENDING, {"operation": "nonsense"}),
    (Status.PENDING, {"domain": "v3"}),
    (Status.PENDING, {"model_name": ""}),
    (Status.PENDING, {"batch_id": 1}),
    (Status.PENDING, {"base_record": "{}"}),
    (Status.PENDING, {"status": "approved"}),
    (Status.PENDING, {"status": "applied"}),
    (Status.PENDING, {"status": "rejected"}),
    (Status.APPROVED, {"batch_id": None}),
    (Status.APPROVED, {"approved_by": None}),
    (Status.APPROVED, {"applied_at": 1}),
    (Status.APPROVED, {"status": "applied"}),
    (Status.APPLIED, {"applied_by": None}),
    (Status.APPLIED, {"applied_job_id": ""}),
    (Status.APPLIED, {"batch_id": None}),
    (Status.APPLIED, {"approved_at": None}),
    (Status.REJECTED, {"rejected_by": None}),
    (Status.REJECTED, {"reject_reason": ""}),
    (Status.REJECTED, {"approved_by": "900"}),
]


@pytest.mark.parametrize(("status", "values"), BROKEN_ROWS, ids=str)
def test_the_database_refuses_rows_that_no_transition_leads_to(status, values):
    change = in_status(status)
    with pytest.raises(IntegrityError), transaction.atomic():
        PendingChange.objects.filter(pk=change.pk).update(**values)


def test_an_update_without_a_base_is_no_row():
    make_live("a")
    change = propose_update("a")
    with pytest.raises(IntegrityError), transaction.atomic():
        PendingChange.objects.filter(pk=change.pk).update(base_record=None)


def test_ids_are_not_given_twice():
    first = propose_create("one")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM moderation_pendingchange WHERE change_id = %s", [first.change_id])
    assert propose_create("two").change_id > first.change_id
