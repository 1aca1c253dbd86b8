"""Proposals through version 2."""

import pytest

from moderation.models import AuditEvent, PendingChange
from references.models import ModelRecord
from tests.factories import make_record
from tests.moderation.api.callers import (
    APPROVER,
    PLAIN,
    QUEUE,
    REQUESTOR,
    V1,
    V2,
    image,
    problems,
    send,
    told,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

IMAGES, TEXTS, CLIPS = f"{V2}/image_generation", f"{V2}/text_generation", f"{V2}/clip"
EARLY = 1_700_000_000
FIRST_FILE_URL = ["body", "config", "download", 0, "file_url"]


def text(name: str, **fields: object) -> dict:
    """The least that is a text record."""
    return {"name": name, "parameters": 7_000_000_000, **fields}


def propose(method: str, path: str, body: dict | bytes = b"", **headers: str) -> dict:
    """The queued change."""
    response = send(method, path, body, key=REQUESTOR, **headers)
    assert response.status_code == 202, response.content
    return response.json()


def make_live(change: dict) -> None:
    batch = {"batch_title": "A batch", "approved_ids": [change["change_id"]]}
    assert send("POST", f"{QUEUE}/batches", batch, key=APPROVER).status_code == 200
    applied = send("POST", f"{QUEUE}/changes/{change['change_id']}/apply", {}, key=APPROVER)
    assert applied.status_code == 200, applied.content


def test_a_proposal_answers_the_change_without_nulls_and_leaves_live_data_alone():
    change = propose("POST", IMAGES, image("N"))
    assert {**change, "requested_at": 0, "updated_at": 0} == {
        "change_id": change["change_id"],
        "category": "image_generation",
        "model_name": "N",
        "operation": "create",
        "payload": {
            "record_type": "image_generation",
            "name": "N",
            "metadata": {"schema_version": "2.0.0"},
            "config": {"download": []},
            "model_classification": {"domain": "image", "purpose": "generation"},
            "inpainting": False,
            "baseline": "stable_diffusion_xl",
            "tags": [],
            "showcases": [],
            "trigger": [],
            "nsfw": False,
        },
        "requested_by": "101",
        "requested_username": "Rita#101",
        "requested_at": 0,
        "status": "pending",
        "updated_at": 0,
        "request_metadata": {"route": "create_v2_image_generation"},
    }
    assert change["updated_at"] == change["requested_at"] > EARLY
    assert send("GET", f"{IMAGES}/model/N").status_code == 404
    assert ModelRecord.objects.count() == 0


def test_each_way_to_propose_is_told_by_its_operation_id():
    make_record("clip", "live")
    routes = [
        propose("POST", CLIPS, {"name": "a"}),
        propose("POST", f"{CLIPS}/add", {"name": "b"}),
        propose("PUT", f"{CLIPS}/model/live", {"name": "live"}),
        propose("DELETE", f"{CLIPS}/model/live"),
    ]
    assert [(change["operation"], change["request_metadata"]["route"]) for change in routes] == [
        ("create", "create_v2_clip"),
        ("create", "create_v2_model"),
        ("update", "update_v2_clip"),
        ("delete", "delete_v2_model"),
    ]


@pytest.mark.parametrize("path", [IMAGES, f"{IMAGES}/add"])
def test_what_is_missing_is_told_field_by_field(path):
    missing = [("missing", ["body", field]) for field in ("name", "baseline", "nsfw")]
    status, found = problems(send("POST", path, {}, key=REQUESTOR))
    assert (status, sorted(found)) == (422, sorted(missing))


def test_the_category_of_the_path_picks_the_schema():
    assert problems(send("POST", f"{IMAGES}/add", {"name": "g"}, key=REQUESTOR)) == (
        422,
        [("missing", ["body", "baseline"]), ("missing", ["body", "nsfw"])],
    )
    assert propose("POST", f"{V2}/controlnet/add", {"name": "g"})["payload"]["record_type"] == "controlnet"


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("baseline", "SDXL", "stable_diffusion_xl"),
        ("style", " anime ", "anime"),
        ("tags", [" a ", "a", ""], ["a"]),
        ("size_on_disk_bytes", "12", 12),
    ],
)
def test_fields_are_stored_in_one_spelling(field, given, kept):
    assert propose("POST", IMAGES, image("N", **{field: given}))["payload"][field] == kept


