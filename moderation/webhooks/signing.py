"""The signature of what is sent: who knows the secret can tell that nobody else wrote it, and when."""

import hashlib
import hmac
import secrets

EVENT_HEADER = "X-Model-Reference-Event"
DELIVERY_HEADER = "X-Model-Reference-Delivery"
SIGNATURE_HEADER = "X-Model-Reference-Signature"
SHORTEST_SECRET, LONGEST_SECRET = 16, 200


def secret_make() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def secret_problem(secret: str) -> str | None:
    """What is wrong with a secret that somebody chose, None if it will do."""
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        return "A secret is made of printable ASCII characters without spaces."
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        return f"A secret has from {SHORTEST_SECRET} to {LONGEST_SECRET} characters."
    return None


def signature(secret: str, body: bytes, *, at: int) -> str:
    """`t=<at>,v1=<hex>`: HMAC-SHA256 over the time in UNIX seconds, a dot, and the body."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def signed_headers(event: str, delivery: str, secret: str, body: bytes, *, at: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "horde-model-reference-webhooks/1",
        EVENT_HEADER: event,
        DELIVERY_HEADER: delivery,
        SIGNATURE_HEADER: signature(secret, body, at=at),
    }
