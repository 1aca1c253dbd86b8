import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from errno import EAGAIN
from http.client import HTTPConnection
from pathlib import Path

import pytest

from references.management import beside as module
from references.management import tied
from references.management.beside import beside
from tests.references.serving import CTRL_C, PATIENCE, ROOT, Terminal, answers, free_port, is_running, served


@pytest.fixture(scope="module")
def variables(tmp_path_factory) -> dict[str, str]:
    """The environment of a server with an empty store of its own."""
    given = {"AIWORKER_CACHE_HOME": str(tmp_path_factory.mktemp("home")), "DATABASE_URL": ""}
    migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **given}, check=True)
    return given


def refused(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def assert_ended_well(terminal: Terminal) -> None:
    """It ended, and no worker had to be killed or went on its own."""
    assert terminal.wait(), terminal.shown.decode()
    assert terminal.status == 0
    assert b"worker" not in terminal.shown, terminal.shown.decode()


# Says when the server begins to start its workers, long before they take connections.
STARTING = """
from granian import Granian
spawn = Granian._spawn_workers
Granian._spawn_workers = lambda *given: (print("now they start", flush=True), spawn(*given))
"""


@pytest.mark.parametrize("attempt", range(3))
def test_one_ctrl_c_ends_a_server_whose_workers_are_still_starting(variables, attempt):
    port = free_port()
    with served(port, variables, "--workers", "2", prelude=STARTING) as terminal:
        assert terminal.wait(until="now they start")
        # Workers load the application now; the first may be there already.
        time.sleep(0.2 * attempt)
        terminal.press(CTRL_C)
        assert_ended_well(terminal)


def test_one_ctrl_c_ends_a_server_that_answers(variables):
    port = free_port()
    with served(port, variables, "--workers", "2") as terminal:
        assert answers(port)
        terminal.press(CTRL_C)
        assert_ended_well(terminal)


def test_a_terminal_that_is_closed_ends_its_server(variables):
    port = free_port()
    with served(port, variables, "--workers", "2") as terminal:
        assert answers(port)
        os.killpg(terminal.pid, signal.SIGHUP)
        assert_ended_well(terminal)


NOHUP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"


def test_a_server_that_was_started_to_outlive_its_terminal_does(variables):
    port = free_port()
    with served(port, variables, "--workers", "2", prelude=NOHUP) as terminal:
        assert answers(port)
        os.killpg(terminal.pid, signal.SIGHUP)
        time.sleep(1)
        assert answers(port)
        terminal.press(CTRL_C)
        assert_ended_well(terminal)


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_signal_to_all_processes_at_once_and_again_ends_a_server_well(variables, is_ready):
    port = free_port()
    with served(port, variables, "--workers", "2", prelude=STARTING) as terminal:
        assert terminal.wait(until="/admin/" if is_ready else "now they start")
        for _ in range(5):
            with suppress(ProcessLookupError):
                os.killpg(terminal.pid, signal.SIGTERM)
        assert terminal.wait(), terminal.shown.decode()
        assert terminal.status == 0, terminal.shown.decode()


# An application that answers slowly, and says when it has begun.
SLOW = """
import time, types
def application(environ, start_response):
    print("begun", flush=True)
    time.sleep(2)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
sys.modules["config.wsgi"] = types.SimpleNamespace(application=application)
"""


def test_an_answer_under_way_is_given_however_often_all_processes_are_told_to_stop(variables):
    port = free_port()
    with served(port, variables, "--workers", "2", prelude=SLOW) as terminal:
        assert terminal.wait(until="/admin/")
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/")
        assert terminal.wait(until="begun")
        for _ in range(3):
            os.killpg(terminal.pid, signal.SIGTERM)
            time.sleep(0.2)
        assert connection.getresponse().read() == b"done"
        connection.close()
        assert_ended_well(terminal)


def workers_of(terminal: Terminal) -> list[int]:
    children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def test_a_worker_that_dies_has_a_successor(variables):
    port = free_port()
    with served(port, variables, "--workers", "1") as terminal:
        assert answers(port)
        [first] = workers_of(terminal)
        os.kill(first, signal.SIGKILL)
        assert terminal.wait(until="Unexpected exit from worker-1")
        assert answers(port)
        [second] = workers_of(terminal)
        assert second != first
        terminal.press(CTRL_C)
        assert terminal.wait(), terminal.shown.decode()
        assert terminal.status == 0


# An application that ends whatever process loads it.
FATAL = """
class Fatal:
    @property
    def application(self):
        os._exit(3)
sys.modules["config.wsgi"] = Fatal()
"""


def test_a_server_whose_workers_die_at_once_fails(variables):
    with served(free_port(), variables, "--workers", "1", prelude=FATAL) as terminal:
        assert terminal.wait(), terminal.shown.decode()
        assert terminal.status == 1
        assert terminal.shown.count(b"Unexpected exit from worker-1") >= 2


def test_workers_of_a_server_that_is_killed_end_too(variables):
    port = free_port()
    with served(port, variables, "--workers", "2") as terminal:
        assert answers(port)
        os.kill(terminal.pid, signal.SIGKILL)
        assert terminal.wait()
        deadline = time.monotonic() + PATIENCE
        while taken(port):
            assert time.monotonic() < deadline, "workers go on"
            time.sleep(0.05)


def taken(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def test_the_greeting_comes_once_connections_are_taken(variables):
    port = free_port()
    with served(port, variables, "--workers", "1") as terminal:
        assert terminal.wait(until="/admin/")
        assert taken(port)


def test_the_greeting_is_a_line_of_json_where_the_log_is(variables):
    port = free_port()
    with served(port, {**variables, "LOG_FORMAT": "json"}, "--workers", "1") as terminal:
        assert terminal.wait(until="}")
        [line] = [json.loads(line) for line in terminal.shown.splitlines() if b"Serving" in line]
        assert (line["level"], line["message"]) == ("INFO", f"Serving on http://127.0.0.1:{port}")


def test_a_database_without_tables_is_not_served(variables, tmp_path):
    done = refused({**variables, "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: The database is not up to date: run manage.py migrate first.\n"


def test_a_database_that_cannot_be_reached_is_told_in_one_line_without_its_password(variables):
    port = free_port()
    url = f"postgres://ada:hunter2@127.0.0.1:{port}/store"
    done = refused({**variables, "DATABASE_URL": url})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"No connection to DATABASE_URL (127.0.0.1:{port}/store): ")
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def test_a_file_that_is_no_database_is_told_in_one_line(variables, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and long enough to be taken for one" * 4)
    done = refused({**variables, "DATABASE_URL": f"sqlite:///{file}"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"No connection to DATABASE_URL ({file}): file is not a database\n"


def test_an_option_of_the_database_with_a_value_of_no_use_is_told_in_one_line(variables):
    url = "postgres://ada:hunter2@127.0.0.1:9/store?connect_timeout=soon"
    done = refused({**variables, "DATABASE_URL": url})
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("No connection to DATABASE_URL (127.0.0.1:9/store): ")
    assert "connect_timeout" in line
    assert "hunter2" not in line


def test_a_second_server_on_the_same_port_is_refused(variables):
    port = free_port()
    with served(port, variables, "--workers", "1"):
        assert answers(port)
        second = refused(variables, "--port", str(port))
        assert (second.returncode, second.stdout) == (1, "")
        assert (
            second.stderr == f"CommandError: Cannot serve on 127.0.0.1 port {port}: Address already in use.\n"
        )
        assert answers(port)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "0"], "--port must be from 1 to 65535."),
        (["--port", "65536"], "--port must be from 1 to 65535."),
        (["--workers", "0"], "--workers must be at least 1."),
        (["--host", "192.0.2.1"], "Cannot serve on 192.0.2.1 port 19800: Cannot assign requested address."),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(variables, arguments, message):
    done = refused(variables, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"CommandError: {message}\n")


SIDE = """
import django
django.setup()
from references.management.commands import serve
from references.management import beside
serve.side_commands = lambda: ["side"]
beside.RESTART_PAUSE = 0.1
sys.argv[0] = {script!r}
"""
SCRIPT = """
import os, signal, sys, time
def end(*given):
    open({log!r}, "a").write(f"stopped {{os.getpid()}}\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
open({log!r}, "a").write(f"{{sys.argv[1]}} {{os.getpid()}}\\n")
while True:
    time.sleep(1)
"""


def lines_of(log: Path, number: int) -> list[list[str]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        lines = log.read_text().splitlines() if log.exists() else []
        if len(lines) >= number:
            return [line.split() for line in lines]
        time.sleep(0.02)
    raise AssertionError(f"{number} lines expected, not {lines}")


@pytest.fixture
def side_script(tmp_path) -> tuple[Path, Path]:
    """A program that writes its name and number to a log, and says so when it is told to stop."""
    script, log = tmp_path / "side.py", tmp_path / "log"
    script.write_text(SCRIPT.format(log=str(log)))
    return script, log


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_runs_beside_a_server_ends_with_it_and_not_before(variables, side_script, is_closed):
    script, log = side_script
    port = free_port()
    with served(port, variables, "--workers", "1", prelude=SIDE.format(script=str(script))) as terminal:
        assert answers(port)
        [[name, pid]] = lines_of(log, 1)
        assert name == "side"
        if is_closed:
            os.killpg(terminal.pid, signal.SIGHUP)
        else:
            terminal.press(CTRL_C)
        assert_ended_well(terminal)
    assert lines_of(log, 2)[1:] == [["stopped", pid]]
    assert not is_running(int(pid))


def test_what_runs_beside_starts_again_when_it_ends(side_script, monkeypatch, caplog):
    script, log = side_script
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setattr(module, "RESTART_PAUSE", 0.01)
    with beside("side"):
        [[_, first]] = lines_of(log, 1)
        os.kill(int(first), signal.SIGKILL)
        [_, [name, second]] = lines_of(log, 2)
        assert (name, is_running(int(second))) == ("side", True)
    assert not is_running(int(second))
    assert [record.getMessage() for record in caplog.records] == [
        "side ended with status -9; it starts again soon."
    ]


def test_what_cannot_start_again_is_tried_later(side_script, monkeypatch, caplog):
    script, log = side_script
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setattr(module, "RESTART_PAUSE", 0.01)
    failures, start = [OSError(EAGAIN, "no room for a process")], module._start

    def start_at_last(command: str) -> subprocess.Popen:
        if failures:
            raise failures.pop()
        return start(command)

    with beside("side"):
        [[_, first]] = lines_of(log, 1)
        monkeypatch.setattr(module, "_start", start_at_last)
        os.kill(int(first), signal.SIGKILL)
        [_, [name, _]] = lines_of(log, 2)
    assert name == "side"
    assert "side cannot start: [Errno 11] no room for a process" in caplog.messages


def test_what_does_not_stop_is_killed(side_script, monkeypatch, tmp_path):
    script, log = side_script
    script.write_text(script.read_text().replace("sys.exit()", "pass"))
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setattr(module, "STOP_PATIENCE", 0.3)
    with beside("side"):
        [[_, pid]] = lines_of(log, 1)
    assert not is_running(int(pid))


PARENT = """
import sys, time
from references.management import beside, tied
sys.argv[0], tied.__file__ = {script!r}, {runner!r}
with beside.beside("side"):
    time.sleep(600)
"""


@pytest.mark.parametrize("obeys", [True, False])
def test_what_runs_beside_a_server_that_is_killed_ends_too(side_script, tmp_path, obeys):
    script, log = side_script
    runner = tmp_path / "impatient.py"
    runner.write_text(Path(tied.__file__).read_text().replace("STOP_PATIENCE = 10.0", "STOP_PATIENCE = 0.1"))
    if not obeys:
        script.write_text(script.read_text().replace("sys.exit()", "pass"))
    code = PARENT.format(script=str(script), runner=str(runner))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as server:
        [[_, pid]] = lines_of(log, 1)
        server.kill()
        # The side command has this end of the pipe too, so it reads until both are gone.
        server.communicate(timeout=PATIENCE)
    assert lines_of(log, 2)[1:] == [["stopped", pid]]
