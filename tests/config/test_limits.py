import json

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from config.limits import HEAD_LIMIT, HeadLimitMiddleware


@pytest.fixture
def limits():
    return HeadLimitMiddleware(lambda request: HttpResponse("the view's answer"))


def told(response) -> tuple[int, dict]:
    return response.status_code, json.loads(response.content)


def test_headers_may_be_long_but_not_endless(limits):
    name = "HTTP_X_LONG"
    room = HEAD_LIMIT - sum(
        len(key) + len(value)
        for key, value in RequestFactory().get("/").META.items()
        if key.startswith("HTTP_")
    )
    assert limits(RequestFactory().get("/", **{name: "a" * (room - len(name))})).status_code == 200
    refused = limits(RequestFactory().get("/", **{name: "a" * (room - len(name) + 1)}))
    assert told(refused) == (431, {"detail": "Request headers too large."})
    assert refused.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/heartbeat", "/api/nowhere", "/"])
def test_every_address_has_these_limits(path):
    response = Client().get(path, headers={"X-Long": "a" * HEAD_LIMIT})
    assert told(response) == (431, {"detail": "Request headers too large."})


@pytest.mark.django_db
def test_a_form_that_is_too_long_is_told_so(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    response = Client().post("/theme", "theme=dark&next=/", content_type="application/x-www-form-urlencoded")
    assert told(response) == (413, {"detail": "Request body too large."})


@pytest.mark.django_db
def test_a_form_of_too_many_fields_is_told_so(settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3
    form = "&".join(f"field{number}=1" for number in range(4))
    response = Client().post("/theme", form, content_type="application/x-www-form-urlencoded")
    assert told(response) == (400, {"detail": "Bad Request"})
