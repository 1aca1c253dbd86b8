"""A real browser, and a small catalogue for it to look at."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from pytest_django import Settings

from references.horde.usage import STATUS_CALLS, USAGE_CALLS, WORKER_CALLS
from references.models import UsageDay, UsageSnapshot
from references.services import records_import
from references.usage_history import today
from references.vocabulary import IMAGE_BASELINES, ImageStyle
from tests.factories import make_download, make_imported
from tests.references.figures import recorded_bodies

# Playwright runs an event loop in the thread of the tests, which makes Django suspect them of being asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOWCASE_HOST = "raw.githubusercontent.com"
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="640">'
    '<rect width="512" height="640" fill="#468"/></svg>'
)
GB = 10**9
STYLES, BASELINES = [str(style) for style in ImageStyle], list(IMAGE_BASELINES)

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_ALL"):
            pytest.fail("no Chromium is installed")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def showcase_hosts(settings: Settings) -> None:
    settings.SHOWCASE_HOSTS = [SHOWCASE_HOST]


@pytest.fixture
def usage(transactional_db: None) -> None:
    """What the AI-Horde was recorded to say, as if it came just now."""
    for kind in ("image", "text"):
        calls = (STATUS_CALLS[kind], USAGE_CALLS[kind], WORKER_CALLS[kind])
        for call, body in zip(calls, recorded_bodies(kind), strict=True):
            UsageSnapshot.objects.create(path=call.path, body=body, fetched_at=time.time())


@pytest.fixture
def catalogue(usage: None) -> None:
    """Models of several kinds."""
    records_import(
        category="image_generation",
        records=[
            make_imported(
                "stable_diffusion",
                category="image_generation",
                baseline="stable_diffusion_1",
                description="A generalist, and the baseline of many fine-tunes.",
                style="generalist",
                tags=["scenes", "retro"],
                trigger=["foxes at dawn"],
                requirements={"clip_skip": 2},
                homepage="https://example.org/home",
                showcases=[f"https://{SHOWCASE_HOST}/a/{number}.webp" for number in (1, 2, 3)],
                size_on_disk_bytes=4_265_380_512,
                config={"download": [make_download("model.safetensors", sha256sum="ab" * 32)]},
            ),
            make_imported(
                "Veiled",
                category="image_generation",
                nsfw=True,
                style="anime",
                showcases=[f"https://{SHOWCASE_HOST}/veiled/1.webp"],
                size_on_disk_bytes=7 * GB,
            ),
            *(
                make_imported(
                    f"Model {number:02}",
                    category="image_generation",
                    style=STYLES[number % len(STYLES)],
                    baseline=BASELINES[number % len(BASELINES)],
                    inpainting=number % 7 == 0,
                    description="Made for pictures of towns, machines and the sea.",
                    showcases=[f"https://{SHOWCASE_HOST}/m/{number}.webp"] if number % 3 == 0 else [],
                    size_on_disk_bytes=number * GB,
                )
                for number in range(1, 58)
            ),
        ],
    )
    records_import(
        category="text_generation",
        records=[
            make_imported(name, category="text_generation", parameters=size * GB, text_model_group=group)
            for name, size, group in (
                ("NeverSleep/Lumimaid-v0.2-8B", 8, "Lumimaid"),
                ("NeverSleep/Lumimaid-v0.2-70B", 70, "Lumimaid"),
                (
                    "lab/A-rather-long-name_of-a-model-that-goes-on-and-on_The-Final-Cut-24B",
                    24,
                    "A-rather-long-name",
                ),
            )
        ],
    )
    records_import(
        category="clip",
        records=[make_imported("ViT-L/14", category="clip", config={"download": [make_download("v.pt")]})],
    )
    UsageDay.objects.bulk_create(
        UsageDay(
            category="image_generation",
            name="stable_diffusion",
            day=today() - timedelta(days=ago),
            workers=10 + ago % 3,
            usage_day=4000 - 90 * ago,
            usage_month=90_000,
            usage_total=5_000_000,
        )
        for ago in range(20)
    )


@pytest.fixture
def new_page(chromium: Browser, catalogue: None, live_server: object) -> Iterator[NewPage]:
    """Opens pages of the service: a context of its own for each, with the options of `Browser.new_context`."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", *, width: int = 1440, **options: object) -> Page:
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900}, **options
        )
        contexts.append(context)
        context.route(f"https://{SHOWCASE_HOST}/**", _show_picture)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _show_picture(route: Route) -> None:
    route.fulfill(body=PICTURE, content_type="image/svg+xml")


@pytest.fixture
def people(settings: Settings) -> None:
    """A requestor and an approver, who sign in with keys of this deployment."""
    settings.QUEUE_REQUESTOR_IDS = frozenset({"101"})
    settings.QUEUE_APPROVER_IDS = frozenset({"900"})
    settings.STATIC_API_KEYS = {"rita": "Rita#101", "ada": "Ada#900"}
