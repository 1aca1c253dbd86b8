"""What the image and compose.yaml rest on."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = ROOT / "deploy" / "healthy.py"


class Heart(BaseHTTPRequestHandler):
    status = HTTPStatus.OK

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/api/heartbeat" else HTTPStatus.NOT_FOUND)
        self.end_headers()


class FailingHeart(Heart):
    status = HTTPStatus.SERVICE_UNAVAILABLE


@contextmanager
def listening(handler: type[Heart]) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def status_of_check(*arguments: str) -> int:
    # As where .env says that the host listens elsewhere.
    environment = {**os.environ, "PORT": "1"}
    return subprocess.run([sys.executable, HEALTHY, *arguments], env=environment, check=False).returncode


def test_the_health_check_asks_the_port_within_the_container_and_not_that_of_the_host():
    with listening(Heart) as port:
        assert status_of_check(str(port)) == 0
    assert status_of_check(str(port)) == 1
    with listening(FailingHeart) as port:
        assert status_of_check(str(port)) == 1


def test_the_port_of_the_health_check_is_that_of_the_image_and_of_compose():
    port = HEALTHY.read_text().split('PORT = "')[1].split('"')[0]
    assert f'"--port", "{port}"]' in (ROOT / "Dockerfile").read_text()
    assert f'${{PORT:-19800}}:{port}"]' in (ROOT / "compose.yaml").read_text()
