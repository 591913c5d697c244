# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter kong_differences: a line for each entity, from the diffs of a result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.kong_differences import kong_differences

HEADER = "target 10.0.0.1:80 of upstream web (http://127.0.0.1:8001)"
ENTITY = "target 10.0.0.1:80 of upstream web"


def _pair(before: Any, after: Any) -> dict[str, Any]:
    return {"before_header": HEADER, "after_header": HEADER, "before": before, "after": after}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("", {"weight": 1}, f"create {ENTITY}"),
        ({"weight": 1}, "", f"delete {ENTITY}"),
        ({"weight": 100}, {"weight": 300}, f"update {ENTITY}: weight 100 -> 300"),
        (
            {"a": {"b": {"c": 1, "d": 2}}, "e": None},
            {"a": {"b": {"c": 3, "d": 2}}, "e": "new text"},
            f"update {ENTITY}: a.b.c 1 -> 3, e null -> new text",
        ),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, f'update {ENTITY}: tags ["a"] -> ["a", "b"]'),
        ({"name": ""}, {"name": "two\nlines"}, f'update {ENTITY}: name "" -> "two\\nlines"'),
        ({"enabled": True}, {}, f"update {ENTITY}: enabled true -> null"),
        (
            {"key": "********"}, {"key": "******** (changed)"},
            f"update {ENTITY}: key ******** -> ******** (changed)",
        ),
        ({"list": ["********"]}, {"list": ["********"]}, f"update {ENTITY}: (hidden)"),
        ({"cert": "x"}, {"cert": "y" * 100}, f"update {ENTITY}: cert x -> {'y' * 80}…"),
    ],
)  # fmt: skip
def test_each_kind_of_change_has_its_line(before: Any, after: Any, line: str) -> None:
    assert kong_differences({"diff": [_pair(before, after)]}) == [line]


def test_the_single_diff_of_a_module_for_one_entity_is_one_line() -> None:
    assert kong_differences({"diff": _pair("", {"weight": 1})}) == [f"create {ENTITY}"]


def test_no_difference_is_no_line() -> None:
    assert kong_differences({"diff": []}) == []


@pytest.mark.parametrize("result", [{"changed": False}, "text", None])
def test_a_result_without_a_diff_is_an_error(result: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="with diff: true"):
        kong_differences(result)
