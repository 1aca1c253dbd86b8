from types import SimpleNamespace

from config import checks


def found(messages) -> list[str]:
    return [message.id for message in messages]


def test_a_misspelt_variable_is_named(monkeypatch):
    monkeypatch.setenv("HORDE_MODEL_REFERENCE_REPLICATION_MODE", "REPLICA")
    [message] = checks.variables_known(None)
    assert message.id == "config.W001"
    assert message.msg == "HORDE_MODEL_REFERENCE_REPLICATION_MODE is no variable of this service."


def test_published_variables_without_effect_are_known(monkeypatch):
    for name in ("REPLICATE_MODE", "MAKE_FOLDERS", "R2__UPLOAD_BUCKET", "REDIS__USE_PUBSUB"):
        monkeypatch.setenv(f"HORDE_MODEL_REFERENCE_{name}", "")
    assert checks.variables_known(None) == []


def test_a_short_secret_is_warned_of_at_every_start(settings):
    settings.SECRET_KEY = "x" * 49
    [message] = checks.secret_key_long(None)
    assert (message.id, "x" * 49 in str(message)) == ("config.W005", False)
    settings.SECRET_KEY = "x" * 50
    assert checks.secret_key_long(None) == []


def test_hosts_are_to_be_named(settings):
    assert found(checks.hosts_named(None)) == []
    settings.ALLOWED_HOSTS = ["*"]
    assert found(checks.hosts_named(None)) == ["config.W002"]


def test_a_redirect_to_https_needs_the_word_of_a_proxy(settings):
    settings.SECURE_SSL_REDIRECT, settings.TRUST_PROXY = True, False
    assert found(checks.redirect_ends(None)) == ["config.W006"]
    settings.TRUST_PROXY = True
    assert checks.redirect_ends(None) == []
    settings.SECURE_SSL_REDIRECT, settings.TRUST_PROXY = False, False
    assert checks.redirect_ends(None) == []


def test_static_keys_are_for_private_deployments(settings):
    settings.STATIC_API_KEYS = {}
    assert found(checks.static_keys_unused(None)) == []
    settings.STATIC_API_KEYS = {"secret": "Ada#1"}
    [message] = checks.static_keys_unused(None)
    assert message.id == "config.W003"
    assert "secret" not in str(message)


def test_machines_that_share_a_database_need_one_secret(monkeypatch):
    def database(engine: str) -> None:
        engines = {"default": {"ENGINE": f"django.db.backends.{engine}"}}
        monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES=engines))

    monkeypatch.setenv("SECRET_KEY", "")
    database("sqlite3")
    assert found(checks.secret_key_shared(None)) == []
    database("postgresql")
    assert found(checks.secret_key_shared(None)) == ["config.W004"]
    monkeypatch.setenv("SECRET_KEY", "ours")
    assert found(checks.secret_key_shared(None)) == []
