"""The newest writes of live records as an Atom feed, for feed readers and chat bots."""

import re
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.feedgenerator import Atom1Feed
from drf_spectacular.utils import OpenApiResponse, extend_schema

from moderation.api.feed import record_events, require_log
from moderation.models import AuditEvent, AuditHead
from references.api.documentation import MEANINGS, ErrorResponse
from references.api.reading import ReadViewSet
from references.api.responses import document_response
from references.documents import Document
from references.journal import Operation

NEWEST = 50
# One for each address that the service is known by.
KEPT_DOCUMENTS = 8
FEED_PATH = "/api/feed.atom"
CHANGES_PATH = "/api/model_references/v2/changes"
DONE: dict[Operation, str] = {"create": "added", "update": "changed", "delete": "removed"}

# Imported names may hold what XML cannot, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH = datetime.fromtimestamp(0, UTC)


class ChangesAtom(Atom1Feed):
    """A feed that tells the same time of its last change at every request, before anything happened too."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else _EPOCH


class AtomFeed(ReadViewSet):
    """The feed."""

    @extend_schema(
        operation_id="read_atom_feed",
        summary=f"The {NEWEST} newest changes of models as an Atom feed",
        tags=["v2"],
        auth=[],
        responses={
            (200, "application/atom+xml"): OpenApiResponse(
                {"type": "string"}, description=HTTPStatus.OK.phrase
            ),
            503: OpenApiResponse(ErrorResponse, description=MEANINGS[503]),
        },
    )
    def read_feed(self, request: HttpRequest) -> HttpResponse:
        require_log()
        root = request.build_absolute_uri("/").removesuffix("/")
        response = document_response(request, _document(_end_of_log(), root))
        if response.status_code == HTTPStatus.OK:
            response.headers["Content-Type"] = ChangesAtom.content_type
        return response


def _end_of_log() -> str:
    """The hash of the last event, which covers all events before it; empty before the first."""
    return AuditHead.objects.values_list("last_hash", flat=True).first() or ""


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _document(end_of_log: str, root: str) -> Document:
    """The feed as it is while the log ends so, with addresses below `root`."""
    events = list(record_events().order_by("-event_id").defer("payload")[:NEWEST])
    feed = ChangesAtom(
        title="Changes of the Horde model reference",
        link=root + CHANGES_PATH,
        feed_url=root + FEED_PATH,
        feed_guid=root + FEED_PATH,
        description=None,
        language="en",
        author_name="Horde Model Reference",
    )
    for event in events:
        _entry_add(feed, event, root)
    # What was moved in from elsewhere happened before what was removed for it.
    last_modified = max((event.timestamp for event in events), default=None)
    return Document(feed.writeString("utf-8").encode(), last_modified=last_modified)


def _entry_add(feed: ChangesAtom, event: AuditEvent, root: str) -> None:
    at = datetime.fromtimestamp(event.timestamp, UTC)
    feed.add_item(
        title=_NOT_XML.sub("\ufffd", f"{event.category}: {event.model_name} {DONE[event.operation]}"),
        link=f"{root}/api/model_references/v2/{event.category}/model/{quote(event.model_name)}",
        description=None,
        pubdate=at,
        updateddate=at,
        # Unlike its number, the hash of an event is that of no event of another deployment.
        unique_id=uuid.uuid5(uuid.NAMESPACE_OID, event.hash).urn,
        categories=[event.category],
    )