def test_unknown_and_null_members_are_not_stored():
    payload = propose("POST", IMAGES, image("N", unknown=1, description=None))["payload"]
    assert "unknown" not in payload
    assert "description" not in payload


@pytest.mark.parametrize(
    ("category", "body", "place"),
    [
        ("image_generation", image("N", baseline="zzz"), ["body", "baseline"]),
        ("image_generation", image("N", style="zzz"), ["body", "style"]),
        ("image_generation", image("N", record_type="clip"), ["body", "record_type"]),
        ("image_generation", image("N", size_on_disk_bytes=-1), ["body", "size_on_disk_bytes"]),
        ("clip", {"name": "N", "config": {"download": [{"file_name": "f"}]}}, FIRST_FILE_URL),
        ("text_generation", {"name": "N"}, ["body", "parameters"]),
        ("text_generation", text("N", parameters=0), ["body", "parameters"]),
        ("text_generation", text("N", settings={"bogus": 1}), ["body", "settings", "bogus"]),
        ("clip", {"name": 5}, ["body", "name"]),
        ("clip", [{"name": "N"}], ["body"]),
        ("clip", None, ["body"]),
        ("clip", "N", ["body"]),
    ],
)  # fmt: skip
def test_a_record_that_breaks_its_schema_is_refused_at_the_place(category, body, place):
    status, [(_, found)] = problems(send("POST", f"{V2}/{category}", body, key=REQUESTOR))
    assert (status, found) == (422, place)
    assert PendingChange.objects.count() == 0


def test_an_unknown_controlnet_style_is_taken():
    change = propose("POST", f"{V2}/controlnet", {"name": "c", "controlnet_style": "weird"})
    assert change["payload"]["controlnet_style"] == "weird"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("A", 409),
        ("", 422),
        ("  ", 422),
        ("a\\b", 422),
        ("a//b", 422),
        ("../a", 422),
        ("x/y", 202),
        ("ü (1).5", 202),
    ],
)
def test_names_follow_the_rules(name, status):
    make_record("image_generation", "A")
    response = send("POST", IMAGES, image(name), key=REQUESTOR)
    assert response.status_code == status
    if status != 202:
        assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize("prefix", ["aphrodite", "koboldcpp"])
def test_a_backends_name_of_a_text_model_is_refused(prefix):
    for path in (TEXTS, f"{TEXTS}/add"):
        response = send("POST", path, {"name": f"{prefix}/x", "parameters": 1}, key=REQUESTOR)
        assert response.status_code == 400
    response = send(
        "PUT", f"{TEXTS}/model/{prefix}/x", {"name": f"{prefix}/x", "parameters": 1}, key=REQUESTOR
    )
    assert response.status_code == 400


def test_a_text_model_gets_its_group_and_the_names_of_its_backends():
    change = propose("POST", TEXTS, {"name": "P/My-Model-7B-Q4_K_M", "parameters": 7_000_000_000})
    assert change["payload"]["text_model_group"] == "My-Model"
    assert change["payload"]["parameters"] == 7_000_000_000
    assert "parameters_count" not in change["payload"]
    assert change["related_models"] == ["aphrodite/P/My-Model-7B-Q4_K_M", "koboldcpp/My-Model-7B-Q4_K_M"]
    make_live(change)
    record = send("GET", f"{TEXTS}/model/P%2FMy-Model-7B-Q4_K_M").json()
    assert record["parameters"] == 7_000_000_000
    assert record["metadata"]["created_at"] == record["metadata"]["updated_at"] > EARLY
    assert {"P/My-Model-7B-Q4_K_M", *change["related_models"]} == send(
        "GET", f"{V1}/text_generation"
    ).json().keys()


@pytest.mark.parametrize(("given", "kept"), [("Mine", "Mine"), (None, "My-Model")])
def test_a_group_that_is_given_is_kept(given, kept):
    change = propose("POST", TEXTS, {"name": "My-Model-7B", "parameters": 7, "text_model_group": given})
    assert change["payload"]["text_model_group"] == kept


