# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state file and a gateway: the operations behind ``kong_state`` and ``kong_plan``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._argspec import ArgumentSpec
from .._document._changes import ChangeSet
from .._document._dump import ALL_KINDS
from .._document._format import ORDER
from .._document._located import Located, place_of, unpacked, where_of
from .._document._parse import Document, parse
from .._document._reconcile import SyncOptions, reconcile
from .._document._run import Report, Runner, undo
from .._document._saved import Saved, differences, read_plan, save, text_of_document
from .._errors import InputError, KongError
from .._parallel import WORKERS
from .._plan import NONE, Plan
from .._predict import Checks
from ._base import Operation, Result, Task
from ._files import replace_file
from ._whole import load_whole, plan_whole

# Options that decide what is planned.
_DECISIVE = ("state", "purge_kinds", "cascade", "protect_tags")
# What a saved plan says of the gateway.
_VERSIONS = ("name", "version", "edition", "role", "database")
_COUNTED = {"create": "created", "update": "updated", "delete": "deleted", NONE: "unchanged"}


@dataclass(frozen=True)
class DocumentPlan:
    """What a document changes.

    :param text: the canonical form of the document for a saved plan; empty where none is needed.
    :param whole: whether it is loaded as a whole, which a gateway without a database needs.
    """

    document: Document
    changes: ChangeSet
    text: str = ""
    whole: bool = False


def run_state(task: Task) -> Result:
    planned = _plan_document(task, saving="plan" in task.params)
    if "plan" in task.params:
        _refuse_another_plan(task, planned)
    return _apply_document_plan(task, planned)


def run_plan(task: Task) -> Result:
    """Plan, let the gateway validate it, and save it; the gateway of the task only predicts."""
    planned = _plan_document(task, saving=True)
    made_from = _origin(task, planned)
    dest = task.params.get("dest")
    # Before the prediction, which adds what the gateway would make up.
    saved = save(made_from, planned.text, planned.changes, brief=dest is None)
    earlier = None if dest is None else _earlier(task, dest)
    if earlier is not None:
        same = save(made_from, planned.text, planned.changes, earlier["salt"])
        saved = earlier if earlier == same else saved
    predicted = _apply_document_plan(task, planned)
    result = {**predicted, "changed": False, "has_changes": predicted["changed"], "plan": saved}
    if dest is None:
        return result
    text = json.dumps(saved, indent=2, ensure_ascii=False) + "\n"
    return {**result, "changed": replace_file(dest, text, task.check_mode), "dest": dest}


def _earlier(task: Task, dest: str) -> Saved | None:
    """The plan that the file holds already; one that cannot be read is replaced."""
    try:
        earlier = read_plan(dest)
    except InputError:
        return None
    if earlier is not None and earlier["gateway"].get("url") != task.gateway.url:
        task.warn(
            f"dest {dest} held the plan of {earlier['gateway'].get('url')}, and is replaced by "
            f"that of {task.gateway.url}: write one file for each gateway"
        )
    return earlier


def _plan_document(task: Task, saving: bool) -> DocumentPlan:
    """Read the document and the gateway, and plan; nothing is written.

    :param saving: whether the plan is to be saved, or compared with a saved one.
    """
    if task.params["concurrency"] < 1:
        raise InputError("concurrency must be at least 1")
    document = _document(task, _content(task))
    text = text_of_document(document) if saving else ""
    for warning in document.warnings:
        task.warn(warning)
    options = SyncOptions(
        state=task.params["state"],
        purge_kinds=tuple(task.params.get("purge_kinds", ())),
        cascade=task.params["cascade"],
        max_deletes=task.params.get("max_deletes"),
        allow_empty=task.params["allow_empty"],
        protect_tags=tuple(task.params.get("protect_tags", ())),
    )
    owned = bool(document.select_tags or options.purge_kinds) or options.state != "synced"
    if owned or task.gateway.traits().writes_entities:
        changes = reconcile(task.gateway, document, options, task.warn)
        # Asked only once there is something to write: most runs find nothing to do.
        if not changes.changes or task.gateway.traits().writes_entities:
            return DocumentPlan(document, changes, text)
    return DocumentPlan(document, plan_whole(task, document, options), text, whole=True)


