"""Whatever text a record, a note, a reason or a name holds, every page shows it as text.

A store is filled twice: once with hostile text in every place that takes text, once with harmless text of the same
shape. Every page must be the same tree of elements and attributes for both, and say the same apart from the text.
"""

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import zip_longest
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from moderation.models import PendingChange
from references.categories import CATEGORIES, IMAGE_CATEGORY
from references.pages.security import content_security_policy
from tests.furnished import (
    APPROVER,
    REQUESTOR,
    STAFF,
    Deployment,
    Say,
    people_know,
    process_forget,
    session_of,
    store_furnish,
)
from tests.hordedouble import stop_clock
from tests.moderation.pages.formreader import FormReader
from tests.urlmap import url_map

pytestmark = pytest.mark.django_db

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
CORPUS = {
    "markup": f"{MARKUP}</textarea></title>\" onmouseover=\"alert(1)\" ' autofocus onfocus='alert(1)' `><svg onload=x>",  # noqa: E501
    "script address": f"javascript:alert(1)//{MARKUP}",
    "script address in disguise": "\tJaVa\tScRiPt:alert(1)",
    "data address": f"data:text/html;base64,PHNjcmlwdD4=,{MARKUP}",
    "web address": 'https://example.org/"onclick="alert(1)"\'><script>alert(1)</script>',
    "templates and styles": "{{ 7|add:7 }}{% debug %}${7*7}--><!--]]>&lt;b&gt;&#60;b&#62;}*{background:url(//x)}",
    "formula": "=cmd|' /C calc'!A0",
    "directions and lines": "@\u202egnp.exe\u2066\u2069\u200b\ufeff\u2028x\u2029x",
}
# What stands for a character in harmless text: one that is punctuation, too, and means nothing anywhere, on the same
# side of the letters, so that lists keep their order.
HARMLESS = str.maketrans(
    {
        "<": "(",
        ">": ")",
        **dict.fromkeys("{|}", "~"),
        **dict.fromkeys("\"'`", "*"),
        **dict.fromkeys("&%=@+-$", "!"),
        ":": ";",
        **dict.fromkeys("\u202e\u2066\u2069\u200b\ufeff\u2028\u2029", "\u00b7"),
    }
)
WEB = "https://"
SCHEMES = {"", "http", "https"}
ADDRESSES = {"href", "src", "action", "formaction", "poster", "srcset", "data", "xlink:href"}
FILES = (
    (APPROVER, "admin/audit/events.csv"),
    (APPROVER, "admin/batches/1/export.csv"),
    (APPROVER, "api/model_references/statistics/image_generation/deletion-risk?format=csv"),
)
FEED_PARTS = {"title", "link", "published", "updated", "id", "category", "author", "summary"}
DATA_TYPES = {"application/json", "application/atom+xml", "text/csv", "text/plain"}
FORMULA = re.compile(r"\s*[=+\-@\t\r]")
# How JSON writes what is no letter.
_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")


def twin_of(text: str) -> str:
    """Harmless text of the same shape; an address stays one."""
    start = WEB if text.startswith(WEB) else ""
    return start + text.removeprefix(start).translate(HARMLESS)


