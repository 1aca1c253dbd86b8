"""Writes through version 1: queued, or carried out at once."""

from typing import Any

import pytest

from moderation.models import AuditEvent, PendingChange
from references.categories import CATEGORIES
from references.models import ModelRecord
from references.services import sources_import
from tests.factories import make_legacy, make_record, make_source
from tests.moderation.api.callers import (
    APPROVER,
    PLAIN,
    REQUESTOR,
    V1,
    V2,
    legacy_image,
    problems,
    send,
    told,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]

direct = pytest.mark.usefixtures("legacy_canonical", "without_queue")
queued = pytest.mark.usefixtures("legacy_canonical")

IMAGES, TEXTS, CLIPS = f"{V1}/image_generation", f"{V1}/text_generation", f"{V1}/clip"
WRITABLE = [spec.name for spec in CATEGORIES.values() if spec.has_legacy_form]
READ_ONLY = [
    *(spec.name for spec in CATEGORIES.values() if not spec.has_legacy_form),
    "stable_diffusion",
    "stable_diffusion.json",
    "image_generation.json",
    "text_generation.json",
    "clip.json",
    "db.json",
]
BANNED = "https://huggingface.co/picture.png"
WORDS = {"name": "Org/New-7B", "parameters": 7_000_000_000, "style": "chat"}


def write(method: str, path: str, body: Any = b"", *, key: str = APPROVER) -> tuple[int, Any]:
    return told(send(method, path, body, key=key))


def import_images(*names: str) -> None:
    records = [make_legacy("image_generation", name) for name in names]
    sources_import([make_source("image_generation", *records)])


# What is there to write to ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", READ_ONLY)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_only_reads_answer_has_no_other_method_on_any_deployment(settings, spelling, method):
    for key in (None, APPROVER):
        response = send(method, f"{V1}/{spelling}", {}, key=key)
        assert told(response) == (405, {"detail": "Method Not Allowed"})
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@queued
@pytest.mark.parametrize("category", WRITABLE)
def test_all_categories_with_a_legacy_form_take_both_writes(category):
    for method in ("POST", "PUT"):
        assert write(method, f"{V1}/{category}", {})[0] == 422
    assert "PUT" in send("OPTIONS", f"{V1}/{category}").headers["Allow"]


@queued
def test_an_unknown_category_is_told_to_those_who_may_write():
    for method, path in (("POST", "bogus"), ("PUT", "bogus.json"), ("DELETE", "bogus/model/x")):
        assert write(method, f"{V1}/{path}", {}, key=PLAIN)[0] == 401
        expected = (422, [("enum", ["path", "model_category_name"])])
        assert problems(send(method, f"{V1}/{path}", {}, key=APPROVER)) == expected


@queued
@pytest.mark.parametrize(
    ("spelling", "status"),
    [("stable_diffusion", 422), ("clip.json", 422), ("lora", 404), ("video_generation", 404), ("clip", 404)],
)
def test_a_delete_knows_categories_by_their_own_names(spelling, status):
    make_record("lora", "here")
    assert write("DELETE", f"{V1}/{spelling}/model/here", key=REQUESTOR)[0] == status


@pytest.mark.parametrize("key", [None, APPROVER])
def test_a_deployment_of_version_2_refuses_before_it_looks(key):
    for method, path, body in (
        ("POST", CLIPS, {"name": "x"}),
        ("PUT", TEXTS, b"{"),
        ("DELETE", f"{CLIPS}/model/ViT-L/14", b""),
    ):
        status, answer = told(send(method, path, body, key=key))
        assert (status, "canonical_format='legacy'" in answer["detail"]) == (503, True)


# Queued -----------------------------------------------------------------------------------------------------


@queued
def test_a_proposal_holds_the_legacy_record_and_changes_nothing_yet():
    status, change = write("POST", TEXTS, {**WORDS, "description": None}, key=REQUESTOR)
    assert (status, change["status"], change["operation"]) == (202, "pending", "create")
    assert change["payload"] == {**WORDS, "description": None}
    assert change["related_models"] == ["aphrodite/Org/New-7B", "koboldcpp/New-7B"]
    assert change["request_metadata"] == {"route": "create_legacy_text_generation_model"}
    assert "notes" not in change
    assert send("GET", TEXTS).status_code == 404


@queued
def test_a_proposal_once_applied_is_in_both_versions():
    _, change = write("POST", TEXTS, WORDS, key=REQUESTOR)
    decision = {"batch_title": "b", "approved_ids": [change["change_id"]]}
    assert write("POST", f"{V1}/pending_queue/batches", decision)[0] == 200
    assert write("POST", f"{V1}/pending_queue/changes/{change['change_id']}/apply", {})[0] == 200
    assert send("GET", TEXTS).json().keys() == {"Org/New-7B", "aphrodite/Org/New-7B", "koboldcpp/New-7B"}
    assert send("GET", f"{V2}/text_generation/model/Org/New-7B").json()["text_model_group"] == "New"


