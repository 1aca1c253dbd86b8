"""A deployment with something of everything, and the address of a page or an endpoint for every route of it."""

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.conf import settings
from django.contrib.admin.utils import quote as admin_quote
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from rest_framework import serializers

from moderation import known_models
from moderation.actors import LoggedActor
from moderation.api import atom
from moderation.models import PendingChange, SavedReason
from moderation.services import (
    batch_apply,
    batch_decide,
    change_propose,
    change_reopen,
    change_withdraw,
)
from moderation.services.remarks import comment_add, reason_save
from references import analytics, commit_mark, documents, text_groups, text_structure
from references.categories import CATEGORIES, IMAGE_CATEGORY, TEXT_CATEGORY
from references.horde import usage
from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.legacy import ImportedRecord
from references.models import UsageDay, UsageSnapshot
from references.pages import columns
from references.serializers import record_type, record_validate
from references.serializers.fields import MapField
from references.services import record_put, records_import
from references.structure_services import DEFAULT_SCHEMA, aliases_put, family_put, name_schema_put

Say = Callable[[str], str]
REQUESTOR_ID, APPROVER_ID, SUPERUSER = "101", "900", "root"
ANONYMOUS, REQUESTOR, APPROVER, STAFF = "anonymous", "requestor", "approver", "superuser"
KEYS = {"key-requestor": f"Rita#{REQUESTOR_ID}", "key-approver": f"Ada#{APPROVER_ID}"}
SHA256 = "ab" * 32
EARLY = 1_700_000_000
# Fields that take some words only: what these are of.
ONE_OF_A_LIST: Mapping[str, Any] = {"baseline": "stable_diffusion_xl", "style": "anime"}
# Fields that other parts of the product work with; free text in them would make the record another one.
FIXED: Mapping[str, Any] = {"sha256sum": SHA256, "schema_version": "2.0.0"}
NUMBERS: Mapping[str, int] = {"parameters": 7_000_000_000, "created_at": EARLY, "updated_at": EARLY}
_PARAMETER = re.compile(r"<(\w+)>")


def people_know(deployed: Any) -> None:
    """Lets a deployment (its settings) know the people by their keys, and ask nobody else about them."""
    deployed.STATIC_API_KEYS = dict(KEYS)
    deployed.HORDE_URL = "http://127.0.0.1:9/api/"
    deployed.QUEUE_REQUESTOR_IDS = frozenset({REQUESTOR_ID})
    deployed.QUEUE_APPROVER_IDS = frozenset({APPROVER_ID})


def plain(label: str) -> str:
    return f"some {label}"


def record_full(category: str, name: str, say: Say) -> dict[str, Any]:
    """A valid record with a value in every field of its type; `say` is asked for every text by its place."""
    fields = record_type(category)().fields
    told = {field: _value(one, field, say) for field, one in fields.items() if field != "name"}
    if category == IMAGE_CATEGORY:
        told |= ONE_OF_A_LIST
    return record_validate(category, {**told, "name": name})


def _value(field: serializers.Field, place: str, say: Say) -> Any:
    leaf = place.rpartition(".")[2]
    match field:
        case serializers.Serializer():
            return {name: _value(one, f"{place}.{name}", say) for name, one in field.fields.items()}
        case serializers.ListField():
            return [_value(field.child, f"{place}.{number}", say) for number in (1, 2)]
        case MapField():
            keys = [*field.keys][:2] if field.keys else [say(f"{place} key")]
            return {key: say(f"{place} value") for key in keys}
        case serializers.ChoiceField():
            return _choice(field)
        case serializers.BooleanField():
            return True
        case serializers.IntegerField():
            return NUMBERS.get(leaf, 1_000_000)
    return FIXED.get(leaf) or say(place)


def _choice(field: serializers.ChoiceField) -> Any:
    """What the category says; RecordTypeField and the parts of the classification have no other value."""
    if field.field_name == "record_type":
        return field.parent.category
    owner = field.parent.parent
    return getattr(CATEGORIES[owner.category], field.field_name).value


