"""What people type, and what they are shown."""

import io
import re
import time

import pytest
from django.core.management import CommandError, call_command

from moderation.models import Webhook, WebhookDelivery
from references.vocabulary import ReplicateMode
from tests.factories import make_record
from tests.moderation.webhooks.conftest import SECRET

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    return str(refused.value)


def test_a_webhook_is_added_with_a_secret_that_is_shown_once(receiver):
    shown = run("webhook", "add", receiver.url)
    webhook = Webhook.objects.get()
    assert webhook.url == receiver.url
    assert f"Webhook {webhook.pk}: {receiver.url}\nSecret: {webhook.secret}\n" in shown
    assert re.fullmatch(r"whsec_[\w-]{43}", webhook.secret)
    assert "restart the server" in shown
    make_record("clip", "A")
    assert webhook.secret not in run("webhook", "list") + run("webhook", "test", str(webhook.pk))
    assert run("deliver_webhooks", "--once") == "1 delivered, 0 failed, 0 old ones removed\n"
    assert all(told.is_signed_with(webhook.secret) for told in receiver.told)


def test_a_secret_may_be_chosen_or_read_from_standard_input(receiver, monkeypatch):
    run("webhook", "add", receiver.url, "--secret", SECRET)
    monkeypatch.setattr("sys.stdin", io.StringIO("whsec_from-standard-input\n"))
    shown = run("webhook", "add", f"{receiver.url}/2", "--secret", "-")
    assert [each.secret for each in Webhook.objects.all()] == [SECRET, "whsec_from-standard-input"]
    assert "restart" not in shown
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "16 to 200" in refusal("webhook", "add", f"{receiver.url}/3", "--secret", "-")
    assert "16 to 200" in refusal("webhook", "add", f"{receiver.url}/3", "--secret", "short")


def test_an_address_that_would_never_be_spoken_to_is_refused_at_once(db, settings):
    assert "no public address" in refusal("webhook", "add", "https://127.0.0.1/")
    assert "https://" in refusal("webhook", "add", "http://127.0.0.1/")
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert "no public address" in refusal("webhook", "add", "http://169.254.169.254/latest/meta-data")
    assert not Webhook.objects.exists()


def test_an_address_is_told_once(receiver, webhook):
    assert "rotate" in refusal("webhook", "add", receiver.url)


def test_a_ping_shows_what_came_back(receiver, webhook):
    assert "The ping was taken: status 200: thanks" in run("webhook", "test", str(webhook.pk))
    [told] = receiver.told
    assert told.headers["X-Model-Reference-Event"] == "ping" == told.json()["event"]
    assert told.delivery == told.json()["delivery"]
    assert told.is_signed_with(SECRET)
    receiver.statuses = [403]
    assert refusal("webhook", "test", str(webhook.pk)) == "The ping failed. status 403: thanks"
    assert not WebhookDelivery.objects.exists()


def test_rotating_shows_the_new_secret_and_signs_with_it(receiver, webhook):
    shown = run("webhook", "rotate", str(webhook.pk))
    webhook.refresh_from_db()
    assert webhook.secret != SECRET
    assert f"Secret: {webhook.secret}\n" in shown
    run("webhook", "test", str(webhook.pk))
    assert receiver.told[0].is_signed_with(webhook.secret)
    run("webhook", "rotate", str(webhook.pk), "--secret", SECRET)
    webhook.refresh_from_db()
    assert webhook.secret == SECRET


def test_the_list_tells_how_each_fares(receiver, webhook):
    assert "nothing sent yet" in run("webhook", "list")
    make_record("clip", "A")
    run("deliver_webhooks", "--once")
    assert re.search(rf"{webhook.pk} +0 +- +\d s  well\n +{receiver.url}\n", run("webhook", "list"))
    now = int(time.time())
    receiver.statuses = [500]
    make_record("clip", "B")
    assert "webhook list" in refusal("deliver_webhooks", "--once")
    WebhookDelivery.objects.filter(status="waiting").update(created_at=now - 2 * 3600)
    Webhook.objects.update(failing_since=now - 3 * 86400, delivered_at=now - 4 * 86400)
    shown = run("webhook", "list")
    assert re.search(r"1 +2 h +4 d  FAILING for 3 d: status 500: thanks\n", shown)
    assert "is deliver_webhooks running?" not in shown
    Webhook.objects.update(disabled_at=now - 120)
    assert "off for 2 min: status 500: thanks" in run("webhook", "list")
    assert run("webhook", "enable", str(webhook.pk)) == f"Webhook {webhook.pk} is told of writes again.\n"
    assert "well" in run("webhook", "list")


def test_the_list_notices_that_nobody_delivers(receiver, webhook):
    make_record("clip", "A")
    assert "running?" not in run("webhook", "list")
    WebhookDelivery.objects.update(created_at=int(time.time()) - 400)
    assert "is deliver_webhooks running?" in run("webhook", "list")


def test_the_list_leaves_out_what_may_be_a_token(receiver):
    run("webhook", "add", f"{receiver.url}?token=hunter2")
    shown = run("webhook", "list")
    assert f"{receiver.url}?…" in shown
    assert "hunter2" not in shown


def test_a_webhook_is_removed(receiver, webhook):
    assert run("webhook", "remove", str(webhook.pk)) == f"Webhook {webhook.pk} is removed.\n"
    assert not Webhook.objects.exists()
    for act in ("remove", "rotate", "test", "enable"):
        assert refusal("webhook", act, str(webhook.pk)) == f"There is no webhook {webhook.pk}."


@pytest.mark.parametrize("arguments", [("webhook", "list"), ("deliver_webhooks", "--once")])
@pytest.mark.parametrize("given", [{"REPLICATE_MODE": ReplicateMode.REPLICA}, {"AUDIT_ENABLED": False}])
def test_who_tells_nobody_says_so(db, settings, arguments, given):
    for name, value in given.items():
        setattr(settings, name, value)
    assert "PRIMARY that keeps its audit log" in refusal(*arguments)
