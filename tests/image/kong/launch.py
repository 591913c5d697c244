# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the gateway's settings to the sandbox's command line."""

from __future__ import annotations

import functools
import os
import pathlib
import subprocess
import uuid
from collections.abc import Mapping

from image.kong.settings import Invalid, Listener, Settings, array, listeners, pem, release

#: Names of ports by the settings that say where they are, and whether TLS is asked for there: of
#: each the first. The cluster's speaks TLS without being told.
PORTS = {
    "admin": ("admin_listen", False),
    "proxy": ("proxy_listen", False),
    "proxy_tls": ("proxy_listen", True),
    "status": ("status_listen", False),
    "cluster": ("cluster_listen", False),
}

#: The file in the prefix that holds a document which was given as text.
FROM_STRING = "declarative_config.yml"


def mode(settings: Settings) -> str:
    """What the sandbox has to be."""
    role = settings.get("role", "traditional")
    if role != "traditional":
        return role
    return "dbless" if settings.get("database") == "off" else "database"


def addresses(settings: Settings) -> dict[str, Listener]:
    """Where the gateway listens, by the sandbox's names for it."""
    role, found = settings.get("role"), {}
    left_out = ("proxy", "proxy_tls") if role == "control_plane" else ("cluster",)
    for name, (key, tls) in PORTS.items():
        fitting = [each for each in listeners(settings, key) if each.tls is tls]
        if fitting and name not in left_out:
            found[name] = fitting[0]
    return found


def node_id(settings: Settings, prefix: pathlib.Path) -> str:
    """The node's id: that of the settings, or one that a data plane keeps.

    A data plane keeps one even where it has another by its settings; the others have a new one
    after each start.
    """
    kept = _made()
    if mode(settings) == "data_plane":
        path = prefix / "kong.id"
        if not path.exists():
            path.write_text(kept, encoding="ascii")
        kept = path.read_text(encoding="ascii").strip()
    return settings.get("node_id", kept)


@functools.cache
def _made() -> str:
    """An id that outlives reloads."""
    return str(uuid.uuid4())


def state_file(settings: Settings, prefix: pathlib.Path) -> pathlib.Path | None:
    """What outlives a restart: a data plane's last configuration, a copy of the database."""
    names = {"data_plane": "dbless.json", "database": "database.json"}
    name = names.get(mode(settings).replace("control_plane", "database"))
    return None if name is None else prefix / name


def arguments(
    settings: Settings, prefix: pathlib.Path, inherited: Mapping[str, int]
) -> list[str]:
    """The sandbox's arguments; certificates given as text become files below the prefix."""
    about = release()
    found = ["--mode", mode(settings), "--version", about["version"]]
    found += ["--edition", about["edition"], "--node-id", node_id(settings, prefix)]
    state = state_file(settings, prefix)
    if state is not None:
        found += ["--state", str(state)]
    for name, number in inherited.items():
        found += ["--inherit", f"{name}={number}"]
    if "proxy_tls" in inherited:
        found += _proxy_tls(settings, prefix)
    if mode(settings) == "dbless":
        found += _document(settings, prefix)
    if mode(settings) in ("control_plane", "data_plane"):
        found += _cluster(settings, prefix)
    return found


def _proxy_tls(settings: Settings, prefix: pathlib.Path) -> list[str]:
    """The proxy's certificate: the first of those that are set, or one made for the prefix."""
    certificates, keys = array(settings, "ssl_cert"), array(settings, "ssl_cert_key")
    if certificates and keys:
        pair = [_file(certificates[0], prefix, "ssl_cert"), _file(keys[0], prefix, "ssl_cert_key")]
    else:
        pair = _default_certificate(prefix / "ssl")
    return ["--proxy-tls-cert", pair[0], "--proxy-tls-key", pair[1]]


def _default_certificate(folder: pathlib.Path) -> list[str]:
    pair = [str(folder / f"kong-default.{end}") for end in ("crt", "key")]
    if not pathlib.Path(pair[0]).exists():
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=localhost"]
        command = ["openssl", "req", "-x509", "-nodes", *kind, "-days", "7300"]
        try:
            subprocess.run(
                [*command, "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise Invalid(f"cannot make a certificate for the proxy: {error}") from error
    return pair


def _document(settings: Settings, prefix: pathlib.Path) -> list[str]:
    if "declarative_config" in settings:
        return ["--config", settings["declarative_config"]]
    if "declarative_config_string" in settings:
        path = prefix / FROM_STRING
        _write(path, settings["declarative_config_string"])
        return ["--config", str(path)]
    return []


def _cluster(settings: Settings, prefix: pathlib.Path) -> list[str]:
    found = ["--cluster-mtls", settings.get("cluster_mtls", "shared")]
    for option, key in (
        ("--cluster-cert", "cluster_cert"),
        ("--cluster-key", "cluster_cert_key"),
        ("--cluster-ca", "cluster_ca_cert"),
    ):
        if key in settings:
            found += [option, _file(settings[key], prefix, key)]
    for name in array(settings, "cluster_allowed_common_names"):
        found += ["--cluster-allowed-name", name]
    if settings.get("role") == "control_plane":
        return [*found, "--cluster-port", "0"]
    found += ["--control-plane", settings["cluster_control_plane"]]
    if "cluster_server_name" in settings:
        found += ["--cluster-server-name", settings["cluster_server_name"]]
    for index, trusted in enumerate(array(settings, "lua_ssl_trusted_certificate")):
        name = trusted if trusted == "system" else _file(trusted, prefix, f"trusted-{index}")
        found += ["--cluster-trusted", name]
    for label in array(settings, "cluster_dp_labels"):
        found += ["--label", label]
    return found


def _file(value: str, prefix: pathlib.Path, name: str) -> str:
    """The path of a certificate or key."""
    if pathlib.Path(value).is_file():
        return value
    path = prefix / "ssl" / f"{name}.pem"
    _write(path, pem(value))
    return str(path)


def _write(path: pathlib.Path, text: str) -> None:
    """A file that nobody else reads; `Invalid` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror}") from error
