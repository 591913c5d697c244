# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role data_plane's program for certificates: what it takes, makes anew and leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.paths import ROOT

PROGRAM = ROOT / "roles/data_plane/files/certificate.py"
NAMES = ("kong", "10.0.0.1", "::1", "2001:DB8:0:0::1")


def _openssl(*words: str | Path) -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=True)
    return done.stdout


class Helper:
    """Calls the program for one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: tuple[str, ...] = NAMES
        self.more: tuple[str, ...] = ()

    def call(self, action: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run an action, with no terminal that could be asked for a passphrase."""
        names = [word for name in self.names for word in ("--alternative-name", name)]
        own = ["--folder", str(self.folder), "--name", "kong", *names, *self.more]
        return subprocess.run(
            [sys.executable, str(PROGRAM), action, *own, *map(str, words)],
            capture_output=True, text=True, check=False, start_new_session=True, timeout=60,
        )

    def ok(self, action: str, *words: str | Path) -> dict[str, Any]:
        """What it answers."""
        done = self.call(action, *words)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def refused(self, action: str, *words: str | Path) -> str:
        """The one sentence with which it refuses."""
        done = self.call(action, *words)
        assert done.returncode == 1, done.stdout
        said = done.stderr.strip()
        assert "\n" not in said
        assert "Traceback" not in said
        return said

    def make(self) -> str:
        """Make a self-signed pair and use it; its certificate."""
        made = str(self.ok("prepare", "--self-signed")["new"])
        self.ok("install")
        return made


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    """A folder without any certificate."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    return Helper(folder)


def _pair(folder: Path, *key_words: str) -> tuple[Path, Path]:
    certificate, key = folder / "given.crt", folder / "given.key"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=kong", "-keyout", key]
    _openssl(*words, "-out", certificate, *(key_words or ("-nodes",)))
    return certificate, key


def test_names_and_addresses_are_the_same_in_each_spelling(helper: Helper) -> None:
    assert helper.ok("look")["needed"]
    helper.make()
    assert not helper.ok("look")["needed"]
    helper.names = ("kong", "::1", "10.0.0.1", "2001:db8::1")
    assert not helper.ok("look")["needed"]


@pytest.mark.parametrize("names", [NAMES[:-1], (*NAMES, "other"), ("kong",)])
def test_another_set_of_names_needs_another_certificate(
    helper: Helper, names: tuple[str, ...]
) -> None:
    helper.make()
    helper.names = names
    assert helper.ok("look")["needed"]


def test_a_name_that_is_none_is_refused(helper: Helper) -> None:
    helper.names = ("fe80::zz",)
    assert helper.refused("prepare", "--self-signed").startswith("fe80::zz is neither")


def test_a_pair_that_an_interrupted_run_left_is_taken_up(helper: Helper) -> None:
    made = helper.ok("prepare", "--self-signed")["new"]
    assert helper.ok("prepare", "--self-signed")["new"] == made
    helper.more = ("--key-type", "rsa", "--bits", "2048")
    assert helper.ok("prepare", "--self-signed")["new"] != made
    helper.ok("install")
    assert "2048 bit" in _openssl("pkey", "-in", helper.folder / "tls.key", "-text", "-noout")


def test_what_stands_around_a_given_pair_is_left_out(helper: Helper, tmp_path: Path) -> None:
    certificate, key = _pair(tmp_path)
    plain = certificate.read_text()
    for path in (certificate, key):
        path.write_text(f"# Größe: 1\n{path.read_text()}# end\n", encoding="utf-8")
    given = ("--certificate", certificate, "--key", key)
    assert helper.ok("given", *given)["needed"]
    helper.ok("install")
    assert not helper.ok("given", *given)["needed"]
    assert (helper.folder / "tls.crt").read_text() == plain
    assert sorted(path.name for path in helper.folder.iterdir()) == ["tls.crt", "tls.key"]


def test_a_given_pair_that_cannot_be_used_is_refused_by_its_path(
    helper: Helper, tmp_path: Path
) -> None:
    certificate, key = _pair(tmp_path, "-passout", "pass:word")
    given = ("--certificate", certificate, "--key", key)
    assert "given.key is no private key that can be read" in helper.refused("given", *given)
    certificate.write_text("no certificate\n")
    assert helper.refused("given", *given).endswith("given.crt holds no certificate in PEM.")
    certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert helper.refused("given", *given).startswith("openssl x509 failed: ")
    assert list(helper.folder.iterdir()) == []


def test_a_file_that_holds_no_certificate_any_more_is_replaced(helper: Helper) -> None:
    made = helper.make()
    (helper.folder / "tls.crt").write_text("")
    assert helper.ok("look")["needed"]
    assert helper.make() != made
