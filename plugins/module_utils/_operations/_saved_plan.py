# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a state file would change, saved for an approval: the operation behind ``kong_plan``."""

from __future__ import annotations

import json

from .._argspec import ArgumentSpec
from .._document._saved import Saved, read_plan, save
from .._errors import InputError
from ._base import Operation, Result, Task
from ._files import replace_file
from ._state import STATE_CHECKS, STATE_OPTIONS, apply_document_plan, origin, plan_document


def run_plan(task: Task) -> Result:
    """Plan, let the gateway validate it, and save it; the gateway of the task only predicts."""
    planned = plan_document(task, saving=True)
    made_from = origin(task, planned)
    dest = task.params.get("dest")
    # Before the prediction, which adds what the gateway would make up.
    saved = save(made_from, planned.text, planned.changes, brief=dest is None)
    earlier = None if dest is None else _earlier(task, dest)
    if earlier is not None:
        same = save(made_from, planned.text, planned.changes, earlier["salt"])
        saved = earlier if earlier == same else saved
    predicted = apply_document_plan(task, planned)
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


KONG_PLAN = Operation(run_plan, ArgumentSpec(
    options={**STATE_OPTIONS, "dest": {"type": "path"}},
    required_one_of=[("src", "content")],
    mutually_exclusive=[("src", "content")],
), writes=False, only_predicts=True, checks=STATE_CHECKS)
