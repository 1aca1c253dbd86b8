"""Made-up stores of the published service, written as it leaves them on disk."""

import json
from pathlib import Path
from typing import Any

from tests.factories import make_v2
from tests.moderation.factories import IMAGES, stamps

BEGAN, PROPOSED, DECIDED, APPLIED = 1_790_000_000, 1_790_000_100, 1_790_000_200, 1_790_000_300
NAMES = {"101": "Rita#101", "900": "Ada#900"}


def published_record(name: str, *, category: str = IMAGES, **fields: Any) -> dict[str, Any]:
    return make_v2(category, name, **{"metadata": stamps(), **fields})


class PublishedFolder:
    """A store in the making: `write` puts it on disk, and `files` may be spoilt before."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict]] = {"stable_diffusion": {}}
        self.changes: list[dict] = []
        self.events: list[dict] = []
        self.last_batch_id = 0
        self.files: dict[str, Any] = {}

    def live(self, name: str, *, file: str = "stable_diffusion", **fields: Any) -> dict:
        category = IMAGES if file == "stable_diffusion" else file
        record = published_record(name, category=category, **fields)
        self.records.setdefault(file, {})[name] = record
        return record

    def proposed(
        self, name: str, operation: str = "create", *, category: str = IMAGES, **fields: Any
    ) -> dict:
        """A pending change and the event of its proposal."""
        change_id = len(self.changes) + 1
        payload = fields.pop("payload", None) or published_record(name)
        change = {
            "change_id": change_id,
            "category": category,
            "model_name": name,
            "operation": operation,
            "payload": payload,
            "requested_by": "101",
            "requested_username": NAMES["101"],
            "requested_at": PROPOSED,
            "status": "pending",
            "updated_at": PROPOSED,
            "request_metadata": {"route": f"{operation}_v2_{category}"},
            **fields,
        }
        self.changes.append(change)
        about = {"operation": operation, "category": category, "model": name}
        self.act("enqueue", change, by="101", at=PROPOSED, **about)
        return change

    def approved(self, change: dict, batch: int, title: str = "A batch") -> None:
        change |= {
            "status": "approved",
            "batch_id": batch,
            "batch_title": title,
            "approved_by": "900",
            "approved_username": NAMES["900"],
            "approved_at": DECIDED,
        }
        self.last_batch_id = max(self.last_batch_id, batch)
        self.act("approve", change, at=DECIDED, batch_id=batch, batch_title=title)

    def rejected(self, change: dict, reason: str = "Licence not clear") -> None:
        change |= {
            "status": "rejected",
            "batch_title": "A batch",
            "rejected_by": "900",
            "rejected_username": NAMES["900"],
            "rejected_at": DECIDED,
            "reject_reason": reason,
        }
        self.act("reject", change, at=DECIDED, batch_title="A batch", reason=reason)

    def applied(self, change: dict, payload: dict, operation: str, *, job: str = "job-1") -> None:
        """The event of the write, whose payload is given, and that of the apply."""
        change |= {
            "status": "applied",
            "applied_by": "900",
            "applied_username": NAMES["900"],
            "applied_at": APPLIED,
            "applied_job_id": job,
        }
        self.event(change["category"], change["model_name"], operation, payload, request_id=job)
        self.act("apply", change, at=APPLIED, batch_id=change["batch_id"], job_id=job)

    def act(self, action: str, change: dict, *, by: str = "900", at: int = DECIDED, **after: Any) -> None:
        payload = {"after": {"change_id": change["change_id"], **after, "action": action}}
        self.event("pending_queue", str(change["change_id"]), "update", payload, by=by, at=at)

    def event(
        self,
        category: str,
        name: str,
        operation: str,
        payload: dict,
        *,
        by: str = "900",
        at: int = APPLIED,
        **fields: Any,
    ) -> dict:
        event = {
            "event_id": len(self.events) + 1,
            "timestamp": at,
            "domain": "v2",
            "category": category,
            "model_name": name,
            "operation": operation,
            "logical_user_id": by,
            **fields,
            "payload": payload,
        }
        self.events.append(event)
        return event

    def write(self, path: Path) -> Path:
        self._put(path, "pending_queue/changes.json", self.changes)
        highest = {"last_change_id": len(self.changes), "last_batch_id": self.last_batch_id}
        self._put(path, "pending_queue/index.json", highest)
        self._put(path, "audit/index.json", {"last_event_id": len(self.events)})
        for name, records in self.records.items():
            self._put(path, f"{name}.json", records)
        segments: dict[str, str] = {}
        for event in self.events:
            name = f"audit/v2/{event['category']}/audit-000001.jsonl"
            segments[name] = segments.get(name, "") + json.dumps(event) + "\n"
        for name, value in {**segments, **self.files}.items():
            self._put(path, name, value)
        return path

    @staticmethod
    def _put(path: Path, name: str, value: Any) -> None:
        """Text is written as it is, None removes a file."""
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if value is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(value if isinstance(value, str) else json.dumps(value, indent=2))


def meta(**fields: Any) -> dict[str, Any]:
    return {
        "category": IMAGES,
        "last_updated": APPLIED,
        "last_operation_type": "update",
        "last_operation_model": "live_a",
        "total_creates": 1,
        "total_updates": 2,
        "total_deletes": 3,
        "initialization_time": BEGAN,
        "last_successful_operation": APPLIED,
        "error_count": 4,
        **fields,
    }
