# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration prints of a run: the changes in a line each, instead of whole entities."""

from __future__ import annotations

from typing import Any

from harness.playbook import Run

# What is worth reading of a new entity; the rest are its name, its tags and the gateway's defaults.
SHOWN = ("description", "algorithm", "slots", "host", "paths", "weight")


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _change(diff: dict[str, Any]) -> str:
    """One entity's diff as a line: `+` for a new one, `-` for one that goes, `~` for a changed."""
    # The header is "kind name (URL of the gateway)".
    entity = diff["before_header"].rpartition(" (")[0]
    before, after = diff["before"], diff["after"]
    if not before:
        fields = [f"{key} {_value(after[key])}" for key in SHOWN if key in after]
        return f"+ {entity}: {', '.join(fields)}"
    if not after:
        return f"- {entity}"
    fields = [
        f"{key} {_value(before.get(key))} -> {_value(after[key])}"
        for key in after
        if before.get(key) != after[key]
    ]
    return f"~ {entity}: {', '.join(fields)}"


def changes(run: Run) -> list[str]:
    """The diffs that Ansible recorded in this run, a line for each entity, in their order."""
    lines = []
    for task in run.tasks:
        # What did not change has a diff of two equal sides.
        found = task["result"]["diff"] if task["status"] == "changed" else []
        lines += [_change(diff) for diff in (found if isinstance(found, list) else [found])]
    return lines
