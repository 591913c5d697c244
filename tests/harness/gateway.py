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
from typing import Any, NamedTuple, Protocol

import httpx

from harness.paths import ROOT
from harness.processes import server

# What stands before the paths of a control plane's entities.
_INSIDE = re.compile(r"^/v2/control-planes/[^/]+/core-entities")

# How the names of all entities begin that tests make on a gateway which is not theirs.
PREFIX = "irishtek-test-"
# Modes of a gateway: its entities come from one document, or other nodes balance for it.
DBLESS, CONTROL_PLANE = "dbless", "control_plane"
# The tag of all of them.
TAG = "irishtek-test"
# The lists of all entities, each before what it refers to; credentials go with their consumers.
EMPTIED = (
    "/plugins", "/routes", "/services", "/upstreams", "/snis", "/certificates",
    "/ca_certificates", "/consumers", "/consumer_groups", "/vaults", "/keys", "/key-sets",
    "/partials", "/workspaces",
)  # fmt: skip


@functools.lru_cache(maxsize=16)
def _client(admin_url: str, token: str, konnect: bool = False) -> httpx.Client:
    """One client for all requests of the tests: making one takes longer than a request."""
    headers = {"Kong-Admin-Token": token} if token else {}
    if konnect:
        headers = {"Authorization": f"Bearer {token}"}
    # A connection that was kept may be one that a fault has cut, or a server that is gone.
    # One that idled may be closed by the server just when a request is sent.
    limits = httpx.Limits(keepalive_expiry=1)
    transport = httpx.HTTPTransport(
        verify=admin_url.startswith("https:"), retries=1, limits=limits
    )
    return httpx.Client(
        base_url=admin_url, headers=headers, trust_env=False, timeout=30, transport=transport
    )


class Opened(NamedTuple):
    """Connections of clients: how many since the last reset, and how many at once."""

    total: int
    most: int


class Interceptor(Protocol):
    """Records the requests to an Admin API, and misbehaves on demand."""

    def requests(self) -> list[dict[str, Any]]:
        ...

    def connections(self) -> tuple[int, int]:
        ...

    def reset_requests(self) -> None:
        ...

    def add_fault(self, fault: dict[str, Any]) -> None:
        ...

    def clear_faults(self) -> None:
        ...


class Sparse(dict[str, Any]):
    """An entity as Konnect returns it: what it leaves out is null."""

    def __missing__(self, name: str) -> None:
        return None


def _as_konnects(fault: dict[str, Any]) -> dict[str, Any]:
    """A fault that meets the same requests where they are Konnect's, which has no PATCH."""
    match = dict(fault.get("match") or {})
    if "path" in match:
        # The beginning of each alternative only: a class such as [^/] is none.
        match["path"] = re.sub(
            r"(^|\|)\^/", r"\1^/v2/control-planes/[^/]+/core-entities/", match["path"]
        )
    if match.get("method") == "PATCH":
        match["method"] = "PUT"
    return {**fault, **({"match": match} if match else {})}


