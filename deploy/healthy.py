"""Exits with 0 while the service beside it answers; for the health check of a container."""

import sys
from urllib.request import urlopen

# Within a container. PORT in the .env of compose is the host's, and is in the environment here too.
PORT = "19800"

if __name__ == "__main__":
    port = sys.argv[1] if sys.argv[1:] else PORT
    try:
        urlopen(f"http://127.0.0.1:{port}/api/heartbeat", timeout=4).close()  # noqa: S310
    except OSError as error:
        sys.exit(str(error))
