# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway's entities as a state file: the operation behind ``kong_dump``."""

from __future__ import annotations

from functools import partial

from .._argspec import ArgumentSpec
from .._document._dump import ALL_KINDS, Dumper
from .._document._write import text_of, without_placeholders
from .._gateway._errors import NotOffered
from ._base import Operation, Result, Task
from ._files import replace_file


def run_dump(task: Task) -> Result:
    params = task.params
    kinds = params.get("kinds")
    style = {name: params[name] for name in ("with_ids", "skip_defaults", "secrets")}
    skipped = None if kinds else partial(_warn_skipped, task)
    dumper = Dumper(task.gateway, **style, skipped=skipped)
    found = dumper.dump(kinds or ALL_KINDS, params.get("select_tags", ()))
    document = without_placeholders(found)
    if "dest" not in params:
        return {"changed": False, "document": document}
    text = text_of(found, params["format"])
    changed = replace_file(params["dest"], text, task.check_mode)
    return {"changed": changed, "dest": params["dest"], "document": document}


def _warn_skipped(task: Task, kind: str, exc: NotOffered) -> None:
    """What the gateway does not have is no gap in a dump of all; what it hides is one."""
    if exc.forbidden:
        task.warn(f"the dump has no entities of the kind {kind}: {exc.message}")


KONG_DUMP = Operation(run_dump, ArgumentSpec(
    options={
        "dest": {"type": "path"},
        "kinds": {"type": "list", "elements": "str", "choices": list(ALL_KINDS)},
        "select_tags": {"type": "list", "elements": "str"},
        "with_ids": {"type": "bool", "default": False},
        "skip_defaults": {"type": "bool", "default": False},
        "secrets": {"type": "str", "choices": ["mask", "env", "keep"], "default": "mask"},
        "format": {"type": "str", "choices": ["yaml", "json"], "default": "yaml"},
    },
), writes=False)
