# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of the role echo_upstream, and what its probe expects of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.echo_pool import FilterModule, echo_pool

HOSTVARS: dict[str, dict[str, Any]] = {
    "web1": {"ansible_host": "10.0.0.1", "echo_upstream_port": "81", "echo_upstream_weight": "300"},
    "web2": {"side": "fd00::2"},
    "many": {"ansible_host": "[fd00::3]",
             "echo_upstream_servers": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]},
}  # fmt: skip


def _pool(*hosts: str, **options: Any) -> dict[str, Any]:
    return echo_pool(hosts, HOSTVARS, **{"group": "echo", "tags": ["t"], **options})


def test_each_server_of_each_host_becomes_a_target() -> None:
    assert _pool("web1", "web2", "many") == {
        "targets": [
            {"target": "10.0.0.1:81", "weight": 300, "tags": ["t"]},
            {"target": "web2:8080", "weight": 100, "tags": ["t"]},
            {"target": "[fd00::3]:1", "weight": 100, "tags": ["t"]},
            {"target": "[fd00::3]:2", "weight": 100, "tags": ["t"]},
        ],
        "expected": [
            {"name": "web1", "weight": 300}, {"name": "web2", "weight": 100},
            {"name": "a", "weight": 100}, {"name": "b", "weight": 100},
        ],
    }  # fmt: skip


def test_the_variables_have_other_names_where_that_is_asked_for() -> None:
    found = _pool("web2", address="side", weight="load", port="90")
    assert found["targets"] == [{"target": "[fd00::2]:90", "weight": 100, "tags": ["t"]}]


def test_written_targets_keep_what_they_say() -> None:
    written = [
        {"target": "a:1", "weight": 0, "tags": ["own"], "server": "a"},
        {"target": "b", "weight": None},
    ]
    assert _pool(targets=written, group="") == {
        "targets": [
            {"target": "a:1", "weight": 0, "tags": ["own"]},
            {"target": "b", "weight": 100, "tags": ["t"]},
        ],
        "expected": [{"name": "a", "weight": 0}, {"weight": 100}],
    }


@pytest.mark.parametrize(
    ("hosts", "options", "message"),
    [
        ([], {}, "The group echo has no hosts: the upstream would lose all targets"),
        ([], {"group": ""}, "Give either echo_upstream_targets or echo_upstream_group"),
        (["web1"], {"targets": [{"target": "a"}]}, "Give either echo_upstream_targets or"),
        (["web1", "web2"], {"address": "side"}, "web1 of the group echo lack the variable side"),
    ],
)
def test_what_gives_no_targets_is_refused(
    hosts: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        _pool(*hosts, **options)


def test_it_is_a_filter() -> None:
    assert FilterModule().filters() == {"echo_pool": echo_pool}
