"""Who may call what: every route of the API, with and without a key."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from references.vocabulary import CanonicalFormat, ReplicateMode
from tests.moderation.api.callers import APPROVER, PLAIN, REQUESTOR, V1, V2, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

MOUNT = "api/"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# What stands in a path for each of its parameters.
VALUES = {
    "model_category_name": "clip",
    "model_name": "Nobody/Knows-7B",
    "change_id": "1",
    "batch_id": "1",
    "canonical": "Nobody",
    "family_name": "Nobody",
}

PUBLIC, ANY_KEY, REQUESTORS, APPROVERS = "public", PLAIN, REQUESTOR, APPROVER
QUEUE_ROUTES = {
    "GET my_changes": REQUESTORS,
    "GET changes": APPROVERS,
    "GET changes/<change_id>": APPROVERS,
    "GET changes/<change_id>/diff": APPROVERS,
    "POST changes/<change_id>/apply": APPROVERS,
    "POST changes/<change_id>/withdraw": REQUESTORS,
    "POST changes/<change_id>/reopen": APPROVERS,
    "POST changes/<change_id>/revert": APPROVERS,
    "GET diffs": APPROVERS,
    "POST purge": APPROVERS,
    "POST batches": APPROVERS,
    "POST batches/<batch_id>/revert": APPROVERS,
    "POST apply": APPROVERS,
    "POST apply_batch/<batch_id>": APPROVERS,
    "GET audit/current": APPROVERS,
    "GET audit/batches": APPROVERS,
    "GET audit/batches/<batch_id>": APPROVERS,
    "GET audit/batches/<batch_id>/net_changes": APPROVERS,
}
