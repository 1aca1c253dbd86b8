"""Proposing new models and changes by form, by JSON, and through the preview: without script."""

import json
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.test import Client

from moderation.models import PendingChange
from moderation.pages.forms.documents import document_read
from moderation.pages.forms.fields import category_fields
from moderation.services import batch_decide
from references.categories import CATEGORIES
from references.models import ModelRecord
from references.services import record_put
from references.vocabulary import CanonicalFormat
from tests.factories import make_download, make_record
from tests.moderation.factories import (
    ADA,
    IMAGES,
    RAVI,
    apply_at_once,
    approve,
    make_live,
    propose_create,
    propose_update,
)
from tests.moderation.pages.formreader import FormReader
from tests.references.pages.html import Page

pytestmark = pytest.mark.django_db
NEW = f"/propose/{IMAGES}"
EDIT = f"{NEW}/edit/painter"
AS_JSON = "The whole record as JSON"
HOSTILE = "</textarea><script>alert('x')</script>"


@pytest.fixture
def rita(sign_in) -> Client:
    return sign_in("Rita")


def do(client: Client, url: str, act: str, form: dict[str, str]):
    return client.post(url, {**form, "act": act})


def typed(client: Client, url: str, **fields: str) -> dict[str, str]:
    return FormReader(client.get(url)).typed(**fields)


def preview(client: Client, url: str, **fields: str):
    return do(client, url, "preview", typed(client, url, **fields))


def send(client: Client, url: str, note: str = "", **fields: str) -> PendingChange:
    shown = preview(client, url, **fields)
    assert shown.status_code == 200, Page(shown).text
    response = do(client, url, "send", {**FormReader(shown).values, "note": note})
    change = PendingChange.objects.order_by("-change_id").first()
    assert response.status_code == 303
    assert response.headers["Location"] == f"/my-changes/{change.change_id}"
    return change


def test_a_new_model_is_previewed_and_only_then_sent(rita):
    shown = preview(rita, NEW, name="fresh", baseline="SDXL", nsfw="false", tags="a\r\nb")
    assert PendingChange.objects.count() == 0
    assert "baseline critical not there stable_diffusion_xl" in Page(shown).text
    do(rita, NEW, "send", {**FormReader(shown).values, "note": "Checked the licence"})
    change = PendingChange.objects.get()
    assert (change.operation, change.model_name, change.status) == ("create", "fresh", "pending")
    assert (change.requested_by, change.notes) == ("101", "Checked the licence")
    assert json.loads(change.request_metadata) == {"route": "create_v2_image_generation"}
    payload = change.payload_as_dict()
    assert (payload["baseline"], payload["nsfw"], payload["tags"]) == (
        "stable_diffusion_xl",
        False,
        ["a", "b"],
    )
    assert not ModelRecord.objects.filter(name="fresh").exists()


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_form_that_makes_a_record(rita, category):
    needed = {
        "image_generation": {"baseline": "flux_1", "nsfw": "true"},
        "text_generation": {"parameters": "7000"},
    }
    change = send(rita, f"/propose/{category}", name="fresh", **needed.get(category, {}))
    assert (change.category, change.model_name) == (category, "fresh")
    assert change.payload_as_dict()["record_type"] == category


@pytest.fixture
def starter(db: None) -> None:
    call_command("load_starter", verbosity=0)
    for category in CATEGORIES:
        if not ModelRecord.objects.in_category(category).exists():
            make_record(category, "only one", description="words")


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_form_that_is_sent_as_it_came_changes_nothing(rita, starter, category):
    for record in ModelRecord.objects.in_category(category):
        url = f"/propose/{category}/edit/{record.name}"
        form = FormReader(rita.get(url)).values
        typed = {key[2:]: text for key, text in form.items() if key.startswith("r.")}
        assert document_read(category_fields(category), record.as_dict(), typed) == record.as_dict()
        assert json.dumps(json.loads(form["draft"])) == json.dumps(record.as_dict())
        refused = do(rita, url, "preview", form)
        assert refused.status_code == 400
        page = Page(refused)
        assert "You have changed nothing" in page.text
        # Which is no fault of the name.
        assert not any("aria-invalid" in field for field in page.all("input"))


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_edit_changes_what_was_typed_and_nothing_else(rita, starter, category):
    record = ModelRecord.objects.in_category(category).first()
    change = send(rita, f"/propose/{category}/edit/{record.name}", version="edited")
    assert change.operation == "update"
    payload = change.payload_as_dict()
    # The service fills in the version of the schema, where an imported record tells none.
    payload["metadata"].pop("schema_version")
    expected = {**record.as_dict(), "version": "edited"}
    expected["metadata"].pop("schema_version", None)
    assert {key: payload[key] for key in expected} == expected


