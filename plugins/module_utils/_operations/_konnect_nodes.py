# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data planes of Konnect: their certificates, and whether they run what they should.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll, seconds_until
from .._entities._certificate import digest_of
from .._entities._kind import Entity
from .._entities._konnect import DATA_PLANE_CERTIFICATE
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._plan import Plan, plan_absent, plan_present
from ._base import Operation, Result, Task, apply_plans, changes_of, entity_result
from ._entity import STATE
from ._konnect import account, of_account

MOST_CERTIFICATES = 32  # of one control plane
# A data plane pings every 30 seconds.
_SILENT_AFTER = 90


def of_control_plane(gateway: Gateway) -> Gateway:
    return account(gateway, within=True)


def run_certificate(task: Task) -> Result:
    title = task.params.get("title")
    written = {"cert": _pem(task.params), **({} if title is None else {"title": title})}
    with task.about("data plane certificates"):
        plans = _plans(task, written)
    done = apply_plans(task, plans, None)
    return {
        **changes_of(task, done),
        "fingerprint": digest_of(written["cert"]),
        "certificate": {} if task.removes else entity_result(DATA_PLANE_CERTIFICATE, done[0].after),
    }


def _pem(params: Any) -> str:
    """The certificate that is written, or in the file that is.

    :raises InputError: there is none, or more than a certificate.
    """
    option = "content" if params.get("content") is not None else "path"
    text = params.get("content")
    if text is None:
        try:
            with open(params["path"], encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError(f"path {params['path']!r} cannot be read: {exc}") from exc
    if "PRIVATE KEY" in text:
        raise InputError(f"{option} has a private key, which must not leave its host")
    if digest_of(text) is None or text.count("BEGIN CERTIFICATE") > 1:
        raise InputError(f"{option} must have one certificate in PEM format")
    return f"{text.strip()}\n"


def _plans(task: Task, written: Entity) -> list[Plan]:
    kind, params = DATA_PLANE_CERTIFICATE, task.params
    listed = task.gateway.entities(kind) or []
    same = [each for each in listed if kind.identity.is_same(kind, "cert", written, each)]
    surplus = [each for each in listed if params["purge"] and each not in same]
    plans = []
    if task.removes:
        surplus = [*same, *surplus]
    elif same:
        # The text of the certificate may differ in spaces and line breaks.
        plans = [plan_present(kind, {**written, "cert": same[0]["cert"]}, same[0])]
    elif len(listed) >= MOST_CERTIFICATES:
        raise InputError(
            f"the control plane has {len(listed)} certificates, and {MOST_CERTIFICATES} is the "
            "most: remove one first"
        )
    else:
        plans = [plan_present(kind, written, None)]
    if surplus and not params["force"]:
        _refuse_used(task, surplus)
    return [*plans, *(plan_absent(kind, each) for each in surplus)]


def _refuse_used(task: Task, surplus: Sequence[Entity]) -> None:
    """Refuse to disconnect data planes."""
    used: dict[str | None, str] = {
        node.get("data_plane_cert_id"): str(node.get("hostname"))
        for node in task.gateway.data_planes()
        if _is_connected(node)
    }
    for each in surplus:
        node = used.get(each["id"]) or used.get(None)
        if node is not None:
            known = "uses" if each["id"] in used else "may use"
            raise InputError(
                f"the connected data plane {node} {known} the certificate {each['id']}: "
                "set force to true to disconnect it"
            )


def _is_connected(node: Entity) -> bool:
    state = node.get("connection_state") or {}
    recent = -seconds_until(float(node.get("last_ping") or 0)) <= _SILENT_AFTER
    return bool(state.get("is_connected", True)) and recent


def run_node_info(task: Task) -> Result:
    wait, wanted, timeout = (task.params[name] for name in ("wait", "nodes", "wait_timeout"))

    def enough() -> Result:
        seen = _look(task)
        if wait and seen["up_to_date"] < wanted:
            raise NotYet(_why(seen, wanted, timeout), **seen)
        return seen

    with task.about("nodes"):
        return poll(enough, Deadline(timeout), pause=1.0, longest_pause=5.0)


def _look(task: Task) -> Result:
    plane = of_account(task)
    response = plane.request("GET", "/expected-config-hash") or {}
    expected = response.get("expected_hash")
    nodes = [{**node, "connected": _is_connected(node)} for node in plane.data_planes()]
    for node in nodes:
        node["up_to_date"] = node["connected"] and node.get("config_hash") == expected
    return {
        "changed": False,
        "expected_hash": expected,
        "nodes": nodes,
        "connected": sum(node["connected"] for node in nodes),
        "up_to_date": sum(node["up_to_date"] for node in nodes),
    }


def _why(seen: Result, wanted: int, timeout: int) -> str:
    states = (f"{each.get('hostname')} {_state_of(each)}" for each in seen["nodes"])
    shown = ", ".join(text for text, each in zip(states, seen["nodes"]) if each["connected"])
    return (
        f"{seen['up_to_date']} of {wanted} nodes run the expected configuration after {timeout} s, "
        f"{seen['connected']} are connected{f' ({shown})' if shown else ''}"
    )


def _state_of(node: Entity) -> str:
    issues = (node.get("compatibility_status") or {}).get("issues") or []
    if issues:
        return f"is not compatible: {issues[0].get('description')}"
    return "is up to date" if node["up_to_date"] else f"runs {node.get('config_hash')}"


KONNECT_DATA_PLANE_CERTIFICATE = Operation(
    name="konnect_data_plane_certificate",
    spec=ArgumentSpec(
        options={
            "content": {"type": "str"},
            "path": {"type": "path"},
            "title": {"type": "str"},
            "purge": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
            **STATE,
        },
        required_one_of=[("content", "path")],
        mutually_exclusive=[("content", "path")],
    ),
    run=run_certificate,
    opens=of_control_plane,
)

KONNECT_NODE_INFO = Operation(
    name="konnect_node_info",
    spec=ArgumentSpec(
        options={
            "wait": {"type": "bool", "default": False},
            "nodes": {"type": "int", "default": 1},
            "wait_timeout": {"type": "int", "default": 120},
        }
    ),
    run=run_node_info,
    writes=False,
    opens=of_control_plane,
)
