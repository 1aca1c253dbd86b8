import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from config.databases import POSTGRES_OPTIONS, SQLITE_OPTIONS, database_config

HOSTED = "postgres://user:secret@db.example.org:6543/store"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///{folder}/store.sqlite3", "{folder}/store.sqlite3"),
        ("sqlite:///store.sqlite3", "{folder}/store.sqlite3"),
        ("sqlite:///with%20space/store.sqlite3", "{folder}/with space/store.sqlite3"),
        ("sqlite:///:memory:", ":memory:"),
    ],
)
def test_sqlite_files(url, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with space").mkdir()
    config = database_config(url.format(folder=tmp_path))
    assert config["ENGINE"] == "django.db.backends.sqlite3"
    assert config["NAME"] == name.format(folder=tmp_path)
    assert config["OPTIONS"] == SQLITE_OPTIONS


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://data/store.sqlite3"])
def test_a_url_with_too_few_slashes_stops_the_start(url):
    with pytest.raises(ImproperlyConfigured, match="write sqlite:///path"):
        database_config(url)


def test_a_file_that_sqlite_cannot_open_stops_the_start(tmp_path):
    (tmp_path / "file").touch()
    for path, reason in {
        tmp_path: "is a folder",
        tmp_path / "missing" / "store.sqlite3": "a folder that exists",
        tmp_path / "file" / "store.sqlite3": "a folder that exists",
    }.items():
        with pytest.raises(ImproperlyConfigured, match=f"DATABASE_URL must name a file.*{reason}"):
            database_config(f"sqlite:///{path}")


def test_a_file_that_may_not_be_written_stops_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr("config.databases.os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must name a file that can be written"):
        database_config(f"sqlite:///{tmp_path}/store.sqlite3")


def test_a_postgres_url_with_everything():
    config = database_config(f"{HOSTED}?sslmode=require&application_name=a%20b")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert {key: config[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")} == {
        "NAME": "store",
        "HOST": "db.example.org",
        "PORT": "6543",
        "USER": "user",
        "PASSWORD": "secret",
        "OPTIONS": {**POSTGRES_OPTIONS, "sslmode": "require", "application_name": "a b"},
    }
    assert config["CONN_HEALTH_CHECKS"] is True


def test_an_option_that_postgresql_does_not_know_stops_the_start():
    with pytest.raises(ImproperlyConfigured) as failure:
        database_config(f"{HOSTED}?colour=blue")
    assert str(failure.value) == 'DATABASE_URL: invalid connection option "colour".'


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql:///store", {"NAME": "store", "HOST": "", "PORT": "", "USER": "", "PASSWORD": ""}),
        ("postgres://u@h/n", {"NAME": "n", "HOST": "h", "PORT": "", "USER": "u", "PASSWORD": ""}),
        (
            "postgres://u:p%40%2F%3A@h/n%20m",
            {"NAME": "n m", "HOST": "h", "PORT": "", "USER": "u", "PASSWORD": "p@/:"},
        ),
        (
            "postgres://u@[::1]:5432/n",
            {"NAME": "n", "HOST": "::1", "PORT": "5432", "USER": "u", "PASSWORD": ""},
        ),
    ],
)
def test_postgres_urls_with_less_or_stranger_parts(url, expected):
    config = database_config(url)
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.sqlite3",
        "sqlite://",
        "sqlite:///",
        "sqlite://store.sqlite3",
        "mysql://user:secret@db.example.org/store",
        "postgres://user:secret@db.example.org",
        "postgres://user:secret@db.example.org/",
        "postgres://user:secret@db.example.org:port/store",
        "postgres://user:secret@db.example.org:99999/store",
        "postgres://user:secret@[::1/store",
        "http://user:secret@db.example.org/store",
    ],
)
def test_other_urls_stop_the_start_without_telling_the_password(url):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as failure:
        database_config(url)
    shown = f"{failure.value} {failure.value.__cause__}"
    assert "secret" not in shown
    assert failure.value.__suppress_context__ or failure.value.__context__ is None


@pytest.mark.django_db
def test_the_connection_of_sqlite_reads_while_another_writes_and_waits_its_turn():
    if connection.vendor != "sqlite":
        pytest.skip("these are settings of SQLite")

    def pragma(name: str) -> object:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {name}")
            return cursor.fetchone()[0]

    # A database in memory has no log to write ahead to.
    assert pragma("journal_mode") in ("wal", "memory")
    assert pragma("synchronous") == 1
    assert pragma("foreign_keys") == 1
    assert connection.transaction_mode == "IMMEDIATE"
    assert connection.settings_dict["OPTIONS"]["timeout"] >= 5
