# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for rpm, gpg, systemctl, systemd-analyze and kong on a host with packages.

Called with the command as its first word; FAKE_PACKAGE names the folder of its state: state.json
(`installed`, a version; `active` and `enabled`, of the unit) and calls.jsonl (what it was asked to
change). The gateway 3.9.8 refuses all settings, and that of 3.9.9 does not start.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_PACKAGE"])
STATE = FOLDER / "state.json"
State = dict[str, Any]


def load() -> State:
    """What is installed and runs."""
    nothing = {"installed": "", "active": False, "enabled": False}
    return dict(json.loads(STATE.read_text())) if STATE.exists() else nothing


def note(*words: str) -> None:
    """Note a call that changes something."""
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(words) + "\n")


def _rpm(state: State, words: list[str]) -> int:
    if "gpg-pubkey" in words:
        return 1
    print(f"installed {state['installed']}" if state["installed"] else "package is not installed")
    return 0 if state["installed"] else 1


def _gpg(state: State, words: list[str]) -> int:
    print("pub:-:255:22:0123456789ABCDEF:1::::::scESC:")
    return 0


def _systemctl(state: State, words: list[str]) -> int:
    verb = next(word for word in words if not word.startswith("-"))
    if verb == "show":
        active = "active" if state["active"] else "inactive"
        print(f"LoadState=loaded\nActiveState={active}\nSubState=running")
    elif verb == "is-active":
        print("active" if state["active"] else "inactive")
    elif verb == "is-enabled":
        print("enabled" if state["enabled"] else "disabled")
        return 0 if state["enabled"] else 1
    elif verb in ("enable", "disable"):
        state["enabled"] = verb == "enable"
    elif verb in ("start", "stop", "restart", "reload"):
        note("systemctl", verb)
        state["active"] = verb != "stop" and state["installed"] != "3.9.9"
        return 0 if state["active"] or verb == "stop" else 1
    return 0


def _kong(state: State, words: list[str]) -> int:
    if words[0] == "check" and state["installed"] == "3.9.8":
        print("Error: 3.9.8 refuses this", file=sys.stderr)
        return 1
    return 0


def main(program: str, words: list[str]) -> int:
    """Do what the command would, as far as the role asks it."""
    state = load()
    commands = {"gpg": _gpg, "kong": _kong, "rpm": _rpm, "systemctl": _systemctl}
    status = commands[program](state, words) if program in commands else 0
    STATE.write_text(json.dumps(state))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
