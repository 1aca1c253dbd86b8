"""The pages for people; mounted at the root."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, register_converter, reverse
from django.urls.converters import StringConverter
from django.views.generic import RedirectView

from references.categories import IMAGE_CATEGORY
from references.pages.home import home
from references.pages.listing import category_list
from references.pages.record import record_page
from references.pages.risk import risk_page
from references.pages.search import search
from references.pages.statistics import statistics_page
from references.pages.theme import theme_choose


class ModelNameConverter(StringConverter):
    """Any text at all, slashes and line ends too: imported names obey no rule."""

    regex = "(?s:.+)"


register_converter(ModelNameConverter, "model_name")


def to_first_category(page: str) -> Callable:
    """From the bare address of pages that are about one category each to the first of them."""

    def redirect(request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"catalogue:{page}", args=[IMAGE_CATEGORY]))

    return redirect


app_name = "catalogue"
urlpatterns = [
    path("", home, name="home"),
    path("search", search, name="search"),
    path("models", RedirectView.as_view(pattern_name="catalogue:home")),
    path("models/<str:category>", category_list, name="category"),
    path("models/<str:category>/<model_name:name>", record_page, name="record"),
    path("statistics", to_first_category("statistics"), name="all_statistics"),
    path("statistics/<str:category>", statistics_page, name="statistics"),
    path("deletion-risk", to_first_category("risk"), name="all_risk"),
    path("deletion-risk/<str:category>", risk_page, name="risk"),
    path("theme", theme_choose, name="theme"),
]
