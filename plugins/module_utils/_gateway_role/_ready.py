# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a gateway serves: its status, its workers, its proxy, and the control plane's list.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ._host import RunCommand

# What a gateway's log says, and what it means for who runs it.
REASONS = (
    (r"bind\(\) to (?!unix:)[^\n]*address already in use", "A port is taken by another process."),
    (
        r"certificate (has )?expired",
        "A cluster certificate has expired; run the role on both ends.",
    ),
    (r"key values mismatch|does not match (its|the) (private )?key", "Certificate and key differ."),
    (
        r"version[^\n]*(incompatible|too old|too new|newer than|older than)",
        "The control plane refuses this version; upgrade the control plane first.",
    ),
    (
        r"certificate verify (failed|error)|bad certificate|unknown ca|handshake fail"
        r"|certificate[^\n]*(refused|rejected|not trusted|unknown|mismatch)",
        "The two ends do not accept each other's certificates: both need one of the same CA, or the"
        " same pair; Konnect needs this one pinned.",
    ),
    (
        r"connection to control plane[^\n]*broken|unable to connect to (peer|control plane)"
        r"|error while receiving frame from control plane",
        "The control plane ends the connection; its log says why.",
    ),
    (
        r"database needs bootstrapping|new migrations available",
        "The database is not prepared for this version.",
    ),
    (
        r"error parsing declarative|failed to (load|initialize) declarative",
        "The gateway refuses the state file.",
    ),
    (
        r"(license)[^\n]*(expired|invalid|missing|not found)",
        "The license is missing, invalid or expired; set gateway_license.",
    ),
)
_EMPTY = re.compile("0*")
_FATAL = re.compile(r"\[(?:emerg|crit|alert)\]|^Error:|\[error\]", re.MULTILINE)


# The options of the module gateway_ready.
SPEC: dict[str, Any] = {
    "status_url": {"type": "str", "default": ""},
    "proxy_url": {"type": "str", "default": ""},
    "configured": {"type": "bool", "default": False},
    "reload": {"type": "list", "elements": "str", "default": []},
    "log": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 60.0},
    "control_plane_url": {"type": "str", "default": ""},
    "control_plane_token": {"type": "str", "default": "", "no_log": True},
    "hostname": {"type": "str", "default": ""},
    "configuration_hash": {"type": "str", "default": ""},
}


class NotReady(Exception):
    """The gateway did not become ready; the message is a sentence."""


@dataclass
class Ready:
    """What is asked, and for how long; times are in seconds."""

    status_url: str = ""
    proxy_url: str = ""
    timeout: float = 60.0
    configured: bool = False
    reload: Sequence[str] = ()
    log: Sequence[str] = ()
    run_command: RunCommand | None = None
    pause: float = 0.5
    result: dict[str, Any] = field(default_factory=dict)

    def wait(self) -> dict[str, Any]:
        """Reload if asked, and wait until the gateway serves.

        :raises NotReady: it does not; with the reason from its log.
        """
        end = time.monotonic() + self.timeout
        try:
            before = self._workers() if self.reload else set()
            if self.reload:
                self._reload()
            if self.status_url:
                self._until(end, lambda: self._serves(before))
                self._until(end, self._ready)
            if self.proxy_url:
                self._until(end, self._proxies)
        except NotReady as exc:
            reason = explain(self._log())
            raise NotReady(f"{exc} {reason}".strip()) from exc
        return self.result

    def _until(self, end: float, attempt: Callable[[], str]) -> None:
        """Repeat until an attempt has nothing to complain about."""
        while True:
            complaint = attempt()
            if not complaint:
                return
            if time.monotonic() >= end:
                raise NotReady(f"Timed out after {self.timeout:g} s: {complaint}")
            time.sleep(self.pause)

    def _reload(self) -> None:
        status, output, errors = self._run(self.reload)
        if status:
            said = (errors or output).strip().splitlines()
            raise NotReady(f"The reload failed: {said[-1] if said else status}.")

    def _workers(self) -> set[int]:
        return pids(get_json(f"{self.status_url}/status")[1]) if self.status_url else set()

    def _serves(self, before: set[int]) -> str:
        status, body = get_json(f"{self.status_url}/status")
        if status != 200:
            return f"{self.status_url}/status answered {status or 'nothing'}."
        now = pids(body)
        if before and (not now or now & before):
            return "the workers from before the reload still serve; new ones did not start."
        found = str(body.get("configuration_hash", ""))
        self.result.update(configuration_hash=found, workers=sorted(now))
        if self.configured and _EMPTY.fullmatch(found):
            return "the gateway has no configuration yet."
        return ""

    def _ready(self) -> str:
        if _EMPTY.fullmatch(self.result["configuration_hash"]):
            self.result["ready"] = False
            return ""
        status, body = get_json(f"{self.status_url}/status/ready")
        # Gateways before 3.5 do not have it.
        self.result["ready"] = status == 200
        return "" if status in (200, 404) else f"not ready: {body.get('message', status)}."

    def _proxies(self) -> str:
        status, _body, headers = get(self.proxy_url)
        names = f"{headers.get('server', '')} {headers.get('via', '')}".lower()
        if status and ("kong" in names or "x-kong-request-id" in headers):
            self.result["proxy_status"] = status
            return ""
        return f"{self.proxy_url} was answered by {'no gateway' if status else 'nothing'}."

    def _log(self) -> str:
        if not self.log:
            return ""
        _status, output, errors = self._run(self.log)
        return output + errors

    def _run(self, command: Sequence[str]) -> tuple[int, str, str]:
        if self.run_command is None:
            raise ValueError("a command needs run_command")
        return self.run_command(list(command))


