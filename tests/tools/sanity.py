# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The legs of `ansible-test sanity`: one for each ansible-core that an interpreter is there for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import BUILD, PACKAGE, Broken

CACHE = Path.home() / ".ansible/test/cache"

# ansible-test starts this file as if it were get-pip; the wheel beside it needs no download.
BOOTSTRAP = '''\
import os
import sys

wheel = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wheels", "{wheel}")
sys.path.insert(0, wheel)
from pip._internal.cli.main import main

skipped = ("--no-setuptools", "--no-wheel")
wanted = [word for word in sys.argv[1:] if word not in skipped]
sys.exit(main(["install", "--upgrade", "--force-reinstall"] + wanted))
'''


@dataclass(frozen=True)
class Leg:
    """An ansible-core to check with, and the Pythons that may run it, the preferred one first.

    `target` is the Python checked for where it is another one, `only` the tests to run there.
    """

    name: str
    requirements: str
    pythons: tuple[str, ...]
    target: str = ""
    only: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Return where this leg's copy of the collection lies, as ansible-test wants it."""
        return BUILD / "sanity" / self.name / PACKAGE

    @property
    def venv(self) -> Path:
        """Return the leg's own virtual environment."""
        return BUILD / f"venv-{self.requirements}"


CONTROLLERS_2_19 = ("3.11", "3.12", "3.13")
LEGS = (
    Leg("sanity-2.19", "sanity-2.19", CONTROLLERS_2_19),
    Leg("sanity-newest", "sanity-newest", ("3.14", "3.13", "3.12")),
    # The oldest Python that modules promise to run on (tests/config.yml).
    Leg("sanity-oldest", "sanity-2.19", CONTROLLERS_2_19, "3.9", ("compile", "import")),
)
# What a release is checked with, too: every other ansible-core that is supported.
RELEASE_LEGS = (
    Leg("sanity-2.17", "sanity-2.17", ("3.12", "3.11", "3.10")),
    Leg("sanity-2.18", "sanity-2.18", ("3.13", "3.12", "3.11")),
    Leg("sanity-2.20", "sanity-2.20", ("3.13", "3.14", "3.12")),
)


def offline_bootstrap(bin_folder: Path, execute: Callable[..., int]) -> None:
    """Put pip's wheel where ansible-test looks for get-pip, unless something is there already.

    ansible-test makes its environments without pip and downloads get-pip from a host of its own;
    with this in its cache the package index is enough.
    """
    requirements = next(
        bin_folder.parent.glob("lib/python*/site-packages/ansible_test/_internal/"
                               "python_requirements.py")
    )
    found = re.search(r"pip='([\d.]+)'", requirements.read_text())
    if not found:
        raise Broken("this ansible-test does not say which pip it wants")
    version = found.group(1)
    script = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    wheels = CACHE / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    pip = [bin_folder / "python", "-m", "pip", "--disable-pip-version-check"]
    if execute([*pip, "download", "--quiet", "--no-deps", "--dest", wheels, f"pip=={version}"]):
        raise Broken(f"pip {version}, which ansible-test wants, cannot be downloaded")
    wheel = next(wheels.glob(f"pip-{version}-*.whl"))
    # Moved into place at once: another leg may look at the same moment.
    draft = script.with_suffix(f".{bin_folder.parent.name}")
    draft.write_text(BOOTSTRAP.format(wheel=wheel.name))
    draft.rename(script)
