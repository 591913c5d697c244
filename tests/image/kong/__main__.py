# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `kong`: `kong SUBCOMMAND [-c FILE] [-p PREFIX]`; see the gateway's own `--help`."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

from image.kong import judge, launch, migrations, settings
from image.kong.master import become, log, pid_file, running
from image.kong.settings import Invalid, Settings
from sandbox import errors
from sandbox.config import Config
from sandbox.gateway import Gateway
from sandbox.store import Store

Command = Callable[[argparse.Namespace], int]

#: Seconds that a start, a stop or a reload may take.
PATIENCE = 30.0


def _settings(given: argparse.Namespace) -> Settings:
    """The settings of this call; `Invalid` with the first fault."""
    found = settings.load(given.conf, os.environ)
    if given.prefix is not None:
        found["prefix"] = str(given.prefix)
    faults = judge.faults(found)
    if faults:
        raise Invalid(faults[0])
    return found


def _prefix(given: argparse.Namespace) -> pathlib.Path:
    found = settings.load(given.conf if given.conf and given.conf.exists() else None, os.environ)
    return pathlib.Path(given.prefix or found["prefix"])


def check(given: argparse.Namespace) -> int:
    """Judge a file and the environment; every fault is a line."""
    path = given.file or given.conf
    faults = judge.faults(settings.load(path, os.environ))
    for fault in faults:
        log("error", fault)
    if not faults:
        print(f"configuration at {path or settings.DEFAULT_FILES[0]} is valid")
    return 1 if faults else 0


def prepare(given: argparse.Namespace) -> int:
    """Write the settings where the serving process finds them."""
    found = _settings(given)
    prefix = pathlib.Path(found["prefix"])
    for folder in ("pids", "logs", "ssl"):
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    path = prefix / ".kong_env"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(found, file)
    return 0


def start(given: argparse.Namespace) -> int:
    """Serve: in the foreground where `nginx_daemon` is off."""
    found, prefix = _settings(given), _prefix(given)
    if running(prefix) is not None:
        raise Invalid(f"Kong is already running in {prefix}")
    _migrated(found)
    prepare(given)
    if found.get("nginx_daemon") == "off":
        become(prefix)
    return _daemon(prefix)


def docker_start(given: argparse.Namespace) -> int:
    """Serve in the foreground, with what an earlier run has left cleared away."""
    prefix = _prefix(given)
    pid_file(prefix).unlink(missing_ok=True)
    _migrated(_settings(given))
    prepare(given)
    become(prefix)


def _migrated(found: Settings) -> None:
    if launch.mode(found) in ("database", "control_plane"):
        migrations.check(found)


def _daemon(prefix: pathlib.Path) -> int:
    with (prefix / "logs" / "error.log").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "image.kong.nginx", "-p", str(prefix)],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True,
        )
    if not _until(lambda: running(prefix) is not None or process.poll() is not None):
        raise Invalid("Kong did not start in time")
    if process.poll() is not None:
        last = (prefix / "logs" / "error.log").read_text(encoding="utf-8").splitlines()[-1:]
        raise Invalid(f"could not start Kong: {' '.join(last)}")
    print("Kong started")
    return 0


def _until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _signalled(given: argparse.Namespace, number: signal.Signals) -> pathlib.Path:
    prefix = _prefix(given)
    process = running(prefix)
    if process is None:
        raise Invalid(f"nginx not running in prefix: {prefix}")
    os.kill(process, number)
    return prefix


def reload(given: argparse.Namespace) -> int:
    """Give a running gateway its new settings."""
    if running(_prefix(given)) is None:
        raise Invalid(f"nginx not running in prefix: {_prefix(given)}")
    prepare(given)
    _signalled(given, signal.SIGHUP)
    print("Kong reloaded")
    return 0


def stop(given: argparse.Namespace, number: signal.Signals = signal.SIGTERM) -> int:
    """End a running gateway."""
    prefix = _signalled(given, number)
    if not _until(lambda: running(prefix) is None):
        raise Invalid("Kong did not stop in time")
    print("Kong stopped" if number == signal.SIGTERM else "Kong stopped (gracefully)")
    return 0


def drain(given: argparse.Namespace) -> int:
    """Let the status port say that this node is not ready."""
    address = launch.addresses(_settings(given)).get("status")
    if address is None:
        raise Invalid("status_listen must be on to drain")
    request = urllib.request.Request(
        f"http://{address.host}:{address.port}/status/ready",
        data=b'{"status":"draining"}',
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=PATIENCE).close()
    except OSError as error:
        raise Invalid(f"cannot drain: {error}") from error
    return 0


def quit_(given: argparse.Namespace) -> int:
    """End a running gateway once its requests are answered."""
    return stop(given, signal.SIGQUIT)


def restart(given: argparse.Namespace) -> int:
    """Stop what runs, then start."""
    if running(_prefix(given)) is not None:
        stop(given)
    return start(given)


def health(given: argparse.Namespace) -> int:
    """Whether the gateway of a prefix runs."""
    prefix = _prefix(given)
    if running(prefix) is None:
        raise Invalid(f"Kong is not running at {prefix}")
    print(f"nginx.......running\n\nKong is healthy at {prefix}")
    return 0


def version(given: argparse.Namespace) -> int:
    """Which gateway this is."""
    about = settings.release()
    enterprise = "Kong Enterprise " if about["edition"] == "enterprise" else ""
    print(f"{enterprise}{about.get('full', about['version'])}")
    return 0


def migrate(given: argparse.Namespace) -> int:
    """`kong migrations ACTION`."""
    return migrations.ACTIONS[given.action](_settings(given))


def config(given: argparse.Namespace) -> int:
    """`kong config parse FILE`: judge a declarative document without running it."""
    about = settings.release()
    gateway = Gateway(".".join(about["version"].split(".")[:2]), about["edition"])
    try:
        text = given.file.read_text(encoding="utf-8")
        Config(gateway, Store(gateway.unique, gateway.foreign)).load_text(text)
    except (OSError, errors.Refusal) as error:
        raise Invalid(f"Failed parsing:\n{error}") from error
    print("parse successful")
    return 0


COMMANDS: dict[str, Command] = {
    "check": check,
    "config": config,
    "docker-start": docker_start,
    "drain": drain,
    "health": health,
    "migrations": migrate,
    "prepare": prepare,
    "quit": quit_,
    "reload": reload,
    "restart": restart,
    "start": start,
    "stop": stop,
    "version": version,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kong")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("-c", "--conf", type=pathlib.Path)
        command.add_argument("-p", "--prefix", type=pathlib.Path)
        command.add_argument("-v", "--v", "--vv", action="store_true")
        if name == "check":
            command.add_argument("file", nargs="?", type=pathlib.Path)
        if name == "config":
            command.add_argument("action", choices=["parse"])
            command.add_argument("file", type=pathlib.Path)
        if name == "migrations":
            command.add_argument("action", choices=list(migrations.ACTIONS))
            command.add_argument("-y", "--yes", action="store_true")
        if name == "quit":
            command.add_argument("-t", "--timeout", type=int)
            command.add_argument("-w", "--wait", type=int)
    return parser


def main() -> int:
    """Exit status: 0, or 1 with a line that says what is wrong."""
    given = _parser().parse_args()
    try:
        return COMMANDS[given.command](given)
    except (Invalid, PermissionError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