def test_a_change_needs_the_form_to_say_so(rita):
    make_live("painter", description="old words")
    shown = preview(rita, EDIT, description="new words")
    assert "description old words new words" in Page(shown).text
    told = Page(shown).text.split("set by the service")[0].split(AS_JSON)[0]
    assert "metadata" not in told


def test_unknown_members_and_odd_values_survive_an_edit(rita):
    held = {
        **make_live("painter", description="old words"),
        "curator": {"note": "x"},
        "tags": ["two\nlines"],
        "trigger": [],
        "description": "",
        "config": {"download": [{**make_download("a.bin"), "mirror": "m"}], "loader": 3},
    }
    record_put(category=IMAGES, name="painter", record=held)
    payload = send(rita, EDIT, version="2").payload_as_dict()
    assert (payload["curator"], payload["tags"], payload["description"]) == (
        {"note": "x"},
        ["two\nlines"],
        "",
    )
    assert payload["config"]["loader"] == 3
    assert payload["config"]["download"][0]["mirror"] == "m"


def test_members_that_no_schema_knows_are_left_out_of_new_records_and_named(rita):
    text = json.dumps({"name": "fresh", "baseline": "flux_1", "nsfw": False, "colour": "red"})
    form = {**FormReader(do(rita, NEW, "json", typed(rita, NEW))).values, "json": text}
    shown = do(rita, NEW, "preview", form)
    assert "no record of this category has such a member: colour" in Page(shown).text


def test_what_the_api_would_refuse_is_said_at_its_field(rita):
    response = preview(rita, NEW, name="fresh", size_on_disk_bytes="much", style="odd")
    assert response.status_code == 422
    page = Page(response)
    assert page.all("p", id="f-baseline-error")
    assert page.all("select", id="f-nsfw", **{"aria-invalid": "true"})
    assert page.all("input", id="f-size_on_disk_bytes", value="much")
    assert {"#f-baseline", "#f-nsfw", "#f-size_on_disk_bytes", "#f-style"} <= set(page.links)
    assert "4 things to put right." in page.text
    assert "Unknown style: odd." in page.text
    assert FormReader(response).values["r.style"] == "odd"


@pytest.mark.parametrize(
    ("category", "name", "words"),
    [
        (IMAGES, "a\\b", "must not contain a backslash"),
        (IMAGES, " ", "This is required"),
        ("text_generation", "koboldcpp/x", "carries a backend prefix"),
        (IMAGES, "painter", "A model of this name is there already"),
    ],
)
def test_names_obey_the_rules_of_the_api(rita, category, name, words):
    make_live("painter")
    url = f"/propose/{category}"
    needed = {"parameters": "7"} if category == "text_generation" else {"baseline": "flux_1", "nsfw": "false"}
    response = preview(rita, url, name=name, **needed)
    assert response.status_code in (400, 409, 422)
    page = Page(response)
    assert words in page.text
    assert page.all("input", id="f-name", **{"aria-invalid": "true"})


def test_files_are_added_and_removed_without_script(rita):
    form = typed(rita, NEW, name="fresh", baseline="flux_1", nsfw="false")
    for _ in range(2):
        form = FormReader(do(rita, NEW, "add:config.download", form)).values
    assert "remove:config.download.1" in [
        value for _, value in FormReader(do(rita, NEW, "form", form)).buttons
    ]
    form |= {
        "r.config.download.0.file_name": "gone.bin",
        "r.config.download.1.file_name": "kept.bin",
        "r.config.download.1.file_url": "https://huggingface.co/kept.bin",
        "r.config.download.1.size_bytes": "12",
    }
    form = FormReader(do(rita, NEW, "remove:config.download.0", form)).values
    assert form["r.name"] == "fresh"
    assert form["r.config.download.0.file_name"] == "kept.bin"
    shown = do(rita, NEW, "preview", form)
    do(rita, NEW, "send", FormReader(shown).values)
    files = PendingChange.objects.get().payload_as_dict()["config"]["download"]
    assert files == [
        {
            "file_name": "kept.bin",
            "file_url": "https://huggingface.co/kept.bin",
            "sha256sum": "FIXME",
            "size_bytes": 12,
        }
    ]


