"""What reaches the other side, what is done when it does not, and what is kept of the answer."""

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from django.db import connection

from moderation.models import Webhook, WebhookDelivery
from moderation.webhooks import deliveries, sender, sending
from moderation.webhooks.addresses import Target
from moderation.webhooks.deliveries import (
    CLAIM_SECONDS,
    FIRST_PAUSE,
    JITTER,
    KEPT_SECONDS,
    LONGEST_PAUSE,
    MAX_ATTEMPTS,
    deliveries_claim,
    deliveries_prune,
    delivery_settle,
    pause_after,
)
from moderation.webhooks.sender import send_due, send_forever
from moderation.webhooks.sending import Answer, post
from moderation.webhooks.services import webhook_add, webhook_remove, webhook_rotate
from references.management.bell import Bell
from tests.factories import make_record
from tests.moderation.webhooks.conftest import SECRET
from tests.moderation.webhooks.receiver import Receiver, running_receiver

pytestmark = pytest.mark.django_db(transaction=True)


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def due_again() -> None:
    WebhookDelivery.objects.update(next_attempt_at=0)


def test_a_delivery_is_signed_and_names_itself(receiver, webhook):
    make_record("clip", "A")
    assert send_due() == Counter({True: 1})
    [told] = receiver.told
    delivery = only_delivery()
    assert told.path == "/hook"
    assert told.headers["Content-Type"] == "application/json"
    assert told.headers["X-Model-Reference-Event"] == "records.changed" == told.json()["event"]
    assert told.delivery == str(delivery.pk) == told.json()["delivery"]
    assert told.changes() == [("create", "clip", "A")]
    assert told.is_signed_with(SECRET)
    assert not told.is_signed_with("whsec_of-somebody-else")
    assert (delivery.status, delivery.attempts, delivery.last_status, delivery.claim) == (
        "delivered",
        1,
        200,
        "",
    )
    webhook.refresh_from_db()
    assert webhook.delivered_at >= delivery.created_at
    assert send_due() == Counter()


def test_a_failure_is_tried_again_later_under_the_same_number(receiver, webhook):
    receiver.statuses = [500, 204]
    make_record("clip", "A")
    before = time.time()
    assert send_due() == Counter({False: 1})
    failed = only_delivery()
    assert (failed.status, failed.attempts, failed.last_status) == ("waiting", 1, 500)
    assert failed.last_error == "status 500: thanks"
    assert failed.next_attempt_at >= before + FIRST_PAUSE * (1 - JITTER)
    webhook.refresh_from_db()
    assert (webhook.failing_since is not None, webhook.last_error) == (True, "status 500: thanks")
    assert send_due() == Counter()
    due_again()
    assert send_due() == Counter({True: 1})
    first, second = receiver.told
    assert first.delivery == second.delivery
    assert first.body == second.body
    webhook.refresh_from_db()
    assert (webhook.failing_since, webhook.last_error, only_delivery().status) == (None, "", "delivered")


def test_further_failures_do_not_hide_since_when(receiver, webhook):
    receiver.statuses = [500]
    make_record("clip", "A")
    send_due()
    Webhook.objects.update(failing_since=17)
    due_again()
    send_due()
    assert Webhook.objects.get().failing_since == 17


