# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role data_plane's program for certificates: what it takes, makes anew and leaves behind."""

from __future__ import annotations

import base64
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
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
            timeout=60,
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
    words: list[str | Path] = ["req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=kong"]
    _openssl(*words, "-keyout", key, "-out", certificate, *(key_words or ("-nodes",)))
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


def _signed(folder: Path, name: str, by: Path, *more: str) -> Path:
    """A certificate that another, without its ending, has signed; its path without its ending."""
    path = folder / name
    _openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        f"/CN={name}",
        "-keyout",
        f"{path}.key",
        "-out",
        f"{path}.csr",
    )
    extensions = path.with_suffix(".cnf")
    extensions.write_text("\n".join(more))
    _openssl(
        "x509",
        "-req",
        "-in",
        f"{path}.csr",
        "-CA",
        f"{by}.crt",
        "-CAkey",
        f"{by}.key",
        "-set_serial",
        "7",
        "-out",
        f"{path}.crt",
        "-extfile",
        extensions,
    )
    return path


def _authority(folder: Path, name: str) -> Path:
    path = folder / name
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        f"/CN={name}",
        "-keyout",
        f"{path}.key",
        "-out",
        f"{path}.crt",
    )
    return path


def _text(*paths: Path) -> str:
    joined = "".join(Path(f"{path}.crt").read_text() for path in paths)
    return base64.b64encode(joined.encode()).decode()


def test_another_ca_comes_with_another_certificate_and_both_go_back(
    helper: Helper, tmp_path: Path
) -> None:
    texts = []
    for name in ("one", "two"):
        authority = _authority(tmp_path, name)
        request = base64.b64encode(str(helper.ok("prepare")["request"]).encode()).decode()
        pair = ("--certificate", f"{authority}.crt", "--key", f"{authority}.key")
        new = str(helper.ok("sign", "--text", request, *pair)["new"])
        known = ("--text", base64.b64encode(new.encode()).decode(), "--ca", _text(authority))
        assert helper.ok("look", *known)["needed"]
        helper.ok("install", *known)
        assert not helper.ok("look", *known)["needed"]
        texts.append((helper.folder / "ca.crt").read_text())
    assert texts[0] != texts[1]
    helper.ok("restore")
    assert (helper.folder / "ca.crt").read_text() == texts[0]
    assert not helper.ok("look", "--ca", _text(tmp_path / "one"))["needed"]


def test_a_chain_must_lead_to_a_root_as_gateways_want_it(helper: Helper, tmp_path: Path) -> None:
    root = _authority(tmp_path, "root")
    middle = _signed(tmp_path, "middle", root, "basicConstraints=critical,CA:TRUE")
    leaf = _signed(tmp_path, "kong_clustering", middle)
    given = ("--certificate", f"{leaf}.crt", "--key", f"{leaf}.key")
    assert "lacks the root" in helper.refused("given", *given, "--ca", _text(middle))
    assert helper.ok("given", *given, "--ca", _text(middle, root))["needed"]
    authority = ("--certificate", f"{middle}.crt", "--key", f"{middle}.key")
    assert "without its root" in helper.refused("authority", *authority)
    Path(f"{middle}.crt").write_text(base64.b64decode(_text(middle, root)).decode())
    assert helper.ok("authority", *authority)["ca"]


def test_a_shared_pair_signs_itself_and_has_the_name_that_is_asked_for(
    helper: Helper, tmp_path: Path
) -> None:
    certificate, key = _pair(tmp_path)
    shared = ("--shared", "--certificate", certificate, "--key", key)
    assert "is not for the name kong_clustering" in helper.refused("given", *shared)
    leaf = _signed(tmp_path, "kong_clustering", _authority(tmp_path, "root"))
    words = ("--shared", "--certificate", f"{leaf}.crt", "--key", f"{leaf}.key")
    assert "was signed by a CA: name" in helper.refused("given", *words)
    name = ("-subj", "/CN=kong_clustering")
    _openssl("req", "-x509", "-new", "-key", key, *name, "-out", certificate)
    assert helper.ok("given", *shared)["needed"]


def test_a_file_that_holds_no_certificate_any_more_is_replaced(helper: Helper) -> None:
    made = helper.make()
    (helper.folder / "tls.crt").write_text("")
    assert helper.ok("look")["needed"]
    assert helper.make() != made
