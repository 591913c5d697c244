# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs from declarations, and explicit nulls, which ansible-core would drop or refuse.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import json
import os
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible.module_utils.ansible_release import __version__ as core_version
from ansible.module_utils.basic import env_fallback

from ._client import Connection
from ._entities._kind import Field
from ._entities._upstream import is_secret_header
from ._errors import MASKED, InputError
from ._spelling import did_you_mean
from ._stored import as_stored

Warn = Callable[[str], None]
Path = tuple[Any, ...]
Spec = dict[str, dict[str, Any]]

REGIONAL_URL = "https://{}.api.konghq.com"
DEFAULT_CONTROL_PLANE = "default"

# Before 2.19 a template that gives None arrives as an empty string.
_NONE_IS_EMPTY = tuple(int(part) for part in core_version.split(".")[:2]) < (2, 19)


def _from(variable: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, [variable])}


REGIONS = ("us", "eu", "au", "me", "in", "sg")
# The two ways in, and the environment variables behind their options: the first one counts.
ADMIN: dict[str, tuple[str, ...]] = {
    "admin_url": ("KONG_ADMIN_URL",),
    "admin_token": ("KONG_ADMIN_TOKEN",),
}
KONNECT: dict[str, tuple[str, ...]] = {
    "konnect_token": ("KONNECT_TOKEN", "KONG_TOKEN"),
    "konnect_region": ("KONNECT_REGION",),
    "konnect_url": ("KONNECT_URL",),
    "control_plane": ("KONNECT_CONTROL_PLANE",),
}

CONNECTION: Spec = {
    "admin_url": {"type": "str"},
    "admin_token": {"type": "str", "no_log": True},
    "konnect_token": {"type": "str", "no_log": True},
    "konnect_region": {"type": "str", "choices": list(REGIONS)},
    "konnect_url": {"type": "str"},
    "control_plane": {"type": "str"},
    # Not no_log, which would mask each value wherever it stands: secrets_in tells the secret ones.
    "admin_headers": {"type": "dict", "no_log": False},
    "workspace": {"type": "str", **_from("KONG_WORKSPACE")},
    "validate_certs": {"type": "bool", "default": True, **_from("KONG_VALIDATE_CERTS")},
    "ca_path": {"type": "path", **_from("KONG_CA_PATH")},
    "client_cert": {"type": "path", **_from("KONG_CLIENT_CERT")},
    "client_key": {"type": "path", "no_log": False, **_from("KONG_CLIENT_KEY")},
    "request_timeout": {"type": "float", "default": 10.0},
    "request_retries": {"type": "int", "default": 3},
}