def test_attempts_go_on_for_about_a_day_and_then_end(receiver, webhook):
    pauses = [pause_after(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert 0.75 * 86400 < sum(pauses) < 1.25 * 86400
    assert FIRST_PAUSE * (1 - JITTER) <= pauses[0] <= FIRST_PAUSE * (1 + JITTER)
    assert max(pauses) <= LONGEST_PAUSE * (1 + JITTER)
    assert len({pause_after(3) for _ in range(10)}) > 1
    receiver.statuses = [503]
    make_record("clip", "A")
    WebhookDelivery.objects.update(attempts=MAX_ATTEMPTS - 1)
    send_due()
    ended = only_delivery()
    assert (ended.status, ended.attempts, ended.finished_at is not None) == ("failed", MAX_ATTEMPTS, True)
    due_again()
    assert send_due() == Counter()


def test_one_that_is_gone_is_told_nothing_more(receiver, webhook):
    receiver.statuses = [410]
    make_record("clip", "A")
    make_record("clip", "B")
    send_due()
    assert len(receiver.told) == 1
    webhook.refresh_from_db()
    assert webhook.disabled_at is not None
    states = WebhookDelivery.objects.order_by("since").values_list("status", "last_error")
    assert list(states) == [("failed", "status 410: thanks"), ("failed", "The webhook is gone.")]
    make_record("clip", "C")
    assert WebhookDelivery.objects.count() == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(receiver, webhook, status):
    receiver.statuses = [status]
    make_record("clip", "A")
    assert send_due() == Counter({False: 1})
    assert [told.path for told in receiver.told] == ["/hook"]
    assert only_delivery().last_status == status


def test_a_private_address_is_refused_at_each_attempt(receiver, webhook, settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False
    make_record("clip", "A")
    assert send_due() == Counter({False: 1})
    assert receiver.told == []
    assert (only_delivery().last_status, only_delivery().last_error) == (
        None,
        "The address must begin with https://.",
    )


def test_little_of_an_answer_is_kept_and_nothing_that_a_terminal_would_obey(receiver, webhook):
    receiver.statuses = [500]
    receiver.text = "\x1b[2J\x00 ünd" + "x" * 100_000
    make_record("clip", "A")
    send_due()
    error = only_delivery().last_error
    assert error.startswith("status 500: [2J  ünd")
    assert len(error) <= len("status 500: ") + 200


@pytest.mark.parametrize("mode", ["cut", "drip"])
def test_what_does_not_answer_in_time_or_at_all_has_failed(receiver, webhook, monkeypatch, mode):
    monkeypatch.setattr(sending, "TIMEOUT", 0.3)
    receiver.statuses = [mode]
    make_record("clip", "A")
    assert send_due() == Counter({False: 1})
    assert only_delivery().last_error.startswith("No answer: ")


def test_an_address_that_swallows_all_leaves_time_for_the_next(receiver, webhook, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT", 4.0)
    with silent_address(receiver.server_port) as silent:
        found_at(monkeypatch, silent, "127.0.0.1")
        answer = post(receiver.url, b"{}", {})
    assert (answer, len(receiver.told)) == (Answer(200, "thanks"), 1)


def test_a_name_with_many_addresses_may_take_as_long_to_answer_as_any(receiver, webhook, monkeypatch):
    receiver.statuses = ["held"]
    monkeypatch.setattr(sending, "TIMEOUT", 60.0)
    found_at(monkeypatch, *[f"127.0.0.{number}" for number in range(1, 60)])
    release = threading.Timer(1.5, receiver.released.set)
    release.start()
    assert post(receiver.url, b"{}", {}).is_good
    release.join()


def found_at(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Has every name stand for these addresses."""
    resolve = sending.target_resolve

    def resolve_to(url: str, **given: bool) -> Target:
        return replace(resolve(url, **given), addresses=addresses)

    monkeypatch.setattr(sending, "target_resolve", resolve_to)


@contextmanager
def silent_address(port: int) -> Iterator[str]:
    """One at which connections neither come about nor are refused: nobody takes those that wait already."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.9", port))
        server.listen(0)
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield "127.0.0.9"


def test_nobody_at_the_address_is_a_failure_too(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with running_receiver() as gone:
        url = gone.url
    assert post(url, b"{}", {}) == Answer(None, "No answer: NewConnectionError.")


def test_a_webhook_that_hangs_holds_up_no_other(receiver, webhook):
    receiver.statuses = ["held"]
    with running_receiver() as other:
        webhook_add(url=other.url, secret=SECRET)
        for name in "ABC":
            make_record("clip", name)
        begun = []

        def release() -> None:
            other.wait_for(3)
            begun.extend(receiver.told)
            receiver.released.set()

        done = threading.Thread(target=release)
        done.start()
        assert send_due() == Counter({True: 6})
        done.join()
        assert [told.changes()[0][2] for told in other.told] == ["A", "B", "C"]
        assert [told.changes()[0][2] for told in begun] == ["A"]
    assert len(receiver.told) == 3


def test_a_failed_delivery_does_not_hold_up_those_after_it(receiver, webhook):
    receiver.statuses = [500, 200]
    make_record("clip", "A")
    make_record("clip", "B")
    assert send_due() == Counter({True: 1, False: 1})
    states = dict(WebhookDelivery.objects.order_by("since").values_list("since", "status"))
    assert list(states.values()) == ["waiting", "delivered"]


def test_what_waits_is_signed_with_the_secret_of_the_day(receiver, webhook):
    receiver.statuses = [500, 200]
    make_record("clip", "A")
    send_due()
    webhook_rotate(webhook=webhook, secret="whsec_the-next-one")
    due_again()
    send_due()
    first, second = receiver.told
    assert first.is_signed_with(SECRET)
    assert second.is_signed_with("whsec_the-next-one")
    assert not second.is_signed_with(SECRET)


def crash(**given: object) -> None:
    raise SystemExit


def test_a_crash_between_sending_and_noting_repeats_the_delivery(receiver, webhook, monkeypatch):
    make_record("clip", "A")
    with monkeypatch.context() as patched:
        patched.setattr(sender, "delivery_settle", crash)
        with pytest.raises(SystemExit):
            send_due()
    assert len(receiver.told) == 1
    assert send_due() == Counter()
    monkeypatch.setattr(deliveries.time, "time", lambda now=time.time: now() + CLAIM_SECONDS + 1)
    assert send_due() == Counter({True: 1})
    assert len({told.delivery for told in receiver.told}) == 1
    assert (only_delivery().status, only_delivery().attempts) == ("delivered", 2)


def test_who_comes_back_after_its_claim_lapsed_changes_nothing(receiver, webhook):
    make_record("clip", "A")
    now = time.time()
    [slow] = deliveries_claim(limit=1)
    [other] = deliveries_claim(limit=1, at=now + CLAIM_SECONDS + 60)
    assert slow.pk == other.pk
    assert not delivery_settle(delivery=slow, answer=Answer(500))
    assert delivery_settle(delivery=other, answer=Answer(200))
    assert not delivery_settle(delivery=slow, answer=Answer(500))
    assert (only_delivery().status, Webhook.objects.get().failing_since) == ("delivered", None)


def test_a_webhook_may_be_removed_while_it_is_told(receiver, webhook, monkeypatch, caplog):
    make_record("clip", "A")

    def post_and_remove(*request: object) -> Answer:
        answer = post(*request)
        removal = threading.Thread(target=removed_elsewhere, args=(webhook,))
        removal.start()
        removal.join()
        return answer

    monkeypatch.setattr(sender, "post", post_and_remove)
    assert send_due() == Counter({True: 1})
    assert not WebhookDelivery.objects.exists()
    assert "its webhook has ended" in caplog.text


def removed_elsewhere(webhook: Webhook) -> None:
    try:
        webhook_remove(webhook=webhook)
    finally:
        connection.close()


def test_a_claim_is_one_delivery_of_each_webhook_that_is_not_busy(receiver, webhook):
    other = webhook_add(url="https://other.example/", secret=SECRET)
    make_record("clip", "A")
    make_record("clip", "B")
    assert deliveries_claim(limit=0) == []
    [first] = deliveries_claim(limit=5, busy=[other.pk])
    assert (first.webhook, first.attempts) == (webhook, 1)
    assert sorted(each.webhook_id for each in deliveries_claim(limit=5)) == [webhook.pk, other.pk]
    assert len(deliveries_claim(limit=1)) == 1
    assert deliveries_claim(limit=5) == []


def test_what_ended_long_ago_is_forgotten(receiver, webhook):
    for name in "ABC":
        make_record("clip", name)
    a, b, c = WebhookDelivery.objects.order_by("since")
    now = time.time()
    ended = WebhookDelivery.objects.filter(pk__in=[a.pk, b.pk])
    ended.update(status="failed", finished_at=int(now - KEPT_SECONDS - 60))
    WebhookDelivery.objects.filter(pk=b.pk).update(finished_at=int(now - KEPT_SECONDS + 60))
    assert deliveries_prune() == 1
    assert set(WebhookDelivery.objects.values_list("pk", flat=True)) == {b.pk, c.pk}


def test_a_sender_goes_on_until_it_is_told_to_stop(receiver, webhook, monkeypatch):
    monkeypatch.setattr(sender, "POLL_SECONDS", 0.02)
    # Its own thread: the connection of this one is not to be closed.
    stopping = Bell()
    make_record("clip", "A")
    thread = threading.Thread(target=send_forever, args=[stopping])
    thread.start()
    receiver.wait_for(1)
    make_record("clip", "B")
    receiver.wait_for(2)
    stopping.set()
    thread.join(30)
    assert not thread.is_alive()
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_neither_secret_nor_address_gets_into_log_or_state(receiver, settings, caplog):
    caplog.set_level(logging.DEBUG, logger="moderation")
    settings.WEBHOOK_ALLOW_PRIVATE = True
    webhook = webhook_add(url=f"{receiver.url}?token=hunter2", secret=SECRET)
    receiver.statuses = [500, "cut", 410]
    make_record("clip", "A")
    for _ in range(3):
        send_due()
        due_again()
    assert len(caplog.messages) == 3
    kept = repr(list(WebhookDelivery.objects.values()))
    told = f"{caplog.text} {kept} {webhook} {Webhook.objects.get().last_error}"
    assert SECRET not in told
    assert "hunter2" not in told


def test_no_page_of_the_api_or_admin_tells_of_webhooks(admin_client, receiver: Receiver, webhook):
    make_record("clip", "A")
    assert admin_client.get("/admin/moderation/webhook/").status_code == 404
    for path in ("v2/changes", "v2/pending_queue/audit/batches"):
        assert SECRET not in admin_client.get(f"/api/model_references/{path}").content.decode()
