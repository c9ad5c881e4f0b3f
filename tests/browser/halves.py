"""The site over a slow line: a page stops in its middle for a while."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAUSE = 0.6  # seconds: long enough to paint what has come


class HalfWay(SimpleHTTPRequestHandler):
    """Files as they are, but pages of HTML in two parts, the second some time later."""

    def __init__(self, *given: object, stop: bytes, **named: object) -> None:
        self.stop = stop  # where the first part ends
        super().__init__(*given, **named)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix != ".html":
            super().do_GET()
            return
        first, mark, rest = path.read_bytes().partition(self.stop)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(first)
        self.wfile.flush()
        time.sleep(PAUSE)
        self.wfile.write(mark + rest)

    def log_message(self, *args: object) -> None:
        """Stay silent; the browser reports what fails."""


@contextmanager
def served_in_halves(folder: Path, stop: bytes) -> Iterator[str]:
    """The address of a folder whose pages pause before ``stop``."""
    handler = partial(HalfWay, directory=str(folder), stop=stop)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
