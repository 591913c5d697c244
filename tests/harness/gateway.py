# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway that the tests run against: a sandbox, or the one that KONG_ADMIN_URL names."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from harness.paths import ROOT
from harness.processes import server

# What stands before the paths of a control plane's entities.
_INSIDE = re.compile(r"^/v2/control-planes/[^/]+/core-entities")

# How the names of all entities begin that tests make on a gateway which is not theirs.
PREFIX = "irishtek-test-"
# The tag of all of them.
TAG = "irishtek-test"


@functools.lru_cache(maxsize=16)
def _client(admin_url: str, token: str, konnect: bool = False) -> httpx.Client:
    """One client for all requests of the tests: making one takes longer than a request."""
    headers = {"Kong-Admin-Token": token} if token else {}
    if konnect:
        headers = {"Authorization": f"Bearer {token}"}
    # A connection that was kept may be one that a fault has cut, or a server that is gone.
    transport = httpx.HTTPTransport(verify=admin_url.startswith("https:"), retries=1)
    return httpx.Client(
        base_url=admin_url, headers=headers, trust_env=False, timeout=30, transport=transport
    )


class Sparse(dict[str, Any]):
    """An entity as Konnect returns it: what it leaves out is null."""

    def __missing__(self, name: str) -> None:
        return None


@dataclass(frozen=True)
class Gateway:
    """A gateway's two doors; `echo_host` is where it reaches this machine.

    `control_plane` is the name of a control plane where `admin_url` is Konnect's: then the paths
    are those of its core entities.
    """

    admin_url: str
    proxy_url: str
    token: str = ""
    echo_host: str = "127.0.0.1"
    is_sandbox: bool = True
    control_plane: str = ""

    @property
    def connection(self) -> dict[str, str]:
        """The options by which modules reach it."""
        if self.control_plane:
            found = {"konnect_url": self.admin_url, "konnect_token": self.token}
            return {**found, "control_plane": self.control_plane}
        return {"admin_url": self.admin_url, **({"admin_token": self.token} if self.token else {})}

    @property
    def label(self) -> str:
        """What messages call it."""
        if self.control_plane:
            return f"control plane {self.control_plane} of {self.admin_url}"
        return self.admin_url

    @property
    def core(self) -> str:
        """What the paths of its entities begin with."""
        if not self.control_plane:
            return ""
        client = _client(self.admin_url, self.token, True)
        query = {"filter[name][eq]": self.control_plane}
        found = client.get("/v2/control-planes", params=query).json()["data"]
        return f"/v2/control-planes/{found[0]['id']}/core-entities"

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Send one request to the Admin API; the decoded answer, None when empty."""
        body = {} if document is None else {"json": document}
        inside = self.control_plane and not path.startswith(("/sandbox/", "/v2/"))
        path = (self.core if inside else "") + path
        answer = _client(self.admin_url, self.token, bool(self.control_plane)).request(
            method, path, **body
        )
        if answer.status_code == 404 and method == "GET":
            return None
        answer.raise_for_status()
        if not answer.content:
            return None
        return answer.json(object_hook=Sparse) if self.control_plane else answer.json()

    def entities(self, path: str) -> list[dict[str, Any]]:
        """The entities of a list, at most 1000 of them."""
        return list((self.call("GET", f"{path}?size=1000") or {"data": []})["data"])

    def requests(self) -> list[dict[str, Any]]:
        """What a sandbox was asked since the last reset: method, path, query, status, body."""
        found = list(self.call("GET", "/sandbox/requests"))
        for request in found:
            request["path"] = _INSIDE.sub("", request["path"])
        return found

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
def sandbox(*options: str, control_plane: str = "") -> Iterator[Gateway]:
    """Run a sandbox gateway on free ports until the block ends; with a control plane, Konnect."""
    options = ("--mode", "konnect", *options) if control_plane else options
    arguments = ["-m", "sandbox", "--admin-port", "0", "--proxy-port", "0", *options]
    ready = r"^sandbox ready admin=(\S+) proxy=(\S+)"
    with server(arguments, ready, {"PYTHONPATH": str(ROOT / "tests")}) as found:
        token = "kpat_sandbox" if control_plane else ""
        yield Gateway(found[1], found[2], token, control_plane=control_plane)
