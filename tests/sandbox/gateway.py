# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway of one version: its kinds, as the dump and the declared table say together."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from . import enterprise, konnect_schema, schema, validate, values
from .declared import EXTRA_FIELDS, KINDS, ROUTES, VALIDATORS, VAULTS, Declared
from .errors import unexpected
from .schema import Field, Record, specialised

#: From this release on the community edition has the schema of workspaces only; before it keeps
#: workspaces, too, though nothing is in them (conformance: workspaces).
NEWER = (3, 9)


@dataclass(frozen=True)
class Kind:
    """A kind of entity: its record, its place in the API, its unique and foreign fields."""

    name: str
    record: Record
    declared: Declared
    unique: tuple[tuple[str, ...], ...]
    foreign: dict[str, Field]

    @property
    def nested(self) -> str:
        """The kind's name below a parent."""
        return self.declared.nested or self.declared.path

    def cascades(self, field: str) -> bool:
        """Whether an entity goes with the one that `field` points to."""
        on_delete = self.foreign[field].spec.get("on_delete")
        return on_delete == "cascade" or field in self.declared.cascade


class Gateway:
    """The kinds and plugins of one version ("3.4", "3.5", "3.9" or "3.10") and edition.

    The edition `konnect` is what control planes of Konnect have.
    """

    def __init__(self, version: str, edition: str = "community", counts: bool = True) -> None:
        """Not `counts`: without a database and on control planes nodes share no counters."""
        self.dump = schema.dump(version)
        for plugin in () if counts else COUNTING:
            config = schema.field_of(self.dump["plugins"][plugin], "config")
            schema.field_of(config, "policy")["one_of"].remove("cluster")
        self.edition = edition
        self.declared, extra = KINDS, EXTRA_FIELDS
        if edition != "community":
            enterprise.extend(self.dump)
            self.declared = enterprise.KINDS
        if edition == "konnect":
            konnect_schema.extend(self.dump)
            self.declared, extra = konnect_schema.KINDS, konnect_schema.EXTRA_FIELDS
        self._extra_fields = extra
        self.version: str = self.dump["version"]
        self.release: tuple[int, ...] = tuple(int(part) for part in version.split("."))
        if edition == "community" and self.release >= NEWER:
            self.declared = {**KINDS, "workspaces": Declared("")}
        self.kinds: dict[str, Kind] = {
            name: self._kind(name, declared)
            for name, declared in self.declared.items()
            if name in self.dump["entities"]
        }
        plugins = self.kinds["plugins"].record
        self.plugins: dict[str, Record] = {
            name: specialised(plugins, Record(spec, f"plugins/{name}", VALIDATORS))
            for name, spec in self.dump["plugins"].items()
        }
        routes = self.kinds["routes"].record
        self.routes: dict[str, Record] = {
            protocol: specialised(routes, Record(spec, f"routes/{protocol}", VALIDATORS))
            for protocol, spec in ROUTES.items()
        }
        self.vault_schemas = {name: _vault(edition, fields) for name, fields in VAULTS.items()}
        self.vaults: dict[str, Record] = {
            name: specialised(self.kinds["vaults"].record, Record(spec, name, VALIDATORS))
            for name, spec in self.vault_schemas.items()
        }
        self._bind_references()

    @property
    def server(self) -> str:
        """How the gateway names itself in `Server` and `Via`."""
        suffix = "-enterprise-edition" if self.edition == "enterprise" else ""
        return f"{self.version}{suffix}"

    @property
    def unique(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """The combinations of fields that occur once, by kind."""
        return {name: kind.unique for name, kind in self.kinds.items()}

    @property
    def foreign(self) -> dict[str, tuple[str, ...]]:
        """The fields that point to another entity, by kind."""
        return {name: tuple(kind.foreign) for name, kind in self.kinds.items()}

    def _kind(self, name: str, declared: Declared) -> Kind:
        validators = {**VALIDATORS, **enterprise.VALIDATORS}
        if self.release < NEWER:
            validators["keys.pem"] = values.pem_halves
            validators["upstreams.hash_on_cookie"] = values.strict_cookie_name
        record = Record(self.dump["entities"][name], name, validators)
        for extra, spec in self._extra_fields.get(name, {}).items():
            record.fields.setdefault(extra, Field(spec, f"{name}.{extra}", VALIDATORS))
        single = tuple((key,) for key, field in record.fields.items() if field.spec.get("unique"))
        foreign = {
            key: field for key, field in record.fields.items() if field.reference in self.declared
        }
        unique = tuple(dict.fromkeys(declared.together + single))
        return Kind(name, record, declared, unique, foreign)

    def _special(self, kind: str, data: dict[str, Any]) -> Record | None:
        """The record of a plugin's or a vault's name, or of a route's first known protocol."""
        records = {"plugins": self.plugins, "vaults": self.vaults, "routes": self.routes}.get(kind)
        if records is None:
            return None
        value = data.get("protocols" if kind == "routes" else "name")
        names = value if isinstance(value, list) else [value]
        known = [name for name in names if isinstance(name, str) and name in records]
        return records[known[0]] if known else None

    def record(self, kind: str, data: dict[str, Any]) -> Record:
        """The record that judges `data`."""
        return self._special(kind, data) or self.kinds[kind].record

    def _bind_references(self) -> None:
        """Let foreign keys ask what is wrong with what they hold."""
        for record in (*(kind.record for kind in self.kinds.values()), *self.plugins.values()):
            for field in record.fields.values():
                if field.reference in self.kinds:
                    field.referenced_errors = functools.partial(self._partial, field.reference)

    def _partial(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """What is wrong with what is written, and whether the field that tells the record is."""
        found = self.errors(kind, data)
        named = UNKNOWN[kind][0] if kind in UNKNOWN else None
        return {name: error for name, error in found.items() if name in data or name == named}

    def errors(self, kind: str, data: dict[str, Any], full: bool = True) -> dict[str, Any]:
        """What is wrong with a filled entity, by field; nothing is {}. Not `full`: a change."""
        if kind in UNKNOWN and self._special(kind, data) is None:
            field, message = UNKNOWN[kind]
            value = data.get(field)
            if value is None:
                return {field: validate.REQUIRED}
            if isinstance(value, (bool, int, float)):
                raise unexpected()
            value = next(iter(value), "nil") if isinstance(value, list) else value
            value = "nil" if isinstance(value, dict) else value
            return {field: message.format(value)}
        found = validate.record_errors(self.record(kind, data), data, full)
        return found if full else {name: _of_change(error) for name, error in found.items()}


def _of_change(errors: Any) -> Any:
    """Errors of a change: what is missing is said to be missing when updating."""
    if isinstance(errors, dict):
        return {name: _of_change(error) for name, error in errors.items()}
    if isinstance(errors, list):
        return [_of_change(error) for error in errors]
    if isinstance(errors, str) and errors.startswith("at least one of these fields"):
        return f"when updating, {errors}"
    return errors


#: Kinds that are nothing without a special record: the field that names it, and the error.
UNKNOWN = {
    "plugins": (
        "name",
        "plugin '{}' not enabled; add it to the 'plugins' configuration property",
    ),
    "vaults": ("name", "vault '{}' is not installed"),
    "routes": ("protocols", "unknown type: {}"),
}


#: Plugins that count requests in the database, where there is one.
COUNTING = ("rate-limiting", "response-ratelimiting")


def _vault(edition: str, fields: list[str]) -> dict[str, Any]:
    more = konnect_schema.VAULT_FIELDS if edition == "konnect" else []
    inside = [{field: {"type": "string"}} for field in fields]
    config = {"type": "record", "required": True, "fields": [*inside, *more]}
    return {"entity_checks": [], "fields": [{"config": config}]}
