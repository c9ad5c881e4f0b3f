"""Serve a folder on this machine only, compressed: ``python -m vaebook.site.serve``.

Like a production web server, it sends text gzipped; the page-weight test measures
against it.
"""

import argparse
import gzip
import io
from functools import lru_cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TEXT = (".html", ".css", ".js", ".json", ".svg", ".txt", ".md", ".ipynb")


class Handler(SimpleHTTPRequestHandler):
    """Static files, gzipped where that helps, without a line of log per request."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> io.BytesIO | None:
        path = Path(self.translate_path(self.path))
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (path.is_file() and path.suffix in TEXT and accepts):
            return super().send_head()
        body = compressed(path, path.stat().st_mtime_ns)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, *args: object) -> None:
        """Stay silent; the browser reports what fails."""


@lru_cache(maxsize=256)
def compressed(path: Path, modified: int) -> bytes:
    """Gzipped content of ``path`` as it was when last ``modified``."""
    del modified
    return gzip.compress(path.read_bytes(), mtime=0)


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A server of ``folder`` on the loopback address; port 0 takes any free one."""
    handler = partial(Handler, directory=str(folder))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    with server(arguments.folder, arguments.port) as running:
        print(f"http://127.0.0.1:{running.server_port}  (Ctrl+C stops)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
