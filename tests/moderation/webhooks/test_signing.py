import pytest

from moderation.webhooks.signing import secret_make, secret_problem, signature
from tests.moderation.webhooks.receiver import hmac_sha256


def test_a_signature_is_the_one_that_the_documentation_lets_receivers_compute():
    assert hmac_sha256(b"key", b"The quick brown fox jumps over the lazy dog") == (
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )
    expected = hmac_sha256(b"a secret", b'1700000000.{"a": 1}')
    assert signature("a secret", b'{"a": 1}', at=1_700_000_000) == f"t=1700000000,v1={expected}"


def test_a_signature_covers_time_body_and_secret():
    signatures = {
        signature("a", b"body", at=1).partition("v1=")[2],
        signature("b", b"body", at=1).partition("v1=")[2],
        signature("a", b"other", at=1).partition("v1=")[2],
        signature("a", b"body", at=2).partition("v1=")[2],
    }
    assert len(signatures) == 4


def test_secrets_that_are_made_are_long_and_never_the_same():
    made = {secret_make() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith("whsec_") and len(secret) >= 49 for secret in made)
    assert {secret_problem(secret) for secret in made} == {None}


@pytest.mark.parametrize(
    "secret", ["short", "x" * 15, "x" * 201, "with a space in it", "x" * 20 + "\n", "ü" * 20]
)
def test_secrets_that_are_too_weak_or_hard_to_pass_on_are_refused(secret):
    assert secret_problem(secret)
