# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_differences``; its documentation is the YAML file of the same name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# Characters of a value that a line shows; what is longer, as a certificate, ends in an ellipsis.
_LONGEST = 80


def kong_differences(result: Mapping[str, Any]) -> list[str]:
    """One line for each entity that a task of this collection changed or, in check mode, would.

    :raises AnsibleFilterError: the result has no ``diff``, so that nothing can be told of it.
    """
    if not isinstance(result, Mapping) or "diff" not in result:
        raise AnsibleFilterError(
            "kong_differences takes the result of a task with diff: true that succeeded"
        )
    pairs = result["diff"]
    return [_line(pair) for pair in ([pairs] if isinstance(pairs, Mapping) else pairs)]


def _line(pair: Mapping[str, Any]) -> str:
    # The header ends in the gateway's address, which is the same on every line.
    entity = str(pair["before_header"]).rpartition(" (")[0]
    before, after = pair["before"], pair["after"]
    if before == "":
        return f"create {entity}"
    if after == "":
        return f"delete {entity}"
    fields = ", ".join(
        f"{path} {_shown(old)} -> {_shown(new)}" for path, old, new in _fields(before, after)
    )
    return f"update {entity}: {fields or '(hidden)'}"


def _fields(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The leaves that differ, with their dotted paths."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            below = f"{path}.{name}" if path else str(name)
            yield from _fields(before.get(name), after.get(name), below)
    elif before != after:
        yield path, before, after


def _shown(value: Any) -> str:
    plain = isinstance(value, str) and value.isprintable() and value == value.strip() != ""
    text = str(value) if plain else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_differences": kong_differences}
