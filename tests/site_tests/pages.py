# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built site's pages: their links, their anchors, and what a browser makes of them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.paths import ROOT

SITE = ROOT / ".build/site"
SCREENSHOTS = ROOT / ".build/screenshots"
# Seconds; only a browser that hangs reaches it.
LIMIT = 120
# Loads pages side by side in frames of a width, and writes down how wide each became.
PROBE = """<!doctype html><pre id="seen"></pre><script>
const seen = [], wanted = %s;
for (const [page, width] of wanted) {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 800; frame.src = "/" + page;
  frame.onload = () => {
    const root = frame.contentDocument.documentElement;
    const title = frame.contentDocument.querySelector("h1");
    seen.push({page, width, title: title ? title.textContent : "", wide: root.scrollWidth});
    document.getElementById("seen").textContent = JSON.stringify(seen);
  };
  document.body.append(frame);
}
</script>"""


@dataclass
class Page(HTMLParser):
    """A page's links, as paths below the site with their anchors, and its own anchors."""

    path: Path
    links: list[tuple[str, str]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.text = self.path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link or an anchor."""
        found = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := found.get(name)))
        parts = urllib.parse.urlsplit(found.get("href") or "")
        if tag == "a" and "href" in found and not parts.scheme and not parts.netloc:
            target = self.path.parent / parts.path if parts.path else self.path
            name = target.resolve().relative_to(SITE.resolve()).as_posix()
            self.links.append((name, urllib.parse.unquote(parts.fragment)))


def pages() -> dict[str, Page]:
    """All pages of the site by their paths; fails where it was not built."""
    found = sorted(SITE.rglob("*.html"))
    assert found, f"{SITE} has no pages: run `make docs`"
    return {path.relative_to(SITE).as_posix(): Page(path) for path in found}


def browser() -> str | None:
    """The path of a Chromium, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class _Handler(SimpleHTTPRequestHandler):
    probe = ""

    def do_GET(self) -> None:
        if self.path != "/probe":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.probe.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def served(wanted: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Serve the site, with a page that loads these pages at these widths; yield the URL."""
    handler = type("Handler", (_Handler,), {"probe": PROBE % json.dumps(wanted)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(SITE)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _chromium(folder: Path, *options: str) -> str:
    command = browser()
    assert command
    # No request may leave this machine: pages must not need one.
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    fixed = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", offline]
    done = subprocess.run(
        [command, *fixed, "--virtual-time-budget=20000", *options],
        capture_output=True, text=True, timeout=LIMIT, check=True,
    )
    return done.stdout


def measure(folder: Path, wanted: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """What a browser says of pages at widths: their titles, and how wide they became."""
    with served(wanted) as url:
        shown = _chromium(folder, "--dump-dom", f"{url}/probe")
    found = re.search(r'<pre id="seen">(.*?)</pre>', shown, re.DOTALL)
    assert found
    seen: list[dict[str, Any]] = json.loads(html.unescape(found[1]) or "[]")
    return seen


def screenshot(folder: Path, name: str, page: str) -> Path:
    """Save what a browser shows of a page, and return the file."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file = SCREENSHOTS / f"{name}.png"
    file.unlink(missing_ok=True)
    with served([]) as url:
        _chromium(folder, f"--screenshot={file}", "--window-size=1280,1600", f"{url}/{page}")
    return file