def test_a_fault_in_a_file_is_told_with_its_number(rita):
    form = typed(rita, NEW, name="fresh", baseline="flux_1", nsfw="false")
    form = FormReader(do(rita, NEW, "add:config.download", form)).values
    page = Page(do(rita, NEW, "preview", form))
    assert "#f-config-download-0-file_url" in page.links
    assert "File URL of file 1 : This is required." in page.text


def test_form_and_json_show_the_same_record_both_ways(rita):
    form = typed(rita, NEW, name="fresh", size_on_disk_bytes="much", nsfw="true", tags="a\r\nb")
    as_json = FormReader(do(rita, NEW, "json", form)).values
    assert json.loads(as_json["json"]) == {
        "name": "fresh",
        "size_on_disk_bytes": "much",
        "nsfw": True,
        "tags": ["a", "b"],
    }
    as_json["json"] = json.dumps({**json.loads(as_json["json"]), "version": "3"})
    back = FormReader(do(rita, NEW, "form", as_json)).values
    assert (back["r.version"], back["r.size_on_disk_bytes"], back["r.tags"]) == ("3", "much", "a\r\nb")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\r\n "name": "x",\r\n}', "Line 3, column 1"),
        ("[]", "a record is an object"),
        ('{"name": NaN}', "NaN is not JSON"),
        ('{"name": "\\ud800"}', "cannot be stored"),
        ('{"size_on_disk_bytes": 1e999}', "Out of range"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100 + "1" + "}" * 100, "nested too deeply"),
        ('{"size_on_disk_bytes": ' + "9" * 5000 + "}", "Exceeds the limit"),
    ],
)
@pytest.mark.parametrize("act", ["form", "preview"])
def test_text_that_is_no_record_stays_with_the_place_of_the_fault(rita, text, words, act):
    form = {**FormReader(do(rita, NEW, "json", typed(rita, NEW))).values, "json": text}
    response = do(rita, NEW, act, form)
    assert response.status_code == 422
    assert words in Page(response).text
    assert FormReader(response).values["json"] == text


def test_a_record_that_moved_meanwhile_is_shown_and_not_overwritten(rita):
    make_live("painter", description="old words", version="1")
    form = typed(rita, EDIT, version="2")
    apply_at_once(propose_update("painter", description="their words", version="1", by=RAVI))
    response = do(rita, EDIT, "preview", form)
    assert response.status_code == 409
    text = Page(response).text
    assert "painter was changed while you were writing" in text
    assert "description old words their words" in text
    assert do(rita, EDIT, "send", form).status_code == 409
    assert PendingChange.objects.pending().count() == 0

    merged = FormReader(do(rita, EDIT, "merge", FormReader(response).values)).values
    assert (merged["r.description"], merged["r.version"]) == ("their words", "2")
    shown = do(rita, EDIT, "preview", merged)
    told = Page(shown).text.split(AS_JSON)[0]
    assert "version 1 2" in told
    assert "their words" not in told


def test_a_record_that_is_gone_meanwhile_is_said_to_be(rita):
    make_live("painter", description="old words")
    form = typed(rita, EDIT, version="2")
    ModelRecord.objects.filter(name="painter").delete()
    assert "no longer there" in Page(do(rita, EDIT, "preview", form)).text
    assert rita.get(EDIT).status_code == 404


def test_a_copy_begins_with_all_but_the_name_and_the_stamps(rita):
    make_live("painter", description="old words", tags=["a"])
    form = FormReader(rita.get(NEW, {"copy": "painter"})).values
    assert (form["r.name"], form["r.description"], form["r.tags"]) == ("", "old words", "a")
    assert form["r.metadata.created_at"] == ""
    assert form["opened"] == ""
    assert rita.get(NEW, {"copy": "nobody"}).status_code == 404


