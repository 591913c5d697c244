# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks in a container of podman, whose name is the host's address."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: podman_exec
short_description: Run tasks in a container of podman
description: Runs commands and copies files by the engine's own command.
options:
  remote_addr:
    description: Name of the container.
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
"""


class Connection(ConnectionBase):  # type: ignore[misc]
    """A container that runs already."""

    transport = "podman_exec"
    has_pipelining = True

    def _connect(self) -> Connection:
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command line of the shell; return exit status, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        command = ["exec", "--interactive", self.get_option("remote_addr"), "/bin/sh", "-c", cmd]
        done = self._podman(command, in_data or b"")
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the container."""
        super().put_file(in_path, out_path)
        self._copy(in_path, f"{self.get_option('remote_addr')}:{out_path}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of the container."""
        super().fetch_file(in_path, out_path)
        self._copy(f"{self.get_option('remote_addr')}:{in_path}", out_path)

    def close(self) -> None:
        """Nothing is kept open."""

    def _copy(self, source: str, target: str) -> None:
        done = self._podman(["cp", source, target], b"")
        if done.returncode:
            raise AnsibleConnectionFailure(done.stderr.decode(errors="replace").strip())

    def _podman(
        self, command: Sequence[str], data: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["podman", *command], input=data, capture_output=True, check=False
        )
