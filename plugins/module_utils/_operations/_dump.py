# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway's entities as a state file: the operation behind ``kong_dump``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from .._argspec import ArgumentSpec
from .._document._dump import ALL_KINDS, Dumper, Style
from .._errors import InputError
from .._gateway._errors import NotOffered
from ._base import Operation, Result, Task
from ._files import is_another, write_private

try:
    import yaml  # type: ignore[import-untyped]
except ImportError:  # only a host on which the module runs as such may lack it
    yaml = None


def run_dump(task: Task) -> Result:
    params = task.params
    style = Style(params["with_ids"], params["skip_defaults"], params["secrets"])
    kinds = params.get("kinds")
    skipped = None if kinds else partial(_tell_skipped, task)
    dumper = Dumper(task.gateway, style, skipped)
    document = dumper.dump(kinds or ALL_KINDS, params.get("select_tags", ()))
    if "dest" not in params:
        return {"changed": False, "document": document}
    text = _text(document, params["format"])
    changed = is_another(params["dest"], text)
    if changed and not task.check_mode:
        write_private(params["dest"], text)
    return {"changed": changed, "dest": params["dest"], "document": document}


def _tell_skipped(task: Task, kind: str, exc: NotOffered) -> None:
    """What the gateway does not have is no gap in a dump of all; what it hides is one."""
    if exc.forbidden:
        task.warn(f"the dump has no entities of the kind {kind}: {exc.message}")


def _text(document: dict[str, Any], style: str) -> str:
    if style == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if yaml is None:
        raise InputError("format yaml needs the Python package PyYAML: install it, or write json")
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    return text


KONG_DUMP = Operation(
    name="kong_dump",
    spec=ArgumentSpec(
        options={
            "dest": {"type": "path"},
            "kinds": {"type": "list", "elements": "str", "choices": list(ALL_KINDS)},
            "select_tags": {"type": "list", "elements": "str"},
            "with_ids": {"type": "bool", "default": False},
            "skip_defaults": {"type": "bool", "default": False},
            "secrets": {
                "type": "str",
                "choices": ["mask", "env", "keep"],
                "default": "mask",
                "no_log": False,
            },
            "format": {"type": "str", "choices": ["yaml", "json"], "default": "yaml"},
        }
    ),
    run=run_dump,
    writes=False,
)
