import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from moderation.models import PendingChange
from moderation.services import queue_purge
from tests.moderation.factories import ADA, propose_create

pytestmark = pytest.mark.django_db

GUIDE = Path(__file__).resolve().parents[2] / "deploy" / "README.md"


def test_the_documented_way_to_another_database_takes_changes_along_that_left_the_queue():
    change = propose_create("a")
    queue_purge(actor=ADA, purge_all=True)
    assert not PendingChange.objects.filter(pk=change.pk).exists()
    [arguments] = re.findall(r"`dumpdata (.*?) --output \S+`", GUIDE.read_text())
    dumped = io.StringIO()
    call_command("dumpdata", *arguments.split(), stdout=dumped)
    assert f'"model": "moderation.pendingchange", "pk": {change.pk},' in dumped.getvalue()