def test_an_update_is_of_a_live_model_under_its_own_name():
    make_record("image_generation", "A")
    assert send("PUT", f"{IMAGES}/model/A", image("Z"), key=REQUESTOR).status_code == 400
    assert send("PUT", f"{IMAGES}/model/none", image("Z"), key=REQUESTOR).status_code == 400
    assert send("PUT", f"{IMAGES}/model/none", image("none"), key=REQUESTOR).status_code == 404
    assert propose("PUT", f"{IMAGES}/model/A", image("A"))["operation"] == "update"


def test_an_update_keeps_who_created_the_record_and_when():
    stamps = {"created_at": EARLY, "updated_at": EARLY, "created_by": "Someone"}
    make_record("image_generation", "A", at=EARLY, metadata=stamps)
    mine = image("A", description="changed", metadata={"created_at": 1, "created_by": "Me"})
    change = propose("PUT", f"{IMAGES}/model/A", mine)
    assert change["payload"]["metadata"]["created_at"] == EARLY
    assert change["payload"]["metadata"]["created_by"] == "Someone"
    before = send("GET", f"{V2}/metadata/image_generation").json()
    make_live(change)
    metadata = send("GET", f"{IMAGES}/model/A").json()["metadata"]
    assert (metadata["created_at"], metadata["updated_at"] > EARLY) == (EARLY, True)
    after = send("GET", f"{V2}/metadata/image_generation").json()
    assert after["last_updated"] > before["last_updated"]
    assert after["total_updates"] == 1


@pytest.mark.parametrize("name", ["ViT-L/14", "ViT-L%2F14"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_name_with_a_slash_may_be_written_either_way(name, method):
    record = make_record("clip", "ViT-L/14", pretrained_name="p").as_dict()
    body = {"name": "ViT-L/14"} if method == "PUT" else b""
    change = propose(method, f"{CLIPS}/model/{name}", body)
    assert change["model_name"] == "ViT-L/14"
    if method == "DELETE":
        assert change["payload"] == record


def test_only_a_live_model_can_be_deleted():
    response = send("DELETE", f"{CLIPS}/model/none", key=REQUESTOR)
    assert told(response) == (404, {"detail": "Model 'none' not found in category 'clip'"})
    assert send("DELETE", f"{CLIPS}/model/%00", key=REQUESTOR).status_code == 404


def test_a_body_of_a_delete_is_not_looked_at():
    make_record("clip", "live")
    assert send("DELETE", f"{CLIPS}/model/live", {"anything": 1}, key=REQUESTOR).status_code == 202


def test_what_is_queued_already_stands_in_nobodys_way():
    first, second = (propose("POST", CLIPS, {"name": "twice"}) for _ in range(2))
    assert second["change_id"] > first["change_id"]


@pytest.mark.parametrize("path", ["bogus", "bogus/add", "IMAGE_GENERATION", "stable_diffusion", "clip.json"])
def test_an_unknown_category_is_told_to_those_who_may_propose(path):
    assert send("POST", f"{V2}/{path}", {}).status_code == 401
    assert send("POST", f"{V2}/{path}", {}, key=PLAIN).status_code == 401
    expected = (422, [("enum", ["path", "model_category_name"])])
    assert problems(send("POST", f"{V2}/{path}", image("N"), key=REQUESTOR)) == expected
    assert send("PUT", f"{V2}/bogus/model/x", {}, key=REQUESTOR).status_code == 422
    assert send("DELETE", f"{V2}/bogus/model/x", key=REQUESTOR).status_code == 422


def test_nobody_without_the_role_learns_what_is_live():
    make_record("clip", "live")
    answers = {
        (method, name): told(send(method, f"{CLIPS}/model/{name}", {"name": name}, key=PLAIN))
        for method in ("PUT", "DELETE")
        for name in ("live", "none")
    }
    assert len({str(answer) for answer in answers.values()}) == 1
    assert {status for status, _ in answers.values()} == {401}


@pytest.mark.parametrize("curated", ["lora", "ti", "video_generation", "audio_generation"])
def test_categories_that_are_empty_can_be_written_to(curated):
    assert propose("POST", f"{V2}/{curated}", {"name": "first"})["category"] == curated


def test_with_testing_on_unknown_members_are_refused(settings):
    settings.AI_HORDE_TESTING = True
    response = send("POST", CLIPS, {"name": "N", "unknown": 1}, key=REQUESTOR)
    assert problems(response) == (422, [("extra_forbidden", ["body", "unknown"])])


# Notes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plain", "plain"),
        ("  trimmed ", "trimmed"),
        ("grüße".encode().decode("latin-1"), "grüße"),
        ("grüße", "grüße"),
        ("x" * 500, "x" * 500),
        ("é".encode().decode("latin-1") * 500, "é" * 500),
        ("UTF-8''gr%C3%BC%C3%9Fe%2C%20100%25", "grüße, 100%"),
        ("utf-8'de'" + "%C3%A9" * 500, "é" * 500),
        ("100% sure, 'as' it's", "100% sure, 'as' it's"),
    ],
)
def test_a_note_goes_with_the_proposal(sent, kept):
    assert propose("POST", CLIPS, {"name": "N"}, X_Proposal_Note=sent)["notes"] == kept


