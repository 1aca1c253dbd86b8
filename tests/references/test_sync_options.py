import pytest

from references.sync import SyncError, options_check
from tests.references.syncing import make_options


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"primary_api_url": ""}, "PRIMARY_API_URL"),
        ({"token": ""}, "There are no credentials"),
        ({"token": "", "app_id": "1", "installation_id": "2"}, "There are no credentials"),
        ({"token": "", "app_id": "1", "private_key": "k"}, "There are no credentials"),
        ({"no_pr": True}, "OUTPUT_DIR"),
        ({"categories": ["clip", "clips"]}, "CATEGORIES_TO_SYNC: there is no category 'clips'"),
    ],
)
def test_a_job_that_lacks_something_does_not_start(given, complaint):
    with pytest.raises(SyncError, match=complaint):
        options_check(make_options(None, **{"primary_api_url": "http://127.0.0.1:1", **given}))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token": "", "dry_run": True},
        {"token": "", "dry_run": True, "no_pr": True},
        {"token": "", "no_pr": True, "output_dir": "out"},
        {"token": "", "app_id": "1", "installation_id": "2", "private_key": "k"},
        {"token": "", "app_id": "1", "installation_id": "2", "private_key_path": "k"},
    ],
)
def test_a_job_that_has_been_told_enough_starts(given):
    options_check(make_options(None, **{"primary_api_url": "http://127.0.0.1:1", **given}))


def test_options_do_not_show_their_secrets():
    shown = repr(make_options(None, token="t-secret", private_key="k-secret"))
    assert "secret" not in shown
    assert "categories" in shown
