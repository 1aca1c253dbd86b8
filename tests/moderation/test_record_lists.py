"""The lists of stored rows are light, however many rows there are and whatever people wrote in them."""

import json

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from moderation.models import AuditEvent, Batch, ChangeComment, PendingChange, SavedReason
from references.categories import TEXT_CATEGORY
from references.models import CATEGORY_MODELS
from references.services import records_import
from references.structure_services import DEFAULT_SCHEMA, aliases_put, family_put, name_schema_put
from tests.factories import make_imported
from tests.references.pages.html import Page
from tests.references.pages.weights import weight

pytestmark = pytest.mark.django_db

# Bytes of a page and its style sheets, with room to grow below the 100 kB that a page may weigh.
HEAVIEST = 95_000
# More rows than any page has.
MANY = 101
# As long as names may be, with a character that grows in HTML.
LONG_NAME = "lab/A-rather-long-name-that-goes-on_&-on_"
RECORD = json.dumps(
    {"name": "painter", "description": 'He said "paint".\n' * 60, "tags": ["one", "two"] * 20}
)
AT = 1_790_000_000


def long_name(number: int) -> str:
    return (LONG_NAME * 7)[:250] + f"{number:05}"


@pytest.fixture
def many_rows() -> None:
    """Full pages of long rows in every list but that of the categories."""
    numbers = range(1, MANY + 1)
    PendingChange.objects.bulk_create(long_change(number) for number in numbers)
    Batch.objects.bulk_create(
        Batch(number=number, title="t" * 120, approved_by="9" * 255, approved_at=AT, last_event_id=number)
        for number in numbers
    )
    ChangeComment.objects.bulk_create(
        ChangeComment(
            change_id=number,
            author_id="900",
            author_username="A & " * 60,
            text="Words & more. " * 100,
            written_at=AT,
        )
        for number in numbers
    )
    SavedReason.objects.bulk_create(SavedReason(text=f"{number} " + "why & " * 80) for number in numbers)
    records_import(
        category=TEXT_CATEGORY,
        records=[
            make_imported(long_name(number), category=TEXT_CATEGORY, parameters=8 * 10**9)
            for number in numbers
        ],
    )
    # More kinds than the reference has, since each is a filter beside the list.
    texts = list(CATEGORY_MODELS[TEXT_CATEGORY].objects.all())
    for number, record in enumerate(texts):
        record.baseline = f"a-baseline-with-a-long-name-{number % 60}"
    CATEGORY_MODELS[TEXT_CATEGORY].objects.bulk_update(texts, ["baseline"])
    for number in range(1, 31):
        aliases_put(
            canonical=long_name(number), aliases=[f"a{number}-{long_name(each)[:240]}" for each in range(9)]
        )
        family_put(
            name=long_name(number), members=[f"m{number}-{long_name(each)[:240]}" for each in range(9)]
        )
        name_schema_put(group=long_name(number), schema={**DEFAULT_SCHEMA, "template": "{base}" * 30})
    User.objects.bulk_create(
        User(username=f"{number}-{'u' * 40}", email=f"{'u' * 40}{number}@example.org") for number in numbers
    )
    Group.objects.bulk_create(Group(name=f"{number} {'g' * 100}") for number in range(1, 31))
    # Events come last, since none may be added before another.
    AuditEvent.objects.bulk_create(
        AuditEvent(
            event_id=100_000 + number,
            timestamp=AT,
            domain="legacy",
            category="image_generation",
            model_name=long_name(number),
            operation="update",
            logical_user_id="9" * 255,
            request_id="r" * 120,
            payload=json.dumps({"before": json.loads(RECORD), "after": json.loads(RECORD)}),
            previous_hash="a" * 64,
            hash="b" * 64,
        )
        for number in numbers
    )


