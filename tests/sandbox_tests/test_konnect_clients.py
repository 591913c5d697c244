# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Konnect's own clients at the sandbox, where they are on the PATH: decK and kongctl.

kongctl and decK's ping insist on hosts below konghq.com, over TLS: both names are given to
loopback in a mount namespace of their own, which needs root.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.deck import shared_document
from harness.gateway import sandbox
from sandbox_tests.cluster_support import Authority
from sandbox_tests.konnect_support import TOKEN, Konnect, konnect

HOSTS = ("us.api.konghq.com", "global.api.konghq.com")


def _runs(program: str) -> bool:
    """Whether a program is on the PATH and starts."""
    if shutil.which(program) is None:
        return False
    return subprocess.run([program, "version"], capture_output=True, check=False).returncode == 0


needs_deck = pytest.mark.skipif(not _runs("deck"), reason="no `deck` is on the PATH")
needs_kongctl = pytest.mark.skipif(not _runs("kongctl"), reason="no `kongctl` is on the PATH")
needs_names = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="names can be given to loopback by root with `unshare` only",
)


def _run(folder: pathlib.Path, *command: str, **more: str) -> str:
    """Run a client that tells its makers nothing; what it says."""
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("DECK_", "KONG", "KONNECT_"))
    }
    quiet = {"KONGCTL_NO_TELEMETRY": "true", "DO_NOT_TRACK": "1", "HOME": str(folder)}
    ended = subprocess.run(
        command, env={**kept, **quiet, **more}, capture_output=True, text=True, check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@dataclass(frozen=True)
class Named:
    """A sandbox that is us.api.konghq.com and global.api.konghq.com to what `run` runs."""

    client: Konnect
    folder: pathlib.Path
    port: int

    @property
    def url(self) -> str:
        """The regional host's."""
        return f"https://{HOSTS[0]}:{self.port}"

    def run(self, *command: str) -> str:
        """Run a client to which both names are loopback."""
        hosts = self.folder / "hosts"
        bound = f'mount --bind {hosts} /etc/hosts && exec "$@"'
        trusted = str(self.folder / "trusted.pem")
        return _run(self.folder, "unshare", "-m", "sh", "-c", bound, "sh", *command,
                    SSL_CERT_FILE=trusted)


@pytest.fixture
def named(tmp_path: pathlib.Path) -> Iterator[Named]:
    pair = Authority(tmp_path).alone(HOSTS[0], more=HOSTS[1:])
    (tmp_path / "hosts").write_text("".join(f"127.0.0.1 {name}\n" for name in HOSTS))
    shutil.copy(pair.certificate, tmp_path / "trusted.pem")
    tls = ("--admin-tls-cert", str(pair.certificate), "--admin-tls-key", str(pair.key))
    with sandbox("--mode", "konnect", "--organization", "Irishtek", *tls) as gateway:
        # By the address, which is none of the certificate's names.
        verify = ssl.create_default_context(cafile=pair.certificate)
        verify.check_hostname = False
        client = Konnect(gateway.admin_url, verify=verify)
        yield Named(client, tmp_path, int(gateway.admin_url.rpartition(":")[2]))


def _deck(verb: str, url: str, *more: str) -> list[str]:
    where = ["--konnect-addr", url, "--konnect-token", TOKEN, "--analytics=false"]
    return ["deck", "gateway", verb, *more, *where]


def _summary(said: str) -> dict[str, int]:
    lines = [line.split(":") for line in said.splitlines() if line.startswith("  ")]
    return {name.strip(): int(count) for name, count in lines[-3:]}


def _listed(said: str) -> list[dict[str, Any]]:
    """What kongctl lists: one alone is no list."""
    found = json.loads(said)
    return [found] if isinstance(found, dict) else list(found)


@needs_deck
def test_deck_finds_nothing_to_do_after_its_own_sync_and_dumps_what_it_wrote(
    tmp_path: pathlib.Path,
) -> None:
    document: dict[str, Any] = shared_document(tmp_path)
    file = tmp_path / "kong.yaml"
    file.write_text(yaml.safe_dump(document))
    with konnect() as client:
        url = str(client.client.base_url).rstrip("/")
        first = _summary(_run(tmp_path, *_deck("sync", url, str(file))))
        assert first["Created"] > 8 and (first["Updated"], first["Deleted"]) == (0, 0)
        nothing = {"Created": 0, "Updated": 0, "Deleted": 0}
        assert _summary(_run(tmp_path, *_deck("diff", url, str(file)))) == nothing
        assert _summary(_run(tmp_path, *_deck("sync", url, str(file)))) == nothing
        dumped = [tmp_path / name for name in ("one.yaml", "two.yaml")]
        tag = document["_info"]["select_tags"][0]
        for path in dumped:
            _run(tmp_path, *_deck("dump", url, "--select-tag", tag, "-o", str(path)))
        assert dumped[0].read_text() == dumped[1].read_text()
        assert _summary(_run(tmp_path, *_deck("sync", url, str(dumped[0])))) == nothing
        target = document["upstreams"][0]["targets"][0]
        target["weight"] = 7
        file.write_text(yaml.safe_dump(document))
        changed = _summary(_run(tmp_path, *_deck("sync", url, str(file))))
        assert changed == {"Created": 0, "Updated": 1, "Deleted": 0}
        targets = client.call("GET", f"{client.control_plane()}/core-entities/targets")["data"]
        assert {each["target"]: each["weight"] for each in targets}[target["target"]] == 7
        _run(tmp_path, *_deck("reset", url, "--force"))
        assert client.call("GET", f"{client.control_plane()}/core-entities/services") == {
            "data": []}


@needs_deck
@needs_names
def test_decks_ping_names_the_organization(named: Named) -> None:
    said = named.run(*_deck("ping", named.url))
    assert "Successfully Konnected to the Irishtek organization!" in said


@needs_kongctl
@needs_names
def test_kongctl_lists_creates_and_deletes_control_planes_and_certificates(named: Named) -> None:
    where = ["--base-url", named.url, "--pat", TOKEN]
    listing = ["kongctl", "get", "konnect", "gateway", "control-planes", *where, "-o", "json"]
    assert [each["name"] for each in _listed(named.run(*listing))] == ["default"]
    file = named.folder / "planes.yaml"
    certificate = Authority(named.folder).alone("dp").certificate.read_text()
    file.write_text(yaml.safe_dump({"control_planes": [
        {"ref": "one", "name": "one", "description": "by kongctl", "labels": {"team": "a"},
         "data_plane_certificates": [{"ref": "dp", "cert": certificate}]},
    ]}))
    apply = ["kongctl", "apply", "-f", str(file), "--auto-approve", *where]
    named.run(*apply)
    made = {each["name"]: each for each in _listed(named.run(*listing))}
    assert made["one"]["description"] == "by kongctl"
    pinned = f"{named.client.control_plane('one')}/dp-client-certificates"
    (item,) = named.client.call("GET", pinned)["items"]
    assert item["cert"].strip() == certificate.strip()
    named.run(*apply)
    assert named.client.call("GET", pinned)["items"] == [item]
    # A plan of what is left to do has nothing; one that was saved does what it says.
    plan = named.folder / "plan.json"
    saving = ["kongctl", "plan", "-f", str(file), "--output-file", str(plan), *where]
    named.run(*saving, "--mode", "sync")
    assert json.loads(plan.read_text())["changes"] == []
    file.write_text(file.read_text().replace("by kongctl", "by a plan"))
    plan.unlink()
    named.run(*saving, "--mode", "sync")
    assert [each["action"] for each in json.loads(plan.read_text())["changes"]] == ["UPDATE"]
    named.run("kongctl", "sync", "--plan", str(plan), "--auto-approve", *where)
    made = {each["name"]: each for each in _listed(named.run(*listing))}
    assert made["one"]["description"] == "by a plan"
    named.run("kongctl", "delete", "-f", str(file), "--auto-approve", *where)
    assert [each["name"] for each in _listed(named.run(*listing))] == ["default"]
