# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images run as the gateway's do, and its packages install; each where the tools are at hand.

They share names with nothing: containers are called after the process that runs the tests.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence

import httpx
import pytest

from image import build, package
from image.tree import BUILD, RELEASES, Failed
from sandbox_tests.proxy_support import eventually, free_port

OFF = {"KONG_DATABASE": "off", "KONG_ADMIN_LISTEN": "off"}


@functools.cache
def _images() -> tuple[str, ...]:
    """The images, newest gateway first, built if they have to be; skips where they cannot be."""
    missing = [name for name in ("podman", "debootstrap") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"containers need root and {', '.join(missing) or 'nothing else'}")
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        return (build.gateway(RELEASES[1]), build.gateway(RELEASES[0]), build.host())
    except Failed as error:
        pytest.skip(str(error))


def _podman(*arguments: str, status: int = 0) -> str:
    ended = subprocess.run(
        ["podman", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == status, ended.stderr
    return ended.stdout


@contextlib.contextmanager
def container(
    image: str, settings: dict[str, str], *options: str, arguments: Sequence[str] = ()
) -> Iterator[str]:
    """Run an image on the host's network until the block ends; the container's name."""
    name = f"irishtek-test-{os.getpid()}"
    variables = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
    words = ("--detach", "--name", name, "--network", "host", *options, *variables)
    _podman("run", *words, image, *arguments)
    try:
        yield name
    finally:
        subprocess.run(["podman", "rm", "--force", name], capture_output=True, check=False)


def _succeeds(name: str, *command: str) -> bool:
    ended = subprocess.run(["podman", "exec", name, *command], capture_output=True, check=False)
    return ended.returncode == 0


def _message(port: int) -> str:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
    except httpx.TransportError:
        return ""
    return str(answer.json()["message"])


@pytest.mark.parametrize("index", [0, 1])
def test_a_gateway_runs_from_its_image(index: int) -> None:
    image, port = _images()[index], free_port()
    settings = {**OFF, "KONG_PROXY_LISTEN": f"127.0.0.1:{port}", "KONG_STATUS_LISTEN": "off"}
    with container(image, settings) as name:
        eventually(lambda: _message(port) == "no Route matched with those values", 30)
        assert "Kong is healthy" in _podman("exec", name, "kong", "health")
        assert _podman("exec", name, "kong", "version").startswith(image.rpartition(":")[2])
        assert _podman("exec", name, "id", "-un").strip() == "kong"
        _podman("stop", "--time", "20", name)
        state = _podman("inspect", "--format", "{{.State.ExitCode}}", name)
        assert state.strip() == "0"


def test_a_gateway_that_cannot_start_says_why() -> None:
    image = _images()[0]
    variables = ["--env", "KONG_DATABASE=off", "--env", "KONG_LOG_LEVEL=loud"]
    ended = subprocess.run(
        ["podman", "run", "--rm", "--network", "none", *variables, image],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert ended.returncode == 1
    assert "Error: log_level has an invalid value: 'loud'" in ended.stderr


def test_a_real_gateway_finds_its_database() -> None:
    _images()
    image = build.POSTGRESQL
    if subprocess.run(["podman", "image", "exists", image], check=False).returncode:
        pytest.skip("the image is made for scenarios with a real gateway: image.build postgresql")
    port = str(free_port())
    login = f"host=127.0.0.1 port={port} user=kong dbname=kong"
    table = "CREATE TABLE kept (id int)"
    with container(image, {}, arguments=("-p", port)) as name:
        eventually(lambda: _succeeds(name, "psql", f"{login} password=kong", "-c", table), 30)
        assert not _succeeds(name, "psql", f"{login} password=other", "-c", "SELECT 1")


def test_images_are_made_once_for_their_content() -> None:
    before = [_podman("image", "inspect", "--format", "{{.Id}}", name) for name in _images()]
    names = [build.gateway(RELEASES[1]), build.gateway(RELEASES[0]), build.host()]
    assert [_podman("image", "inspect", "--format", "{{.Id}}", name) for name in names] == before


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    missing = [
        name for name in ("dpkg-deb", "dpkg-scanpackages", "gpg") if shutil.which(name) is None
    ]
    if missing:
        pytest.skip(f"packages need {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("repository")
    assert set(package.repository(folder)) == {"3.9", "3.10"}
    # The container's apt is another user.
    for path in (folder, folder.parent):
        path.chmod(0o755)
    yield folder


INSTALL = """
set -e
rm -f /etc/apt/sources.list
gpg --dearmor < /repository/gateway-39/gpg.key > /usr/share/keyrings/kong.gpg
echo "deb [signed-by=/usr/share/keyrings/kong.gpg] file:/repository/gateway-39/deb/debian" \
    "trixie main" > /etc/apt/sources.list.d/kong.list
apt-get update -o APT::Update::Error-Mode=any
DEBIAN_FRONTEND=noninteractive apt-get install --yes kong=3.9.1
printf 'database = off\\nadmin_listen = off\\nstatus_listen = off\\n' > /etc/kong/kong.conf
echo "proxy_listen = 127.0.0.1:$1" >> /etc/kong/kong.conf
kong check /etc/kong/kong.conf
systemctl start kong
"""

REMOVE = """
set -e
systemctl stop kong
apt-get purge --yes kong
test ! -e /usr/local/share/kong
test ! -e /usr/local/bin/kong
"""


def test_the_package_installs_from_the_repository_and_runs_under_systemd(
    repository: pathlib.Path,
) -> None:
    image, port = _images()[2], free_port()
    mount = ("--systemd", "always", "--volume", f"{repository}:/repository:ro")
    with container(image, {}, *mount) as name:
        eventually(lambda: _running(name), 30)
        _podman("exec", name, "sh", "-c", INSTALL, "sh", str(port))
        eventually(lambda: _message(port) == "no Route matched with those values", 30)
        _podman("exec", name, "systemctl", "reload", "kong")
        assert _podman("exec", name, "systemctl", "is-active", "kong").strip() == "active"
        _podman("exec", name, "sh", "-c", REMOVE)
        assert _message(port) == ""


def _running(name: str) -> bool:
    ended = subprocess.run(
        ["podman", "exec", name, "systemctl", "is-system-running"],
        capture_output=True, text=True, check=False,
    )
    return ended.stdout.strip() == "running"


def test_a_repository_that_was_changed_is_refused(repository: pathlib.Path) -> None:
    image = _images()[2]
    release = repository / "gateway-310/deb/debian/dists/trixie/InRelease"
    release.write_text(release.read_text().replace("Suite: trixie", "Suite: trixei"))
    script = INSTALL.partition("DEBIAN_FRONTEND")[0].replace("gateway-39", "gateway-310")
    mount = ("--volume", f"{repository}:/repository:ro")
    ended = subprocess.run(
        ["podman", "run", "--rm", "--network", "none", *mount, image, "sh", "-c", script],
        capture_output=True, text=True, timeout=120, check=False,
    )
    assert ended.returncode != 0
    # Older apt names gpg's verdict, newer ones verify by themselves.
    told = ended.stdout + ended.stderr
    assert "BADSIG" in told or "Message has been manipulated" in told
