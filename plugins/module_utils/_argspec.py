# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs from declarations, and explicit nulls, which ansible-core drops or refuses."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ansible.module_utils.ansible_release import __version__ as core_version

from ._connection_options import CONNECTION, Spec
from ._entities._kind import Entity, Field
from ._errors import MASKED, InputError
from ._secret_names import is_secret_header
from ._spelling import did_you_mean
from ._values import as_stored, type_of

Warn = Callable[[str], None]
Path = tuple[Any, ...]

# Before 2.19 a template that gives None arrives as an empty string.
_NONE_IS_EMPTY = tuple(int(part) for part in core_version.split(".")[:2]) < (2, 19)


@dataclass(frozen=True)
class ArgumentSpec:
    """Options with the constraints between them, in the form that both ways to run use.

    :param fields: the gateway's own fields among the options; only these may be cleared by null.
    :param options: every other option.
    :param connects: whether the options of an Admin API are among them.
    """

    fields: tuple[Field, ...] = ()
    connects: bool = True
    options: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    required_one_of: Sequence[Sequence[str]] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()

    def to_spec(self) -> Spec:
        connection = CONNECTION if self.connects else {}
        own = {name: _logged(name, option) for name, option in self.options.items()}
        return {**connection, **options_of(self.fields), **own}

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
        pair = ["client_cert", "client_key"]
        return {
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_together": [pair] if {*pair} <= self.to_spec().keys() else [],
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
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
        option = {**option, "no_log": True} if each.secret else _logged(each.name, option)
        spec[each.name] = option
    return spec


def _logged(name: str, option: Mapping[str, Any]) -> dict[str, Any]:
    """An option that is no secret; ansible-core wants to know it of what only looks like one."""
    looks_secret = any(word in name for word in ("key", "secret", "password"))
    return {**option, "no_log": False} if looks_secret else dict(option)


def remove_nulls(
    fields: Sequence[Field], spec: Spec, raw: Mapping[str, Any], warn: Warn
) -> tuple[dict[str, Any], list[Path]]:
    """Take explicit nulls out of raw parameters, deep along the fields.

    Nulls on other options mean "not written" and are left to ansible-core, which drops them.

    :returns: the parameters without nulls and the paths at which they were, with list positions.
    :raises InputError: a null on a field that cannot be cleared, an empty string where no string
        can be, a misspelled name, a value that ansible-core would turn into another one.
    """
    by_name = {each.name: each for each in fields}
    aliases = {alias: name for name in spec for alias in spec[name].get("aliases", ())}
    by_name.update({alias: by_name[name] for alias, name in aliases.items() if name in by_name})
    _refuse_misspelled({*spec, *aliases}, raw, ())
    written = {
        name: value
        for name, value in raw.items()
        if name in by_name or not _is_left_out(spec.get(name, {}), value, name, warn)
    }
    nulls: list[Path] = []
    taken = _taken(by_name, written, (), nulls, warn)
    _refuse_other_types(spec, taken, ())
    return taken, nulls


def _taken(
    fields: Mapping[str, Field], record: Entity, path: Path, nulls: list[Path], warn: Warn
) -> dict[str, Any]:
    """A record without nulls, whose paths are kept."""
    clean = {}
    for name, value in record.items():
        each, at = fields.get(name), (*path, name)
        if each is None:
            clean[name] = value
        elif not _is_null(each, value, _dotted(at), warn):
            clean[name] = _taken_inside(each, value, at, nulls, warn)
        elif not each.nullable or each.required:
            raise InputError(f"{_dotted(at)} must not be null")
        else:
            nulls.append((*path, each.name))
    return clean


def _taken_inside(each: Field, value: Any, path: Path, nulls: list[Path], warn: Warn) -> Any:
    if each.fields and isinstance(value, str):
        value = _parsed(value)
    if each.reference and isinstance(value, Mapping):
        return _key_in(value, _dotted(path))
    if each.type == "json" and isinstance(value, Mapping):
        # The values of a dictionary would be masked wherever they are part of the result.
        return json.dumps(value)
    if each.is_record and isinstance(value, dict):
        _refuse_misspelled(each.fields_by_name, value, path)
        return _taken(each.fields_by_name, value, path, nulls, warn)
    if each.item is not None and isinstance(value, list):
        inner, items = each.item, enumerate(value)
        return [_taken_inside(inner, item, (*path, at), nulls, warn) for at, item in items]
    return value


def _refuse_other_types(spec: Spec, record: Mapping[str, Any], path: Path) -> None:
    """Refuse a value for which ansible-core would make a string up, or stop without a sentence."""
    for name, value in record.items():
        if name in spec:
            _refuse_other_type(spec[name], value, (*path, name))


def _refuse_other_type(option: Mapping[str, Any], value: Any, path: Path) -> None:
    kind, written = option.get("type", "str"), type_of(value)
    if value is None and isinstance(path[-1], int) and kind != "raw":
        raise InputError(f"{_dotted(path)} must not be null")
    if kind == "str" and isinstance(value, bool):
        raise InputError(f"{_dotted(path)} must be a string, got a boolean; put it in quotes")
    if kind == "str" and isinstance(value, (list, Mapping)):
        raise InputError(f"{_dotted(path)} must be a string, got {written}")
    if kind in ("int", "float") and isinstance(value, bool):
        raise InputError(f"{_dotted(path)} must be a number, got {written}")
    if kind == "dict" and value is not None:
        if not (isinstance(value, Mapping) or _is_record_in_text(value)):
            raise InputError(f"{_dotted(path)} must be a dictionary, got {written}")
        if isinstance(value, Mapping):
            _refuse_other_types(option.get("options", {}), value, path)
    if kind == "list" and value is not None:
        _refuse_no_list(option, value, path)


def _refuse_no_list(option: Mapping[str, Any], value: Any, path: Path) -> None:
    """ansible-core makes a list of a number, and of a string with commas."""
    item = {"type": option.get("elements", "raw"), "options": option.get("options", {})}
    if isinstance(value, (bool, Mapping)) or (item["type"] == "dict" and isinstance(value, str)):
        raise InputError(f"{_dotted(path)} must be a list, got {type_of(value)}")
    for position, each in enumerate(value) if isinstance(value, list) else ():
        _refuse_other_type(item, each, (*path, position))


def _is_record_in_text(value: Any) -> bool:
    """Whether ansible-core reads a dictionary from it: JSON, or ``a=1 b=2``."""
    return isinstance(value, str) and (value.strip().startswith("{") or "=" in value)


def _key_in(reference: Mapping[str, Any], at: str) -> str:
    """The name or ID of a reference in the form that a gateway returns and state files have."""
    ((name, key),) = reference.items() if len(reference) == 1 else [("", None)]
    if name not in ("id", "name", "username") or not isinstance(key, str):
        raise InputError(f"{at} must be a name or an ID, or a dictionary that has one of them only")
    return key


def _dotted(path: Path) -> str:
    """A path for messages, with positions counted from 1."""
    return ".".join(str(step + 1 if isinstance(step, int) else step) for step in path)


def _parsed(text: str) -> Any:
    """A record or a list of them may be given as JSON, which can contain nulls, too."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_misspelled(known: Collection[str], raw: Mapping[str, Any], path: Path) -> None:
    """Name the nearest known name; if none is near, ansible-core's own error lists all names."""
    for name in raw:
        # ansible-core hands its own settings over in the same way.
        if name not in known and not str(name).startswith("_ansible_"):
            near = did_you_mean(str(name), known)
            if near:
                raise InputError(f"Unsupported parameter {_dotted((*path, name))}{near}")


def _is_null(each: Field, value: Any, at: str, warn: Warn) -> bool:
    # An empty reference may come from an undefined variable, and must not widen a scope.
    clears = each.nullable and not each.required and not each.reference
    is_string = each.type == "str" and not each.choices
    return value is None or _is_empty(value, at, warn, clears, is_string)


def _is_left_out(option: Mapping[str, Any], value: Any, at: str, warn: Warn) -> bool:
    """Whether an option that is not a field is left out: ansible-core splits '' into ['']."""
    has_items = option.get("type") in ("list", "dict")
    return _is_empty(value, at, warn, has_items, not has_items)


def _is_empty(value: Any, at: str, warn: Warn, clears: bool, is_string: bool) -> bool:
    """Whether an empty string means null."""
    if not (isinstance(value, str) and value == ""):
        return False
    if clears and _NONE_IS_EMPTY:
        warn(
            f"{at} is an empty string and is taken as null, because this ansible-core makes an "
            "empty string of a template that gives null; use default(omit) to leave the option out"
        )
        return True
    if not is_string:
        raise InputError(
            f"{at} must not be an empty string; "
            "use null to clear it, or default(omit) to leave it as it is"
        )
    return False


def refuse_unsendable(spec: ArgumentSpec, params: Mapping[str, Any]) -> None:
    """Refuse what no request can hold before anything is done with it.

    A raw option is left to its operation, which knows where each part of it was written.

    :raises InputError: names the option.
    """
    for name, value in params.items():
        if spec.options.get(name, {}).get("type") != "raw":
            as_stored(value, name)


def restore_nulls(
    validated: Mapping[str, Any], fields: Sequence[Field], nulls: list[Path]
) -> dict[str, Any]:
    """What the user wrote: validated parameters without those left out, with the nulls back."""
    by_name = {each.name: each for each in fields}
    written = {
        name: _without_unset(by_name.get(name), value)
        for name, value in validated.items()
        if value is not None
    }
    for path in nulls:
        at: Any = written
        for step in path[:-1]:
            at = at[step] if isinstance(step, int) else at.setdefault(step, {})
        at[path[-1]] = None
    return written


def _without_unset(each: Field | None, value: Any, _key: Any = None) -> Any:
    """A value without the options that ansible-core adds as None, deep along the fields."""
    if each is None or not each.fields:
        return value
    value = each.map_inside(value, _without_unset)
    if not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if item is not None}