def reject(change: PendingChange) -> PendingChange:
    batch_decide(actor=ADA, title="Review", rejected_ids=[change.change_id], reject_reason="Too blurry")
    return change


def test_a_rejected_change_is_edited_and_proposed_again(rita):
    make_live("painter", description="old words", version="1")
    old = reject(propose_update("painter", description="new words", version="1"))
    apply_at_once(propose_update("painter", description="old words", version="9", by=RAVI))
    url = f"{EDIT}?change={old.change_id}"
    assert url in Page(rita.get(f"/my-changes/{old.change_id}")).links
    new = send(rita, url, style="anime")
    payload = new.payload_as_dict()
    assert (payload["description"], payload["version"], payload["style"]) == ("new words", "9", "anime")
    assert json.loads(new.request_metadata)["resubmits"] == old.change_id


def test_a_pending_change_is_replaced_by_what_is_made_of_it(rita):
    make_live("painter", description="old words")
    old = propose_update("painter", description="new words")
    url = f"{EDIT}?change={old.change_id}"
    assert url in Page(rita.get(f"/my-changes/{old.change_id}")).links
    assert f"Sending this withdraws change {old.change_id}" in Page(rita.get(url)).text
    shown = preview(rita, url, description="better words")
    assert f"Sending this withdraws change {old.change_id}" in Page(shown).text
    assert "open proposal" not in Page(shown).text
    old.refresh_from_db()
    assert old.status == "pending"

    new = send(rita, url, description="better words")
    old.refresh_from_db()
    assert (old.status, old.reject_reason) == ("rejected", f"Replaced by change {new.change_id}")
    assert (new.status, new.payload_as_dict()["description"]) == ("pending", "better words")
    assert json.loads(new.request_metadata)["resubmits"] == old.change_id
    text = Page(rita.get(f"/my-changes/{old.change_id}")).text
    assert "Withdrawn" in text
    assert f"Replaced by change {new.change_id}" in text


def test_a_change_that_is_approved_meanwhile_is_not_replaced(rita):
    make_live("painter", description="old words")
    old = propose_update("painter", description="new words")
    url = f"{EDIT}?change={old.change_id}"
    shown = preview(rita, url, description="better words")
    approve(old)
    response = do(rita, url, "send", FormReader(shown).values)
    assert response.status_code == 409
    assert f"Change {old.change_id} was approved meanwhile" in Page(response).text
    assert FormReader(response).values["r.description"] == "better words"
    assert list(PendingChange.objects.values_list("status", flat=True)) == ["approved"]
    assert rita.get(url).status_code == 404


def test_only_own_undecided_or_rejected_changes_are_edited_again(rita):
    others = reject(propose_create("theirs", by=RAVI))
    approve(approved := propose_create("approved-one"))
    for number in (others.change_id, approved.change_id, "x", 10**30):
        assert rita.get(NEW, {"change": number}).status_code == 404
    mine = reject(propose_create("mine"))
    assert FormReader(rita.get(NEW, {"change": mine.change_id})).values["r.name"] == "mine"
    assert rita.get("/propose/clip", {"change": mine.change_id}).status_code == 404


def test_resubmitting_keeps_members_that_no_schema_knows(rita):
    held = {**make_live("painter"), "curator": "x"}
    record_put(category=IMAGES, name="painter", record=held)
    old = send(rita, EDIT, version="2")
    reject(old)
    assert rita.post(f"/my-changes/{old.change_id}/resubmit").status_code == 303
    assert PendingChange.objects.pending().get().payload_as_dict()["curator"] == "x"


@pytest.mark.parametrize("path", [NEW, EDIT, f"{NEW}/delete/painter", f"{NEW}/bulk"])
def test_a_deployment_that_takes_legacy_records_has_no_forms(rita, settings, path):
    make_live("painter")
    form = typed(rita, EDIT, description="new words")
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    for act in ("preview", "send"):
        response = do(rita, path, act, {**form, "name": "painter", "confirm": "painter"})
        assert response.status_code == 503
        assert "This deployment takes proposals in the legacy format." in Page(response).text
    assert PendingChange.objects.count() == 0