@pytest.fixture(autouse=True)
def deployment(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people_know(settings)
    stop_clock(monkeypatch)


class Tree(HTMLParser):
    """The elements of a page in order, opening and closing, with the names of their attributes; and its text."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, ...]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside = ""
        self.scripts: list[str] = []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, *sorted(name for name, _ in attrs)))
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.shape.append((f"/{tag}",))
        self.inside = ""

    def handle_comment(self, data: str) -> None:
        self.shape.append(("comment",))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.inside in ("script", "style") and data.strip():
            self.scripts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def faults_of(response: HttpResponse, tree: Tree) -> list[str]:
    """What no page may have, whatever it shows."""
    faults = []
    if response.headers.get("Content-Security-Policy") != content_security_policy():
        faults.append(f"the policy is {response.headers.get('Content-Security-Policy')}")
    if response.headers.get("X-Content-Type-Options") != "nosniff":
        faults.append("browsers may guess its type")
    if tree.scripts:
        faults.append(f"has {tree.scripts[0][:80]!r} inline")
    for tag, attributes in tree.elements:
        faults += [f"<{tag} {name}>" for name in attributes if name.startswith("on") or name == "style"]
        for name in attributes.keys() & ADDRESSES:
            address = urlsplit((attributes[name] or "").strip())
            if address.scheme not in SCHEMES:
                faults.append(f"<{tag} {name}={attributes[name]!r}>")
            if tag == "a" and address.netloc and "noopener" not in (attributes.get("rel") or ""):
                faults.append(f"<a href={attributes[name]!r}> without rel")
    return faults


def client_of(role: str) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.cookies["sessionid"] = session_of(role)
    return client


def pages_of(made: Deployment) -> Iterator[tuple[str, str]]:
    """Every page there is, with who looks at it."""
    for route in url_map():
        if route.is_api or route.path in ("metrics", "favicon.ico", "admin/logout/", "admin/jsi18n/"):
            continue
        is_plain_admin = bool(re.match(r"admin/(auth|moderation|references|records|<|r/)", route.path))
        role = STAFF if is_plain_admin else APPROVER
        if "<category>" not in route.path:
            yield role, made.path_of(route.path)
            continue
        for category in CATEGORIES:
            name = made.name(category)
            yield role, made.path_of(route.path, category=category, name=name, model_name=name)
    for change_id in PendingChange.objects.values_list("pk", flat=True):
        yield from (
            (APPROVER, f"/admin/queue/{change_id}/{view}") for view in ("", "?view=inline", "?view=raw")
        )
        yield REQUESTOR, f"/my-changes/{change_id}"
    text = made.name(IMAGE_CATEGORY)
    for path in ("/admin/queue/", "/admin/purge/", "/admin/audit/"):
        yield APPROVER, f"{path}?{urlencode({'q': text, 'model': text, 'model_name': text, 'by': text})}"
    # Searches know signs of their own, so that only one that finds nothing finds the same.
    for path in ("/search", f"/models/{IMAGE_CATEGORY}"):
        yield APPROVER, f"{path}?{urlencode({'q': text + ' and nothing else', 'tag': text, 'view': 'cards'})}"
    for path in (
        "queue/?show=all",
        "batches/1/",
        "batches/1/?view=net",
        "audit/?view=pending",
        "audit/?view=batches",
    ):
        yield APPROVER, f"/admin/{path}"
    yield REQUESTOR, "/my-changes"
    yield REQUESTOR, f"/sign-in?{urlencode({'next': '/' + quote(text)})}"
    yield APPROVER, f"/{quote(text)}"


def forms_of(made: Deployment) -> Iterator[tuple[str, HttpResponse]]:
    """Pages that answer a form: what was sent is shown again, as a preview or beside what is wrong with it."""
    say = made.say
    rita, ada = client_of(REQUESTOR), client_of(APPROVER)
    for category in CATEGORIES:
        path = made.path_of("propose/<category>/edit/<name>", category=category, name=made.name(category, 1))
        form = FormReader(rita.get(path)).values
        typed = {name: say(name) if name == "r.description" else text for name, text in form.items()}
        for sent in (
            typed,
            {**typed, "r.size_on_disk_bytes": say("size"), "r.config.download": say("files")},
        ):
            yield f"{path} preview", rita.post(path, {**sent, "note": say("note"), "act": "preview"})
    change = f"/admin/queue/{made.samples['change_id']}/"
    yield "approve", ada.post(change, {"act": "approve", "title": say("title") * 9})
    yield "reject", ada.post(change, {"act": "reject", "title": "x", "reason": say("reason") * 20})
    yield "reasons", ada.post("/admin/queue/reasons/", {"text": say("reason") * 20})
    yield (
        "apply",
        ada.post(
            "/admin/apply/", {"overwrite": say("overwrite"), "confirm": say("confirm"), "job_id": say("job")}
        ),
    )
    yield (
        "purge",
        ada.post(
            "/admin/purge/", {"model_name": say("model"), "confirm": say("confirm"), "seen": say("seen")}
        ),
    )
    yield (
        "sign in",
        Client(headers={"Accept": "text/html"}).post(
            "/sign-in", {"apikey": "", "next": "/" + quote(say("next"))}
        ),
    )
    staff = client_of(STAFF)
    yield (
        "alias",
        staff.post(
            "/admin/references/groupaliasentry/add/", {"canonical": say("a") * 9, "aliases": say("b")}
        ),
    )


Shown = list[tuple[str, HttpResponse, str]]


def shown(made: Deployment) -> Shown:
    """What every page answers, with its address and its content."""
    clients = {role: client_of(role) for role in (REQUESTOR, APPROVER, STAFF)}
    pages = [(path, clients[role].get(path)) for role, path in pages_of(made)]
    return [(path, page, content_of(page)) for path, page in [*pages, *forms_of(made)]]


def content_of(response: HttpResponse) -> str:
    return b"".join(response).decode() if response.streaming else response.content.decode()


def pages_with(say: Say) -> Shown:
    """The pages of a store that is filled with these words; nothing of it stays."""
    process_forget()
    with transaction.atomic():
        pages = shown(store_furnish(say))
        transaction.set_rollback(True)
    return pages


@pytest.mark.parametrize("kind", CORPUS)
def test_every_page_shows_it_as_text(kind):
    hostile = CORPUS[kind]
    pages = pages_with(lambda place: f"{hostile} {place}")
    twins = pages_with(lambda place: f"{twin_of(hostile)} {place}")
    faults = {
        unquote(path): found
        for (path, page, content), (_, twin, harmless) in zip(pages, twins, strict=True)
        if (found := faults_beside(page, content, twin, harmless, hostile))
    }
    assert not faults, "\n".join(f"{path}: {found}" for path, found in faults.items())


def faults_beside(
    page: HttpResponse, content: str, twin: HttpResponse, harmless: str, hostile: str
) -> list[str]:
    """What is wrong with a page, beside the same page of harmless text."""
    if page.status_code != twin.status_code:
        return [f"answers {page.status_code} in place of {twin.status_code}"]
    if not page.headers.get("Content-Type", "").startswith("text/html") or not content:
        return []
    tree, other = Tree(content), Tree(harmless)
    faults = faults_of(page, tree)
    for found, expected in zip_longest(tree.shape, other.shape):
        if found != expected:
            return [*faults, f"has {found} in place of {expected}"]
    told, meant = (letters_of(text).count(letters_of(hostile)) for text in (tree.text, other.text))
    # An address is longer when it is quoted, and may be cut where it is shown.
    return faults if meant - 1 <= told <= meant else [*faults, f"says it {told} times in place of {meant}"]


def letters_of(text: str) -> str:
    """What is left of a text, however it is quoted; the same for the harmless one."""
    return re.sub("[^a-z]", "", unquote(_ESCAPE.sub("", text)).lower())


@pytest.mark.parametrize("kind", CORPUS)
def test_feeds_and_files_hold_it_as_data(kind):
    hostile = CORPUS[kind]
    made = store_furnish(lambda place: f"{hostile} {place}")
    feed = Client().get("/api/feed.atom")
    entries = ElementTree.fromstring(feed.content).iter("{http://www.w3.org/2005/Atom}entry")  # noqa: S314 - our own
    assert {child.tag.partition("}")[2] for entry in entries for child in entry} <= FEED_PARTS
    for role, path in FILES:
        response = client_of(role).get(made.path_of(path))
        assert response.status_code == 200, path
        content = content_of(response)
        assert "attachment" in response.headers["Content-Disposition"], path
        assert response.headers["X-Content-Type-Options"] == "nosniff", path
        cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
        assert [cell for cell in cells if FORMULA.match(cell) and not _is_number(cell)] == [], path
        assert any(hostile.strip() in cell for cell in cells), path


@pytest.mark.parametrize("kind", CORPUS)
def test_answers_of_the_api_are_never_taken_for_pages(kind):
    made = store_furnish(lambda place: f"{CORPUS[kind]} {place}")
    for route in url_map():
        if route.is_api and "GET" in route.methods and route.path not in ("api/docs", "api/redoc"):
            response = Client().get(
                made.path_of(route.path), headers={"apikey": "key-approver", "Accept": "text/html"}
            )
            assert response.headers["Content-Type"].partition(";")[0] in DATA_TYPES, route.path
            assert response.headers["X-Content-Type-Options"] == "nosniff", route.path


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None