def _apply_document_plan(task: Task, planned: DocumentPlan) -> Result:
    """Write, or predict in check mode."""
    if planned.whole:
        report = load_whole(task, planned.document, planned.changes)
        return _result(task, planned.changes, report)
    runner = Runner(
        task.gateway, task.params["on_error"], task.params["concurrency"], task.progress
    )
    report = runner.run(planned.changes)
    if report.failed:
        raise _failure(task, planned.changes, report)
    return _result(task, planned.changes, report)


def _origin(task: Task, planned: DocumentPlan) -> Saved:
    """What the plan of a task is made from: the gateway, and the options that decide."""
    traits, gateway = task.gateway.traits(), task.gateway
    tags = list(planned.document.select_tags)
    return {
        "gateway": {
            "url": gateway.url,
            "workspace": task.params.get("workspace"),
            "control_plane": gateway.control_plane,
            **{name: getattr(traits, name) for name in _VERSIONS},
        },
        "options": {name: task.params.get(name) for name in _DECISIVE} | {"select_tags": tags},
    }


def _refuse_another_plan(task: Task, planned: DocumentPlan) -> None:
    """Go on only with the plan that was saved.

    :raises InputError: says what became different.
    """
    path = task.params["plan"]
    saved = read_plan(path)
    if saved is None and task.check_mode:
        task.warn(f"plan {path} does not exist, so the prediction is not compared with it")
        return
    if saved is None:
        raise InputError(f"plan {path} does not exist: create it with kong_plan")
    now = save(_origin(task, planned), planned.text, planned.changes, saved["salt"])
    different = differences(saved, now)
    if different:
        raise InputError(
            f"plan {path} does not hold any more: {'; '.join(different)}. Create and approve a "
            "new one",
            differences=different,
        )


def _content(task: Task) -> Mapping[str, Any]:
    """What was read of files or strings, with its places where it is of a file."""
    content = task.params.get("content")
    if not isinstance(content, Mapping):
        raise InputError(
            "content is not a document: write it as a mapping (src and strings are read on "
            "Ansible's controller, by the action plugin of this module)"
        )
    content = unpacked(content)
    if not (task.params["ignore_konnect"] or _names_control_plane(task, content)):
        return content
    kept = {name: value for name, value in content.items() if name != "_konnect"}
    return Located(kept, where_of(content), getattr(content, "places", None))


def _names_control_plane(task: Task, content: Mapping[str, Any]) -> bool:
    """Whether ``_konnect`` names the connected control plane."""
    connected = task.gateway.control_plane
    written = content.get("_konnect")
    if connected is None or not isinstance(written, Mapping):
        return False
    named = written.get("control_plane_name") or written.get("runtime_group_name")
    if named in (None, connected) or task.gateway.is_control_plane(str(named)):
        return True
    raise InputError(
        f"{place_of(content, '_konnect')}: the document is for the control plane {named}, and "
        f"the task is connected to {connected}: set control_plane to {named}, or ignore_konnect to "
        "true"
    )


def _document(task: Task, content: Mapping[str, Any]) -> Document:
    document = parse(content, task.params.get("select_tags", ()))
    if document.workspace not in (None, task.params.get("workspace", "default")):
        raise InputError(
            f"{place_of(content, '_workspace')}: the document is for the workspace "
            f"{document.workspace}: write it as workspace, too"
        )
    return replace(document, workspace=task.params.get("workspace"))


def _result(task: Task, changes: ChangeSet, report: Report) -> Result:
    """The result of what was done, in the planned order; the diffs are in the document's order."""
    done = [plan for step in report.done for plan in step.plans if plan.changed]
    result: Result = {
        "changed": bool(done),
        "summary": _summary([*done, *(plan for plan in changes.plans if not plan.changed)]),
        "changes": [plan.summary() for plan in done],
    }
    if "protect_tags" in task.params:
        result["protected"] = [each.summary() for each in changes.protected]
    if task.diff:
        places = {id(step): place for place, step in enumerate(changes.steps)}
        steps = sorted(report.done, key=lambda step: places[id(step)])
        plans = [plan for step in steps for plan in step.plans if plan.changed]
        plans.sort(key=lambda plan: ORDER.index(plan.kind.name))
        result["diff"] = [plan.diff(task.gateway.url) for plan in plans]
    return result


