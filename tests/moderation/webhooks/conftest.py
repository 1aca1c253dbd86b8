"""Somebody to tell."""

from collections.abc import Iterator

import pytest

from moderation.models import Webhook
from moderation.webhooks.services import webhook_add
from tests.moderation.webhooks.receiver import Receiver, running_receiver

SECRET = "whsec_for-tests-alone"


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with running_receiver() as server:
        yield server


@pytest.fixture
def webhook(transactional_db: None, receiver: Receiver) -> Webhook:
    return webhook_add(url=receiver.url, secret=SECRET)