@dataclass(frozen=True)
class Gateway:
    """A gateway's Admin API and proxy; `echo_host` is where it reaches this machine.

    `admin_url` is that of the recording proxy where one stands before it, which is then the
    `interceptor`. A real gateway `is_ours` when it had no entities: tests may empty it. The
    `status_url` is that of a sandbox with a status port, or of a control plane's data plane.
    `control_plane` is the name of a control plane where `admin_url` is Konnect's: then the paths
    are those of its core entities.
    """

    admin_url: str
    proxy_url: str
    token: str = ""
    echo_host: str = "127.0.0.1"
    is_sandbox: bool = True
    is_ours: bool = False
    interceptor: Interceptor | None = None
    status_url: str = ""
    control_plane: str = ""

    @property
    def connection(self) -> dict[str, str]:
        """The options by which modules reach it."""
        if self.control_plane:
            found = {"konnect_url": self.admin_url, "konnect_token": self.token}
            return {**found, "control_plane": self.control_plane}
        return {"admin_url": self.admin_url, **({"admin_token": self.token} if self.token else {})}

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which modules reach it."""
        return {
            f"KONG_{name.upper()}" if name.startswith("admin_")
            else "KONNECT_CONTROL_PLANE" if name == "control_plane" else name.upper(): value
            for name, value in self.connection.items()
        }  # fmt: skip

    @property
    def url_option(self) -> str:
        """The option with its URL."""
        return "konnect_url" if self.control_plane else "admin_url"

    @property
    def token_option(self) -> str:
        """The option with its token."""
        return "konnect_token" if self.control_plane else "admin_token"

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
        if self._is_inside(path) and method == "DELETE" and self.call("GET", path) is None:
            return None
        answer = self.send(method, path, document)
        if answer.status_code == 404 and method == "GET":
            return None
        answer.raise_for_status()
        if not answer.content:
            return None
        return answer.json(object_hook=Sparse) if self.control_plane else answer.json()

    def send(self, method: str, path: str, document: Any = None) -> httpx.Response:
        """Send one request to the Admin API, or what says the same to Konnect."""
        if self._is_inside(path):
            if method in ("PATCH", "PUT", "DELETE"):
                method, path, document = self._by_id(method, path, document)
            path = self.core + path
        body = {} if document is None else {"json": document}
        client = _client(self.admin_url, self.token, bool(self.control_plane))
        return client.request(method, path, **body)

    def _is_inside(self, path: str) -> bool:
        return bool(self.control_plane) and not path.startswith(("/sandbox/", "/v2/"))

    @property
    def release(self) -> tuple[int, ...]:
        """The gateway's version, as numbers that compare; Konnect has the newest fields."""
        if self.control_plane:
            return (3, 15, 0)
        return tuple(int(part) for part in self.call("GET", "/")["version"].split(".")[:3])

    @property
    def series(self) -> str:
        """The gateway's release without the patch, as "3.10"."""
        return ".".join(map(str, self.release[:2]))

    @functools.cached_property
    def mode(self) -> str:
        """How it runs, by the names of the sandbox's modes."""
        if self.control_plane:
            return "konnect"
        configuration = self.call("GET", "/")["configuration"]
        if configuration.get("role") in ("control_plane", "data_plane"):
            return str(configuration["role"])
        return DBLESS if configuration.get("database") == "off" else "database"

    @property
    def has_health(self) -> bool:
        """Whether it knows the health of targets: it balances requests itself."""
        return self.mode not in ("konnect", CONTROL_PLANE)

    def _by_id(self, method: str, path: str, document: Any) -> tuple[str, str, Any]:
        """A write as Konnect takes it: by an ID, and with the whole entity."""
        found = self.call("GET", path)
        if found is None or "id" not in found:
            return method, path, document
        path = f"{path.rpartition('/')[0]}/{found['id']}"
        if method != "PATCH":
            return method, path, document
        made_up = ("id", "created_at", "updated_at")
        kept = {name: value for name, value in found.items() if name not in made_up}
        return "PUT", path, {**kept, **document}

    def entities(self, path: str) -> list[dict[str, Any]]:
        """The entities of a list, at most 1000 of them."""
        return list((self.call("GET", f"{path}?size=1000") or {}).get("data") or [])

    def requests(self) -> list[dict[str, Any]]:
        """What it was asked since the last reset: method, path, query, status, body."""
        found = self._intercepted.requests()
        return [{**request, "path": _INSIDE.sub("", request["path"])} for request in found]

    def connections(self) -> Opened:
        """How many connections its clients opened since the last reset of the requests."""
        return Opened(*self._intercepted.connections())

    def writes(self) -> list[str]:
        """The logged requests that wrote, as "METHOD /path"; validation writes nothing."""
        return [
            f"{request['method']} {request['path']}"
            for request in self.requests()
            if request["method"] not in ("GET", "HEAD", "OPTIONS")
            and not ("/schemas/" in request["path"] and request["path"].endswith("/validate"))
        ]

    def reset_requests(self) -> None:
        """Forget what it was asked, and count connections anew."""
        self._intercepted.reset_requests()

    def faults(self, **fault: Any) -> None:
        """Have it misbehave; see the sandbox's README for the keys."""
        self._intercepted.add_fault(_as_konnects(fault) if self.control_plane else fault)

    def clear_faults(self) -> None:
        """Let it behave again; requests that a fault still holds up are never served."""
        self._intercepted.clear_faults()

    def remove_leftovers(self) -> None:
        """Remove what tests made: all entities whose names begin with theirs."""
        for path in ("/routes", "/services", "/upstreams"):
            for entity in self.entities(path):
                if str(entity["name"]).startswith(PREFIX):
                    self.call("DELETE", f"{path}/{entity['id']}")

    def reset(self) -> None:
        """Let it behave, and remove all entities; of a gateway of others only those of tests."""
        self.clear_faults()
        if self.is_sandbox:
            self.call("POST", "/sandbox/reset")
        elif self.is_ours:
            self.empty()
        else:
            self.remove_leftovers()
        self.reset_requests()

    def empty(self) -> None:
        """Remove all entities."""
        if self.mode == DBLESS:
            self.call("POST", "/config", {"_format_version": "3.0"})
            return
        for path in EMPTIED:
            while found := self._removable(path):
                for entity in found:
                    self.call("DELETE", f"{path}/{entity['id']}")

    def occupied(self) -> dict[str, int]:
        """How many entities it has, by the kind's path; those that are not 0."""
        counts = {path: len(self._removable(path)) for path in EMPTIED}
        return {path: count for path, count in counts.items() if count}

    def _removable(self, path: str) -> list[dict[str, Any]]:
        # A default workspace cannot be removed.
        return [
            each for each in self.entities(path)
            if path != "/workspaces" or each["name"] != "default"
        ]  # fmt: skip

    @property
    def _intercepted(self) -> Interceptor:
        if self.interceptor is not None:
            return self.interceptor
        assert self.is_sandbox, "no recording proxy stands before this gateway"
        return SandboxControl(self)