@dataclass(frozen=True)
class ArgumentSpec:
    """Options with the constraints between them, in the form that both ways to run hand on.

    :param fields: the gateway's own fields among the options; only these may be cleared by null.
    :param options: every other option.
    :param connects: whether the options of an Admin API are among them.
    """

    fields: tuple[Field, ...] = ()
    connects: bool = True
    options: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    required_one_of: Sequence[Sequence[str]] = ()
    required_together: Sequence[Sequence[str]] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()
    required_by: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_spec(self) -> Spec:
        connection = CONNECTION if self.connects else {}
        return {**connection, **options_of(self.fields), **self.options}

    def masked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a log may show of the options that may hold any secret: free-form ones, headers."""
        free_form = [name for name, option in self.options.items() if _is_free_form(option)]
        shown: dict[str, Any] = {name: MASKED for name in free_form if params.get(name)}
        headers = params.get("admin_headers")
        if isinstance(headers, Mapping):
            shown["admin_headers"] = {
                name: MASKED if is_secret_header(str(name)) else value
                for name, value in headers.items()
            }
        return shown

    def constraints(self) -> dict[str, Any]:
        return {
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_together": [
                ["client_cert", "client_key"],
                *map(list, self.required_together),
            ],
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": {name: list(names) for name, names in self.required_by.items()},
        }


def _is_free_form(option: Mapping[str, Any]) -> bool:
    return option["type"] in ("raw", "dict", "json") and "options" not in option


def options_of(fields: Iterable[Field]) -> Spec:
    """The options by which users write these fields; no defaults: left out is left alone."""
    spec: Spec = {}
    for each in fields:
        option: dict[str, Any] = {"type": each.type}
        if each.elements:
            option["elements"] = each.elements
        if each.choices:
            option["choices"] = list(each.choices)
        if each.fields:
            option["options"] = options_of(each.fields)
        if each.required:
            option["required"] = True
        if each.secret:
            option["no_log"] = True
        elif "key" in each.name or "secret" in each.name:
            # What only looks like a secret must say so, else ansible-core warns.
            option["no_log"] = False
        spec[each.name] = option
    return spec


def take_nulls(
    fields: Sequence[Field], spec: Spec, raw: Mapping[str, Any], warn: Warn, at: str = ""
) -> tuple[dict[str, Any], list[Path]]:
    """Take explicit nulls out of raw parameters, deep along the fields.

    Nulls on other options mean "not written" and are left to ansible-core, which drops them.

    :param at: where ``raw`` stands in the parameters, for messages.
    :returns: the parameters without nulls and the paths at which they stood, with list positions.
    :raises InputError: a null on a field that cannot be cleared, an empty string where no string
        can be, a misspelled name.
    """
    _refuse_misspelled(spec, raw, at)
    by_name = {each.name: each for each in fields}
    for name, option in spec.items():
        by_name.update(
            (alias, by_name[name]) for alias in option.get("aliases", ()) if name in by_name
        )
    clean, paths = {}, []
    for name, value in raw.items():
        each, where = by_name.get(name), f"{at}{name}"
        if each is None:
            if not _is_left_out(spec.get(name, {}), value, where, warn):
                clean[name] = value
        elif _is_null(each, value, where, warn):
            if not each.nullable or each.required:
                raise InputError(f"{where} must not be null")
            paths.append((each.name,))
        else:
            clean[name], inner = _take_inside(each, spec[each.name], value, warn, f"{where}.")
            paths += [(each.name, *path) for path in inner]
    return clean, paths


def _take_inside(
    each: Field, option: Mapping[str, Any], value: Any, warn: Warn, at: str
) -> tuple[Any, list[Path]]:
    inner = option.get("options", {})
    if each.fields and isinstance(value, str):
        value = _parsed(value)
    if each.is_record and isinstance(value, dict):
        return take_nulls(each.fields, inner, value, warn, at)
    if not (each.is_list_of_records and isinstance(value, list)):
        return value, []
    items, paths = [], []
    for position, item in enumerate(value):
        if isinstance(item, dict):
            clean, found = take_nulls(each.fields, inner, item, warn, f"{at}{position + 1}.")
            paths += [(position, *path) for path in found]
            items.append(clean)
        else:
            items.append(item)
    return items, paths


def _parsed(text: str) -> Any:
    """A record or a list of them may be given as JSON text, which can hold nulls, too."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_misspelled(spec: Spec, raw: Mapping[str, Any], at: str) -> None:
    """Say the nearest name; a name that is near none is left to ansible-core, which lists all."""
    known = {alias for option in spec.values() for alias in option.get("aliases", ())} | set(spec)
    for name in raw:
        # ansible-core hands its own settings over in the same way.
        if name in known or str(name).startswith("_ansible_"):
            continue
        near = did_you_mean(str(name), known)
        if near:
            raise InputError(f"Unsupported parameter {at}{name}{near}")


def _is_null(each: Field, value: Any, at: str, warn: Warn) -> bool:
    """Whether a field is to be cleared.

    :raises InputError: an empty string stands where no string can be.
    """
    if value is None:
        return True
    if not _is_empty(value):
        return False
    # An empty reference may come from an undefined variable, and must not widen a scope.
    if _NONE_IS_EMPTY and each.nullable and not each.required and not each.reference:
        warn(_taken_as_null(at))
        return True
    if each.type != "str" or each.choices:
        raise InputError(_empty(at))
    return False


def _is_left_out(option: Mapping[str, Any], value: Any, at: str, warn: Warn) -> bool:
    """Whether an option that is no field is meant as left out: ansible-core splits '' into ['']."""
    if option.get("type") not in ("list", "dict") or not _is_empty(value):
        return False
    if not _NONE_IS_EMPTY:
        raise InputError(_empty(at))
    warn(_taken_as_null(at))
    return True


def _is_empty(value: Any) -> bool:
    return isinstance(value, str) and value == ""


def _taken_as_null(at: str) -> str:
    return (
        f"{at} is an empty string and is taken as null, because this ansible-core makes an empty "
        "string of a template that gives null; use default(omit) to leave the option out"
    )


def _empty(at: str) -> str:
    return (
        f"{at} must not be an empty string; "
        "use null to clear it, or default(omit) to leave it as it is"
    )


def refuse_unsendable(spec: ArgumentSpec, params: Mapping[str, Any]) -> None:
    """Refuse what no request can hold before anything is done with it.

    A raw option is left to its operation, which knows where each part of it was written.

    :raises InputError: names the option.
    """
    for name, value in params.items():
        if spec.options.get(name, {}).get("type") != "raw":
            as_stored(value, name)


def put_nulls(
    validated: Mapping[str, Any], fields: Sequence[Field], nulls: list[Path]
) -> dict[str, Any]:
    """What the user wrote: validated parameters without those left out, with the nulls back."""
    written = _written(validated, fields)
    for path in nulls:
        at: Any = written
        for step in path[:-1]:
            at = at[step] if isinstance(step, int) else at.setdefault(step, {})
        at[path[-1]] = None
    return written


def _written(validated: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Any]:
    by_name = {each.name: each for each in fields}
    return {
        name: _written_value(by_name.get(name), value)
        for name, value in validated.items()
        if value is not None
    }