def long_change(number: int) -> PendingChange:
    """A change that was applied, with something in every column."""
    by = {
        f"{act}_{what}": "A & B " * 40
        for act in ("requested", "approved", "applied")
        for what in ("by", "username")
    }
    at = dict.fromkeys(("requested_at", "approved_at", "applied_at", "updated_at"), AT)
    records = dict.fromkeys(("payload", "base_record", "live_before", "live_after"), RECORD)
    return PendingChange(
        category="image_generation",
        model_name=long_name(number),
        operation="update",
        domain="legacy",
        status="applied",
        notes="Words & more. " * 50,
        batch_id=1_000 + number,
        batch_title="t" * 120,
        applied_job_id="j" * 120,
        applied_event_id=100_000 + number,
        **by,
        **at,
        **records,
    )


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="a long password"))
    return client


def names_of_models() -> list[str]:
    return sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


def pages_of(client: Client) -> dict[str, HttpResponse]:
    """The list of each kind of rows as it comes, all at once if that is offered, and the pages of its last row."""
    found = {}
    for name in names_of_models():
        listed = client.get(reverse(f"admin:{name}_changelist"))
        found[name] = listed
        found[f"{name}, all"] = client.get(f"{reverse(f'admin:{name}_changelist')}?all=")
        if row := listed.context["cl"].result_list[:1]:
            found[f"{name}, a row"] = client.get(reverse(f"admin:{name}_change", args=[row[0].pk]))
    return found


def test_every_list_and_row_is_light_with_its_style_sheets(many_rows: None, root: Client):
    pages = pages_of(root)
    assert {page: found.status_code for page, found in pages.items() if found.status_code != 200} == {}
    assert len(pages) > 50
    weights = {page: weight(found) for page, found in pages.items()}
    assert {page: heavy for page, heavy in weights.items() if heavy > HEAVIEST} == {}


def test_a_list_has_25_rows_on_a_page_and_leads_to_the_others(many_rows: None, root: Client):
    listed = root.get(reverse("admin:moderation_pendingchange_changelist"))
    assert len(listed.context["cl"].result_list) == 25
    assert "?p=2" in Page(listed).links
    assert not any("all=" in link for link in Page(listed).links)
    last = root.get(reverse("admin:moderation_pendingchange_changelist") + "?p=5")
    assert [change.model_name for change in last.context["cl"].result_list] == [long_name(1)]


def test_a_list_has_the_beginning_of_a_long_text_and_its_page_the_whole(many_rows: None, root: Client):
    change = PendingChange.objects.get(model_name=long_name(MANY))
    listed = Page(root.get(reverse("admin:moderation_pendingchange_changelist"))).text
    assert (long_name(MANY)[:79] + "…" in listed, long_name(MANY)[:80] in listed) == (True, False)
    page = Page(root.get(reverse("admin:moderation_pendingchange_change", args=[change.pk]))).text
    assert long_name(MANY) in page


def test_a_list_has_the_first_names_of_a_group_and_its_page_all(root: Client):
    names = [f"name-{number}" for number in range(20)]
    aliases_put(canonical="Lumimaid", aliases=names)
    listed = Page(root.get(reverse("admin:references_groupaliasentry_changelist"))).text
    assert ("name-0, name-1" in listed, "name-19" in listed) == (True, False)
    page = root.get(reverse("admin:references_groupaliasentry_change", args=["Lumimaid"])).content.decode()
    assert "\n".join(names) in page


def test_the_rows_of_a_list_scroll_by_themselves_and_by_keys(many_rows: None, root: Client):
    page = Page(root.get(reverse("admin:moderation_pendingchange_changelist")))
    (region,) = page.all("div", role="region")
    assert (region["class"], region["tabindex"]) == ("scroll", "0")
    assert region["aria-label"] == "Pending changes, row by row"


def test_a_list_says_what_it_is_sorted_by(many_rows: None, root: Client):
    address = reverse("admin:moderation_pendingchange_changelist")
    for order, sorted_by in (
        ("", ("column-change_id", "descending")),
        ("?o=4", ("column-model_name", "ascending")),
    ):
        heads = Page(root.get(address + order)).all("th", scope="col")
        assert [(head["class"], head["aria-sort"]) for head in heads if "aria-sort" in head] == [
            (f"sortable {sorted_by[0]} sorted {sorted_by[1]}", sorted_by[1])
        ]


def test_a_list_without_rows_says_so(root: Client):
    assert "No saved reasons." in Page(root.get(reverse("admin:moderation_savedreason_changelist"))).text
