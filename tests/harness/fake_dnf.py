# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the module dnf, for the packages of fake_package.py: `NAME-VERSION`, or absent."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Install or remove the one package."""
    module = AnsibleModule(
        {"name": {}, "state": {"default": "present"}, "allow_downgrade": {"type": "bool"},
         "update_cache": {"type": "bool"}},
        supports_check_mode=True,
    )
    folder = Path(os.environ["FAKE_PACKAGE"])
    path = folder / "state.json"
    state = json.loads(path.read_text()) if path.exists() else {"active": False, "enabled": False}
    version = "" if module.params["state"] == "absent" else module.params["name"].split("-")[-1]
    if (folder / f"{module.params['name']}.missing").exists():
        module.fail_json(f"No package {module.params['name']} available.")
    changed = state.get("installed", "") != version
    if not module.check_mode:
        state["installed"] = version
        path.write_text(json.dumps(state))
        with (folder / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps(["dnf", version]) + "\n")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