@queued
@pytest.mark.parametrize(
    ("category", "route"),
    [("image_generation", "update_legacy_model"), ("clip", "update_legacy_clip_model")],
)
def test_an_update_is_told_by_its_operation_id(category, route):
    make_record(category, "m")
    body = make_legacy(category, "m")
    status, change = write("PUT", f"{V1}/{category}", body, key=REQUESTOR)
    assert (status, change["operation"], change["request_metadata"]) == (202, "update", {"route": route})


@queued
def test_a_delete_is_proposed_with_the_stored_legacy_record():
    import_images("m")
    status, change = told(
        send("DELETE", f"{IMAGES}/model/m", key=REQUESTOR, X_Proposal_Note="nobody uses it")
    )
    assert (status, change["payload"]) == (202, send("GET", IMAGES).json()["m"])
    assert change["request_metadata"] == {"route": "delete_legacy_model"}
    assert change["notes"] == "nobody uses it"


@queued
def test_proposals_meet_what_is_live():
    import_images("m")
    assert write("POST", IMAGES, legacy_image("m"), key=REQUESTOR)[0] == 409
    assert write("PUT", IMAGES, legacy_image("none"), key=REQUESTOR)[0] == 404
    assert write("DELETE", f"{IMAGES}/model/none", key=REQUESTOR)[0] == 404
    assert PendingChange.objects.count() == 0


@queued
def test_the_overlay_shows_proposals_in_the_form_of_version_2():
    write("POST", IMAGES, legacy_image("m"), key=REQUESTOR)
    overlay = send("GET", f"{V2}/image_generation/pending", key=PLAIN).json()
    assert overlay["m"]["baseline"] == "stable_diffusion_1"


# At once ----------------------------------------------------------------------------------------------------


@direct
def test_an_image_model_is_created_in_both_versions():
    import_images("old")
    others = send("GET", IMAGES).json()
    body = legacy_image("new model", baseline="stable_diffusion_1", min_bridge_version=5, description=None)
    response = send("POST", IMAGES, body, key=APPROVER)
    assert response.headers["Location"] == f"{IMAGES}/model/new%20model"
    stored = {
        "name": "new model",
        "baseline": "stable diffusion 1",
        "type": "ckpt",
        "inpainting": False,
        "nsfw": False,
        "config": {"files": [], "download": []},
        "min_bridge_version": 5,
    }
    assert (response.status_code, list(response.json().items())) == (201, list(stored.items()))
    assert send("GET", IMAGES).json() == {**others, "new model": stored}
    record = send("GET", f"{V2}/image_generation/model/new%20model").json()
    assert (record["baseline"], record["min_bridge_version"]) == ("stable_diffusion_1", 5)
    assert record["metadata"]["created_at"] == record["metadata"]["updated_at"]
    assert PendingChange.objects.count() == 0


@direct
def test_other_models_are_told_with_nulls_for_what_they_lack():
    status, answer = write("POST", CLIPS, {"name": "c", "extra": {"kept": True}})
    assert status == 201
    assert answer == {
        "name": "c",
        "type": "clip",
        "description": None,
        "version": None,
        "style": None,
        "nsfw": None,
        "download_all": None,
        "config": {"files": [], "download": []},
        "available": None,
        "features_not_supported": None,
        "pretrained_name": None,
        "extra": {"kept": True},
    }
    stored = send("GET", CLIPS).json()["c"]
    assert stored == {name: value for name, value in answer.items() if value is not None}


@direct
def test_a_text_model_is_created_with_the_names_of_its_backends():
    response = send("POST", TEXTS, WORDS, key=APPROVER)
    assert response.status_code == 201
    assert response.headers["Location"] == f"{TEXTS}/model/Org/New-7B"
    answer = response.json()
    assert (answer["tags"], answer["version"], answer["display_name"]) == (["7B", "chat"], "1", "New 7B")
    assert (answer["instruct_format"], answer["config"]) == (None, {"files": [], "download": []})
    entries = send("GET", TEXTS).json()
    assert list(entries) == ["Org/New-7B", "aphrodite/Org/New-7B", "koboldcpp/New-7B"]
    assert all(entry["tags"] == ["7B", "chat"] for entry in entries.values())
    assert send("GET", f"{V2}/text_generation/model/Org/New-7B").json()["text_model_group"] == "New"


