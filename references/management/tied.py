"""Runs a program that ends soon after its parent has, however that ended.

`python tied.py PARENT SCRIPT ARGUMENTS…`, where PARENT is the number of the process that starts it. The program gets
SIGTERM, and SIGKILL should it take its time. It is this very process, so signals and status are its own.
"""

import os
import runpy
import signal
import sys
import threading
import time

LOOK_SECONDS = 1.0
STOP_PATIENCE = 10.0


def main() -> None:
    parent, script = int(sys.argv[1]), sys.argv[2]
    del sys.argv[:2]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    threading.Thread(target=end_with, args=(parent,), name="tie", daemon=True).start()
    runpy.run_path(script, run_name="__main__")


def end_with(parent: int) -> None:
    """Ends this process once the one that started it, with this number, has ended."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