@pytest.mark.parametrize("sent", ["UTF-8''%FC", "UTF-8''a%00b"])
def test_a_note_that_is_no_text_is_refused(sent):
    response = send("POST", CLIPS, {"name": "N"}, key=REQUESTOR, X_Proposal_Note=sent)
    assert problems(response) == (422, [("value_error", ["header", "X-Proposal-Note"])])
    assert PendingChange.objects.count() == 0


@pytest.mark.parametrize("sent", ["", "   ", "UTF-8''", "UTF-8''%20"])
def test_a_blank_note_is_none(sent):
    assert "notes" not in propose("POST", CLIPS, {"name": "N"}, X_Proposal_Note=sent)


def test_a_note_may_be_too_long():
    make_record("clip", "live")
    for method, path, body in (
        ("POST", CLIPS, {"name": "N"}),
        ("PUT", f"{CLIPS}/model/live", {"name": "live"}),
        ("DELETE", f"{CLIPS}/model/live", None),
    ):
        response = send(method, path, body, key=REQUESTOR, X_Proposal_Note="x" * 501)
        assert problems(response) == (422, [("string_too_long", ["header", "X-Proposal-Note"])])
    assert PendingChange.objects.count() == 0


# Overlay ----------------------------------------------------------------------------------------------------


def test_the_overlay_shows_what_open_proposals_would_bring():
    make_record("clip", "live")
    make_record("clip", "doomed")
    propose("POST", CLIPS, {"name": "new"})
    propose("POST", CLIPS, {"name": "new", "description": "the later one"})
    propose("PUT", f"{CLIPS}/model/live", {"name": "live", "description": "changed"})
    propose("DELETE", f"{CLIPS}/model/doomed")
    propose("POST", f"{V2}/blip", {"name": "elsewhere"})
    status, overlay = told(send("GET", f"{CLIPS}/pending", key=PLAIN))
    assert status == 200
    assert {name: record["description"] for name, record in overlay.items()} == {
        "new": "the later one",
        "live": "changed",
    }


def test_the_overlay_keeps_approved_proposals_and_lets_decided_ones_go():
    approved, rejected, applied = (propose("POST", CLIPS, {"name": name}) for name in ("a", "r", "l"))
    make_live(applied)
    decision = {
        "batch_title": "b",
        "approved_ids": [approved["change_id"]],
        "rejected_ids": [rejected["change_id"]],
        "reject_reason": "no",
    }
    assert send("POST", f"{QUEUE}/batches", decision, key=APPROVER).status_code == 200
    assert send("GET", f"{CLIPS}/pending", key=PLAIN).json().keys() == {"a"}


def test_the_overlay_of_nothing_is_empty_and_of_no_category_an_error():
    assert told(send("GET", f"{V2}/ti/pending", key=PLAIN)) == (200, {})
    expected = (422, [("enum", ["path", "model_category_name"])])
    assert problems(send("GET", f"{V2}/bogus/pending", key=PLAIN)) == expected


def test_a_proposal_is_logged_once():
    change = propose("POST", CLIPS, {"name": "N"})
    [event] = AuditEvent.objects.all()
    assert (event.category, event.model_name) == ("pending_queue", str(change["change_id"]))
    assert event.logical_user_id == "101"
