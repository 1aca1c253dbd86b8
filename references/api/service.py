"""What the service says of itself."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from references.api.documentation import operation
from references.api.reading import ReadViewSet
from references.api.responses import NO_CACHE, json_response
from references.api.schemas import BackendInfo, ContainsMessage, HeartbeatResponse
from references.horde import circuit_state
from references.sources import legacy_repositories
from references.vocabulary import ReplicateMode


class ServiceReads(ReadViewSet):
    """Probes and greetings."""

    @operation("read_root__get", answers=ContainsMessage, tags=("default",), words="What this is")
    def read_root(self, request: HttpRequest) -> HttpResponse:
        return json_response(
            request,
            {"message": "This is the Horde model reference. Its interactive documentation is at /api/docs."},
        )

    @operation("read_v2_reference_api_info", answers=ContainsMessage, words="What version 2 is")
    def read_v2_info(self, request: HttpRequest) -> HttpResponse:
        return json_response(
            request,
            {
                "message": "Version 2 of the model reference: records per category, search, and moderated changes."
            },
        )

    @operation(
        "read_legacy_reference_api_info", answers=ContainsMessage, tags=("v1",), words="What version 1 is"
    )
    def read_v1_info(self, request: HttpRequest) -> HttpResponse:
        images, texts = legacy_repositories()
        return json_response(
            request,
            {
                "message": "Version 1 of the model reference, in the format of the repositories "
                f"{images.page_url} and {texts.page_url}."
            },
        )

    @operation(
        "replicate_mode_replicate_mode_get",
        answers=BackendInfo,
        tags=("default",),
        words="What kind of deployment this is, and whether it takes writes",
    )
    def read_replicate_mode(self, request: HttpRequest) -> HttpResponse:
        body = {
            "replicate_mode": settings.REPLICATE_MODE,
            "canonical_format": settings.CANONICAL_FORMAT,
            "writable": settings.REPLICATE_MODE is ReplicateMode.PRIMARY,
        }
        return json_response(request, body, cache=NO_CACHE)

    @operation(
        "heartbeat_heartbeat_get",
        answers=HeartbeatResponse,
        tags=("default",),
        words="Whether the service is up, and how the AI-Horde answered of late",
    )
    def read_heartbeat(self, request: HttpRequest) -> HttpResponse:
        return json_response(request, {"status": "ok", "ai_horde": circuit_state()}, cache=NO_CACHE)
