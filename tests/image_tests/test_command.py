# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's command `kong` starts, reloads and ends gateways as the real one does."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from harness.gateway import Gateway
from harness.paths import ROOT
from harness.processes import server
from sandbox_tests.cluster_support import Authority
from sandbox_tests.proxy_support import echo_servers, eventually, free_port

TESTS = ROOT / "tests"


@dataclass
class Host:
    """A prefix of its own for a gateway, and its settings as an environment."""

    prefix: pathlib.Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("proxy", "admin", "status"):
            self.settings.setdefault(f"{name}_listen", f"127.0.0.1:{free_port()}")
        self.settings.setdefault("database", "off")

    def kong(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KONG_")}
        own = {f"KONG_{key.upper()}": value for key, value in self.settings.items()}
        # Files and not pipes: what the command leaves running would keep a pipe open.
        out, err = self.prefix.with_suffix(".out"), self.prefix.with_suffix(".err")
        with out.open("w") as output, err.open("w") as errors:
            ended = subprocess.run(
                [sys.executable, "-m", "image.kong", *arguments],
                env={**kept, **own, "KONG_PREFIX": str(self.prefix), "PYTHONPATH": str(TESTS)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, timeout=60, check=False,
            )
        return subprocess.CompletedProcess(
            ended.args, ended.returncode, out.read_text(), err.read_text()
        )

    def ok(self, *arguments: str) -> str:
        """Run a command that has to succeed; what it said."""
        ended = self.kong(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def refused(self, *arguments: str) -> str:
        """Run a command that has to fail; what it said."""
        ended = self.kong(*arguments)
        assert ended.returncode == 1, ended.stdout
        return ended.stderr

    def url(self, name: str) -> str:
        """Where one of its ports is."""
        return f"http://{self.settings[f'{name}_listen']}"

    def get(self, name: str, path: str = "/") -> httpx.Response:
        """Ask one of its ports."""
        return httpx.get(self.url(name) + path, trust_env=False)

    def log(self) -> str:
        """The error log."""
        return (self.prefix / "logs/error.log").read_text("utf-8")

    def workers(self) -> list[int]:
        """The ids of the processes that serve, as the status port tells them."""
        workers = self.get("status", "/status").json()["memory"]["workers_lua_vms"]
        assert all(worker["http_allocated_gc"].endswith(" MiB") for worker in workers)
        return [worker["pid"] for worker in workers]


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path / "kong")


@contextlib.contextmanager
def started(host: Host) -> Iterator[Host]:
    """A gateway that runs until the block ends."""
    assert host.ok("start") == "Kong started\n"
    try:
        yield host
    finally:
        host.kong("stop")


def test_a_gateway_starts_answers_and_ends(host: Host) -> None:
    assert "Kong is not running at" in host.refused("health")
    with started(host):
        assert "Kong is healthy at" in host.ok("health")
        assert host.get("proxy").json()["message"] == "no Route matched with those values"
        assert host.get("status", "/status/ready").status_code == 503
        assert "already running" in host.refused("start")
        assert host.ok("quit") == "Kong stopped (gracefully)\n"
        assert "Kong is not running at" in host.refused("health")
        with pytest.raises(httpx.ConnectError):
            host.get("proxy")


def test_a_taken_port_is_named(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        host.settings["proxy_listen"] = address
        assert f"bind() to {address} failed (98: Address already in use)" in host.refused("start")


def test_settings_that_are_no_good_are_refused_before_the_start(host: Host) -> None:
    host.settings["log_level"] = "loud"
    assert "Error: log_level has an invalid value: 'loud'" in host.refused("start")
    assert "[error]" in host.refused("check")
    assert not (host.prefix / ".kong_env").exists()


def test_check_judges_a_file(host: Host, tmp_path: pathlib.Path) -> None:
    conf = tmp_path / "kong.conf"
    conf.write_text("log_level = debug\n")
    assert host.ok("check", str(conf)) == f"configuration at {conf} is valid\n"
    conf.write_text("log_level = loud\n")
    assert "invalid value: 'loud'" in host.refused("check", "-c", str(conf))


def test_a_reload_takes_new_settings_and_drops_no_request(
    host: Host, tmp_path: pathlib.Path
) -> None:
    document = tmp_path / "kong.yml"
    document.write_text('_format_version: "3.0"\nupstreams: [{name: one}]\n')
    host.settings["declarative_config"] = str(document)
    statuses, ending = set[int](), threading.Event()

    def ask() -> None:
        while not ending.is_set():
            statuses.add(host.get("proxy").status_code)

    with started(host):
        old = host.settings["status_listen"]
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            document.write_text('_format_version: "3.0"\nupstreams: [{name: two}]\n')
            host.settings["status_listen"] = f"127.0.0.1:{free_port()}"
            assert host.ok("reload") == "Kong reloaded\n"
            eventually(lambda: host.log().count("reloaded"))
        finally:
            ending.set()
            asking.join()
        assert statuses == {404}
        assert [each["name"] for each in host.get("admin", "/upstreams").json()["data"]] == ["two"]
        assert host.get("status", "/status/ready").json() == {"message": "ready"}
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{old}/status", trust_env=False)


def test_a_reload_that_cannot_be_leaves_the_old_gateway(host: Host) -> None:
    with started(host), socket.create_server(("127.0.0.1", 0)) as taken:
        before, taken_port = host.settings["status_listen"], taken.getsockname()[1]
        host.settings["status_listen"] = f"127.0.0.1:{taken_port}"
        host.ok("reload")
        eventually(lambda: "reload refused, the old configuration goes on" in host.log())
        host.settings["status_listen"] = before
        assert host.get("status", "/status").status_code == 200


def test_the_log_tells_which_document_was_loaded_at_each_start_and_reload(
    host: Host, tmp_path: pathlib.Path
) -> None:
    document = tmp_path / "kong.yml"
    document.write_text('_format_version: "3.0"\n')
    host.settings["declarative_config"] = str(document)
    loaded = f"declarative config loaded from {document},"
    with started(host):
        assert host.log().count(loaded) == 1
        host.ok("reload")
        eventually(lambda: host.log().count("reloaded") == 1)
        assert [line.count("[notice]") for line in host.log().splitlines() if loaded in line] == [
            1, 1,
        ]
        host.settings["log_level"] = "warn"
        host.ok("reload")
        eventually(lambda: host.log().count("reloaded") == 2)
        assert host.log().count(loaded) == 2


@pytest.mark.parametrize("given", ["file", "string"])
def test_the_log_tells_why_a_document_was_not_loaded(
    host: Host, tmp_path: pathlib.Path, given: str
) -> None:
    text = "upstreams: []\n"
    path = tmp_path / "kong.yml"
    path.write_text(text)
    if given == "file":
        host.settings["declarative_config"], named = str(path), f"config file {path}:"
    else:
        host.settings["declarative_config_string"], named = text, f"string {text.strip()}"
    assert "could not start Kong" in host.refused("start")
    line = next(line for line in host.log().splitlines() if "error parsing" in line)
    assert line.endswith(f"init_by_lua error: error parsing declarative {named}")
    assert "[error]" in line
    assert "required field missing" in host.log()
    assert "declarative config loaded" not in host.log()


def test_only_a_reload_that_succeeds_has_other_workers(
    host: Host, tmp_path: pathlib.Path
) -> None:
    document = tmp_path / "kong.yml"
    document.write_text('_format_version: "3.0"\n')
    host.settings["declarative_config"] = str(document)
    with started(host):
        first = host.workers()
        host.ok("reload")
        eventually(lambda: "reloaded" in host.log())
        second = host.workers()
        assert set(first).isdisjoint(second)
        document.write_text("upstreams: []\n")
        host.ok("reload")
        eventually(lambda: "reload refused" in host.log())
        assert host.workers() == second
        assert f"error parsing declarative config file {document}:" in host.log()


def test_the_proxy_speaks_tls_where_it_is_told(host: Host) -> None:
    secure = f"127.0.0.1:{free_port()}"
    host.settings["proxy_listen"] += f", {secure} http2 ssl"
    plain = host.settings["proxy_listen"].partition(",")[0]
    with started(host):
        answer = httpx.get(f"https://{secure}/", verify=False, trust_env=False)
        assert answer.json()["message"] == "no Route matched with those values"
        assert httpx.get(f"http://{plain}/", trust_env=False).status_code == 404


def test_draining_is_seen_on_the_status_port(host: Host, tmp_path: pathlib.Path) -> None:
    document = '{"_format_version": "3.0", "upstreams": [{"name": "u"}]}'
    host.settings["declarative_config_string"] = document
    with started(host):
        assert host.get("status", "/status/ready").status_code == 200
        host.ok("drain")
        assert host.get("status", "/status/ready").json() == {"message": "draining"}


def test_documents_are_parsed(host: Host, tmp_path: pathlib.Path) -> None:
    document = tmp_path / "kong.yml"
    document.write_text('_format_version: "3.0"\n')
    assert host.ok("config", "parse", str(document)) == "parse successful\n"
    document.write_text('_format_version: "3.0"\nupstream: []\n')
    assert "unknown field" in host.refused("config", "parse", str(document))


@contextlib.contextmanager
def _database(*options: str) -> Iterator[dict[str, str]]:
    """A database; the settings by which a gateway finds it."""
    arguments = ["-m", "image.database", "--port", "0", "--password", "secret", *options]
    ready = r"database ready port=(\d+)"
    with server(arguments, ready, {"PYTHONPATH": str(TESTS)}) as found:
        yield {"database": "postgres", "pg_port": found[1], "pg_password": "secret"}


@pytest.fixture
def database() -> Iterator[dict[str, str]]:
    with _database() as settings:
        yield settings


@pytest.fixture
def database_with_teardown() -> Iterator[dict[str, str]]:
    with _database("--teardown") as settings:
        yield settings


def _written(host: Host, **news: str | None) -> dict[str, Any]:
    """Write to a database what another release would have written; what it holds then."""
    url = f"http://127.0.0.1:{host.settings['pg_port']}/kong"
    with httpx.Client(auth=("kong", "secret"), trust_env=False) as client:
        client.patch(url, json=news).raise_for_status()
        found: dict[str, Any] = client.get(url).json()
    return found


def test_a_database_is_prepared_once_and_then_used(host: Host, database: dict[str, str]) -> None:
    host.settings |= database
    assert "Database needs bootstrapping" in host.refused("start")
    assert host.kong("migrations", "list").returncode == 3
    assert host.ok("migrations", "bootstrap") == "Database is up-to-date\n"
    assert host.ok("migrations", "bootstrap") == "Database already bootstrapped\n"
    assert host.ok("migrations", "up") == "Database is already up-to-date\n"
    with started(host):
        Gateway(host.url("admin"), "").call("POST", "/upstreams", {"name": "kept"})
    (host.prefix / "database.json").unlink()
    with started(host):
        assert Gateway(host.url("admin"), "").entities("/upstreams")[0]["name"] == "kept"


def test_an_upgrade_leaves_nothing_pending(host: Host, database: dict[str, str]) -> None:
    host.settings |= database
    host.ok("migrations", "bootstrap")
    assert host.kong("migrations", "list").returncode == 0
    _written(host, release="3.9")
    assert host.kong("migrations", "list").returncode == 5
    assert "New migrations available; run 'kong migrations up'" in host.refused("start")
    assert host.ok("migrations", "up") == "Database is up-to-date\n"
    assert host.kong("migrations", "list").returncode == 0
    assert host.ok("migrations", "finish") == "Database is already up-to-date\n"


def test_pending_migrations_stop_the_next_up_but_no_gateway(
    host: Host, database_with_teardown: dict[str, str]
) -> None:
    host.settings |= database_with_teardown
    host.ok("migrations", "bootstrap")
    assert host.kong("migrations", "list").returncode == 0
    _written(host, release="3.9")
    pending = "Database has pending migrations; run 'kong migrations finish'"
    said = host.ok("migrations", "up")
    assert "1 pending\n" in said
    assert said.endswith(f"\n{pending} when ready\n")
    listed = host.kong("migrations", "list")
    assert (listed.returncode, "Pending migrations:\n" in listed.stdout) == (4, True)
    assert host.refused("migrations", "up") == f"Error: {pending}\n"
    assert host.ok("migrations", "bootstrap") == "Database already bootstrapped\n"
    with started(host):
        assert "[warn]" in host.log()
        assert "database has pending migrations:" in host.log()
        said = host.ok("migrations", "finish")
        assert "1 executed\n" in said
    assert host.kong("migrations", "list").returncode == 0
    assert host.ok("migrations", "up") == "Database is already up-to-date\n"


def test_pending_migrations_of_a_skipped_release_come_before_new_ones(
    host: Host, database_with_teardown: dict[str, str]
) -> None:
    host.settings |= database_with_teardown
    host.ok("migrations", "bootstrap")
    _written(host, release="3.9", pending="3.5")
    assert host.kong("migrations", "list").returncode == 4
    assert "Database has pending migrations" in host.refused("migrations", "up")
    assert "New migrations available; run 'kong migrations up'" in host.ok("migrations", "finish")
    assert host.kong("migrations", "list").returncode == 5


def test_the_old_version_goes_on_with_a_database_of_the_new_one(
    host: Host, database_with_teardown: dict[str, str]
) -> None:
    host.settings |= database_with_teardown
    host.ok("migrations", "bootstrap")
    with started(host):
        Gateway(host.url("admin"), "").call("POST", "/upstreams", {"name": "before"})
        _written(host, release="3.11", pending="3.10")
        Gateway(host.url("admin"), "").call("POST", "/upstreams", {"name": "after"})
    with started(host):
        names = {each["name"] for each in Gateway(host.url("admin"), "").entities("/upstreams")}
        assert names == {"before", "after"}
    assert host.kong("migrations", "list").returncode == 0
    assert host.ok("migrations", "up") == "Database is already up-to-date\n"
    kept = _written(host)
    assert (kept["release"], kept["pending"]) == ("3.11", "3.10")


def test_a_database_that_refuses_says_why(host: Host, database: dict[str, str]) -> None:
    host.settings |= database | {"pg_password": "wrong"}
    assert 'password authentication failed for user "kong"' in host.refused("start")
    host.settings["pg_port"] = str(free_port())
    assert "[PostgreSQL error] failed to connect" in host.refused("migrations", "up")


def test_a_control_plane_and_a_data_plane_join_by_the_gateways_own_settings(
    tmp_path: pathlib.Path, database: dict[str, str]
) -> None:
    shared = Authority(tmp_path).alone()
    member = {"cluster_cert": str(shared.certificate), "cluster_cert_key": str(shared.key)}
    address = f"127.0.0.1:{free_port()}"
    own = {**database, **member, "role": "control_plane", "cluster_listen": address}
    control = Host(tmp_path / "control", own)
    joining = {**member, "role": "data_plane", "cluster_control_plane": address}
    node = Host(tmp_path / "data", {**joining, "cluster_dp_labels": "region:eu"})
    control.ok("migrations", "bootstrap")
    with echo_servers(1) as (echo,), started(control), started(node):
        assert not (control.prefix / "kong.id").exists()
        gateway = Gateway(control.url("admin"), "")
        (listed,) = eventually(lambda: gateway.entities("/clustering/data-planes"))
        assert (listed["labels"], listed["sync_status"]) == ({"region": "eu"}, "normal")
        assert listed["id"] == (node.prefix / "kong.id").read_text()
        assert listed["hostname"] == os.uname().nodename
        document = {"name": "echo", "url": f"http://{echo.address}"}
        gateway.call("POST", "/services", document)
        gateway.call("POST", "/services/echo/routes", {"paths": ["/"]})
        eventually(lambda: node.get("proxy").status_code == 200)
        assert json.loads(node.get("proxy").text)["server"] == echo.address


def test_a_data_plane_keeps_an_id_and_tells_that_of_its_settings(tmp_path: pathlib.Path) -> None:
    shared = Authority(tmp_path).alone()
    own = str(uuid.uuid4())
    node = Host(tmp_path / "data", {
        "role": "data_plane", "cluster_control_plane": f"127.0.0.1:{free_port()}",
        "cluster_cert": str(shared.certificate), "cluster_cert_key": str(shared.key),
    })

    def told() -> str:
        with started(node):
            return str(node.get("admin").json()["node_id"])

    first = told()
    assert first == told() == (node.prefix / "kong.id").read_text()
    node.settings["node_id"] = own
    assert told() == own
    assert (node.prefix / "kong.id").read_text() == first
