# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's settings: defaults, then `kong.conf`, then the environment (`KONG_*`)."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Settings = dict[str, str]

#: Where a file is looked for when none is named.
DEFAULT_FILES = (pathlib.Path("/etc/kong/kong.conf"), pathlib.Path("/etc/kong.conf"))

#: What the images run, in the folder of this program.
RELEASE = pathlib.Path("/usr/local/share/kong/release.json")

#: Keys beside the table: directives of the server, plugin servers, vaults.
DYNAMIC = re.compile(r"(nginx_[a-z]+|pluginserver|vault)_\w+")

#: Comments begin with a hash that has no backslash before it.
COMMENT = re.compile(r"(?<!\\)#.*")


class Invalid(Exception):
    """Settings that cannot be used; the message is one line a fault."""


@dataclass(frozen=True)
class Listener:
    """An address to listen on; `tls` where its flags ask for it."""

    host: str
    port: int
    tls: bool


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """The gateway's keys with their `type` or `values`, and their `default`."""
    path = pathlib.Path(__file__).with_name("data") / "kong_conf.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def release() -> dict[str, str]:
    """`version` and `edition` of the gateway that this image is."""
    if not RELEASE.exists():
        return {"version": "3.10", "edition": "community"}
    found: dict[str, str] = json.loads(RELEASE.read_text(encoding="utf-8"))
    return found


def read_file(path: pathlib.Path) -> Settings:
    """What a `kong.conf` says; `Invalid` where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Invalid(f"no file at: {path}") from error
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from error
    found: Settings = {}
    for raw in text.splitlines():
        line = COMMENT.sub("", raw).replace("\\#", "#").strip()
        key, equals, value = line.partition("=")
        if equals:
            found[key.strip()] = value.strip()
    return found


def read_environment(environment: Mapping[str, str]) -> Settings:
    """What `KONG_*` say; of `KONG_X_FILE` the file's text, as the images' entry point has it."""
    found: Settings = {}
    for name, value in environment.items():
        if not name.startswith("KONG_"):
            continue
        key = name.removeprefix("KONG_").lower()
        if key.endswith("_file") and key not in table():
            found[key.removesuffix("_file")] = pathlib.Path(value).read_text("utf-8").strip()
        else:
            found[key] = value
    return found


def load(path: pathlib.Path | None, environment: Mapping[str, str]) -> Settings:
    """All settings that are set. What the gateway does not know is dropped, as it does."""
    if path is None:
        path = next((each for each in DEFAULT_FILES if each.exists()), None)
    written = {} if path is None else read_file(path)
    found = {key: spec["default"] for key, spec in table().items() if spec.get("default")}
    for key, value in {**written, **read_environment(environment)}.items():
        if key in table() or DYNAMIC.fullmatch(key):
            found[key] = value
    return {key: value for key, value in found.items() if value not in ("", "NONE")}


def array(settings: Settings, key: str) -> list[str]:
    """The elements of a list that commas part."""
    return [item.strip() for item in settings.get(key, "").split(",") if item.strip()]


def on(settings: Settings, key: str) -> bool:
    """Whether a switch is on."""
    return settings.get(key) in ("on", "true")


LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[0-9.]+|\*):(?P<port>\d{1,5})(?P<flags>( \S+)*)")


def listeners(settings: Settings, key: str) -> list[Listener]:
    """The addresses of a `*_listen`; `Invalid` for what is none."""
    items = array(settings, key)
    if items in ([], ["off"]):
        return []
    found = []
    for item in items:
        match = LISTEN.fullmatch(" ".join(item.split()))
        if match is None or not 0 < int(match["port"]) < 65536:
            raise Invalid(
                f"{key} must be of form: [off] | <ip>:<port> [ssl] [http2] [reuseport] …, "
                f"got '{item}'"
            )
        host = match["host"].strip("[]").replace("*", "0.0.0.0")
        found.append(Listener(host, int(match["port"]), "ssl" in match["flags"].split()))
    return found


def pem(value: str) -> str:
    """The text of a certificate or key that is given as a path, as PEM or as base64 of it."""
    if value.lstrip().startswith("-----BEGIN"):
        return value
    path = pathlib.Path(value)
    try:
        if path.is_file():
            return path.read_text(encoding="ascii")
        return base64.b64decode(value, validate=True).decode("ascii")
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise Invalid(str(error)) from error
