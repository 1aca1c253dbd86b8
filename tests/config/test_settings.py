import importlib.util
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from config import published
from config.environment import asked, env_file_load

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "HORDE_MODEL_REFERENCE_"
OTHERS = {
    "ACCESS_LOG",
    "AIWORKER_CACHE_HOME",
    "AI_HORDE_TESTING",
    "AI_HORDE_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEBUG",
    "GITHUB_API_URL",
    "GITHUB_PROXY_URL_BASE",
    "HORDE_URL",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "METRICS_ENABLED",
    "PROMETHEUS_MULTIPROC_DIR",
    "SECRET_KEY",
    "SECURE_COOKIES",
    "SECURE_HSTS_SECONDS",
    "SECURE_SSL_REDIRECT",
    "SHOWCASE_HOSTS",
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
    "OFFLINE": False,
    "PRIMARY_API_URL": "https://models.aihorde.net/api",
    "PRIMARY_API_TIMEOUT": 10,
    "ENABLE_GITHUB_FALLBACK": True,
    "GITHUB_SEED_ENABLED": False,
    "CACHE_TTL_SECONDS": 60,
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
    "SECURE_SSL_REDIRECT": False,
    "SECURE_HSTS_SECONDS": 0,
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_SECURE": False,
    "METRICS_ENABLED": False,
    "ACCESS_LOG": False,
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
        ("OFFLINE", "true", "OFFLINE", True),
        ("OFFLINE", "true", "ENABLE_GITHUB_FALLBACK", False),
        ("PRIMARY_API_URL", "http://127.0.0.1:9/api/", "PRIMARY_API_URL", "http://127.0.0.1:9/api"),
        ("PRIMARY_API_TIMEOUT", "3", "PRIMARY_API_TIMEOUT", 3),
        ("ENABLE_GITHUB_FALLBACK", "false", "ENABLE_GITHUB_FALLBACK", False),
        ("GITHUB_SEED_ENABLED", "true", "GITHUB_SEED_ENABLED", True),
        ("CACHE_TTL_SECONDS", "5", "CACHE_TTL_SECONDS", 5),
        ("SECURE_SSL_REDIRECT", "true", "SECURE_SSL_REDIRECT", True),
        ("SECURE_HSTS_SECONDS", "60", "SECURE_HSTS_SECONDS", 60),
        ("SECURE_COOKIES", "true", "SESSION_COOKIE_SECURE", True),
        ("SECURE_COOKIES", "true", "CSRF_COOKIE_SECURE", True),
        ("ACCESS_LOG", "true", "ACCESS_LOG", True),
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
        ("HORDE_URL", "notaurl"),
        ("HORDE_URL", "https://aihorde.net/api?version=2"),
        ("PRIMARY_API_URL", "https://models.aihorde.net/api#v2"),
        ("GITHUB_API_URL", "https://api.github.com/?"),
        ("AI_HORDE_URL", "ftp://a/"),
        ("PRIMARY_API_URL", "models.aihorde.net/api"),
        ("PRIMARY_API_TIMEOUT", "0"),
        ("ENABLE_GITHUB_FALLBACK", "perhaps"),
        ("OFFLINE", "perhaps"),
        ("CACHE_TTL_SECONDS", "0"),
        ("GITHUB_PROXY_URL_BASE", "proxy"),
        ("REDIS__URL", "localhost:6379"),
        ("REDIS__USE_REDIS", "perhaps"),
        ("REDIS__POOL_SIZE", "0"),
        ("REDIS__RETRY_BACKOFF_SECONDS", "-1"),
        ("REDIS__TTL_SECONDS", "soon"),
        ("REDIS__USE_PUBSUB", "perhaps"),
        ("MAKE_FOLDERS", "perhaps"),
        ("AUDIT__MAX_SEGMENT_BYTES", "5 MB"),
        ("CACHE_HYDRATION_INTERVAL_SECONDS", "soon"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("SECURE_HSTS_SECONDS", "-1"),
        ("AIWORKER_CACHE_HOME", "/dev/null"),
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
        ("STATIC_API_KEYS", '{"k": "Ada#"}'),
        ("STATIC_API_KEYS", '{"k": "Ada#one"}'),
        ("STATIC_API_KEYS", '{"": "Ada#1"}'),
        ("STATIC_API_KEYS", '{" k": "Ada#1"}'),
        ("STATIC_API_KEYS", '{"\\ud800": "Ada#1"}'),
        ("CORS_ALLOWED_ORIGINS", '["https://a.org'),
        ("DATABASE_URL", "mysql://localhost/store"),
        ("DATABASE_URL", "postgres://localhost/store?colour=blue"),
        ("DEBUG", "perhaps"),
        ("ALLOWED_HOSTS", "https://x.org"),
        ("ALLOWED_HOSTS", "x.org:443"),
        ("ALLOWED_HOSTS", "a.org, b.org/path"),
        ("ALLOWED_HOSTS", "a.org b.org"),
        ("PENDING_QUEUE__APPROVER_IDS", "bob#12"),
        ("PENDING_QUEUE__REQUESTOR_IDS", '["12", "bob"]'),
        ("CORS_ALLOWED_ORIGINS", "models.example.org"),
        ("CORS_ALLOWED_ORIGINS", "https://*.example.org"),
        ("CSRF_TRUSTED_ORIGINS", "models.example.org"),
        ("SHOWCASE_HOSTS", "a.org; script-src *"),
        ("SHOWCASE_HOSTS", "*"),
        ("SHOWCASE_HOSTS", ".example.org"),
        ("IMAGE_GITHUB_REPO__OWNER", "Haidra Org"),
        ("TEXT_GITHUB_REPO__NAME", "../other"),
        ("TEXT_GITHUB_REPO__BRANCH", "main?x"),
        ("R2__GATEWAY_URL", "gateway"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_and_names_its_variable(load, variable, value):
    with pytest.raises(ImproperlyConfigured, match=variable):
        load(**{variable: value})


def test_offline_nothing_is_seeded(load):
    assert load(OFFLINE="true", GITHUB_SEED_ENABLED="true").GITHUB_SEED_ENABLED is False


@pytest.mark.parametrize("form", ["plain", "JSON"])
def test_the_log_has_the_form_and_level_it_is_told(load, form):
    logging = load(LOG_FORMAT=form, LOG_LEVEL="warning").LOGGING
    assert logging["handlers"]["console"]["formatter"] == form.lower()
    assert logging["root"]["level"] == "WARNING"


def test_each_server_counts_in_a_folder_of_its_own_unless_told_which(load, tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    settings = load(METRICS_ENABLED="true")
    assert tmp_path / "horde_model_reference" / "metrics" / str(os.getpid()) == settings.METRICS_DIR
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(settings.METRICS_DIR)
    told = load(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "m"), METRICS_ENABLED="true")
    assert tmp_path / "m" == told.METRICS_DIR
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="PROMETHEUS_MULTIPROC_DIR must be a folder"):
        load(PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "file" / "m"), METRICS_ENABLED="true")


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


def test_every_variable_that_is_read_is_described_and_no_other(load):
    asked.clear()
    load()
    lines = (ROOT / ".env.example").read_text().splitlines()
    described = {line.removeprefix("# ").split("=")[0] for line in lines if re.match(r"# [A-Z_0-9]+=", line)}
    unused = (*published._TEXTS, *published._URLS, *published._FLAGS, *published._NUMBERS)
    without_effect = {PREFIX + name for name in unused}
    assert len(described) > 60
    assert asked - {"AI_HORDE_URL"} == described | without_effect


def test_a_copy_of_the_example_changes_nothing(tmp_path):
    lines = (ROOT / ".env.example").read_text().splitlines()
    copy = tmp_path / ".env"
    copy.write_text("\n".join(re.sub(r"^# (?=[A-Z_0-9]+=)", "", line) for line in lines))
    values = dotenv_values(copy)
    values["HORDE_MODEL_REFERENCE_STATIC_API_KEYS"] = ""
    done = run_check({**values, "AIWORKER_CACHE_HOME": str(tmp_path)})
    assert done.stderr.strip() + done.stdout.strip() == "System check identified no issues (0 silenced)."


def run_check(variables: dict[str, str], *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess:
    environment = {
        name: value
        for name, value in os.environ.items()
        # The last one is set for the tests that drive a browser, and Django warns of it.
        if not name.startswith(PREFIX) and name not in (*OTHERS, "DJANGO_ALLOW_ASYNC_UNSAFE")
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=root,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_beside_manage_py_is_read_and_yields_to_what_is_set(tmp_path):
    shutil.copy(ROOT / "manage.py", tmp_path)
    for package in ("config", "references", "moderation", "templates"):
        (tmp_path / package).symlink_to(ROOT / package)
    (tmp_path / ".env").write_text("LOG_LEVEL='LOUD # one'\n")
    home = {"AIWORKER_CACHE_HOME": str(tmp_path)}
    done = run_check(home, root=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL.\n"
    assert run_check({**home, "LOG_LEVEL": "INFO"}, root=tmp_path).returncode == 0


def test_a_line_of_the_file_that_cannot_be_read_stops_the_start(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("# good\nLOG_FORMAT=json\nLOG_LEVEL='INFO\n")
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"^\.env: line 3 cannot be read\.$"):
        env_file_load(file)
    assert "LOG_FORMAT" not in os.environ
    env_file_load(tmp_path / "none")


@pytest.mark.parametrize(
    "hosts", ["*", ".example.org", "localhost", "127.0.0.1", "[::1]", "a_b.internal", "example.org."]
)
def test_names_that_django_takes_for_hosts_are_taken(load, hosts):
    assert [hosts] == load(ALLOWED_HOSTS=hosts, SECRET_KEY="mine").ALLOWED_HOSTS


def test_the_data_are_for_their_owner_alone_and_what_is_open_stays_so(load, tmp_path):
    folder = tmp_path / "horde_model_reference"
    load()
    assert (mode(folder), mode(folder / "store.sqlite3")) == (0o700, 0o600)
    folder.chmod(0o755)
    (folder / "store.sqlite3").chmod(0o644)
    load()
    assert (mode(folder), mode(folder / "store.sqlite3")) == (0o755, 0o644)


def test_what_sqlite_writes_beside_its_file_is_for_the_owner_too(load, tmp_path):
    path = load().DATABASES["default"]["NAME"]
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("CREATE TABLE number (value INTEGER)")
        assert {mode(file) for file in Path(path).parent.glob("store.sqlite3*")} == {0o600}
        assert len([*Path(path).parent.glob("store.sqlite3*")]) == 3


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


PRODUCTION = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "models.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://models.example.org",
    "TRUST_PROXY": "true",
    "SECURE_COOKIES": "true",
    "SECURE_SSL_REDIRECT": "true",
    "SECURE_HSTS_SECONDS": "31536000",
}


def test_django_finds_nothing_to_say_of_the_documented_production_settings(tmp_path):
    done = run_check(
        {**PRODUCTION, "AIWORKER_CACHE_HOME": str(tmp_path)}, "--deploy", "--fail-level", "WARNING"
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_django_speaks_up_without_them(tmp_path):
    done = run_check({"AIWORKER_CACHE_HOME": str(tmp_path), "DEBUG": "true"}, "--deploy")
    for finding in ("W004", "W008", "W012", "W018"):
        assert f"security.{finding}" in done.stderr


def test_a_failed_start_shows_one_line_with_the_variable_and_without_the_value(tmp_path):
    url = "mysql://user:hidden@localhost/store"
    done = run_check({"DATABASE_URL": url, "AIWORKER_CACHE_HOME": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "DATABASE_URL must begin with sqlite:// or postgres://.\n"
