"""The only place that speaks HTTP to GitHub: raw files of a repository, and changes proposed to one.

Errors name what was asked for and what came of it, never an address or a header: either may hold a secret.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import requests
import urllib3
from django.conf import settings
from requests.auth import AuthBase

from references.deadlines import AnswerTooLarge, AnswerTooSlow, body_read, bounded_session, deadline
from references.legacy import SourceError
from references.pauses import retried

if TYPE_CHECKING:
    from references.sources import Repository

RAW_URL = "https://raw.githubusercontent.com"
TIMEOUT_SECONDS = 30
# The largest file of the repositories has a megabyte.
BODY_LIMIT = 64 * 1024 * 1024
WAIT_CEILING = 10.0
PAGE_SIZE = 100
# An app's own token may live ten minutes; its clock may be ahead of GitHub's.
APP_TOKEN_SECONDS = 540
CLOCK_DRIFT_SECONDS = 60

Result = TypeVar("Result")

_session = bounded_session()


class GitHubError(SourceError):
    """A request to GitHub that brought nothing usable."""


class GitHubPassingError(GitHubError):
    """The same, where asking again may help."""


def _exchange(what: str, method: str, url: str, **options: Any) -> tuple[requests.Response, bytes]:
    """The answer with its body, which can neither go on forever nor fill the memory."""
    try:
        with (
            deadline(TIMEOUT_SECONDS) as until,
            _session.request(method, url, timeout=TIMEOUT_SECONDS, stream=True, **options) as response,
        ):
            return response, body_read(response, limit=BODY_LIMIT, until=until)
    except AnswerTooLarge:
        raise GitHubError(f"{what}: the answer has more than {BODY_LIMIT} bytes") from None
    except (AnswerTooSlow, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise GitHubPassingError(f"{what}: {type(error).__name__}") from None


def _pauses() -> list[float]:
    first = settings.LEGACY_DOWNLOAD_RETRY_BACKOFF_SECONDS
    attempts = settings.LEGACY_DOWNLOAD_RETRY_MAX_ATTEMPTS
    return [min(WAIT_CEILING, first * 2.0**turn) for turn in range(attempts - 1)]


def raw_download(
    repository: "Repository", file: str, parse: Callable[[bytes], Result], *, commit: str | None = None
) -> Result:
    """What `parse` makes of a file of the repository, at its branch or at a commit.

    `parse` raises SourceError for content that is no use, which is downloaded again. Raises GitHubError.
    """

    def attempt() -> Result:
        content = _raw_content(repository, file, commit)
        try:
            return parse(content)
        except SourceError as error:
            raise GitHubPassingError(f"from GitHub: {error}") from error

    return retried(attempt, passing=GitHubPassingError, pauses=_pauses())


def _raw_content(repository: "Repository", file: str, commit: str | None) -> bytes:
    reference = commit or f"refs/heads/{repository.branch}"
    url = f"{RAW_URL}/{repository.owner}/{repository.name}/{reference}/{file}"
    what = f"{file} of {repository.owner}/{repository.name}"
    response, content = _exchange(what, "GET", _proxied(url))
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise GitHubError(f"{what}: GitHub has no such file")
    if response.status_code != HTTPStatus.OK:
        raise GitHubPassingError(f"{what}: status {response.status_code}")
    return content


def _proxied(url: str) -> str:
    base = settings.GITHUB_PROXY_URL_BASE
    return f"{base}{url}" if base.endswith(("/", "=")) or not base else f"{base}/{url}"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request; `branch` is None where it is not one of the repository itself."""

    number: int
    url: str
    branch: str | None
    commit: str


_sha = itemgetter("sha")


def _whole(answer: Any) -> Any:
    return answer


