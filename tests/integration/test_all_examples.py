# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each example of the documentation is run by a test, or listed here with the reason."""

from __future__ import annotations

from collections import Counter

import pytest

from events import test_rulebooks
from harness.examples import Example, examples
from integration import (
    test_examples,
    test_examples_konnect,
    test_examples_plugins,
    test_guide_examples,
    test_guide_gateway,
    test_guide_kubernetes,
    test_guide_many_gateways,
    test_guide_state_files,
    test_role_readmes,
    test_walkthroughs,
)

# Each of them runs its EXAMPLES.
RUN_BY = (
    test_examples, test_examples_konnect, test_examples_plugins, test_guide_examples,
    test_guide_gateway, test_guide_kubernetes, test_guide_many_gateways, test_guide_state_files,
    test_role_readmes, test_rulebooks, test_walkthroughs,
)  # fmt: skip
NETWORK = "installs from the network; `make release` installs the archive and runs the demo from it"
SANDBOX = "starts the sandbox, which the tests start by its program"
MODULE = "the sandbox has neither RBAC nor this plugin; test_examples runs it on a real gateway"
NOT_RUN = {
    "README: pip install ansible-core httpx": NETWORK,
    "README: make demo": "test_demo runs the one, and the other one runs this test",
    "guide_first_steps: python3 -m venv kong": NETWORK,
    "guide_first_steps: git clone": SANDBOX,
    "guide_testing: make sandbox": SANDBOX,
    "guide_testing: Checkout of the collection": "steps of a CI service; the last one needs these",
    "guide_events: pip install ansible-rulebook": NETWORK,
    "guide_kubernetes: ansible-galaxy collection install": NETWORK,
    "guide_gateway: kubectl port-forward": "needs pods; test_role_gateway_helm has a real cluster",
    "guide_migration: terraform state rm": "a command of Terraform",
    "docs/controller/README: ansible-galaxy": "needs an automation controller; "
    "test_example_inventories reads what it imports",
    "gateway_ready: Reload the gateway": "needs a container; test_role_gateway reloads a process",
    "kong_entity: ": MODULE,
}


def _listed(example: Example) -> list[str]:
    return [name for name in NOT_RUN if str(example).startswith(name)]


def test_each_example_is_run_once_or_listed() -> None:
    run = Counter(str(each) for module in RUN_BY for each in module.EXAMPLES)
    found = {str(each): run[str(each)] + bool(_listed(each)) for each in examples()}
    assert len(found) == len(examples())
    assert {name: times for name, times in found.items() if times != 1} == {}
    assert set(run) <= set(found)


@pytest.mark.parametrize("name", NOT_RUN)
def test_what_is_listed_is_an_example(name: str) -> None:
    assert [each for each in examples() if name in _listed(each)]


def test_tasks_in_blocks_that_no_sandbox_serves_say_so() -> None:
    left_out = [
        task["name"]
        for each in test_examples.EXAMPLES
        for outer in each.loaded()
        for task in outer.get("block", [])
        if test_examples.ENTERPRISE in task["name"]
    ]
    assert left_out == [f"Read secrets from HashiCorp Vault {test_examples.ENTERPRISE}"]
