# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make packages and a signed repository of them: `python -m image.package FOLDER`.

It is laid out as the gateway's: `FOLDER/gateway-310/deb/debian` holds the packages of the series
3.10 and `FOLDER/gateway-310/gpg.key` the public half of a key that is made for it and thrown
away. It prints `series url-path fingerprint` a series.
"""

from __future__ import annotations

import argparse
import email.utils
import gzip
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from image import tree
from image.tree import BUILD, FILES, RELEASES, Failed, Release, run

SUITE = "trixie"
COMPONENT = "main"
ARCHITECTURES = ("amd64", "arm64")
OWNER = "irishtek.kong tests <tests@example.test>"


def _control(release: Release) -> str:
    names = {each.package for each in RELEASES}
    return (
        f"Package: {release.package}\nVersion: {release.full}\nArchitecture: all\n"
        f"Maintainer: {OWNER}\nDepends: openssl, python3 (>= 3.11)\n"
        "Section: net\nPriority: optional\n"
        f"Conflicts: {', '.join(sorted(names - {release.package}))}\n"
        "Description: a sandbox gateway under the name of the real one\n"
    )


def package(release: Release, folder: Path) -> Path:
    """The Debian package of a release, made once for its content; a copy of it in `folder`."""
    name = f"{release.package}_{release.full}_all.deb"
    kept = BUILD / f"deb-{tree.content(release)}" / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as draft:
            root = Path(draft) / "root"
            tree.make(release, root)
            unit = root / f"lib/systemd/system/{release.package}.service"
            unit.parent.mkdir(parents=True)
            shutil.copy(FILES / "kong.service", unit)
            (root / "DEBIAN").mkdir()
            (root / "DEBIAN/control").write_text(_control(release), encoding="utf-8")
            for script in ("postinst", "prerm"):
                shutil.copy(FILES / script, root / "DEBIAN" / script)
            made = Path(draft) / name
            run("dpkg-deb", "--build", "--root-owner-group", "-Zgzip", "-z1", root, made)
            made.rename(kept)
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(kept, folder / name))


def _gpg(home: Path, *arguments: str | Path) -> str:
    return run("gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback",
               "--passphrase", "", *arguments)


def make_key(home: Path) -> str:
    """A new key in a GnuPG folder of its own; its fingerprint."""
    home.mkdir(mode=0o700)
    _gpg(home, "--quick-generate-key", OWNER, "ed25519", "sign", "never")
    listed = _gpg(home, "--list-keys", "--with-colons")
    return next(line for line in listed.splitlines() if line.startswith("fpr:")).split(":")[9]


def _release_file(root: Path, paths: Iterable[Path]) -> str:
    """The text that names a suite and the digests of its indexes."""
    head = {
        "Origin": "irishtek.kong tests",
        "Suite": SUITE,
        "Codename": SUITE,
        "Date": email.utils.formatdate(usegmt=True).replace("GMT", "UTC"),
        "Architectures": " ".join(ARCHITECTURES),
        "Components": COMPONENT,
    }
    lines = [f"{key}: {value}" for key, value in head.items()] + ["SHA256:"]
    for path in paths:
        data = path.read_bytes()
        name = path.relative_to(root)
        lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}")
    return "\n".join(lines) + "\n"


def index(root: Path, home: Path) -> None:
    """Index and sign the packages below `root/pool`, as apt wants them."""
    suite = root / "dists" / SUITE
    made = []
    for architecture in ARCHITECTURES:
        folder = suite / COMPONENT / f"binary-{architecture}"
        folder.mkdir(parents=True, exist_ok=True)
        scanned = subprocess.run(
            ["dpkg-scanpackages", "--multiversion", "--arch", architecture, "pool"],
            cwd=root, capture_output=True, check=True,
        ).stdout
        (folder / "Packages").write_bytes(scanned)
        (folder / "Packages.gz").write_bytes(gzip.compress(scanned, mtime=0))
        made += [folder / "Packages", folder / "Packages.gz"]
    (suite / "Release").write_text(_release_file(suite, made), encoding="utf-8")
    _gpg(home, "--yes", "--clearsign", "--output", suite / "InRelease", suite / "Release")
    _gpg(home, "--yes", "--armor", "--detach-sign", "--output", suite / "Release.gpg",
         suite / "Release")


def repository(folder: Path, releases: Iterable[Release] = RELEASES) -> dict[str, str]:
    """Make a repository a series below `folder`; the key's fingerprint by series."""
    made: dict[str, str] = {}
    releases = list(releases)
    BUILD.mkdir(parents=True, exist_ok=True)
    for series in dict.fromkeys(release.series for release in releases):
        place = folder / f"gateway-{series.replace('.', '')}"
        root = place / "deb/debian"
        for release in releases:
            if release.series == series:
                package(release, root / "pool" / SUITE / COMPONENT)
        # gpg's sockets need a short path, which a folder of the tests may not be.
        with tempfile.TemporaryDirectory(prefix="gpg-") as draft:
            home = Path(draft) / "home"
            made[series] = make_key(home)
            index(root, home)
            _gpg(home, "--armor", "--output", place / "gpg.key", "--export", made[series])
            run("gpgconf", "--homedir", home, "--kill", "all")
    return made


def main() -> int:
    """Exit status: 0, or 2 with a sentence where something is missing."""
    parser = argparse.ArgumentParser(prog="image.package")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    try:
        for series, fingerprint in repository(given.folder).items():
            print(series, f"gateway-{series.replace('.', '')}/deb/debian", fingerprint)
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
