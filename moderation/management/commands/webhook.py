"""Says who is told of writes to live records."""

import sys
import time
from argparse import ArgumentParser
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from moderation.webhooks.addresses import AddressRefused, target_resolve
from moderation.webhooks.models import Webhook
from moderation.webhooks.payloads import PING, ping_body
from moderation.webhooks.sending import post
from moderation.webhooks.services import (
    webhook_add,
    webhook_enable,
    webhook_remove,
    webhook_rotate,
    webhooks_possible,
)
from moderation.webhooks.signing import secret_make, secret_problem, signed_headers

# Seconds that a running sender leaves nothing lying untried.
UNTRIED_PATIENCE = 300
SECRET_HELP = "The secret to sign with, - to read it from standard input; one is made when this is left out."  # noqa: S105


class Command(BaseCommand):
    help = "Says who is told of writes to live records: add, list, test, rotate, enable, remove."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add", help="Tell this address from now on; shows the secret, once.")
        add.add_argument("url")
        add.add_argument("--secret", default="", help=SECRET_HELP)
        acts.add_parser("list", help="Show all webhooks and how they fare.")
        rotate = self._act(acts, "rotate", "Sign with another secret from now on; shows it, once.")
        rotate.add_argument("--secret", default="", help=SECRET_HELP)
        self._act(acts, "test", "Send a ping now and show the answer.")
        self._act(acts, "enable", "Tell one again that was switched off because it answered 410.")
        self._act(acts, "remove", "Forget a webhook, with what it has not been told yet.")

    @staticmethod
    def _act(acts: object, name: str, help_text: str) -> ArgumentParser:
        parser = acts.add_parser(name, help=help_text)
        parser.add_argument("webhook", type=int, help="Its number, as list shows it.")
        return parser

    def handle(self, *, act: str, **options: object) -> None:
        if not webhooks_possible():
            raise CommandError("Webhooks are told by a PRIMARY that keeps its audit log; this is none.")
        if act == "list":
            self._list()
        elif act == "add":
            self._add(options["url"], options["secret"])
        elif act == "rotate":
            secret = self._secret(options["secret"])
            webhook_rotate(webhook=_webhook(options["webhook"]), secret=secret)
            self._show(secret)
        else:
            getattr(self, f"_{act}")(_webhook(options["webhook"]))

    def _add(self, url: str, given: str) -> None:
        secret = self._secret(given)
        try:
            target_resolve(url, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
        except AddressRefused as error:
            raise CommandError(str(error)) from None
        if Webhook.objects.filter(url=url).exists():
            raise CommandError("There is a webhook with this address; rotate gives it another secret.")
        is_first = not Webhook.objects.enabled().exists()
        webhook = webhook_add(url=url, secret=secret)
        self.stdout.write(f"Webhook {webhook.pk}: {webhook.shown_url}")
        self._show(secret)
        if is_first:
            self.stdout.write(
                "It is the first: restart the server, which then runs deliver_webhooks by itself."
            )

    def _list(self) -> None:
        now = int(time.time())
        webhooks = list(Webhook.objects.with_queue())
        self.stdout.write(f"{'webhook':>7}  {'waiting':>7}  {'oldest':>7}  {'delivered':>9}  state")
        for webhook in webhooks:
            self.stdout.write(
                f"{webhook.pk:>7}  {webhook.waiting:>7}  {_ago(webhook.oldest, now):>7}  "
                f"{_ago(webhook.delivered_at, now):>9}  {_state(webhook, now)}\n{'':>9}{webhook.shown_url}"
            )
        if any(now - (webhook.oldest_untried or now) > UNTRIED_PATIENCE for webhook in webhooks):
            self.stdout.write(self.style.WARNING("Nobody makes deliveries: is deliver_webhooks running?"))

    def _test(self, webhook: Webhook) -> None:
        delivery, at = str(uuid4()), int(time.time())
        body = ping_body(delivery, at=at)
        answer = post(webhook.url, body, signed_headers(PING, delivery, webhook.secret, body, at=at))
        if not answer.is_good:
            raise CommandError(f"The ping failed. {answer}")
        self.stdout.write(self.style.SUCCESS(f"The ping was taken: {answer}"))

    def _enable(self, webhook: Webhook) -> None:
        webhook_enable(webhook=webhook)
        self.stdout.write(f"Webhook {webhook.pk} is told of writes again.")

    def _remove(self, webhook: Webhook) -> None:
        number = webhook.pk
        webhook_remove(webhook=webhook)
        self.stdout.write(f"Webhook {number} is removed.")

    def _secret(self, given: str) -> str:
        secret = sys.stdin.readline().strip() if given == "-" else given
        if given and (problem := secret_problem(secret)):
            raise CommandError(problem)
        return secret or secret_make()

    def _show(self, secret: str) -> None:
        self.stdout.write(f"Secret: {secret}\nKeep it now: it is not shown again.")


def _webhook(number: int) -> Webhook:
    webhook = Webhook.objects.filter(pk=number).first()
    if webhook is None:
        raise CommandError(f"There is no webhook {number}.")
    return webhook


def _state(webhook: Webhook, now: int) -> str:
    if webhook.disabled_at is not None:
        return f"off for {_ago(webhook.disabled_at, now)}: {webhook.last_error}"
    if webhook.failing_since is not None:
        return f"FAILING for {_ago(webhook.failing_since, now)}: {webhook.last_error}"
    return "well" if webhook.delivered_at else "nothing sent yet"


def _ago(at: int | None, now: int) -> str:
    """The time since then, in the largest unit that fits."""
    if at is None:
        return "-"
    seconds = max(0, now - at)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