@dataclass(frozen=True)
class SandboxControl:
    """A sandbox's own endpoints, which do what the recording proxy does."""

    gateway: Gateway

    def requests(self) -> list[dict[str, Any]]:
        """See `Gateway.requests`."""
        return list(self.gateway.call("GET", "/sandbox/requests"))

    def connections(self) -> tuple[int, int]:
        """See `Gateway.connections`."""
        counted = self.gateway.call("GET", "/sandbox/connections")
        return counted["opened"], counted["most"]

    def reset_requests(self) -> None:
        """See `Gateway.reset_requests`."""
        self.gateway.call("DELETE", "/sandbox/requests")

    def add_fault(self, fault: dict[str, Any]) -> None:
        """See `Gateway.faults`."""
        self.gateway.call("POST", "/sandbox/faults", fault)

    def clear_faults(self) -> None:
        """See `Gateway.clear_faults`."""
        self.gateway.call("DELETE", "/sandbox/faults")


@contextmanager
def sandbox(*options: str, control_plane: str = "") -> Iterator[Gateway]:
    """Run a sandbox gateway on free ports until the block ends; with a control plane, Konnect."""
    options = ("--mode", "konnect", *options) if control_plane else options
    arguments = ["-m", "sandbox", "--admin-port", "0", "--proxy-port", "0", *options]
    ready = r"^sandbox ready admin=(\S+) proxy=(\S+)(?:.* status=(\S+))?"
    with server(arguments, ready, {"PYTHONPATH": str(ROOT / "tests")}) as found:
        status_url = f"http://{found[3]}" if found[3] else ""
        yield Gateway(
            admin_url=found[1], proxy_url=found[2], token="kpat_sandbox" if control_plane else "",
            status_url=status_url, control_plane=control_plane,
        )  # fmt: skip
