"""The secret of the deployment, and the keys of private ones."""

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.environment import PREFIX, text

# Characters of a secret that nobody guesses.
KEY_LENGTH = 50
_API_KEY = re.compile(r"[!-~]+")
_USER = re.compile(r".*#[0-9]+")


def secret_key(data_dir: Path) -> str:
    """The configured key, or one made at the first start and kept beside the data."""
    if configured := text("SECRET_KEY"):
        return configured
    path = data_dir / "secret_key"
    if path.exists() and not path.read_text().strip():
        # A crash between making the file and filling it.
        path.unlink()
    if not path.exists():
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        # Of processes that start at once, all go on with the key of the first.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text().strip()


def static_api_keys() -> dict[str, str]:
    """Keys of a private deployment and the `name#id` each stands for."""
    variable = f"{PREFIX}STATIC_API_KEYS"
    if not (value := text(variable)):
        return {}
    try:
        keys = json.loads(value)
    except ValueError:
        raise ImproperlyConfigured(f"{variable} must be a JSON object.") from None
    if not isinstance(keys, dict) or not all(
        isinstance(user, str) and _USER.fullmatch(user) for user in keys.values()
    ):
        raise ImproperlyConfigured(
            f"{variable} must map each key to a user written as name#id, the id being a number."
        )
    if not all(map(_API_KEY.fullmatch, keys)):
        raise ImproperlyConfigured(f"{variable} must hold keys of printable ASCII characters without spaces.")
    return keys
