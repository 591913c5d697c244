# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong option of the role ``gateway`` is an error that names it, before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from unit.gateway_role import ROLE, plan

# One wrong value of each option, and what else is set with it.
WRONG: dict[str, Any] = {
    "state": "gone", "mode": "hybrid", "method": "lxc", "edition": "free", "certificate": "acme",
    "version": "latest", "name": "Kong!", "directory": "kong", "install": "perhaps",
    "timeout": "long", "certificate_days": "many", "certificate_renew_days": 2000,
    "config": {"role": "data_plane"}, "secrets": {"pg_password": {"vault": "x"}}, "license": "x",
    "admin_password": "x", "nginx_includes": {"htpp": "x"}, "state_file": "/state.yml",
    "control_plane_url": "http://user@cp", "ports": ["eighty"], "resources": {"mem": "2g"},
    "ulimits": "nofile", "log": {"drivr": "x"}, "registry": {"user": "x"}, "helm_values": "x",
    "package_keys": {"url": "x"}, "ca_certificate": "", "ca_key": "", "certificate_file": "",
    "certificate_key_file": "",
}  # fmt: skip
BESIDE: dict[str, dict[str, Any]] = {
    "state_file": {"mode": "traditional", "config": {"pg_host": "db"}},
    "control_plane_url": {"mode": "konnect"},
    **dict.fromkeys(("ca_certificate", "ca_key"), {"certificate": "ca"}),
    **dict.fromkeys(("certificate_file", "certificate_key_file"), {"certificate": "given"}),
}
# What any text can be: only the engine, the repository or the cluster knows.
FREE = {
    "plugins_directory",  # A task looks whether it is there: the plan reads it.
    "image", "network", "package_url", "namespace", "chart", "chart_version", "kubeconfig",
}  # fmt: skip


def _spec() -> dict[str, Any]:
    text = (ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["argument_specs"]["main"]["options"])


def _errors(given: dict[str, Any]) -> list[str]:
    """What the validation of the role's arguments says, else what its plan says."""
    kept = ("type", "elements", "choices")
    spec = {name: {key: option[key] for key in kept if key in option}
            for name, option in _spec().items()}
    named = {f"gateway_{name}": value for name, value in given.items()}
    found = list(ArgumentSpecValidator(spec).validate(named).error_messages)
    return found or list(plan(**given)["problems"])


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_option_is_an_error_that_names_it(name: str) -> None:
    errors = _errors({**BESIDE.get(name, {}), name: WRONG[name]})
    named = name if name not in ("config", "secrets") else next(iter(WRONG[name]))
    assert [error for error in errors if named in error], errors


def test_every_option_of_the_role_was_once_wrong() -> None:
    own = {name.removeprefix("gateway_") for name in _spec() if name.startswith("gateway_")}
    assert own == set(WRONG) | FREE


@pytest.mark.parametrize("given", [{"control_plane_url": "https://abc.eu.cp0.konghq.com"}, {}])
def test_konnect_needs_a_way_to_the_control_plane(given: dict[str, Any]) -> None:
    message = "gateway_mode=konnect needs gateway_control_plane_url, or konnect_token."
    assert plan(mode="konnect", **given)["problems"] == ([] if given else [message])


@pytest.mark.parametrize(
    ("version", "warnings"),
    [
        ("3.8.0", ["The open edition 3.8 has had no fixes since 2025-09-11."]),
        ("3.9.3", []),
        # A build of one's own: the table has the support of the enterprise edition.
        ("3.10.0", []),
        ("3.14.0", []),
    ],
)
def test_only_an_old_line_of_the_open_edition_is_without_fixes(
    version: str, warnings: list[str]
) -> None:
    made = plan(method="files", edition="community", version=version)
    assert made["warnings"] == warnings
    assert made["problems"] == []
