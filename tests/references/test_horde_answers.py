import json

import pytest

from references.horde import HordeBadAnswer, ModelStatus, ModelUsage, Worker
from references.horde.answers import status_parse, usage_parse, username_parse, workers_parse
from tests.recorded import golden

STATUS = {
    "name": "Painter",
    "type": "image",
    "count": 4,
    "performance": 2.5,
    "queued": 9,
    "jobs": 1,
    "eta": 3,
}
WORKER = {
    "id": "w1",
    "name": "Easel",
    "models": ["Painter", "Drawer"],
    "performance": "0.5 megapixelsteps per second",
    "online": True,
    "trusted": False,
    "uptime": 1000,
    "kudos_details": {"generated": 900.0},
}


def test_a_status_keeps_what_is_used():
    expected = ModelStatus(name="Painter", count=4, jobs=1, queued=9, eta=3, performance=2.5)
    assert status_parse(json.dumps([STATUS])) == (expected,)


def test_a_status_needs_no_more_than_name_and_count():
    assert status_parse('[{"name": "Painter", "count": 0}]') == (ModelStatus(name="Painter", count=0),)


@pytest.mark.parametrize(
    "bad",
    [
        {"count": 1},
        {"name": "Painter"},
        {"name": None, "count": 1},
        {"name": 7, "count": 1},
        {"name": "Painter", "count": "4"},
        {"name": "Painter", "count": True},
        {"name": "Painter", "count": None},
        {"name": "bad\udc00", "count": 1},
        "Painter",
        None,
        [],
    ],
)
def test_one_bad_item_is_skipped_and_logged(caplog, bad):
    parsed = status_parse(json.dumps([{"name": "first", "count": 1}, bad, {"name": "last", "count": 2}]))
    assert [item.name for item in parsed] == ["first", "last"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("1200.0", 1200),
        ("12.6", 13),
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ('"9"', None),
        ("true", None),
    ],
)
def test_a_figure_that_is_not_needed_is_rounded_or_left_out(written, parsed):
    (status,) = status_parse(f'[{{"name": "Painter", "count": 1, "queued": {written}}}]')
    assert status.queued == parsed


@pytest.mark.parametrize("parse", [status_parse, workers_parse])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "<html></html>",
        "{}",
        '{"message": "no"}',
        "null",
        "3",
        '"[]"',
        "[1, 2]",
        "[" * 100_000,
    ],
)
def test_a_list_of_the_wrong_kind_is_a_failure(parse, body):
    with pytest.raises(HordeBadAnswer):
        parse(body)


def test_an_empty_list_is_an_answer():
    assert status_parse("[]") == workers_parse("[]") == ()


def test_a_worker_keeps_what_is_used():
    assert workers_parse(json.dumps([WORKER])) == (
        Worker(
            id="w1",
            name="Easel",
            models=("Painter", "Drawer"),
            performance="0.5 megapixelsteps per second",
            online=True,
            trusted=False,
            uptime=1000,
        ),
    )


@pytest.mark.parametrize("missing", ["id", "name", "models"])
def test_a_worker_without_id_name_or_models_is_skipped(missing):
    bad = {key: value for key, value in WORKER.items() if key != missing}
    assert [worker.id for worker in workers_parse(json.dumps([bad, WORKER]))] == ["w1"]


def test_a_worker_needs_no_more_than_id_name_and_models():
    body = '[{"id": "w", "name": "n", "models": ["a", null, 3, "b"], "online": "yes", "uptime": "long"}]'
    assert workers_parse(body) == (Worker(id="w", name="n", models=("a", "b")),)


def test_usage_keeps_the_order_and_spelling_of_names():
    usage = usage_parse('{"day": {"B": 1, "a": 2}, "month": {"b": 3}, "total": {"A": 4.0}}')
    assert usage == ModelUsage(day={"B": 1, "a": 2}, month={"b": 3}, total={"A": 4})
    assert list(usage.day) == ["B", "a"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{}", ModelUsage()),
        ('{"total": {"a": 1}}', ModelUsage(total={"a": 1})),
        ('{"day": null, "month": {"a": 1}, "year": {}}', ModelUsage(month={"a": 1})),
        ('{"day": {"a": "1", "b": 2, "c": null, "d": NaN}}', ModelUsage(day={"b": 2})),
    ],
)
def test_missing_maps_and_bad_counts_of_usage_are_left_out(body, expected):
    assert usage_parse(body) == expected


@pytest.mark.parametrize(
    "body", ["", "[]", "null", '{"message": "no"}', '{"day": []}', '{"day": {}, "month": 3}']
)
def test_usage_of_the_wrong_kind_is_a_failure(body):
    with pytest.raises(HordeBadAnswer):
        usage_parse(body)


def test_a_logged_item_is_cut_short(caplog):
    status_parse(json.dumps([STATUS, {"name": "x" * 10_000}]))
    assert len(caplog.text) < 500


def test_a_user_name_is_read_from_an_object():
    assert username_parse(b'{"username": "Rita#101"}') == "Rita#101"
    assert username_parse(b'{"username": 3}') is None


@pytest.mark.parametrize("kind", ["image", "text"])
def test_every_item_of_a_recorded_answer_is_used(kind, caplog):
    bodies = {
        name: golden("upstream", f"{name}.json")["body"]
        for name in (f"status_models_{kind}", f"workers_{kind}", "stats_img_models", "stats_text_models")
    }
    statuses = status_parse(json.dumps(bodies[f"status_models_{kind}"]))
    assert [status.name for status in statuses] == [item["name"] for item in bodies[f"status_models_{kind}"]]
    workers = workers_parse(json.dumps(bodies[f"workers_{kind}"]))
    assert [list(worker.models) for worker in workers] == [
        item["models"] for item in bodies[f"workers_{kind}"]
    ]
    for stats in ("stats_img_models", "stats_text_models"):
        usage = usage_parse(json.dumps(bodies[stats]))
        assert {"day": usage.day, "month": usage.month, "total": usage.total} == bodies[stats]
    assert not caplog.records
