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

# Patterns of a gateway's log, one a line, and what they mean; a blank line separates the entries.
_REASONS = r"""
bind\(\) to (?!unix:)[^\n]*address already in use
A port is taken by another process.

certificate (has )?expired
A cluster certificate has expired; run the role on both ends.

key values mismatch|does not match (its|the) (private )?key
Certificate and key differ.

version[^\n]*(incompatible|too old|too new|newer than|older than)
The control plane refuses this version; upgrade the control plane first.

certificate verify (failed|error)|bad certificate|unknown ca|handshake fail
certificate[^\n]*(refused|rejected|not trusted|unknown|mismatch)
The two ends do not accept each other's certificates: use one CA or one pair, or pin it in Konnect.

connection to control plane[^\n]*broken|unable to connect to (peer|control plane)
error while receiving frame from control plane
The control plane ends the connection; its log has the reason.

database needs bootstrapping|new migrations available
The database is not prepared for this version.

error parsing declarative|failed to (load|initialize) declarative
The gateway refuses the state file.

(license)[^\n]*(expired|invalid|missing|not found)
The license is missing, invalid or expired; set gateway_license.
"""
REASONS = [
    ("|".join(patterns), sentence)
    for *patterns, sentence in (entry.split("\n") for entry in _REASONS.strip().split("\n\n"))
]
_EMPTY = re.compile("0*")
_FATAL = re.compile(r"\[(?:emerg|crit|alert)\]|^Error:|\[error\]", re.MULTILINE)

# The options of the module gateway_ready.
SPEC: dict[str, Any] = {
    **{name: {"default": ""} for name in
       ("status_url", "proxy_url", "control_plane_url", "hostname", "configuration_hash")},
    "control_plane_token": {"default": "", "no_log": True},
    "reload": {"type": "list", "elements": "str", "default": []},
    "log": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 60.0},
}


class NotReady(Exception):
    """The gateway did not become ready; the message is a sentence."""


@dataclass
class Ready:
    """What is requested, and for how long; times are in seconds."""

    run_command: RunCommand
    status_url: str = ""
    proxy_url: str = ""
    timeout: float = 60.0
    reload: Sequence[str] = ()
    log: Sequence[str] = ()
    control_plane_url: str = ""
    control_plane_token: str = ""
    hostname: str = ""
    configuration_hash: str = ""
    pause: float = 0.5
    result: dict[str, Any] = field(default_factory=dict)

    def wait(self) -> dict[str, Any]:
        """Reload if asked, and wait until the gateway serves and its control plane lists it.

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
            if self.control_plane_url:
                self._until(end, self._listed)
        except NotReady as exc:
            _status, output, errors = self.run_command(list(self.log)) if self.log else (0, "", "")
            raise NotReady(f"{exc} {explain(output + errors)}".strip()) from exc
        return self.result

    def _until(self, end: float, attempt: Callable[[], str]) -> None:
        """Repeat until an attempt has nothing to complain about."""
        while complaint := attempt():
            if time.monotonic() >= end:
                raise NotReady(f"Timed out after {self.timeout:g} s: {complaint}")
            time.sleep(self.pause)

    def _reload(self) -> None:
        status, output, errors = self.run_command(list(self.reload))
        if status:
            lines = (errors or output).strip().splitlines()
            raise NotReady(f"The reload failed: {lines[-1] if lines else status}.")

    def _workers(self) -> set[int]:
        return pids(get_json(f"{self.status_url}/status")[1]) if self.status_url else set()

    def _serves(self, before: set[int]) -> str:
        status, body = get_json(f"{self.status_url}/status")
        if status != 200:
            return f"{self.status_url}/status returned {status or 'nothing'}."
        now = pids(body)
        if before and (not now or now & before):
            return "the workers from before the reload still serve; new ones did not start."
        found = str(body.get("configuration_hash", ""))
        self.result.update(configuration_hash=found, workers=sorted(now))
        return ""

    def _ready(self) -> str:
        # A data plane of a control plane without entities is never ready.
        self.result["ready"] = not _EMPTY.fullmatch(self.result["configuration_hash"])
        if not self.result["ready"]:
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
        return f"{self.proxy_url} is served by {'no gateway' if status else 'nobody'}."

    def _listed(self) -> str:
        """Whether the control plane lists the node with the configuration that it runs."""
        url, name, token = self.control_plane_url, self.hostname, self.control_plane_token
        headers = {"Kong-Admin-Token": token} if token else {}
        status, body = get_json(f"{url.rstrip('/')}/clustering/data-planes", headers)
        if status in (401, 403):
            raise NotReady(f"{url} returned {status}; set kong_admin_token.")
        rows = [row for row in body.get("data") or [] if row.get("hostname") == name]
        node: dict[str, Any] = max(rows, key=lambda row: row.get("last_seen") or 0, default={})
        sync = node.get("sync_status", "unknown")
        if sync not in ("normal", "unknown"):
            raise NotReady(f"The control plane lists {name} as {sync}; see its log.")
        self.result.update(node)
        if sync == "normal" and node.get("config_hash") == self.configuration_hash:
            return ""
        seen = "with another configuration" if node else f"not (status {status or 'none'})"
        return f"{url} lists {name} {seen}."


def explain(log: str) -> str:
    """The reason in a log: in our words where it is known, else the last line of an error."""
    known = [words for pattern, words in REASONS if re.search(pattern, log, re.IGNORECASE)]
    lines = [line.strip() for line in log.splitlines() if _FATAL.search(line)]
    return " ".join([*known, *(f"Its log contains: {line[:300]}" for line in lines[-1:])])


def pids(status: Mapping[str, Any]) -> set[int]:
    """Process ids of the workers in a response of ``/status``."""
    memory = status.get("memory") or {}
    return {int(row["pid"]) for row in memory.get("workers_lua_vms") or [] if "pid" in row}


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers in small letters; status 0 where nobody listens.

    Certificates are not validated on the host itself: they are for other names.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    if parts.scheme == "https":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=5, context=context)
    try:
        connection.request("GET", parts.path or "/", headers=dict(headers or {}))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return response.status, response.read().decode("utf-8", "replace"), found
    except (OSError, http.client.HTTPException):
        return 0, "", {}
    finally:
        connection.close()


def get_json(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """Status and the object of a response, an empty one where it is none."""
    status, body, _headers = get(url, headers)
    try:
        found = json.loads(body or "{}")
    except ValueError:
        return status, {}
    return status, found if isinstance(found, dict) else {}
