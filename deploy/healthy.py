"""Exits with 0 while the service beside it answers; for the health check of a container."""

import os
import sys
from urllib.request import Request, urlopen

PORT = os.environ.get("PORT", "19800")
# Where every request is sent to https, this one comes as a proxy would send it.
HEADERS = {"X-Forwarded-Proto": "https"}

if __name__ == "__main__":
    try:
        urlopen(Request(f"http://127.0.0.1:{PORT}/api/heartbeat", headers=HEADERS), timeout=4).close()  # noqa: S310
    except OSError as error:
        sys.exit(str(error))