def test_nothing_leads_to_forms_that_are_not_there(rita, settings):
    make_live("painter")
    pages = (f"/models/{IMAGES}", f"/models/{IMAGES}/painter")
    assert all("/propose/" in rita.get(path).content.decode() for path in pages)
    settings.CANONICAL_FORMAT = CanonicalFormat.LEGACY
    shown = [rita.get(path).content.decode() for path in pages]
    assert not any("/propose/" in html for html in shown)
    assert all("/my-changes" in html for html in shown)


def test_the_preview_tells_what_a_reviewer_would_ask(rita):
    make_live("Painter One")
    text = Page(preview(rita, NEW, name="painter-one", baseline="flux_1", nsfw="false")).text
    assert "A model with nearly the same name is there already: Painter One." in text


def test_a_text_model_shows_the_names_that_go_with_it(rita):
    text = Page(preview(rita, "/propose/text_generation", name="Org/New-13B", parameters="13000000000")).text
    assert "aphrodite/Org/New-13B or koboldcpp/New-13B" in text


def test_all_that_is_wrong_is_said_in_one_round(rita):
    make_live("painter")
    response = preview(rita, NEW, name="painter", size_on_disk_bytes="much", homepage="javascript:alert(1)")
    assert response.status_code == 422
    text = Page(response).text
    assert "4 things to put right." in text
    assert "Baseline : This is required." in text
    assert "Has to be a whole number, in digits." in text
    assert "A model of this name is there already" in text
    assert "Homepage The address is no complete web address." in text
    assert "Files The record has no file" in text
    assert "Expected" not in text


def test_a_truth_value_is_asked_for_in_plain_words(rita):
    text = json.dumps({"name": "fresh", "baseline": "flux_1", "nsfw": "perhaps"})
    form = {**FormReader(do(rita, NEW, "json", typed(rita, NEW))).values, "json": text}
    assert "Has to be yes (true) or no (false)." in Page(do(rita, NEW, "preview", form)).text


def test_baselines_are_offered_in_words_with_their_ids(rita):
    assert "Stable Diffusion XL (stable_diffusion_xl)" in Page(rita.get(NEW)).text


@pytest.mark.parametrize(("role", "is_told_who"), [("approver", False), ("requestor", True), ("any", True)])
def test_what_others_propose_for_the_same_model_is_said_before_sending(rita, settings, role, is_told_who):
    settings.QUEUE_READ_ROLE = role
    make_live("painter", description="old words")
    propose_update("painter", description="their words", by=RAVI)
    propose_create("fresh", by=RAVI)
    pages = (
        rita.get(EDIT),
        preview(rita, EDIT, description="my words"),
        preview(rita, NEW, name="fresh", baseline="flux_1", nsfw="false"),
    )
    for shown in pages:
        text = Page(shown).text
        assert "1 open proposal about this model already waits for an approver" in text
        assert ("Ravi#102" in text) is is_told_who
    assert "open proposal" not in Page(rita.get(NEW)).text


def test_ones_own_open_proposal_is_led_to(rita):
    make_live("painter", description="old words")
    own = propose_update("painter", description="my words")
    page = Page(rita.get(EDIT))
    assert f"change {own.change_id} (edit by you, pending)" in page.text
    assert f"/my-changes/{own.change_id}" in page.links


def file_typed(rita, url: str, address: str) -> dict[str, str]:
    form = FormReader(rita.get(url)).values
    if "r.config.download.0.file_url" not in form:
        form = FormReader(do(rita, url, "add:config.download", form)).values
    file = {"r.config.download.0.file_name": "a.bin", "r.config.download.0.file_url": address}
    return {**form, "r.name": "painter", "r.baseline": "flux_1", "r.nsfw": "false", **file}


@pytest.mark.parametrize(("ticked", "answer"), [({"checked": "on"}, "yes"), ({}, "no")])
def test_whether_new_addresses_were_opened_is_kept_with_the_note(rita, ticked, answer):
    shown = do(rita, NEW, "preview", file_typed(rita, NEW, "https://huggingface.co/a.bin"))
    page = Page(shown)
    assert "New addresses 1 https://huggingface.co/a.bin Open" in page.text
    links = page.all("a", href="https://huggingface.co/a.bin")
    assert {link["rel"] for link in links} == {"noopener noreferrer nofollow"}
    assert not any("target" in link for link in links)
    assert "Nobody has checked yet that these give the file" in page.text
    do(rita, NEW, "send", {**FormReader(shown).values, "note": "Please.", **ticked})
    assert PendingChange.objects.get().notes == f"Please.\n\nAddresses checked by the proposer: {answer}."