class RepositoryApi:
    """A repository by GitHub's REST API, with a token that may write its contents and pull requests.

    https://docs.github.com/rest/git and https://docs.github.com/rest/pulls
    """

    def __init__(self, repository: "Repository", token: str) -> None:
        self.repository = repository
        self._auth = _BearerAuth(token)
        self._root = f"/repos/{repository.owner}/{repository.name}"

    def head(self) -> str:
        """The commit the branch is at."""
        path = f"git/ref/heads/{self.repository.branch}"
        return self._call("GET", path, read=lambda reference: reference["object"]["sha"])

    def tree(self, commit: str) -> str:
        return self._call("GET", f"git/commits/{commit}", read=lambda found: found["tree"]["sha"])

    def tree_create(self, *, base: str, files: Mapping[str, bytes]) -> str:
        """The tree `base` with these files in place of theirs."""
        entries = [
            {"path": path, "mode": "100644", "type": "blob", "sha": self._blob_create(content)}
            for path, content in files.items()
        ]
        return self._call("POST", "git/trees", {"base_tree": base, "tree": entries}, read=_sha)

    def _blob_create(self, content: bytes) -> str:
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return self._call("POST", "git/blobs", body, read=_sha)

    def commit_create(self, *, message: str, tree: str, parent: str) -> str:
        body = {"message": message, "tree": tree, "parents": [parent]}
        return self._call("POST", "git/commits", body, read=_sha)

    def branch_create(self, name: str, commit: str) -> None:
        self._call("POST", "git/refs", {"ref": f"refs/heads/{name}", "sha": commit})

    def pulls(self) -> Iterator[PullRequest]:
        """The open pull requests to the branch."""
        page = 1
        while True:
            query = f"state=open&base={self.repository.branch}&per_page={PAGE_SIZE}&page={page}"
            found = self._call("GET", f"pulls?{query}", read=lambda bodies: [*map(self._pull, bodies)])
            yield from found
            if len(found) < PAGE_SIZE:
                return
            page += 1

    def pull_create(self, *, title: str, body: str, branch: str) -> PullRequest:
        fields = {"title": title, "body": body, "head": branch, "base": self.repository.branch}
        return self._call("POST", "pulls", fields, read=self._pull)

    def pull_close(self, number: int) -> None:
        self._call("PATCH", f"pulls/{number}", {"state": "closed"})

    def labels_add(self, number: int, labels: list[str]) -> None:
        self._call("POST", f"issues/{number}/labels", {"labels": labels})

    def reviewers_request(self, number: int, *, people: list[str], teams: list[str]) -> None:
        body = {"reviewers": people, "team_reviewers": teams}
        self._call("POST", f"pulls/{number}/requested_reviewers", body)

    def _pull(self, body: dict[str, Any]) -> PullRequest:
        head = body["head"]
        # A pull request outlives the fork it came from.
        full_name = (head["repo"] or {}).get("full_name", "")
        own = full_name.lower() == f"{self.repository.owner}/{self.repository.name}".lower()
        return PullRequest(body["number"], body["html_url"], head["ref"] if own else None, head["sha"])

    def _call(self, method: str, path: str, body: Any = None, *, read: Callable[[Any], Any] = _whole) -> Any:
        return _api_call(method, f"{self._root}/{path}", self._auth, body, read=read)


class _BearerAuth(AuthBase):
    """As an `auth` object, since a netrc file would take the place of a plain header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _api_call(
    method: str, path: str, auth: AuthBase, body: Any = None, *, read: Callable[[Any], Result]
) -> Result:
    """What `read` makes of the answer of the REST API, parsed; it may look for what the answer does not have.

    All calls may be repeated: objects are named after their content, and GitHub refuses a second branch of
    the same name or a second pull request from it.
    """

    def attempt() -> Result:
        return _api_answer(method, path, auth, body, read)

    return retried(attempt, passing=GitHubPassingError, pauses=_pauses())


def _api_answer(method: str, path: str, auth: AuthBase, body: Any, read: Callable[[Any], Result]) -> Result:
    what = f"{method} {path.partition('?')[0]}"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    url = f"{settings.GITHUB_API_URL}{path}"
    response, content = _exchange(what, method, url, auth=auth, headers=headers, json=body)
    try:
        answer = json.loads(content) if content else {}
        if response.ok:
            return read(answer)
        reason = answer["message"]
    except (ValueError, RecursionError):
        reason = "not JSON"
    except (KeyError, TypeError, AttributeError):
        reason = "not what the documentation promises"
    failure = GitHubPassingError if _may_pass(response) else GitHubError
    raise failure(f"{what}: status {response.status_code}, {reason}")


def _may_pass(response: requests.Response) -> bool:
    limited = "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
    return (
        response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        or response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        or (response.status_code == HTTPStatus.FORBIDDEN and limited)
        or response.ok
    )


def installation_token(*, app_id: str, installation_id: str, private_key: str) -> str:
    """A token of an app for where it is installed, valid for an hour; the key is PEM text."""
    auth = _BearerAuth(_app_token(app_id, private_key))
    path = f"/app/installations/{installation_id}/access_tokens"
    return _api_call("POST", path, auth, read=itemgetter("token"))


def _app_token(app_id: str, private_key: str) -> str:
    try:
        import jwt
    except ImportError:
        raise GitHubError('signing in as a GitHub App needs the extra "github"') from None
    now = int(time.time())
    claims = {"iat": now - CLOCK_DRIFT_SECONDS, "exp": now + APP_TOKEN_SECONDS, "iss": app_id}
    try:
        return jwt.encode(claims, private_key.replace("\\n", "\n"), algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise GitHubError("the private key of the GitHub App cannot be used") from None
