# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files are found, decrypted and rendered on the controller, however a task runs.

The tasks are those of a module of its own, made here, which answers with what it was given.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.paths import BINARIES
from harness.playbook import LOCAL, Player, Run
from harness.vault import vault

HEAD = '_format_version: "3.0"\n'
SECRET = "s3cret-value"

OPERATION = """
from __future__ import annotations
from ansible_collections.irishtek.kong.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.irishtek.kong.plugins.module_utils._document._located import (
    unpacked, where_of,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Operation

def show(task):
    content = unpacked(task.params["content"])
    places = [where_of(each) for each in content.get("services", [])]
    return {"changed": False, "content": content, "places": places, "src": "src" in task.params}

OPTIONS = {"src": {"type": "list", "elements": "str"}, "content": {"type": "dict"}}
SHOW = Operation(show, ArgumentSpec(
    options=OPTIONS, mutually_exclusive=[("src", "content")], required_one_of=[("src", "content")],
))
"""
MODULE = f"""{OPERATION}
from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
if __name__ == "__main__":
    run_module(SHOW)
"""
ACTION = f"""{OPERATION}
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_action import KongStateAction
class ActionModule(KongStateAction):
    operation = SHOW
"""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _service(name: str) -> dict[str, Any]:
    return {"_format_version": "3.0", "services": [{"name": name}]}


@pytest.fixture(params=["1", "0"], ids=["in the controller", "as a module"])
def player(request: pytest.FixtureRequest, tmp_path: Path) -> Player:
    """Runs playbooks beside a module, an action plugin and a role of their own."""
    _write(tmp_path / "library/show_state.py", MODULE)
    _write(tmp_path / "action_plugins/show_state.py", ACTION)
    environment = {
        "KONG_ADMIN_URL": "http://127.0.0.1:1",
        "KONG_ANSIBLE_IN_PROCESS": request.param,
        "DECK_NAME": "of-the-controller",
    }
    return Player(tmp_path, environment)


def _task(name: str, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "show_state": options, "ignore_errors": True, **more}


def _run(player: Player, *tasks: dict[str, Any], **more: Any) -> Run:
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks, **more}
    inventory = {"all": {"hosts": {"gateway": dict(LOCAL)}}}
    return player(json.dumps([play]) + "\n", inventory=inventory).ok()


def test_files_are_found_as_roles_and_plays_find_them(player: Player) -> None:
    folder = player.folder
    _write(folder / "beside.yaml", HEAD + "services: [{name: beside}]\n")
    _write(folder / "files/below.yaml", HEAD + "services:\n  - name: below\n")
    _write(folder / "absolute/kong.json", json.dumps(_service("absolute")))
    role = folder / "roles/owner"
    _write(role / "files/below.yaml", HEAD + "services: [{name: role}]\n")
    _write(role / "files/tree/deep/one.yml", HEAD + "services: [{name: deep}]\n")
    _write(role / "tasks/main.yml", json.dumps([
        _task("role file", {"src": "below.yaml"}),
        _task("role directory", {"src": ["tree", "below.yaml"]}),
    ]))  # fmt: skip
    run = _run(
        player,
        _task("beside", {"src": "beside.yaml"}),
        _task("below", {"src": ["below.yaml"]}),
        _task("absolute", {"src": str(folder / "absolute")}),
        _task("loop", {"src": "{{ item }}"}, loop=["beside.yaml", "below.yaml"]),
        _task("missing", {"src": "gone.yaml"}),
        roles=["owner"],
    )
    for name in ("beside", "below", "absolute"):
        assert run.result(name)["content"] == _service(name)
        assert run.result(name)["src"] is False
    assert run.result("role file")["content"] == _service("role")
    assert run.result("role directory")["content"]["services"] == [
        {"name": "deep"}, {"name": "role"},
    ]  # fmt: skip
    looped = [item["content"]["services"][0]["name"] for item in run.result("loop")["results"]]
    assert looped == ["beside", "below"]
    assert run.result("missing")["msg"].startswith("src: Could not find or access 'gone")


def test_places_are_known_wherever_the_task_runs(player: Player) -> None:
    _write(player.folder / "kong.yaml", HEAD + "services:\n  - name: a\n  - name: b\n")
    places = _run(player, _task("places", {"src": "kong.yaml"})).result("places")["places"]
    assert places == ["kong.yaml:3", "kong.yaml:4"]