def explain(log: str) -> str:
    """The reason in a log: in our words where it is known, else the last line of an error."""
    known = [words for pattern, words in REASONS if re.search(pattern, log, re.IGNORECASE)]
    lines = [line.strip() for line in log.splitlines() if _FATAL.search(line)]
    last = f" Its log says: {lines[-1][:300]}" if lines else ""
    return " ".join(known) + last


def pids(status: Mapping[str, Any]) -> set[int]:
    """Process ids of the workers in an answer of ``/status``."""
    memory = status.get("memory") or {}
    return {int(row["pid"]) for row in memory.get("workers_lua_vms") or [] if "pid" in row}


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers in small letters; status 0 where nobody answers."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # The host asks itself; listeners have certificates for other names, or their own.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(parts.netloc, timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path or "/", headers=dict(headers or {}))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, answer.read().decode("utf-8", "replace"), found
    except (OSError, http.client.HTTPException):
        return 0, "", {}
    finally:
        connection.close()


def get_json(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """Status and the object of an answer, an empty one where it is none."""
    status, body, _headers = get(url, headers)
    try:
        found = json.loads(body or "{}")
    except ValueError:
        return status, {}
    return status, found if isinstance(found, dict) else {}


def listed(
    url: str, headers: Mapping[str, str], hostname: str, expected: str, timeout: float
) -> dict[str, Any]:
    """Wait until a control plane lists the node with the configuration that it runs.

    :param url: of the control plane's Admin API.
    :raises NotReady: it refuses the node, or does not list it in time.
    """
    end = time.monotonic() + timeout
    while True:
        status, body = get_json(f"{url.rstrip('/')}/clustering/data-planes", headers)
        if status in (401, 403):
            raise NotReady(f"{url} answered {status}; set kong_admin_token.")
        rows = [row for row in body.get("data") or [] if row.get("hostname") == hostname]
        node: dict[str, Any] = max(rows, key=lambda row: row.get("last_seen") or 0, default={})
        sync = node.get("sync_status", "unknown")
        if sync not in ("normal", "unknown"):
            raise NotReady(f"The control plane lists {hostname} as {sync}; see its log.")
        if sync == "normal" and node.get("config_hash") == expected:
            return node
        if time.monotonic() >= end:
            seen = "with another configuration" if node else f"not (status {status or 'none'})"
            raise NotReady(f"Timed out after {timeout:g} s: {url} lists {hostname} {seen}.")
        time.sleep(0.5)


def run(given: Mapping[str, Any], check: bool, run_command: RunCommand) -> dict[str, Any]:
    """What the gateway says, or the control plane of it, for the options of the module.

    :raises NotReady: the gateway does not serve, or is not listed.
    """
    names = ("status_url", "proxy_url", "timeout", "configured", "log")
    asked = Ready(
        **{name: given[name] for name in names},
        reload=[] if check else given["reload"],
        run_command=run_command,
    )
    found = asked.wait()
    if not given["control_plane_url"]:
        return found
    token = given["control_plane_token"]
    headers = {"Kong-Admin-Token": token} if token else {}
    wanted = given["hostname"], given["configuration_hash"], given["timeout"]
    return listed(given["control_plane_url"], headers, *wanted)
