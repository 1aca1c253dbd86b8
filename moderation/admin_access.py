"""The admin for approvers who signed in with their key.

There is no row in the table of users for them, and so no permission that could outlive a role: each request of
the admin looks at the session and the allowlist again, and lends the approver a user for this request alone.
People with a row and a password come in as ever.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, ClassVar

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path

from moderation.pages.session import NEXT, queue_is_open, sign_in_url, signed_in
from references.pages.security import secured

# Rows of a list on one page, and all that "Show all" shows: a page is below 100 kB with its style sheets.
ROWS_SHOWN = 25
# An approver looks at what these apps hold. Acts are views of their own, which ask for the role.
SHOWN_APPS = frozenset({"references", "moderation"})


@dataclass(frozen=True, slots=True)
class ApproverUser:
    """An approver, as far as the admin asks its users anything; an Actor for the services too."""

    user_id: str
    username: str

    pk: ClassVar[None] = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = True
    is_superuser: ClassVar[bool] = False

    def get_username(self) -> str:
        return self.username

    get_short_name = get_username

    def has_usable_password(self) -> bool:
        return False

    def has_perm(self, permission: str, obj: object = None) -> bool:
        app, _, act = permission.partition(".")
        return app in SHOWN_APPS and act.startswith("view_")

    def has_perms(self, permissions: Iterable[str], obj: object = None) -> bool:
        return all(map(self.has_perm, permissions))

    def has_module_perms(self, app: str) -> bool:
        return app in SHOWN_APPS


class DeskSite(AdminSite):
    """Django's admin, open to staff and to approvers, with the desk in front of it."""

    site_header = "Horde Model Reference"
    site_title = "Horde Model Reference"
    login_template = "moderation/admin_login.html"
    index_template = app_index_template = "desk/records.html"
    enable_nav_sidebar = False

    def register(
        self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any
    ) -> None:
        """As Django does; every list, those of accounts too, has pages that are no longer than others here."""
        shown = min(ROWS_SHOWN, (admin_class or ModelAdmin).list_per_page)
        pages = {"list_per_page": shown, "list_max_show_all": shown}
        super().register(model_or_iterable, admin_class, **(pages | options))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        desk = [
            path("", include("moderation.desk.urls")),
            path("records/", self.admin_view(self.records), name="records"),
        ]
        return [*desk, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponseBase:
        """The queue, for those who act on it; for everyone else the lists of rows."""
        if acts_at_desk(request) and queue_is_open():
            return redirect("admin:desk_queue")
        return self.records(request, extra_context)

    def records(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponseBase:
        """The lists of what is stored, as Django shows them."""
        return super().index(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict:
        places = {"section": "desk", "desk_section": "records", "acts_at_desk": acts_at_desk(request)}
        return {**super().each_context(request), **places}

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) or approver_of(request) is not None

    def admin_view(self, view: Callable, cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        guarded = super().admin_view(view, cacheable)

        def entered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not super(DeskSite, self).has_permission(request) and (approver := approver_of(request)):
                request.user = approver
            return secured(guarded(request, *args, **kwargs))

        return update_wrapper(entered, guarded)

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponseBase:
        back = request.GET.get(NEXT) or request.POST.get(NEXT) or request.path.removesuffix("login/")
        offered = {"signed_in": signed_in(request), "sign_in_url": sign_in_url(back)}
        return super().login(request, {**offered, **(extra_context or {})})

    def password_change(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        if isinstance(request.user, ApproverUser):
            raise PermissionDenied
        return super().password_change(request, extra_context)


def acts_at_desk(request: HttpRequest) -> bool:
    """Whether whom the admin let in is more than staff, who only look at rows."""
    return request.user.is_superuser or isinstance(request.user, ApproverUser)


def approver_of(request: HttpRequest) -> ApproverUser | None:
    """Who is signed in with a key, if that is an approver at this moment."""
    user = signed_in(request)
    if user is None or not user.is_approver:
        return None
    return ApproverUser(user.user_id, user.username)
