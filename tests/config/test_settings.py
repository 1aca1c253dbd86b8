import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "HORDE_MODEL_REFERENCE_"
OTHERS = {
    "AIWORKER_CACHE_HOME",
    "AI_HORDE_TESTING",
    "AI_HORDE_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEBUG",
    "HORDE_URL",
    "SECRET_KEY",
    "TRUST_PROXY",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Reads the settings as a start with these variables would, in a data folder of their own."""
    for name in [name for name in os.environ if name.startswith(PREFIX) or name in OTHERS]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIWORKER_CACHE_HOME", str(tmp_path))

    def load_settings(**variables: str) -> ModuleType:
        with monkeypatch.context() as given:
            for name, value in variables.items():
                given.setenv(name if name in OTHERS else PREFIX + name, value)
            spec = importlib.util.spec_from_file_location(
                "settings_under_test", ROOT / "config" / "settings.py"
            )
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        return module

    return load_settings


IMAGES = {"owner": "Haidra-Org", "name": "AI-Horde-image-model-reference", "branch": "main"}
TEXTS = {"owner": "Haidra-Org", "name": "AI-Horde-text-model-reference", "branch": "main"}
DEFAULTS = {
    "REPLICATE_MODE": "PRIMARY",
    "CANONICAL_FORMAT": "v2",
    "AI_HORDE_TESTING": False,
    "HORDE_URL": "https://aihorde.net/api/",
    "HORDE_API_TIMEOUT": 30,
    "HORDE_API_CACHE_TTL": 60,
    "STATISTICS_CACHE_TTL": 300,
    "DELETION_RISK_CACHE_TTL": 300,
    "PREFERRED_FILE_HOSTS": ["huggingface.co"],
    "LOW_USAGE_THRESHOLD_PERCENTAGE": 0.0065,
    "TEXT_GEN_LOW_USAGE_THRESHOLD_PERCENTAGE": 0.02,
    "TEXT_GEN_IGNORE_DOWNLOAD_HOSTS": True,
    "TEXT_GEN_CRITICAL_USAGE_THRESHOLD": 10,
    "TEXT_GEN_CRITICAL_WORKER_THRESHOLD": 1,
    "QUEUE_ENABLED": True,
    "QUEUE_REQUESTOR_IDS": frozenset(),
    "QUEUE_APPROVER_IDS": frozenset(),
    "AUDIT_ENABLED": True,
    "STATIC_API_KEYS": {},
    "CORS_ALLOWED_ORIGINS": [],
    "CORS_ALLOW_ALL_ORIGINS": False,
    "IMAGE_GITHUB_REPO": IMAGES,
    "TEXT_GITHUB_REPO": TEXTS,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
    "SECURE_PROXY_SSL_HEADER": None,
}


def test_without_variables_everything_has_its_default(load):
    settings = load()
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("REPLICATE_MODE", "replica", "REPLICATE_MODE", "REPLICA"),
        ("CANONICAL_FORMAT", "LEGACY", "CANONICAL_FORMAT", "legacy"),
        ("AI_HORDE_TESTING", "yes", "AI_HORDE_TESTING", True),
        ("HORDE_URL", "http://127.0.0.1:9/api", "HORDE_URL", "http://127.0.0.1:9/api/"),
        ("AI_HORDE_URL", "http://127.0.0.1:9/api//", "HORDE_URL", "http://127.0.0.1:9/api/"),
        ("HORDE_API_TIMEOUT", "5", "HORDE_API_TIMEOUT", 5),
        ("HORDE_API_CACHE_TTL", "0", "HORDE_API_CACHE_TTL", 0),
        ("STATISTICS_CACHE_TTL", "1", "STATISTICS_CACHE_TTL", 1),
        ("DELETION_RISK_CACHE_TTL", "2", "DELETION_RISK_CACHE_TTL", 2),
        ("PREFERRED_FILE_HOSTS", "a.org, b.org", "PREFERRED_FILE_HOSTS", ["a.org", "b.org"]),
        ("LOW_USAGE_THRESHOLD_PERCENTAGE", "0.5", "LOW_USAGE_THRESHOLD_PERCENTAGE", 0.5),
        ("TEXT_GEN_IGNORE_DOWNLOAD_HOSTS", "off", "TEXT_GEN_IGNORE_DOWNLOAD_HOSTS", False),
        ("PENDING_QUEUE__ENABLED", "false", "QUEUE_ENABLED", False),
        ("PENDING_QUEUE__REQUESTOR_IDS", '["101", 102]', "QUEUE_REQUESTOR_IDS", frozenset({"101", "102"})),
        ("PENDING_QUEUE__APPROVER_IDS", " 900 ,901", "QUEUE_APPROVER_IDS", frozenset({"900", "901"})),
        ("PENDING_QUEUE__READ_ROLE", "Any", "QUEUE_READ_ROLE", "any"),
        ("AUDIT__ENABLED", "no", "AUDIT_ENABLED", False),
        ("STATIC_API_KEYS", '{"k": "Ada#1"}', "STATIC_API_KEYS", {"k": "Ada#1"}),
        ("CORS_ALLOWED_ORIGINS", "https://a.org/,http://b.org:1", "CORS_ALLOWED_ORIGINS", ["https://a.org", "http://b.org:1"]),
        ("CORS_ALLOWED_ORIGINS", '["*"]', "CORS_ALLOW_ALL_ORIGINS", True),
        ("IMAGE_GITHUB_REPO__OWNER", "me", "IMAGE_GITHUB_REPO", {**IMAGES, "owner": "me"}),
        ("TEXT_GITHUB_REPO__BRANCH", "dev", "TEXT_GITHUB_REPO", {**TEXTS, "branch": "dev"}),
        ("ALLOWED_HOSTS", "models.example.org", "ALLOWED_HOSTS", ["models.example.org"]),
        ("SECRET_KEY", "mine", "SECRET_KEY", "mine"),
        ("TRUST_PROXY", "true", "SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
    ],
)  # fmt: skip
def test_each_variable_is_read(load, variable, value, setting, expected):
    assert getattr(load(**{variable: value}), setting) == expected
    assert getattr(load(**{variable: ""}), setting) == DEFAULTS.get(setting, getattr(load(), setting))


def test_the_first_of_two_upstream_variables_counts(load):
    assert load(HORDE_URL="http://a/", AI_HORDE_URL="http://b/").HORDE_URL == "http://a/"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REPLICATE_MODE", "SECONDARY"),
        ("CANONICAL_FORMAT", "v1"),
        ("AI_HORDE_TESTING", "perhaps"),
        ("HORDE_API_TIMEOUT", "soon"),
        ("HORDE_API_TIMEOUT", "0"),
        ("HORDE_API_CACHE_TTL", "-1"),
        ("LOW_USAGE_THRESHOLD_PERCENTAGE", "little"),
        ("TEXT_GEN_CRITICAL_USAGE_THRESHOLD", "1.5"),
        ("PENDING_QUEUE__ENABLED", "perhaps"),
        ("PENDING_QUEUE__REQUESTOR_IDS", '["1"'),
        ("PENDING_QUEUE__APPROVER_IDS", "[true]"),
        ("PENDING_QUEUE__READ_ROLE", "nobody"),
        ("STATIC_API_KEYS", "k=Ada#1"),
        ("STATIC_API_KEYS", '["k"]'),
        ("STATIC_API_KEYS", '{"k": "Ada"}'),
        ("STATIC_API_KEYS", '{"k": 1}'),
        ("CORS_ALLOWED_ORIGINS", '["https://a.org'),
        ("DATABASE_URL", "mysql://localhost/store"),
        ("DEBUG", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_and_names_its_variable(load, variable, value):
    with pytest.raises(ImproperlyConfigured, match=variable):
        load(**{variable: value})


def test_the_secret_key_is_made_once_and_kept_for_the_owner_alone(load, tmp_path):
    first = load()
    path = tmp_path / "horde_model_reference" / "secret_key"
    assert len(first.SECRET_KEY) >= 50
    assert load().SECRET_KEY == first.SECRET_KEY == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_key_that_a_crash_left_empty_is_made_anew(load, tmp_path):
    path = tmp_path / "horde_model_reference" / "secret_key"
    path.parent.mkdir()
    path.touch()
    assert len(load().SECRET_KEY) >= 50


def test_a_deployment_open_to_every_host_needs_a_secret_of_its_own(load):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        load(ALLOWED_HOSTS="*")
    assert load(ALLOWED_HOSTS="*", SECRET_KEY="mine").ALLOWED_HOSTS == ["*"]


def test_the_data_lie_in_one_folder(load, tmp_path):
    settings = load()
    folder = tmp_path / "horde_model_reference"
    assert Path(settings.DATABASES["default"]["NAME"]) == folder / "store.sqlite3"
    assert folder == settings.DATA_DIR
    assert settings.STATIC_ROOT.is_relative_to(folder)
    assert load(DATABASE_URL="postgres://u@h/n").DATABASES["default"]["NAME"] == "n"


def test_every_variable_that_is_read_is_described():
    source = (ROOT / "config" / "settings.py").read_text()
    described = (ROOT / ".env.example").read_text()
    read = {name for name in OTHERS if f'"{name}"' in source}
    read |= {
        PREFIX + part.split('"')[0] for part in source.split("{PREFIX}")[1:] if "{" not in part.split('"')[0]
    }
    assert len(read) > 20
    assert sorted(name for name in read if name not in described) == []


def test_a_failed_start_shows_the_variable_and_not_the_value():
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "mysql://user:hidden@localhost/store"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DATABASE_URL" in done.stderr
    assert "hidden" not in done.stderr + done.stdout
