# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway that the tests run against: a sandbox, or the one that KONG_ADMIN_URL names."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from harness.paths import ROOT
from harness.processes import server

# How the names of all entities begin that tests make on a gateway which is not theirs.
PREFIX = "irishtek-test-"
# The tag of all of them.
TAG = "irishtek-test"


@functools.lru_cache(maxsize=16)
def _client(admin_url: str, token: str) -> httpx.Client:
    """One client for all requests of the tests: making one takes longer than a request."""
    headers = {"Kong-Admin-Token": token} if token else {}
    # A connection that was kept may be one that a fault has cut, or a server that is gone.
    transport = httpx.HTTPTransport(verify=admin_url.startswith("https:"), retries=1)
    return httpx.Client(
        base_url=admin_url, headers=headers, trust_env=False, timeout=30, transport=transport
    )


@dataclass(frozen=True)
class Gateway:
    """A gateway's two doors; `echo_host` is where it reaches this machine."""

    admin_url: str
    proxy_url: str
    token: str = ""
    echo_host: str = "127.0.0.1"
    is_sandbox: bool = True

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Send one request to the Admin API; the decoded answer, None when empty."""
        body = {} if document is None else {"json": document}
        answer = _client(self.admin_url, self.token).request(method, path, **body)
        if answer.status_code == 404 and method == "GET":
            return None
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def entities(self, path: str) -> list[dict[str, Any]]:
        """The entities of a list, at most 1000 of them."""
        return list((self.call("GET", f"{path}?size=1000") or {"data": []})["data"])

    def requests(self) -> list[dict[str, Any]]:
        """What a sandbox was asked since the last reset: method, path, query, status, body."""
        return list(self.call("GET", "/sandbox/requests"))

    def writes(self) -> list[str]:
        """The logged requests that wrote, as "METHOD /path"; validation writes nothing."""
        return [
            f"{request['method']} {request['path']}"
            for request in self.requests()
            if request["method"] not in ("GET", "HEAD", "OPTIONS")
            and not (request["path"].startswith("/schemas/") and "validate" in request["path"])
        ]

    def reset_requests(self) -> None:
        """Forget what a sandbox was asked."""
        self.call("DELETE", "/sandbox/requests")

    def faults(self, **fault: Any) -> None:
        """Tell a sandbox to misbehave; see its README for the keys."""
        self.call("POST", "/sandbox/faults", fault)

    def remove_leftovers(self) -> None:
        """Remove what tests made: all entities whose names begin with theirs."""
        for path in ("/routes", "/services", "/upstreams"):
            for entity in self.entities(path):
                if str(entity["name"]).startswith(PREFIX):
                    self.call("DELETE", f"{path}/{entity['id']}")

    def reset(self) -> None:
        """Empty a sandbox and let it behave."""
        self.call("DELETE", "/sandbox/faults")
        self.call("POST", "/sandbox/reset")
        self.reset_requests()


@contextmanager
def sandbox(*options: str) -> Iterator[Gateway]:
    """Run a sandbox gateway on free ports until the block ends."""
    arguments = ["-m", "sandbox", "--admin-port", "0", "--proxy-port", "0", *options]
    ready = r"^sandbox ready admin=(\S+) proxy=(\S+)"
    with server(arguments, ready, {"PYTHONPATH": str(ROOT / "tests")}) as found:
        yield Gateway(admin_url=found[1], proxy_url=found[2])
