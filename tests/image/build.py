# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the images: `PYTHONPATH=tests python -m image.build`. It prints a line an image.

`localhost/kong-sandbox:3.9` and `:3.10` behave as the gateway's own images; in
`localhost/kong-sandbox-host:trixie` systemd is the init. `localhost/kong-sandbox-postgresql`, the
database of a real gateway, and `localhost/kong-sandbox-host:rpm` are made only where they are
named. Without any registry: the base is a
Debian made by debootstrap. What is there already with the same content is not made again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from image import tree
from image.tree import BUILD, FILES, RELEASES, Failed, Release, digest, run

SUITE = "trixie"
PACKAGES = (
    "python3", "python3-apt", "systemd", "systemd-sysv", "dbus", "openssl", "ca-certificates",
    "gnupg", "iproute2", "procps",
)
# Lists and archives of packages are half of its size; apt cannot lock a folder that is not there.
EMPTIED = ("var/cache/apt/archives", "var/lib/apt/lists")
BASE = "localhost/kong-sandbox-base"
GATEWAY = "localhost/kong-sandbox"
HOST = f"localhost/kong-sandbox-host:{SUITE}"
RPM_HOST = "localhost/kong-sandbox-host:rpm"
POSTGRESQL = f"localhost/kong-sandbox-postgresql:{SUITE}"

#: The label by which an image says what it was made of.
LABEL = "irishtek.kong.content"


def _content_of(image: str) -> str | None:
    """What an image was made of; None where it is not there."""
    command = ["podman", "image", "inspect", image]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Failed("The command podman is needed and not here.") from error
    if ended.returncode:
        return None
    labels = json.loads(ended.stdout)[0].get("Labels") or {}
    found = labels.get(LABEL)
    return None if found is None else str(found)


def base() -> str:
    """The base image, from Debian's archive; its content's digest."""
    content = digest([], SUITE, *PACKAGES, *EMPTIED)
    if _content_of(f"{BASE}:latest") == content:
        return content
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        included = "--include=" + ",".join(PACKAGES)
        # What it mounts goes with its namespace; a /proc that stays would be packed, too.
        run("unshare", "--mount", "debootstrap", "--variant=minbase", included, SUITE, root)
        for kept in EMPTIED:
            for path in filter(Path.is_file, (root / kept).rglob("*")):
                path.unlink()
        run("tar", "-C", root, "-cf", archive, ".")
        label = f"LABEL {LABEL}={content}"
        run("podman", "import", "--quiet", "--change", label, archive, f"{BASE}:latest")
    return content


def _build(image: str, recipe: str, content: str, context: Path) -> None:
    """Build an image; the one of that name before goes, unless a container has it still."""
    show = ["podman", "image", "inspect", "--format", "{{.Id}}", image]
    before = subprocess.run(show, capture_output=True, text=True, check=False).stdout.split()
    run(
        "podman", "build", "--quiet", "--layers=false", "--network", "host", "--format", "docker",
        "--label", f"{LABEL}={content}", "--tag", image, "--file", FILES / recipe, context,
    )
    for identifier in before:
        subprocess.run(["podman", "rmi", identifier], capture_output=True, check=False)


def gateway(release: Release) -> str:
    """The image of one release; its name."""
    image = f"{GATEWAY}:{release.series}"
    content = f"{base()}-{tree.content(release)}"
    if _content_of(image) != content:
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            root = Path(folder) / "tree"
            tree.make(release, root)
            shutil.copy(FILES / "docker-entrypoint.sh", root)
            _build(image, "Containerfile.gateway", content, Path(folder))
    return image


def _derived(image: str, recipe: str, folder: str = "host", below: str = "") -> str:
    """An image that is the base, or that of the content `below`, and a recipe; its name."""
    files = FILES / folder
    content = f"{below or base()}-{digest([FILES / recipe, files])}"
    if _content_of(image) != content:
        with tempfile.TemporaryDirectory(dir=BUILD) as context:
            shutil.copytree(files, Path(context) / folder)
            _build(image, recipe, content, Path(context))
    return image


def host() -> str:
    """The image with systemd as its init; its name."""
    return _derived(HOST, "Containerfile.host")


def rpm_host() -> str:
    """The image of a host with dnf and packages of rpm; its name."""
    return _derived(RPM_HOST, "Containerfile.rpm", "rpm", _content_of(host()) or "")


def postgresql() -> str:
    """The image with a PostgreSQL, whose user, password and database are `kong`; its name."""
    return _derived(POSTGRESQL, "Containerfile.postgresql")


def main() -> int:
    """Exit status: 0, or 2 with a sentence where something is missing."""
    parser = argparse.ArgumentParser(prog="image.build", description=__doc__)
    parser.add_argument("only", nargs="?", choices=["base", "gateway", "host", "rpm", "postgresql"])
    given = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        if given.only == "base":
            base()
        if given.only in (None, "gateway"):
            for release in RELEASES:
                if release.edition == "community":
                    print(gateway(release), flush=True)
        if given.only in (None, "host"):
            print(host(), flush=True)
        if given.only == "rpm":
            print(rpm_host(), flush=True)
        if given.only == "postgresql":
            print(postgresql(), flush=True)
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
