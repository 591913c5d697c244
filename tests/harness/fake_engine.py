# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for docker and podman: containers are entries of a file, a gateway's a small server.

Called as `docker` or `podman` from a folder on PATH; FAKE_ENGINE names the folder of its state:
state.json (images, containers) and calls.jsonl (what it was asked). An image whose name holds
`missing` cannot be pulled, one with `broken` ends at once, and one with `user-N` runs as user and
group N. As `gateway PROXY STATUS` it answers as a gateway without configuration does. It checks
`log_level`, and that no service's host is `refused`, as examples of what a gateway checks.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

FOLDER = Path(os.environ["FAKE_ENGINE"])
STATE = FOLDER / "state.json"
WITH_VALUE = {
    "--entrypoint", "--env-file", "--label", "--name", "--network", "--publish", "--restart",
    "--stop-timeout", "-t", "--userns", "--volume",
}
# Seconds until a gateway must have ended or must listen.
PATIENCE = 20.0


class Answer(BaseHTTPRequestHandler):
    """What a gateway answers without routes, and its status listener without configuration."""

    def do_GET(self) -> None:
        ready = self.path == "/status"
        body = {"configuration_hash": "0" * 32} if ready else {
            "message": "no Route matched with those values"
        }
        text = json.dumps(body).encode()
        self.send_response(200 if ready else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""


def gateway(ports: list[str]) -> int:
    """Serve until the process is ended."""
    servers = [ThreadingHTTPServer(("127.0.0.1", int(port)), Answer) for port in ports]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()
    return 0


def _load() -> dict[str, Any]:
    if STATE.exists():
        return dict(json.loads(STATE.read_text()))
    return {"images": [], "containers": {}}


def _split(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Options with their values, and the words after them."""
    options: dict[str, list[str]] = {}
    while words and words[0].startswith("-"):
        name = words.pop(0)
        options.setdefault(name, []).append(words.pop(0) if name in WITH_VALUE else "")
    return options, words


def _environment(files: list[str]) -> dict[str, str]:
    lines = [line for file in files for line in Path(file).read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def _start(container: dict[str, Any]) -> None:
    listens = (container["environment"][f"KONG_{name}_LISTEN"] for name in ("PROXY", "STATUS"))
    ports = [listen.rsplit(":", 1)[1] for listen in listens]
    if "broken" in container["image"]:
        container["log"] = "[emerg] bind() to 0.0.0.0:8000 failed (98: Address already in use)"
        return
    process = subprocess.Popen(
        [sys.executable, __file__, "gateway", *ports], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    container["pid"] = process.pid


def _stop(container: dict[str, Any]) -> None:
    pid = container.pop("pid", 0)
    if not pid or not _alive(pid):
        return
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + PATIENCE
    while _alive(pid) and time.monotonic() < limit:
        time.sleep(0.01)


def _run(state: dict[str, Any], words: list[str]) -> int:
    options, (image, *command) = _split(words)
    if image not in state["images"]:
        print(f"Unable to find image {image}", file=sys.stderr)
        return 125
    if options.get("--entrypoint") == ["id"]:
        user = image.partition("user-")[2].partition(":")[0] or os.getuid()
        print(f"uid={user}(kong) gid={user}(kong) groups={user}(kong)")
        return 0
    if command:
        return _kong(options, command)
    name = options["--name"][0]
    if name in state["containers"]:
        print(f"The name {name} is in use", file=sys.stderr)
        return 125
    state["containers"][name] = {
        "image": image,
        "environment": _environment(options["--env-file"]),
        "labels": dict(label.split("=", 1) for label in options.get("--label", [])),
        "words": words,
    }
    _start(state["containers"][name])
    return 0


def _kong(options: dict[str, list[str]], command: list[str]) -> int:
    """What the gateway's own command says of a candidate."""
    mounts = dict(volume.split(":")[1::-1] for volume in options["--volume"])
    settings = Path(mounts[command[2]]) if command[:2] == ["kong", "check"] else None
    if settings and "log_level = loud" in settings.read_text():
        print("Error: log_level has an invalid value: 'loud'", file=sys.stderr)
        return 1
    if command[:3] == ["kong", "config", "parse"]:
        folder, name = command[3].rsplit("/", 1)
        services = json.loads((Path(mounts[folder]) / name).read_text()).get("services", [])
        if any(service["host"] == "refused" for service in services):
            print("Error: Failed parsing: in 'services': invalid host", file=sys.stderr)
            return 1
    return 0


def _inspect(state: dict[str, Any], words: list[str]) -> int:
    """`container inspect --format FORMAT NAME`: all of a container is never asked for."""
    told, name = words[words.index("--format") + 1], words[-1]
    container = state["containers"].get(name)
    if container is None:
        print(f"no such container {name}", file=sys.stderr)
        return 1
    running = _alive(container["pid"]) if "pid" in container else False
    for field, value in ((".State.Running", running), (".Config.Labels", container["labels"])):
        told = told.replace(f"{{{{json {field}}}}}", json.dumps(value))
    print(told)
    return 0


def _image(state: dict[str, Any], words: list[str]) -> int:
    if words[1] not in state["images"]:
        return 1
    print(json.dumps([{"Id": f"id-of-{words[1]}"}]))
    return 0


def _pull(state: dict[str, Any], words: list[str]) -> int:
    if "missing" in words[0]:
        print("manifest unknown", file=sys.stderr)
        return 1
    state["images"] = sorted({*state["images"], words[0]})
    return 0


def _remove(state: dict[str, Any], words: list[str]) -> int:
    for name in _split(words)[1]:
        _stop(state["containers"].pop(name, {}))
    return 0


def _one(state: dict[str, Any], words: list[str], work: Callable[[dict[str, Any]], None]) -> int:
    name = _split(words)[1][0]
    if name not in state["containers"]:
        return 1
    work(state["containers"][name])
    return 0


def _rename(state: dict[str, Any], words: list[str]) -> int:
    old, new = words
    if old not in state["containers"] or new in state["containers"]:
        return 1
    state["containers"][new] = state["containers"].pop(old)
    return 0


def _logs(state: dict[str, Any], words: list[str]) -> int:
    print(state["containers"].get(words[-1], {}).get("log", ""))
    return 0


def _compose(state: dict[str, Any], words: list[str]) -> int:
    """`compose -p NAME -f FILE up|down|config`, for files of the role's own shape."""
    if words == ["version"]:
        return 0
    name, command = words[1], words[4]
    if command in ("up", "down"):
        _remove(state, [name])
    if command == "up":
        service = yaml.safe_load(Path(words[3]).read_text())["services"]["gateway"]
        container = {key: service[key] for key in ("image", "environment", "labels")}
        state["containers"][service["container_name"]] = container
        _start(container)
    return 0


def engine(words: list[str]) -> int:
    """Do what docker and podman would, as far as the role asks them."""
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(words) + "\n")
    if words == ["--version"]:
        print(f"{Path(sys.argv[0]).name} version {os.environ.get('FAKE_ENGINE_VERSION', '5.4.0')}")
        return 0
    state = _load()
    commands: dict[str, Callable[[], int]] = {
        "compose": lambda: _compose(state, words[1:]),
        "container": lambda: _inspect(state, words[2:]),
        "exec": lambda: 0 if _alive(state["containers"][words[1]].get("pid", 0)) else 1,
        "image": lambda: _image(state, words[1:]),
        "logs": lambda: _logs(state, words),
        "pull": lambda: _pull(state, words[1:]),
        "rename": lambda: _rename(state, words[1:]),
        "rm": lambda: _remove(state, words[1:]),
        "run": lambda: _run(state, words[1:]),
        "start": lambda: _one(state, words[1:], _start),
        "stop": lambda: _one(state, words[1:], _stop),
    }
    status = commands[words[0]]()
    STATE.write_text(json.dumps(state))
    return status


if __name__ == "__main__":
    sys.exit(gateway(sys.argv[2:]) if sys.argv[1] == "gateway" else engine(sys.argv[1:]))