def test_only_new_addresses_are_asked_about(rita):
    make_live("painter", config={"download": [make_download("a.bin", file_url="https://example.org/a.bin")]})
    assert "I have opened every new address" not in Page(preview(rita, EDIT, description="new words")).text
    assert send(rita, EDIT, description="new words").notes is None
    moved = do(rita, EDIT, "preview", file_typed(rita, EDIT, "https://example.org/b.bin"))
    assert "New addresses 1 https://example.org/b.bin Open Nobody" in Page(moved).text


def test_an_address_that_browsers_may_not_follow_is_text(rita):
    shown = do(rita, NEW, "preview", file_typed(rita, NEW, "javascript:alert(1)"))
    assert "javascript:alert(1) no web address" in Page(shown).text
    assert not Page(shown).all("a", href="javascript:alert(1)")


def test_a_note_leaves_room_for_the_answer_about_addresses(rita):
    shown = do(rita, NEW, "preview", file_typed(rita, NEW, "https://huggingface.co/a.bin"))
    longest = int(Page(shown).all("textarea", id="note")[0]["maxlength"])
    form = FormReader(shown).values
    assert (
        "The note is longer than" in Page(do(rita, NEW, "send", {**form, "note": "x" * (longest + 1)})).text
    )
    assert do(rita, NEW, "send", {**form, "note": "x" * longest, "checked": "on"}).status_code == 303
    assert len(PendingChange.objects.get().notes) == 500


def test_a_note_that_is_too_long_is_not_cut(rita):
    shown = preview(rita, NEW, name="fresh", baseline="flux_1", nsfw="false")
    response = do(rita, NEW, "send", {**FormReader(shown).values, "note": "x" * 501})
    assert "The note is longer than 500 characters." in Page(response).text
    assert FormReader(response).values["note"] == "x" * 501
    assert PendingChange.objects.count() == 0


def test_all_that_was_typed_is_text(rita):
    form = typed(rita, NEW, name=HOSTILE, description=HOSTILE, tags=HOSTILE, baseline="flux_1", nsfw="true")
    for act in ("form", "json", "preview"):
        content = do(rita, NEW, act, form).content.decode()
        assert HOSTILE not in content
        assert "<script>alert" not in content


def test_hidden_fields_that_nobody_made_here_are_refused(rita):
    assert rita.post(NEW, {"draft": "{", "act": "preview"}).status_code == 400
    assert rita.post(EDIT, {"opened": "[]", "act": "preview"}).status_code == 400


@pytest.mark.parametrize("path", [NEW, EDIT, f"{NEW}/delete/painter"])
def test_these_pages_are_for_requestors(client, sign_in, rita, path):
    make_live("painter")
    assert rita.get(path).status_code == 200
    assert "no-store" in rita.get(path).headers["Cache-Control"]
    assert client.get(path).headers["Location"] == f"/sign-in?next={path.replace('/', '%2F')}"
    assert sign_in("Paul").get(path).headers["Location"] == "/sign-in"
    assert sign_in("Ada").get(path).status_code == 200
    rita.handler.enforce_csrf_checks = True
    assert rita.post(path, {"act": "send"}).status_code == 403


def test_any_name_that_is_stored_can_be_edited(rita):
    for name in ("Org/Base 7B", "what? #1 & 50%", "naïve/x"):
        make_live(name, description="old words")
        url = Page(rita.get(f"/models/{IMAGES}/{quote(name)}")).links
        edit = next(link for link in url if "/edit/" in link)
        assert send(rita, edit, description="new words").model_name == name


def test_unstorable_names_are_nobodys(rita):
    assert rita.get(f"{NEW}/edit/a%00b").status_code == 404
    assert rita.get(f"{NEW}?copy=a%00b").status_code == 404


def test_unknown_categories_have_no_form(rita):
    assert rita.get("/propose/bogus").status_code == 404
    assert rita.get("/propose/bogus/edit/x").status_code == 404


