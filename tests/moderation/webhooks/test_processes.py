"""Several senders over one store, and a server that delivers by itself."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from moderation.models import Webhook, WebhookDelivery
from moderation.webhooks.sender import send_due
from moderation.webhooks.services import webhook_add
from tests.factories import make_record
from tests.moderation.processes import (
    PATIENCE,
    REQUESTOR,
    ROOT,
    Store,
    forked,
    forked_together,
    live_server,
    throwaway_store,
)
from tests.moderation.webhooks.conftest import SECRET
from tests.moderation.webhooks.receiver import Receiver

DELIVERIES, SENDERS = 40, 3
ALLOWED = {"WEBHOOK_ALLOW_PRIVATE": "true"}


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with throwaway_store(tmp_path_factory.mktemp("webhooks")) as store:
        yield store


@pytest.fixture
def connected(store: Store, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with store.connected(django_db_blocker):
        yield


def deliver(end: object = None) -> dict[str, int]:
    counts = send_due()
    return {"good": counts[True], "bad": counts[False]}


def test_senders_at_once_make_each_delivery_once(connected, settings):
    """The receiver is a process too: forks are made before there are threads."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    receiver = subprocess.Popen(
        [sys.executable, "-c", RECEIVER], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    try:
        port = receiver.stdout.readline().strip()
        for number in range(2):
            webhook_add(url=f"http://127.0.0.1:{port}/{number}", secret=SECRET)
        for number in range(DELIVERIES):
            make_record("clip", f"m{number}")
        outcomes = forked_together(*[deliver] * SENDERS)
        told = receiver.communicate("\n", timeout=PATIENCE)[0].split()
    finally:
        receiver.kill()
        receiver.wait()
    assert sum(outcome["good"] for outcome in outcomes) == 2 * DELIVERIES
    assert Counter(told).most_common(1)[0][1] == 1
    assert set(told) == {str(pk) for pk in WebhookDelivery.objects.values_list("pk", flat=True)}
    assert set(WebhookDelivery.objects.values_list("status", "attempts")) == {("delivered", 1)}
    # Nobody did it all alone, so there was something to do twice.
    assert sum(outcome["good"] > 0 for outcome in outcomes) > 1


RECEIVER = """
import sys
from tests.moderation.webhooks.receiver import running_receiver
with running_receiver() as server:
    print(server.server_port, flush=True)
    sys.stdin.readline()
print(*(told.delivery for told in server.told), flush=True)
"""


def write_and_wait(end) -> None:
    from django.db import transaction

    with transaction.atomic():
        make_record("clip", "never")
        end.send("written")
        signal.pause()


def test_a_process_that_dies_before_its_commit_tells_nobody(connected):
    webhook_add(url="https://hooks.example/", secret=SECRET)
    fork = forked(write_and_wait)
    assert fork.end.recv() == "written"
    fork.kill()
    assert not WebhookDelivery.objects.exists()
    make_record("clip", "B")
    assert WebhookDelivery.objects.count() == 1


def start_sender(store: Store) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "deliver_webhooks"],
        cwd=ROOT,
        env=store.environment(**ALLOWED),
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_sender_that_is_killed_while_it_sends_leaves_the_delivery_to_the_next(connected, store, receiver):
    receiver.statuses = ["held"]
    webhook_add(url=receiver.url, secret=SECRET)
    make_record("clip", "A")
    sender = start_sender(store)
    receiver.wait_for(1)
    sender.kill()
    sender.communicate()
    assert send_due() == Counter()
    WebhookDelivery.objects.update(claimed_until=0)
    receiver.released.set()
    assert send_due() == Counter({True: 1})
    assert len({told.delivery for told in receiver.told}) == 1
    assert WebhookDelivery.objects.get().attempts == 2


def test_a_sender_that_is_told_to_end_finishes_what_it_has_begun(connected, store, receiver):
    receiver.statuses = ["held"]
    webhook_add(url=receiver.url, secret=SECRET)
    make_record("clip", "A")
    make_record("clip", "B")
    sender = start_sender(store)
    receiver.wait_for(1)
    sender.terminate()
    receiver.released.set()
    assert sender.communicate(timeout=PATIENCE)[1] == ""
    assert sender.returncode == 0
    states = WebhookDelivery.objects.values_list("status", flat=True)
    assert "delivered" in states
    assert set(WebhookDelivery.objects.values_list("claim", flat=True)) == {""}


INTERRUPTED = """
import signal, sys
import django
from django.core.management import execute_from_command_line
django.setup()
from moderation.webhooks import sender
def trace(frame, event, argument):
    if frame.f_code.co_name == "wait":
        signal.raise_signal(signal.SIGTERM)
    return trace
def prune():
    sys.settrace(trace)
sender.deliveries_prune = prune
execute_from_command_line(["manage.py", "deliver_webhooks"])
"""


def test_a_signal_at_any_moment_of_its_waiting_ends_a_sender(store):
    given = store.environment(**ALLOWED, DJANGO_SETTINGS_MODULE="config.settings")
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, env=given, capture_output=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_server_delivers_by_itself(connected, store, receiver: Receiver):
    Webhook.objects.create(url=receiver.url, secret=SECRET, created_at=1)
    with live_server(store, workers=1, **ALLOWED) as site:
        make_record("clip", "A")
        told = receiver.wait_for(1)
        assert told[0].is_signed_with(SECRET)
        assert told[0].changes() == [("create", "clip", "A")]
        assert site.send("GET", "model_references/v2/clip/model/A", key=REQUESTOR).status_code == 200
    assert SECRET not in site.logged()
    assert "Traceback" not in site.logged()