def _written_value(each: Field | None, value: Any) -> Any:
    if each is not None and each.fields and each.is_record:
        return _written(value, each.fields)
    if each is not None and each.is_list_of_records:
        return [_written(item, each.fields) for item in value]
    return value


def with_environment(written: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the environment's options of the way in that is written.

    Where none is, the environment says which one; two of them are refused as two written ones are.
    """
    ways = [way for way in (ADMIN, KONNECT) if any(written.get(name) is not None for name in way)]
    found = {
        name: os.environ[variable]
        for way in (ways or _ways_of_environment())
        for name, variables in (way.items() if len(ways) < 2 else ())
        for variable in reversed(variables)
        if os.environ.get(variable) and written.get(name) is None
    }
    for name, other in (("konnect_url", "konnect_region"), ("konnect_region", "konnect_url")):
        if written.get(other) is not None:
            found.pop(name, None)
    return {**written, **found}


def _ways_of_environment() -> list[dict[str, tuple[str, ...]]]:
    marks = ((ADMIN, "KONG_ADMIN_URL"), (KONNECT, "KONNECT_TOKEN"))
    ways = [way for way, variable in marks if os.environ.get(variable)]
    # Others use this name, too, so it counts only where nothing else does.
    return ways or ([KONNECT] if os.environ.get("KONG_TOKEN") else [])


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Secrets in the connection's options: passwords in URLs, and headers with credentials."""
    listed = params.get("status_urls")
    urls = [
        params.get("admin_url"),
        params.get("konnect_url"),
        *(listed if isinstance(listed, list) else [listed]),
    ]
    headers = params.get("admin_headers")
    written = headers.items() if isinstance(headers, Mapping) else ()
    values = [str(value) for name, value in written if value and is_secret_header(str(name))]
    # A server may repeat a token without its scheme.
    tokens = [value.rpartition(" ")[2] for value in values]
    return {each for each in (*map(_password_in, urls), *values, *tokens) if each}


def _password_in(url: Any) -> str | None:
    """A password in a URL, which must not be there and must not be shown either."""
    try:
        return urllib.parse.urlsplit(str(url)).password
    except ValueError:
        return None


def connection_from(
    params: Mapping[str, Any], node_url: str | None = None, option: str = "admin_url"
) -> Connection:
    """The connection that the options (or the environment behind them) describe.

    :param node_url: another node of the same gateway, as ``option`` has it.
    :raises InputError: none is written, or what is written cannot be one.
    """
    url: str | None = node_url or params.get("admin_url")
    control_plane = None if node_url else _control_plane(params)
    if control_plane is not None:
        url = params.get("konnect_url") or REGIONAL_URL.format(params.get("konnect_region") or "us")
        option = "konnect_url"
    if not url:
        raise InputError(
            "no gateway is named: write admin_url (or set KONG_ADMIN_URL), or konnect_token "
            "(or set KONNECT_TOKEN)"
        )
    for name in ("request_timeout", "request_retries"):
        if params[name] < 0 or (name == "request_timeout" and params[name] == 0):
            raise InputError(f"{name} is {params[name]:g}, and must be more than that")
    headers = [
        (str(name), str(value))
        for name, value in (params.get("admin_headers") or {}).items()
        if value is not None
    ]
    if params.get("admin_token"):
        headers.append(("Kong-Admin-Token", params["admin_token"]))
    if control_plane is not None:
        headers = [*headers, ("Authorization", f"Bearer {params['konnect_token']}")]
    return Connection(
        url=url.rstrip("/"),
        workspace=params.get("workspace") or None,
        headers=tuple(headers),
        timeout=params["request_timeout"],
        retries=params["request_retries"],
        validate_certs=params["validate_certs"],
        ca_path=params.get("ca_path"),
        client_cert=params.get("client_cert"),
        client_key=params.get("client_key"),
        option=option,
        control_plane=control_plane,
    )


def _control_plane(params: Mapping[str, Any]) -> str | None:
    """The control plane of Konnect that the options lead to; None: they lead to an Admin API.

    :raises InputError: they lead to both, or to Konnect without a token.
    """
    konnect = [name for name in KONNECT if params.get(name)]
    admin = [name for name in ADMIN if params.get(name)]
    if konnect and admin:
        raise InputError(
            f"{_named(admin[0], ADMIN)} and {_named(konnect[0], KONNECT)} are two ways in: write "
            "one of them"
        )
    if params.get("konnect_url") and params.get("konnect_region"):
        raise InputError("konnect_region and konnect_url both say where Konnect is: write one")
    if konnect and not params.get("konnect_token"):
        raise InputError(f"{konnect[0]} needs konnect_token (or KONNECT_TOKEN)")
    return (params.get("control_plane") or DEFAULT_CONTROL_PLANE) if konnect else None


def _named(option: str, way: Mapping[str, tuple[str, ...]]) -> str:
    return f"{option} (or {' or '.join(way[option])})"
