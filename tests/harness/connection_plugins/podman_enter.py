# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks in a container of podman, whose name is the host's address, as root.

It enters the container's namespaces itself, since `podman exec` takes a second a call.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: podman_enter
short_description: Run tasks in a container of podman
description: Runs commands and copies files in the namespaces of a container that runs.
options:
  remote_addr:
    description: Name of the container.
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
"""

# What a login of root would have, and nothing of this process's environment.
LOGIN = ("env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:"
         "/usr/sbin:/usr/bin:/sbin:/bin", "/bin/sh", "-c")


class Connection(ConnectionBase):  # type: ignore[misc]
    """A container that runs already."""

    transport = "podman_enter"
    has_pipelining = True
    _pid = ""

    def _connect(self) -> Connection:
        if not self._pid:
            name = self.get_option("remote_addr")
            command = ["podman", "inspect", "--format", "{{.State.Pid}}", name]
            found = subprocess.run(command, capture_output=True, text=True, check=False)
            self._pid = found.stdout.strip()
            if found.returncode or self._pid in ("", "0"):
                raise AnsibleConnectionFailure(f"the container {name} does not run")
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command line of the shell; return exit status, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        self._connect()
        enter = ["nsenter", "--target", self._pid, "--mount", "--uts", "--ipc", "--pid", "--net",
                 "--root", "--wd"]
        done = subprocess.run(
            [*enter, *LOGIN, cmd], input=in_data or b"", capture_output=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the container."""
        super().put_file(in_path, out_path)
        self._copy(f"cat > '{out_path}'", Path(in_path).read_bytes())

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of the container."""
        super().fetch_file(in_path, out_path)
        Path(out_path).write_bytes(self._copy(f"cat '{in_path}'", b""))

    def close(self) -> None:
        """Nothing is kept open."""

    def _copy(self, command: str, data: bytes) -> bytes:
        status, output, errors = self.exec_command(command, data)
        if status:
            raise AnsibleConnectionFailure(errors.decode(errors="replace").strip())
        return output