def _summary(plans: Iterable[Plan]) -> dict[str, dict[str, int]]:
    """Numbers of entities by kind and by what happened to them."""
    summary: dict[str, dict[str, int]] = {}
    for plan in plans:
        counts = summary.setdefault(plan.kind.name, dict.fromkeys(_COUNTED.values(), 0))
        counts[_COUNTED[plan.operation]] += 1
    return {kind: summary[kind] for kind in ORDER if kind in summary}


def _failure(task: Task, changes: ChangeSet, report: Report) -> KongError:
    """The first failure, with the lists of what was done, undone and not done."""
    partial = _result(task, changes, report)
    partial["changed"] = partial["changed"] and not task.gateway.predicts
    partial["failed_steps"] = [
        {**each.plan.summary(), "msg": exc.message} for each, exc in report.failed
    ]
    not_done = [plan for each, _exc in report.failed for plan in each.cascaded]
    not_done += [plan for step in report.not_done for plan in step.plans]
    partial["not_done"] = [plan.summary() for plan in not_done]
    partial["undone"], partial["left"] = [], []
    if task.params["on_error"] == "rollback" and not task.gateway.predicts:
        undone, left = undo(task.gateway, report)
        partial.update(undone=[each.summary() for each in undone], left=left, changed=bool(left))
    return _with_partial(task, report, partial)


def _with_partial(task: Task, report: Report, partial: Result) -> KongError:
    """The first failure: its own sentence, where it is written, and what became of the rest."""
    errors = [exc for _each, exc in report.failed]
    first, written = errors[0], ""
    where = report.failed[0][0].where
    if where:
        first.failure["where"] = where
        # What is written in the task itself has no lines.
        written = f" (written at {where})" if where != "content" else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    first.message = f"{first.message}{written}{more}; {_state_after(task, partial)}"
    first.partial = partial
    return first


def _state_after(task: Task, partial: Result) -> str:
    if task.gateway.predicts:
        return "nothing was changed"
    done, waiting = len(partial["changes"]), len(partial["not_done"])
    if task.params["on_error"] == "rollback":
        text = f"{len(partial['undone'])} of {done} changes were undone"
        return text + (f", left: {'; '.join(partial['left'])}" if partial["left"] else "")
    return f"done: {done} of {done + len(partial['failed_steps']) + waiting} changes"


_OPTIONS: Mapping[str, dict[str, Any]] = {
    "src": {"type": "list", "elements": "path"},
    "content": {"type": "raw"},
    "state": {"type": "str", "choices": ["synced", "applied", "absent"], "default": "applied"},
    "select_tags": {"type": "list", "elements": "str"},
    "default_lookup_tags": {"type": "dict"},
    "purge_kinds": {"type": "list", "elements": "str", "choices": list(ALL_KINDS)},
    "protect_tags": {"type": "list", "elements": "str"},
    "cascade": {"type": "bool", "default": False},
    "max_deletes": {"type": "int"},
    "allow_empty": {"type": "bool", "default": False},
    "concurrency": {"type": "int", "default": WORKERS},
    "on_error": {"type": "str", "choices": ["stop", "continue", "rollback"], "default": "stop"},
    "ignore_konnect": {"type": "bool", "default": False},
}
# All that a document points at was read before.
_CHECKS = Checks(looks_up=False)

KONG_STATE = Operation(run_state, ArgumentSpec(
    options={**_OPTIONS, "plan": {"type": "path"}},
    required_one_of=[("src", "content")],
    mutually_exclusive=[("src", "content")],
), checks=_CHECKS)

KONG_PLAN = Operation(run_plan, ArgumentSpec(
    options={**_OPTIONS, "dest": {"type": "path"}},
    required_one_of=[("src", "content")],
    mutually_exclusive=[("src", "content")],
), writes=False, only_predicts=True, checks=_CHECKS)
