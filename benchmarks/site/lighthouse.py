"""What Lighthouse says of the built site: median of runs, on a phone and a desktop.

Needs Chromium and npm, which fetches Lighthouse; ``make lighthouse`` builds the book
first. Run it on a quiet machine: a busy one slows the pages, and their marks.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
from pathlib import Path

from vaebook.site.serve import server

VERSION = "12.2.3"
SITE = Path(__file__).parents[2] / "_build" / "html"
PAGES = ("index", "03_em", "05_variational", "10_vae")
PROFILES = {"mobile": [], "desktop": ["--preset=desktop"]}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
AUDITS = {
    "first paint ms": "first-contentful-paint",
    "largest paint ms": "largest-contentful-paint",
    "blocking ms": "total-blocking-time",
    "layout shift": "cumulative-layout-shift",
    "KB": "total-byte-weight",
}
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run"


def measure(url: str, profile: str) -> dict[str, float]:
    """One run of Lighthouse: marks out of 100, milliseconds, shift, kilobytes."""
    command = ["npx", "--yes", f"lighthouse@{VERSION}", url, *PROFILES[profile]]
    command += ["--output=json", "--quiet", f"--chrome-flags={FLAGS}"]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    environment = {**os.environ, "CHROME_PATH": os.environ.get("CHROME_PATH", chromium)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Lighthouse did not run:\n{done.stderr}")

    report = json.loads(done.stdout)
    marks = {c: 100 * report["categories"][c]["score"] for c in CATEGORIES}
    numbers = {n: report["audits"][a]["numericValue"] for n, a in AUDITS.items()}
    numbers["KB"] /= 1000
    return marks | numbers


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", choices=PROFILES, action="append")
    chosen = parser.parse_args()

    running = server(SITE)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    names = [*CATEGORIES, *AUDITS]
    print("| page | profile | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for page in chosen.pages:
        for profile in chosen.profile or PROFILES:
            url = f"http://127.0.0.1:{running.server_port}/chapters/{page}.html"
            found = median([measure(url, profile) for _ in range(chosen.runs)])
            row = [f"{found[name]:.3g}" for name in names]
            print(f"| {page} | {profile} | " + " | ".join(row) + " |", flush=True)
    running.shutdown()


if __name__ == "__main__":
    main()
