"""What Django's `check` says of a deployment that works and yet is not as it should be."""

import os

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from config.environment import PREFIX, asked
from config.keys import KEY_LENGTH
from config.published import FOREIGN_PREFIXES


@register
def variables_known(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """A misspelt variable would leave its setting at the default without a word."""
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and name not in asked and not name.startswith(FOREIGN_PREFIXES)
    )
    return [
        Warning(f"{name} is no variable of this service.", hint="See .env.example.", id="config.W001")
        for name in unknown
    ]


@register(Tags.security)
def secret_key_long(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= KEY_LENGTH:
        return []
    return [
        Warning(
            f"SECRET_KEY has fewer than {KEY_LENGTH} characters: whoever guesses it signs in as anybody.",
            hint="Set a long random one, or none: the service then makes one and keeps it.",
            id="config.W005",
        )
    ]


@register(Tags.security, deploy=True)
def hosts_named(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS takes every name.",
            hint="Name the hosts people use, so that nobody makes links to another one.",
            id="config.W002",
        )
    ]


@register(Tags.security, deploy=True)
def redirect_ends(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """The server itself speaks http alone: without the proxy's word no request ever counts as https."""
    if settings.TRUST_PROXY or not settings.SECURE_SSL_REDIRECT:
        return []
    return [
        Warning(
            "SECURE_SSL_REDIRECT without TRUST_PROXY redirects every request, without end.",
            hint="Set TRUST_PROXY behind a proxy that sets X-Forwarded-Proto itself.",
            id="config.W006",
        )
    ]


@register(Tags.security, deploy=True)
def static_keys_unused(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    if not settings.STATIC_API_KEYS:
        return []
    return [
        Warning(
            f"{PREFIX}STATIC_API_KEYS opens the service to whoever knows one of them.",
            hint="They are for deployments without an AI-Horde to ask.",
            id="config.W003",
        )
    ]


@register(Tags.security, deploy=True)
def secret_key_shared(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """A key kept beside the data is another one on each machine, and signs people out between them."""
    if os.environ.get("SECRET_KEY", "").strip() or settings.DATABASES["default"]["ENGINE"].endswith(
        "sqlite3"
    ):
        return []
    return [
        Warning(
            "SECRET_KEY is not set, so each machine with this database makes its own.",
            hint="Set the same SECRET_KEY everywhere.",
            id="config.W004",
        )
    ]
