# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted values for playbooks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.paths import BINARIES


@dataclass(frozen=True)
class Vault:
    """A file of encrypted variables, and the environment that opens it."""

    file: str
    environment: Mapping[str, str]


def vault(folder: Path, values: Mapping[str, str]) -> Vault:
    """Write these variables to a YAML file in `folder`, each of them encrypted."""
    password = folder / "vault-password"
    password.write_text("open sesame\n")
    environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
    variables = folder / "vaulted.yml"
    lines = [
        subprocess.run(
            [BINARIES / "ansible-vault", "encrypt_string", "--name", name, value],
            env={**os.environ, **environment}, cwd=folder, check=True, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        ).stdout
        for name, value in values.items()
    ]
    variables.write_text("---\n" + "\n".join(lines))
    return Vault(str(variables), environment)
