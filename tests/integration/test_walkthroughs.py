# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader who follows the README or a tutorial of the guides sees what it says, line by line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.examples import of
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.walkthrough import Step, Walk, agrees, steps

PAGES = {
    "README": ROOT / "README.md",
    "first_steps": ROOT / "docs/docsite/rst/guide_first_steps.rst",
    "testing": ROOT / "docs/docsite/rst/guide_testing.rst",
    "security": ROOT / "docs/docsite/rst/guide_security.rst",
    "plans": ROOT / "docs/docsite/rst/guide_plans.rst",
}
EXAMPLES = [
    each for path in PAGES.values() for each in of(path.stem)
    if each.name or (each.kind == "console" and each.text.startswith("$ "))
]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _todo(page: str) -> list[Step]:
    todo = list(steps(PAGES[page].read_text(encoding="utf-8")))
    if page == "testing":
        # It goes on with the servers and the playbook of the first steps.
        earlier = steps(PAGES["first_steps"].read_text(encoding="utf-8"))
        todo[:0] = [step for step in earlier if "ansible" not in step.command.partition(" ")[0]
                    and "curl" not in step.command and "sed" not in step.command]
    return todo


@pytest.mark.parametrize("page", PAGES)
def test_each_command_prints_what_the_page_says(
    empty_gateway: Gateway, tmp_path: Path, page: str
) -> None:
    if empty_gateway.token or empty_gateway.echo_host != "127.0.0.1":
        pytest.skip("the pages' gateway is on this machine and asks for no token")
    replaced = {
        "http://127.0.0.1:8001": empty_gateway.admin_url,
        "http://127.0.0.1:8000": empty_gateway.proxy_url,
        **{f"808{number}": str(_free_port()) for number in (1, 2)},
    }
    if page == "testing" and not empty_gateway.is_sandbox:
        pytest.skip("the page is about the sandbox")
    todo = _todo(page)
    assert sum(bool(step.command) for step in todo) >= 2
    walk = Walk(tmp_path, replaced)
    try:
        for step in todo:
            walk.take(step)
    finally:
        walk.close()


def test_output_with_another_line_is_noticed() -> None:
    documented = "TASK [a] ***\n…\nlocalhost : ok=1 changed=1\n"
    assert agrees("TASK [a] *********\nx\nlocalhost   : ok=1  changed=1 \n", documented)
    assert not agrees("TASK [a] *********\nx\nlocalhost   : ok=1  changed=0 \n", documented)
    assert not agrees("other\nTASK [a] ***\nlocalhost : ok=1 changed=1\n", documented)
