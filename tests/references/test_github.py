import importlib
import json
import logging
import os
import sys

import pytest
import requests

from references import github
from references.github import GitHubError, GitHubPassingError, RepositoryApi, installation_token, raw_download
from references.legacy import SourceError
from references.sources import github_read, legacy_repositories
from tests.githubdouble import APP_TOKEN, IMAGES, TOKEN, only_loopback, running_github
from tests.hordedouble import stop_clock

CONTENT = b'{"A": 1}'
SECRET = "hidden-in-the-address"  # noqa: S105


@pytest.fixture
def double(settings, monkeypatch):
    only_loopback(monkeypatch)
    with running_github(settings, {"clip.json": CONTENT}, {"models.csv": b"a,b\n"}) as double:
        yield double


@pytest.fixture
def clock(monkeypatch):
    return stop_clock(monkeypatch)


@pytest.fixture
def images():
    return legacy_repositories()[0]


@pytest.fixture
def api(double, clock, images):
    return RepositoryApi(images, TOKEN)


def parsed(content):
    try:
        return json.loads(content)
    except ValueError as error:
        raise SourceError(f"clip.json: {error}") from None


# Raw files


def test_a_file_is_downloaded_from_the_branch(double, clock, images):
    assert raw_download(images, "clip.json", parsed) == {"A": 1}
    path = f"/raw/https://raw.githubusercontent.com/{IMAGES}/refs/heads/main/clip.json"
    assert double.calls == {f"GET {path}": 1}
    assert clock.slept == []


def test_a_file_is_downloaded_as_of_a_commit(double, clock, images):
    commit = double.images.branches["main"]
    double.images.commit("main", {"clip.json": b"{}"})
    assert raw_download(images, "clip.json", parsed) == {}
    assert raw_download(images, "clip.json", parsed, commit=commit) == {"A": 1}


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "https://raw.example/f"),
        ("https://proxy.example", "https://proxy.example/https://raw.example/f"),
        ("https://proxy.example/", "https://proxy.example/https://raw.example/f"),
        ("https://proxy.example/?url=", "https://proxy.example/?url=https://raw.example/f"),
    ],
)
def test_the_proxy_comes_before_the_whole_address(settings, base, url):
    settings.GITHUB_PROXY_URL_BASE = base
    assert github._proxied("https://raw.example/f") == url


@pytest.mark.parametrize("mode", ["429", "500", "503", "403", "400", "204", "down", "cut", "html"])
def test_what_may_pass_is_tried_three_times(double, clock, images, mode):
    double.modes["clip.json"] = [mode] * 5
    with pytest.raises(GitHubPassingError, match=r"clip\.json"):
        raw_download(images, "clip.json", parsed)
    assert double.count("clip.json") == 3
    assert clock.slept == [2, 4]


def test_a_file_that_is_not_there_is_asked_for_once(double, clock, images):
    with pytest.raises(GitHubError, match=f"absent.json of {IMAGES}: GitHub has no such file") as failure:
        raw_download(images, "absent.json", parsed)
    assert not isinstance(failure.value, GitHubPassingError)
    assert double.count("absent.json") == 1
    assert clock.slept == []


@pytest.mark.parametrize("modes", [["500"], ["429", "cut"], ["html", "down"]])
def test_a_later_attempt_may_succeed(double, clock, images, modes):
    double.modes["clip.json"] = list(modes)
    assert raw_download(images, "clip.json", parsed) == {"A": 1}
    assert double.count("clip.json") == len(modes) + 1


def test_a_file_that_comes_without_end_is_given_up_in_time(double, clock, images, monkeypatch):
    monkeypatch.setattr(github, "TIMEOUT_SECONDS", 0.2)
    double.modes["clip.json"] = ["drip"] * 3
    with pytest.raises(GitHubPassingError, match=f"^clip.json of {IMAGES}: "):
        raw_download(images, "clip.json", parsed)
    assert double.count("clip.json") == 3


def test_a_file_that_unpacks_to_more_than_any_has_is_refused_at_once(double, clock, images, monkeypatch):
    monkeypatch.setattr(github, "BODY_LIMIT", 1_000_000)
    double.modes["clip.json"] = ["bomb"] * 3
    with pytest.raises(GitHubError, match=f"^clip.json of {IMAGES}: the answer has more than 1000000 bytes$"):
        raw_download(images, "clip.json", parsed)
    assert double.count("clip.json") == 1