def test_placeholders_are_those_of_the_controller_and_the_task(player: Player) -> None:
    text = HEAD + 'services:\n- name: ${{ env "DECK_NAME" }}\n'
    _write(player.folder / "kong.yaml", text)
    broken = text + '  port: ${{ env "DECK_GONE" }}\n'
    _write(player.folder / "broken.yaml", broken)
    _write(player.folder / "play.yml", f"""
- hosts: all
  gather_facts: false
  tasks:
    - name: controller
      show_state: {{src: kong.yaml}}
    - name: task
      show_state: {{src: kong.yaml}}
      environment: {{DECK_NAME: of-the-task}}
    - name: inline
      show_state:
        content: !unsafe |
          {text.replace(chr(10), chr(10) + "          ").strip()}
    - name: unset
      show_state: {{src: broken.yaml}}
      ignore_errors: true
""")  # fmt: skip
    inventory = {"all": {"hosts": {"gateway": dict(LOCAL)}}}
    run = player(player.folder / "play.yml", inventory=inventory).ok()
    assert run.result("controller")["content"] == _service("of-the-controller")
    assert run.result("task")["content"] == _service("of-the-task")
    assert run.result("inline")["content"] == _service("of-the-controller")
    unset = run.result("unset")
    assert unset["msg"] == "broken.yaml:4: the environment variable DECK_GONE is not set"
    assert unset["changed"] is False


def test_encrypted_files_and_texts_are_read(player: Player) -> None:
    opened = vault(player.folder, {"name": SECRET})
    sealed = Path(opened.file).read_text().removeprefix("---\n").replace("\n", "\n    ").rstrip()
    _write(player.folder / "text.yaml", f"{HEAD}services:\n  - {sealed}\n")
    _write(player.folder / "whole.yaml", HEAD + f"services: [{{name: {SECRET}}}]\n")
    subprocess.run(
        [BINARIES / "ansible-vault", "encrypt", player.folder / "whole.yaml"],
        env={**os.environ, **opened.environment}, cwd=player.folder, check=True,
        stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    tasks = [
        _task("text", {"src": "text.yaml"}, no_log=False),
        _task("whole", {"src": "whole.yaml"}, no_log=False),
    ]
    with_password = Player(player.folder, {**player.environment, **opened.environment})
    run = _run(with_password, *tasks)
    assert run.result("text")["content"] == _service(SECRET)
    assert run.result("whole")["content"] == _service(SECRET)
    without = _run(player, *tasks)
    for name, place in (("text", "text.yaml:3: "), ("whole", "whole.yaml: the file cannot be")):
        assert without.result(name)["msg"].startswith(place)
    assert without.total("ignored") == 2
    assert SECRET not in without.stdout


def test_content_is_judged_by_the_same_rules(player: Player) -> None:
    run = _run(
        player,
        _task("mapping", {"content": _service("a")}),
        _task("yaml", {"content": "_format_version: '3.0'\na: &x\n  - 1\nb: *x\n"}),
        _task("no format", {"content": {"services": []}}),
        _task("wrong text", {"content": f"a: 1\nb: @{SECRET}\n"}),
        _task("number", {"content": 5}),
        _task("no path", {"src": {"a": 1}}),
        _task("both", {"content": _service("a"), "src": "a.yaml"}),
        _task("none", {}),
    )
    assert run.result("mapping")["content"] == _service("a")
    assert run.result("yaml")["content"] == {"_format_version": "3.0", "a": [1], "b": [1]}
    messages = {
        "no format": 'content: _format_version is missing, and must be "3.0"',
        "wrong text": "content:2: this is not valid YAML: found character",
        "number": "content must be a mapping, or a string that holds one",
        "no path": "src must be the path of a file or a directory, or a list of paths",
        "both": "parameters are mutually exclusive: src|content",
        "none": "one of the following is required: src, content",
    }
    for name, message in messages.items():
        assert run.result(name)["msg"].startswith(message)
    assert run.total("ignored") == len(messages)
    assert SECRET not in json.dumps(run.result("wrong text"))
