"""A bell may be rung by a signal handler, whatever the main thread does with it at that moment."""

import subprocess
import sys

from references.management.bell import Bell
from tests.references.serving import PATIENCE, ROOT

INTERRUPTED = """
import signal, sys
from references.management.bell import Bell
bell = Bell()
signal.signal(signal.SIGTERM, lambda *given: bell.set())
left = 8
def trace(frame, event, argument):
    global left
    if frame.f_code.co_name in {"set", "wait"} and left:
        left -= 1
        signal.raise_signal(signal.SIGTERM)
    return trace
sys.settrace(trace)
bell.set()
bell.wait()
bell.wait(5)
sys.settrace(None)
print(left)
"""


def test_signals_at_any_moment_of_the_handler_of_another_one_hold_nothing_up():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_who_waits_takes_one_ring_and_who_asks_takes_none():
    bell = Bell()
    assert not bell.wait(0)
    bell.set()
    bell.set()
    assert [bell.is_set(), bell.wait(), bell.is_set(), bell.wait(0), bell.is_set(), bell.wait(0)] == [
        True, True, True, True, False, False
    ]  # fmt: skip


def test_a_bell_that_is_cleared_was_not_rung():
    bell = Bell()
    bell.set()
    bell.set()
    bell.clear()
    assert not bell.wait(0)