def test_attempts_and_waits_are_those_of_the_settings(double, clock, images, settings):
    settings.LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS = 5
    settings.LEGACY_DOWNLOAD_RETRY_BACKOFF_SECONDS = 3
    double.modes["clip.json"] = ["500"] * 9
    with pytest.raises(GitHubError):
        raw_download(images, "clip.json", parsed)
    assert clock.slept == [3, 6, 10, 10]
    settings.LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS = 1
    with pytest.raises(GitHubError):
        raw_download(images, "clip.json", parsed)
    assert double.count("clip.json") == 6


@pytest.mark.parametrize("base", ["http://127.0.0.1:1/", "http://[broken/", "nonsense/"])
def test_no_error_or_log_line_repeats_an_address(double, clock, images, settings, caplog, base):
    settings.GITHUB_PROXY_URL_BASE = f"{base}{SECRET}/"
    with caplog.at_level(logging.DEBUG, logger="references"), pytest.raises(GitHubError) as failure:
        raw_download(images, "clip.json", parsed)
    assert SECRET not in str(failure.value)
    assert caplog.text.count("trying again") == 2
    assert SECRET not in caplog.text


def test_one_file_of_each_category_is_read_from_its_repository(double, clock):
    double.images.commit("main", {"clip.json": b"{}", "blip.json": b"{}"})
    assert [source.category for source in github_read(["blip", "lora", "clip"])] == ["blip", "clip"]
    with pytest.raises(GitHubError, match=r"^from GitHub: models\.csv: line 1: the header lacks"):
        list(github_read(["text_generation"]))
    assert double.count("lora") == 0


# The REST API


def test_the_head_of_the_branch_and_its_tree(double, api):
    commit = double.images.branches["main"]
    assert api.head() == commit
    assert api.tree(commit) == double.images.commits[commit]["tree"]


def test_a_tree_replaces_the_files_given_and_keeps_the_others_byte_for_byte(double, api):
    parent = api.head()
    files = {"clip.json": b"\xef\xbb\xbf\r\n\x00", "new.json": b""}
    tree = api.tree_create(base=api.tree(double.images.commit("main", {"other": b"o"})), files=files)
    commit = api.commit_create(message="m", tree=tree, parent=parent)
    assert double.images.files(commit) == {**files, "other": b"o"}
    assert double.images.commits[commit] == {"message": "m", "tree": tree, "parents": [parent]}


def test_a_branch_is_made_once(double, api):
    api.branch_create("sync/clip/1", api.head())
    assert double.images.branches["sync/clip/1"] == api.head()
    with pytest.raises(GitHubError, match="POST .*/git/refs: status 422, Reference already exists"):
        api.branch_create("sync/clip/1", api.head())


def test_a_pull_request_is_opened_labelled_reviewed_and_closed(double, api):
    api.branch_create("b", api.head())
    pull = api.pull_create(title="t", body="text", branch="b")
    api.labels_add(pull.number, ["x", "y"])
    api.reviewers_request(pull.number, people=["ada"], teams=["core"])
    api.pull_close(pull.number)
    [held] = double.images.pulls
    assert (pull.number, pull.url, pull.branch, pull.commit) == (1, held["html_url"], "b", api.head())
    assert (held["title"], held["body"], held["labels"]) == ("t", "text", ["x", "y"])
    assert held["reviewers"] == {"reviewers": ["ada"], "team_reviewers": ["core"]}
    assert held["state"] == "closed"


def test_all_pages_of_open_pull_requests_are_read(double, api):
    for number in range(250):
        double.images.pull_add(f"branch-{number}", state="open" if number % 2 else "closed")
    assert [pull.number for pull in api.pulls()] == list(range(2, 251, 2))
    assert double.count("pulls?") == 2


def test_only_branches_of_the_repository_itself_are_named(double, api):
    double.images.pull_add("own")
    double.images.pull_add("theirs", fork="Someone/fork")
    double.images.pull_add("gone")["head"]["repo"] = None
    double.images.pull_add("other", base={"ref": "stable"})
    assert [pull.branch for pull in api.pulls()] == ["own", None, None]


