"""What the caller may do here."""

from django.http import HttpRequest, HttpResponse

from moderation.api.schemas_answers import UserRolesResponse
from references.api.documentation import operation
from references.api.reading import ReadViewSet
from references.api.responses import NO_CACHE, json_response
from references.auth import authorize
from references.horde import Role


class CallerRoles(ReadViewSet):
    """The roles of a key on this deployment, whatever its mode."""

    @operation(
        "get_current_user_roles_model_references_v2_me_roles_get",
        answers=UserRolesResponse,
        errors=(401, 503),
        tags=("user",),
        keyed=True,
        words="Who you are and which roles you have here",
    )
    def read_roles(self, request: HttpRequest) -> HttpResponse:
        user = authorize(request, Role.ANY_KEY)
        answer = {
            "user_id": user.user_id,
            "username": user.username,
            "roles": user.roles,
            "is_approver": user.is_approver,
            "is_requestor": user.is_requestor,
        }
        return json_response(request, answer, cache=NO_CACHE)
