from django.test import RequestFactory

from config.icon import favicon


def test_the_icon_is_the_mark_of_the_site():
    response = favicon(RequestFactory().get("/favicon.ico"))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/static/mark.")
    assert response.headers["Cache-Control"] == "public, max-age=86400"