@pytest.mark.parametrize("mode", ["429", "500", "502", "limited", "down", "cut", "html"])
def test_calls_that_may_pass_are_tried_three_times(double, api, clock, mode):
    double.modes["git/ref"] = [mode] * 5
    with pytest.raises(GitHubPassingError, match=f"^GET /repos/{IMAGES}/git/ref/heads/main: "):
        api.head()
    assert double.count("git/ref") == 3
    assert clock.slept == [2, 4]


@pytest.mark.parametrize("mode", ["html", "object", "text", "list", "deep"])
@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("git/ref/", lambda api: api.head()),
        ("git/commits/", lambda api: api.tree("c")),
        ("git/commits", lambda api: api.commit_create(message="m", tree="t", parent="p")),
        ("/pulls", lambda api: api.pull_create(title="t", body="b", branch="b")),
    ],
)
def test_an_answer_of_another_shape_is_an_error_like_any_other(double, api, clock, path, call, mode):
    double.modes[path] = [mode] * 3
    with pytest.raises(GitHubPassingError, match="status 200, not (JSON|what the documentation promises)$"):
        call(api)
    assert double.count(path) == 3


@pytest.mark.parametrize("mode", ["text", "list", "deep"])
def test_a_list_of_pull_requests_that_is_none_is_an_error(double, api, clock, mode):
    double.modes["/pulls"] = [mode] * 3
    with pytest.raises(GitHubPassingError, match="/pulls: status 200, not "):
        list(api.pulls())


@pytest.mark.parametrize("mode", ["400", "401", "403", "404", "422"])
def test_calls_that_will_not_pass_are_tried_once(double, api, clock, mode):
    double.modes["git/ref"] = [mode] * 5
    with pytest.raises(GitHubError, match=f"status {mode}, as told") as failure:
        api.head()
    assert not isinstance(failure.value, GitHubPassingError)
    assert double.count("git/ref") == 1


def test_the_token_goes_to_the_rest_api_alone_and_into_no_error(double, images, clock, caplog):
    secret = "ghp_very-secret"  # noqa: S105
    caplog.set_level(logging.DEBUG)
    double.modes["git/ref"] = ["500"]
    with pytest.raises(GitHubError, match="status 401, Bad credentials") as failure:
        RepositoryApi(images, secret).head()
    assert double.authorizations == [f"Bearer {secret}"] * 2
    assert secret not in str(failure.value)
    assert secret not in caplog.text
    raw_download(images, "clip.json", parsed)
    assert len(double.authorizations) == 2


def test_a_netrc_file_does_not_take_the_place_of_the_token(double, api, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert requests.utils.get_netrc_auth(double.url) == ("someone", "else")
    assert api.head()


# Apps


def jwt_library():
    if os.environ.get("REQUIRE_ALL"):
        return importlib.import_module("jwt")
    return pytest.importorskip("jwt", reason='the extra "github" is not installed')


def make_key() -> tuple[str, str]:
    """A private key and the public one to it."""
    jwt_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.mark.parametrize("escaped", [False, True])
def test_an_app_signs_in_with_its_key(double, clock, escaped):
    jwt = jwt_library()
    private, public = make_key()
    key = private.replace("\n", "\\n") if escaped else private
    assert installation_token(app_id="12", installation_id="34", private_key=key) == APP_TOKEN
    assert double.count("POST /api/app/installations/34/access_tokens") == 1
    [token] = double.app_tokens
    claims = jwt.decode(
        token, public, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {"iss": "12", "iat": int(clock.now) - 60, "exp": int(clock.now) + 540}


@pytest.mark.parametrize("key", ["", "nonsense", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
def test_a_key_that_is_none_is_refused_without_being_repeated(double, clock, key):
    jwt_library()
    with pytest.raises(GitHubError, match="^the private key of the GitHub App cannot be used$"):
        installation_token(app_id="12", installation_id="34", private_key=key)
    assert double.calls == {}


def test_without_the_library_an_app_is_told_which_extra_it_needs(double, clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(GitHubError, match='needs the extra "github"'):
        installation_token(app_id="12", installation_id="34", private_key="k")
