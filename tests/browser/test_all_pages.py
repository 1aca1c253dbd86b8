"""Every page of the URL map in Chromium, on the real reference, as an approver sees it.

Each is light, asks no other host for anything but pictures, and has nothing that Chromium or axe complain about, in
both themes on a desk and on a phone. Pictures of all of them are left in the temporary folder of the test.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as deployed
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response
from pytest_django import Settings

from references.categories import IMAGE_CATEGORY, TEXT_CATEGORY
from references.legacy import CategorySource
from references.services import sources_import
from tests.browser.conftest import PICTURE, SHOWCASE_HOST
from tests.furnished import APPROVER, Deployment, people_know, session_of, store_furnish
from tests.urlmap import url_map

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Bytes of a page's HTML and style sheets as they are before compression.
HEAVIEST = 100_000
# Pages whose looks are those of a library: the documentation of the API, and Django's lists of what is stored.
OF_A_LIBRARY = re.compile("^/(api|admin/(auth|moderation|references|password_change))/")
SERIOUS = {"serious", "critical"}
# One list of stored rows is like another.
LIKE_OTHERS = re.compile(r"admin/references/(?!imagegeneration|groupaliasentry|category)\w+/")
IS_WEIGHED = {"document", "stylesheet"}


@pytest.fixture
def made(transactional_db: None, settings: Settings, real_sources: list[CategorySource]) -> Deployment:
    people_know(settings)
    made = store_furnish()
    sources_import(real_sources)
    return made


@pytest.fixture
def approver(made: Deployment) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.cookies[deployed.SESSION_COOKIE_NAME] = session_of(APPROVER)
    return client


def pages_of(made: Deployment, client: Client) -> dict[str, str]:
    """The addresses of all that is a page for this visitor, by a name that files can have."""
    addresses = [*_addresses(made)]
    answers = {address: client.get(address) for address in addresses}
    return {
        re.sub(r"[^\w.-]+", "_", address).strip("_") or "home": address
        for address, answer in answers.items()
        if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
    }


def _addresses(made: Deployment) -> Iterator[str]:
    for route in url_map():
        if LIKE_OTHERS.match(route.path) or (route.is_api and route.path not in ("api/docs", "api/redoc")):
            continue
        categories = (IMAGE_CATEGORY, TEXT_CATEGORY) if "<category>" in route.path else (IMAGE_CATEGORY,)
        for category in categories:
            name = made.name(category)
            yield made.path_of(route.path, category=category, name=name, model_name=name)
    samples = made.samples
    for kind in ("create", "delete", "applied", "stale", "approved", "rejected"):
        yield f"/admin/queue/{samples[f'{kind}_change']}/"
    yield from (f"/admin/queue/{samples['update_change']}/?view={view}" for view in ("inline", "raw"))
    yield from ("/admin/queue/?show=all", "/admin/queue/?q=nothing+like+this", "/admin/purge/?purge_all=on")
    yield from ("/admin/batches/1/", "/admin/batches/1/?view=net")
    yield from ("/admin/audit/?view=pending", "/admin/audit/?view=batches")
    yield from (
        "/search?q=llama",
        "/models/image_generation?view=cards",
        "/models/image_generation/Deliberate",
    )


def test_pages_can_be_told_apart_by_their_titles(made: Deployment, approver: Client):
    addresses: dict[str, set[str]] = {}
    for address in pages_of(made, approver).values():
        title = re.search("<title>(.*?)</title>", approver.get(address).content.decode(), re.DOTALL)[1]
        # The views of one thing may have one title, and the open batch is shown without its number, too.
        place = address.partition("?")[0].replace("/admin/apply/2/", "/admin/apply/")
        addresses.setdefault(title.strip(), set()).add(place)
    assert {title: found for title, found in addresses.items() if len(found) > 1} == {}


class Complaints:
    """What goes wrong while pages load, and what each of them weighs."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self.home = home
        self.found: list[str] = []
        self.weighed: list[Response] = []
        context.on("request", self._asked)
        context.on("response", self._answered)

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self.found.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))

    def _asked(self, request: Request) -> None:
        is_picture = request.resource_type == "image" and request.url.startswith(f"https://{SHOWCASE_HOST}/")
        if not is_picture and not request.url.startswith((self.home, "data:", "blob:")):
            self.found.append(f"asks {request.url}")

    def _answered(self, response: Response) -> None:
        if response.request.resource_type in IS_WEIGHED:
            self.weighed.append(response)

    def taken(self) -> tuple[list[str], int]:
        """What was found since the last time, and how many bytes came."""
        found, weight = self.found, sum(len(each.body()) for each in self.weighed)
        self.found, self.weighed = [], []
        return found, weight


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_every_page_loads_without_a_fault(
    made: Deployment,
    approver: Client,
    chromium: Browser,
    live_server: object,
    tmp_path: Path,
    width: int,
    theme: str,
):
    size = {"width": width, "height": 900}
    context = chromium.new_context(base_url=live_server.url, viewport=size, color_scheme=theme)
    context.route(
        f"https://{SHOWCASE_HOST}/**", lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml")
    )
    session = approver.cookies[deployed.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": deployed.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    complaints = Complaints(context, live_server.url)
    page = context.new_page()
    complaints.watch(page)
    faults: dict[str, list[str]] = {}
    for name, address in pages_of(made, approver).items():
        page.goto(address)
        found, weight = complaints.taken()
        if weight > HEAVIEST and not OF_A_LIBRARY.match(address):
            found.append(f"weighs {weight} bytes")
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width and not OF_A_LIBRARY.match(address):
            found.append(f"is {wide} pixels wide")
        if not OF_A_LIBRARY.match(address):
            page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
            found += serious_faults(page)
        complaints.taken()
        if found:
            faults[address] = found
    context.close()
    assert not faults, "\n".join(f"{address}: {found}" for address, found in faults.items())


@cache
def axe() -> Axe:
    return Axe()


def serious_faults(page: Page) -> list[str]:
    violations = axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations if each["impact"] in SERIOUS]