def test_requestors_find_the_forms_from_the_catalogue_and_others_do_not(client, rita):
    make_live("painter")
    wanted = {EDIT, f"{NEW}?copy=painter", f"{NEW}/delete/painter"}
    assert wanted <= set(Page(rita.get(f"/models/{IMAGES}/painter")).links)
    assert NEW in Page(rita.get(f"/models/{IMAGES}")).links
    for path in (f"/models/{IMAGES}/painter", f"/models/{IMAGES}"):
        assert not [link for link in Page(client.get(path)).links if link.startswith("/propose")]


def test_the_form_names_no_field_of_a_record_by_hand():
    """Every field of every record type is asked for, apart from the category itself."""
    from references.serializers.base import serializer_of
    from references.serializers.records import record_type

    for category in CATEGORIES:
        fields = set(serializer_of(record_type(category)).fields) - {"record_type"}
        assert {spec.name for spec in category_fields(category)} == fields


def test_an_edited_list_is_told_member_by_member(rita):
    files = [make_download(f"{name}.bin", sha256sum=digit * 64) for name, digit in (("a", "1"), ("b", "2"))]
    make_live("painter", tags=["anime", "retro"], config={"download": files})
    shown = preview(
        rita, EDIT, **{"tags": "anime\r\ncomic", "config.download.1.file_url": "https://example.org/c.bin"}
    )
    page = Page(shown)
    start = page.text.index("Field Before After")
    assert page.text[start:].startswith(
        "Field Before After config.download critical "
        "b.bin file_url: https://example.org/b.bin open 1 more, unchanged "
        "b.bin file_url: https://example.org/c.bin open 1 more, unchanged "
        "tags retro 1 more, unchanged comic 1 more, unchanged "
    )
    change = send(rita, EDIT, tags="anime\r\ncomic")
    mine = Page(rita.get(f"/my-changes/{change.change_id}")).text
    assert "tags retro 1 more, unchanged comic 1 more, unchanged" in mine


def test_two_files_of_one_name_are_warned_of_before_sending_and_at_the_desk(rita, sign_in):
    files = [make_download("a.bin", sha256sum=digit * 64) for digit in ("1", "2")]
    make_live("painter", config={"download": files})
    words = "File name of file 2 File 1 of this record has the same name, so one would replace the other."
    assert words in Page(preview(rita, EDIT, version="7")).text
    assert words in Page(preview(rita, EDIT, size_on_disk_bytes="much")).text
    change = send(rita, EDIT, version="7")
    assert words in Page(sign_in("Ada").get(f"/admin/queue/{change.change_id}/")).text


def test_what_is_one_models_own_is_suggested_to_no_other(rita):
    for name in ("painter", "sketcher"):
        make_live(
            name,
            homepage="https://example.org/home",
            showcases=["https://example.org/showcase.png"],
            trigger=["own words"],
            tags=["anime"],
        )
    html = rita.get(NEW).content.decode()
    assert "<summary>Often used</summary><p>anime</p>" in html
    assert html.count("Often used") == 1
    assert not any(own in html for own in ("example.org", "own words"))


def test_what_is_wrong_is_summed_up_in_the_order_of_the_form(rita):
    form = typed(
        rita,
        NEW,
        name="fresh",
        baseline="flux_1",
        nsfw="false",
        size_on_disk_bytes="much",
        homepage="javascript:alert(1)",
    )
    form |= {
        "r.requirements.0.name": "steps",
        "r.requirements.0.value": "4",
        "r.requirements.1.name": "steps",
        "r.requirements.1.value": "5",
    }
    form = {**FormReader(do(rita, NEW, "add:config.download", form)).values}
    response = do(rita, NEW, "preview", form | {"r.name": ""})
    page = Page(response)
    summary = [link.removeprefix("#") for link in page.links if link.startswith("#f-")]
    standing = [
        attributes["id"] for _, attributes in page.elements if (attributes.get("id") or "").startswith("f-")
    ]
    assert summary == sorted(summary, key=standing.index)
    assert {"f-name", "f-size_on_disk_bytes", "f-requirements-1-name", "f-config-download-0-file_url"} <= {
        *summary
    }