class Deployment:
    """What `store_furnish` made: the people, and a value for every parameter of a route."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.requestor = LoggedActor(REQUESTOR_ID, say("Rita"))
        self.approver = LoggedActor(APPROVER_ID, say("Ada"))
        self.samples: dict[str, str] = {}

    def name(self, category: str, number: int = 1) -> str:
        return self.say(f"{category} {number}")

    def path_of(self, route: str, **given: Any) -> str:
        """The address of a route, for the samples or for what is given."""
        values = {**self.samples, **given}
        if "text_generation/" in route:
            values = {**values, "model_name": self.name(TEXT_CATEGORY)}
        if found := re.match(r"admin/(auth|moderation|references)/(\w+)/<(object_id|id)>", route):
            row = apps.get_model(found[1], found[2])._default_manager.order_by("pk").first()
            values[found[3]] = admin_quote(row.pk) if row else "1"
        if route.startswith("admin/r/"):
            values["content_type_id"] = ContentType.objects.get_for_model(SavedReason).pk
            values["object_id"] = SavedReason.objects.first().pk
        filled = _PARAMETER.sub(lambda found: quote(str(values[found[1]])), route)
        return "/" + filled.replace("\\", "")


def store_furnish(say: Say = plain) -> Deployment:
    """Fills an empty store through the services; all text that people write is what `say` makes of its place."""
    made = Deployment(say)
    for category in CATEGORIES:
        records = [
            ImportedRecord(
                made.name(category, number), record_full(category, made.name(category, number), say), None
            )
            for number in (1, 2, 3)
        ]
        records_import(category=category, records=records, at=EARLY)
    _structure(made)
    changes = _queue(made)
    _usage(made)
    User.objects.create_superuser(
        SUPERUSER, first_name=say("first name")[:150], last_name=say("last name")[:150]
    )
    Group.objects.create(name=say("group of users")[:150])
    made.samples = {
        "model_category_name": IMAGE_CATEGORY,
        "category": IMAGE_CATEGORY,
        "model_name": made.name(IMAGE_CATEGORY),
        "name": made.name(IMAGE_CATEGORY),
        "change_id": str(changes["update"].change_id),
        "batch_id": "2",
        "group_name": say("text_model_group"),
        "canonical": say("canonical"),
        "family_name": say("family"),
        "sha256": SHA256,
        "reason_id": str(SavedReason.objects.first().pk),
        "kind": "csv",
        "app_label": "references",
        "url": "nothing/like/this/",
        **{f"{name}_change": str(change.change_id) for name, change in changes.items()},
    }
    return made


def _structure(made: Deployment) -> None:
    say, actor = made.say, made.requestor.user_id
    group = say("text_model_group")
    aliases_put(canonical=say("canonical"), aliases=[say("alias")], actor=actor)
    family_put(name=say("family"), members=[group, say("member")], actor=actor)
    schema = {**DEFAULT_SCHEMA, "separator": say("separator"), "common_author": say("author")}
    name_schema_put(group=group, schema=schema, actor=actor)


def _queue(made: Deployment) -> dict[str, PendingChange]:
    """Changes of every kind and status: batch 1 is applied, 2 is open and holds one that no longer fits."""
    say, approver = made.say, made.approver
    applied = [
        _propose(made, "update", IMAGE_CATEGORY, 2),
        _propose(made, "create", IMAGE_CATEGORY, 4),
        _propose(made, "delete", IMAGE_CATEGORY, 3),
    ]
    batch_decide(actor=approver, title=_title(say("first")), approved_ids=[one.change_id for one in applied])
    batch_apply(actor=approver, batch_id=1, job_id=_title(say("job")))
    stale, approved = _propose(made, "update", TEXT_CATEGORY, 2), _propose(made, "create", "lora", 4)
    name = made.name(TEXT_CATEGORY, 2)
    record_put(
        category=TEXT_CATEGORY, name=name, record=record_full(TEXT_CATEGORY, name, _prefixed(say, "live "))
    )
    rejected, withdrawn = _propose(made, "create", "clip", 4), _propose(made, "create", "ti", 4)
    batch_decide(
        actor=approver,
        title=_title(say("second")),
        approved_ids=[stale.change_id, approved.change_id],
        rejected_ids=[rejected.change_id],
        reject_reason=say("reject reason"),
    )
    change_withdraw(actor=made.requestor, change_id=withdrawn.change_id, reason=say("withdrawn because"))
    pending = {
        "update": _propose(made, "update", IMAGE_CATEGORY, 1),
        "create": _propose(made, "create", TEXT_CATEGORY, 4),
        "delete": _propose(made, "delete", IMAGE_CATEGORY, 1),
    }
    others = {
        category: _propose(made, "update", category, 1)
        for category in CATEGORIES
        if category != IMAGE_CATEGORY
    }
    reopened = others["controlnet"]
    batch_decide(actor=approver, title=_title(say("third")), approved_ids=[reopened.change_id])
    change_reopen(actor=approver, change_id=reopened.change_id, reason=say("reopened because"))
    comment_add(actor=approver, change_id=pending["update"].change_id, text=say("comment"))
    reason_save(text=say("saved reason"))
    return {
        **pending,
        "applied": applied[0],
        "stale": stale,
        "approved": approved,
        "rejected": rejected,
        "withdrawn": withdrawn,
        "reopened": reopened,
    }


def _propose(made: Deployment, operation: str, category: str, number: int) -> PendingChange:
    name = made.name(category, number)
    payload = None if operation == "delete" else record_full(category, name, _prefixed(made.say, "new "))
    return change_propose(
        actor=made.requestor,
        category=category,
        name=name,
        operation=operation,
        payload=payload,
        route=f"{operation}_v2_{category}",
        notes=made.say("note"),
        related_models=[made.say("related")],
    )


def _prefixed(say: Say, prefix: str) -> Say:
    return lambda place: say(prefix + place)


def _title(text: str) -> str:
    return text[:120]


def _usage(made: Deployment) -> None:
    """What the AI-Horde says of the first two models of each kind, as if it came just now."""
    for kind, category in (("image", IMAGE_CATEGORY), ("text", TEXT_CATEGORY)):
        names = [made.name(category, number) for number in (1, 2)]
        used = dict.fromkeys(names, 900)
        bodies = {
            STATUS_CALLS[kind]: [
                {"name": name, "count": 4, "queued": 1, "jobs": 1, "eta": 3} for name in names
            ],
            USAGE_CALLS[kind]: {"day": used, "month": used, "total": used},
            WORKER_CALLS[kind]: [{"id": "w1", "name": made.say("worker"), "models": names, "online": True}],
        }
        for call, body in bodies.items():
            UsageSnapshot.objects.create(path=call.path, body=json.dumps(body), fetched_at=time.time())
    UsageDay.objects.create(
        category=IMAGE_CATEGORY,
        name=made.name(IMAGE_CATEGORY),
        day=date.today(),
        workers=3,
        usage_day=10,
        usage_month=100,
        usage_total=1000,
    )


def process_forget() -> None:
    """Leaves the process as it begins: nothing is known of the database."""
    for held in (documents._snapshots, documents._row_reads, usage._copies, analytics._kept, columns._held):
        held.clear()
    commit_mark._answers.clear()
    text_structure._held = text_groups._held = known_models._held = None
    atom._document.cache_clear()
    ContentType.objects.clear_cache()
    cache.clear()
    connection.run_on_commit.clear()


def session_of(role: str) -> str:
    """The key of a session that someone of this role has."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    if role == STAFF:
        user = User.objects.get(username=SUPERUSER)
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    else:
        user_id = REQUESTOR_ID if role == REQUESTOR else APPROVER_ID
        session["horde_user"] = {"user_id": user_id, "username": plain("somebody")}
    session.create()
    return session.session_key
