# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data planes of Konnect: their certificates, and whether they run what they should.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll, seconds_until
from .._entities._certificate import digest_of
from .._entities._kind import Entity
from .._entities._konnect import DATA_PLANE_CERTIFICATE
from .._errors import InputError, KongError
from .._gateway._protocol import Gateway
from .._plan import NONE, Plan, plan_absent, plan_present
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
    try:
        plans = _plans(task, written)
    except KongError as exc:
        exc.within(f"data plane certificates of {task.gateway.url}")
        raise
    done = apply_plans(task, plans, None)
    own = done[0] if task.params["state"] == "present" else None
    return {
        **changes_of(task, done),
        "fingerprint": digest_of(written["cert"]),
        "certificate": {} if own is None else entity_result(DATA_PLANE_CERTIFICATE, own.after),
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
    others = [each for each in listed if each not in same]
    doomed = others if params["purge"] else []
    if params["state"] == "absent":
        doomed = [*same, *doomed]
        plans = []
    else:
        current = same[0] if same else None
        # Its text may be written otherwise, and is the same certificate.
        desired = {**written, **({"cert": current["cert"]} if current else {})}
        plans = [plan_present(kind, desired, current)]
    if not params["force"]:
        _refuse_used(task, doomed)
    if plans and not same and len(listed) >= MOST_CERTIFICATES:
        raise InputError(
            f"the control plane has {len(listed)} certificates, and {MOST_CERTIFICATES} is the "
            "most: remove one first"
        )
    if params["state"] == "absent" and not doomed:
        return [Plan(kind, NONE)]
    return [*plans, *(plan_absent(kind, each) for each in doomed)]


def _refuse_used(task: Task, doomed: Sequence[Entity]) -> None:
    """Refuse to cut off connected data planes."""
    if not doomed:
        return
    used: dict[str | None, str] = {
        node.get("data_plane_cert_id"): str(node.get("hostname"))
        for node in task.gateway.data_planes()
        if _is_connected(node)
    }
    for each in doomed:
        node = used.get(each["id"]) or used.get(None)
        if node is not None:
            known = "uses" if each["id"] in used else "may use"
            raise InputError(
                f"the connected data plane {node} {known} the certificate {each['id']}: "
                "set force to true if it is to be cut off"
            )


def _is_connected(node: Entity) -> bool:
    state = node.get("connection_state") or {}
    recent = -seconds_until(float(node.get("last_ping") or 0)) <= _SILENT_AFTER
    return bool(state.get("is_connected", True)) and recent


def run_node_info(task: Task) -> Result:
    if not task.params["wait"]:
        return _look(task)

    def enough() -> Result:
        seen, wanted = _look(task), task.params["nodes"]
        if seen["up_to_date"] < wanted:
            raise NotYet(_why(seen, wanted, task.params["wait_timeout"]), **seen)
        return seen

    try:
        return poll(enough, Deadline(task.params["wait_timeout"]), pause=1.0, longest_pause=5.0)
    except KongError as exc:
        exc.within(f"nodes of {task.gateway.url}")
        raise


def _look(task: Task) -> Result:
    plane = of_account(task)
    answer = plane.request("GET", "/expected-config-hash") or {}
    expected = answer.get("expected_hash")
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
    reasons = [
        f"{node.get('hostname')} {_state_of(node)}" for node in seen["nodes"] if node["connected"]
    ]
    told = f" ({', '.join(reasons)})" if reasons else ""
    return (
        f"{seen['up_to_date']} of {wanted} nodes run the expected configuration after {timeout} s, "
        f"{seen['connected']} are connected{told}"
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
