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


TAKEN_ELSEWHERE = """
import os, signal, threading, time
from references.management.bell import Bell
bell, waits = Bell(), threading.Event()
signal.signal(signal.SIGTERM, lambda *given: bell.set())
def other():
    waits.wait()
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)
threading.Thread(target=other, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
waits.set()
print(bell.wait(20))
"""


def test_a_signal_that_another_thread_took_ends_the_wait_too():
    done = subprocess.run(
        [sys.executable, "-c", TAKEN_ELSEWHERE], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_who_waits_takes_one_ring_and_who_asks_takes_none():
    bell = Bell()
    assert not bell.wait(0)
    bell.set()
    bell.set()
    assert [bell.is_set(), bell.wait(), bell.is_set(), bell.wait(0), bell.is_set(), bell.wait(0)] == [
        True, True, True, True, False, False
    ]  # fmt: skip


def test_a_ring_that_came_since_the_last_wait_is_not_cleared_away():
    bell = Bell()
    bell.set()
    bell.set()
    assert bell.wait(0)
    bell.clear()
    assert [bell.wait(0), bell.wait(0)] == [True, False]