@direct
def test_an_update_replaces_the_record_and_keeps_what_a_legacy_record_cannot_say():
    series = {"name": "A series"}
    make_record("clip", "c", finetune_series=series, metadata={"created_at": 5, "created_by": "Someone"})
    make_record("clip", "d")
    assert write("PUT", CLIPS, {"name": "c", "available": True, "description": "one"})[0] == 200
    status, answer = write("PUT", CLIPS, {"name": "c", "description": "two"})
    assert (status, answer["description"], answer["available"]) == (200, "two", None)
    assert "available" not in send("GET", CLIPS).json()["c"]
    record = send("GET", f"{V2}/clip/model/c").json()
    assert (record["description"], record["finetune_series"]) == ("two", series)
    assert (record["metadata"]["created_at"], record["metadata"]["created_by"]) == (5, "Someone")
    assert list(send("GET", CLIPS).json()) == ["c", "d"]
    counters = send("GET", f"{V1}/metadata/clip").json()
    assert (counters["total_updates"], counters["total_models"]) == (2, 2)


@direct
@pytest.mark.parametrize("spelling", ["ViT-L/14", "ViT-L%2F14"])
def test_a_delete_is_done_in_both_versions(spelling):
    make_record("clip", "ViT-L/14")
    make_record("clip", "other")
    assert write("DELETE", f"{CLIPS}/model/{spelling}") == (204, None)
    assert "ViT-L/14" not in send("GET", CLIPS).json()
    assert send("GET", f"{V2}/clip/model/{spelling}").status_code == 404
    assert send("GET", f"{V1}/metadata/clip").json()["total_deletes"] == 1
    assert write("DELETE", f"{CLIPS}/model/{spelling}")[0] == 404


@direct
def test_writes_meet_what_is_live():
    assert write("POST", IMAGES, legacy_image("m"))[0] == 201
    assert write("POST", IMAGES, legacy_image("m"))[0] == 409
    assert write("PUT", IMAGES, legacy_image("none"))[0] == 404
    assert write("DELETE", f"{IMAGES}/model/%00")[0] == 404
    assert ModelRecord.objects.count() == 1


@direct
def test_only_approvers_write_at_once():
    for key in (PLAIN, REQUESTOR):
        assert write("POST", CLIPS, {"name": "c"}, key=key)[0] == 401
    assert ModelRecord.objects.count() == 0


@direct
def test_writes_are_logged_like_all_others():
    write("POST", CLIPS, {"name": "c"})
    write("PUT", CLIPS, {"name": "c", "description": "d"})
    write("DELETE", f"{CLIPS}/model/c")
    events = AuditEvent.objects.in_order()
    assert [event.operation for event in events] == ["create", "update", "delete"]
    assert {(event.category, event.model_name, event.logical_user_id) for event in events} == {
        ("clip", "c", "900")
    }


# Bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["queued", "direct"])
@pytest.mark.parametrize(
    ("category", "body", "status", "place"),
    [
        ("image_generation", {"name": "x"}, 422, ["body", "baseline"]),
        ("image_generation", legacy_image("x", baseline="zzz"), 422, ["body", "baseline"]),
        ("image_generation", legacy_image("x", style="zzz"), 422, ["body"]),
        ("image_generation", legacy_image("x", type="clip"), 422, ["body", "type"]),
        ("image_generation", legacy_image("x", showcases=[BANNED]), 422, ["body", "showcases", 0]),
        ("controlnet", {"name": "x"}, 422, ["body", "type"]),
        ("text_generation", {"name": "x"}, 422, ["body", "parameters"]),
        ("text_generation", {**WORDS, "parameters": 0}, 422, ["body", "parameters"]),
        ("text_generation", {**WORDS, "settings": {"zzz": 1}}, 422, ["body", "settings", "zzz"]),
        ("text_generation", {**WORDS, "name": "https://a.b/c"}, 422, None),
        ("text_generation", {**WORDS, "name": "koboldcpp/x"}, 400, None),
        ("clip", {"name": " "}, 422, None),
        ("clip", {"name": "a\\b"}, 422, None),
        ("clip", [], 422, ["body"]),
        ("clip", b"", 422, ["body"]),
        ("clip", b"{", 422, ["body", 1]),
    ],
)  # fmt: skip
@queued
def test_a_record_that_breaks_the_rules_is_refused(settings, mode, category, body, status, place):
    settings.QUEUE_ENABLED = mode == "queued"
    for method in ("POST", "PUT"):
        found, answer = write(method, f"{V1}/{category}", body)
        assert found == status
        if place is None:
            assert isinstance(answer["detail"], str)
        else:
            assert [problem["loc"] for problem in answer["detail"]] == [place]
    assert (ModelRecord.objects.count(), PendingChange.objects.count()) == (0, 0)


@direct
@pytest.mark.parametrize(
    ("category", "kind"),
    [("controlnet", "control_hough"), ("esrgan", "esrgan"), ("clip", "coca"), ("esrgan", "realesrgan")],
)
def test_every_type_that_is_in_use_is_taken(category, kind):
    assert write("POST", f"{V1}/{category}", {"name": "m", "type": kind})[1]["type"] == kind
