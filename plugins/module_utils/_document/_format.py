# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands where in a state file, and what it says about itself.

The format is decK's 3.0; the flat sections of a gateway without a database are read, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._entities._consumer import WORKSPACE
from .._entities._kind import TIMESTAMPS
from .._entities._registry import KINDS, LEVELS
from .._errors import InputError
from .._freeform import as_type
from .._spelling import did_you_mean
from ._located import place_of
from ._typed import strings_in

# The kinds of a document, in the order in which they can be written.
ORDER: tuple[str, ...] = tuple(
    sorted((name for name in KINDS if name != WORKSPACE.name), key=LEVELS.__getitem__)
)

# Sections at the top of a document, and the kind of what they list.
SECTIONS: Mapping[str, str] = {KINDS[name].schema_name: name for name in ORDER}

# Lists inside an entity: the kind of what they list, and the field by which that points back.
NESTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    owner: {
        KINDS[name].schema_name: (name, field.name)
        for name in ORDER
        for field in KINDS[name].references
        if field.nested and field.reference == owner
    }
    for owner in ORDER
}

# Parts of decK's format that the collection does not manage.
FOREIGN_SECTIONS = (
    "filter_chains",
    "rbac_roles",
    "licenses",
    "custom_entities",
    "ai_models",
    "cloned_plugins",
    "custom_plugins",
    "service_packages",
)
# What decK's format wants written, though gateways have a default for it, or decide it.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "certificate": ("id",),
    "jwt": ("algorithm",),
    "mtls_auth": ("id",),
    # decK does not know these defaults.
    "oauth2": ("client_type", "hash_secret"),
}
# Kinds whose fields can have defaults of the document's own.
DEFAULTED = ("service", "route", "upstream", "target")
# Notes, which the gateway's own format takes at the top and in each entity.
NOTES = ("_comment", "_ignore")
# What a gateway's own export has of its cluster, which is no configuration.
PARAMETERS = "parameters"
# What a document says about itself.
META = (
    *("_format_version", "_transform", "_info", "_workspace", "_konnect", "_plugin_configs"),
    *(PARAMETERS, *NOTES),
)
# Who is in which consumer group: a section, or a list in either of the two.
MEMBERS = "consumer_group_consumers"
# What gateways answer and nobody writes; dumps of others can hold it.
ANSWERED = (*TIMESTAMPS, "cert_digest")


def section_of(kind: str) -> str:
    """The top-level section that lists a kind."""
    return KINDS[kind].schema_name


# What decK knows of _info; the last one says nothing of entities that the collection manages.
_INFO = (
    "select_tags",
    "default_lookup_tags",
    "defaults",
    "consumer_group_policy_overrides",
    "skip_hash_for_basic_auth",
    "include_plugin_definitions",
)
# Sections of what a gateway stores as a hash.
_HASHED = ("basicauth_credentials", "oauth2_credentials")
_LOOKED_UP = ("consumers", "consumer_groups", "routes", "services", "partials")


def read_head(
    document: Mapping[str, Any], select_tags: Sequence[str] = (), foreign: bool = False
) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, Any]]]:
    """Validate all that is no entity, and return the select tags, and the defaults by kind.

    :param select_tags: those of the task; they and the document's must be the same.
    :param foreign: whether any section is allowed.
    :raises InputError: names the place.
    """
    if not foreign:
        _check_sections(document)
    info = mapping_in(document, "_info")
    _refuse_unknown(info, _INFO, "_info")
    _refuse_unknown(
        mapping_in(info, "default_lookup_tags"), _LOOKED_UP, "_info.default_lookup_tags"
    )
    if info.get("consumer_group_policy_overrides"):
        raise InputError(
            f"{place_of(info, 'consumer_group_policy_overrides')}: consumer_group_policy_overrides "
            "are not managed by this collection: write plugins of consumer groups"
        )
    if info.get("skip_hash_for_basic_auth"):
        raise InputError(
            f"{place_of(info, 'skip_hash_for_basic_auth')}: skip_hash_for_basic_auth is not "
            "supported: the passwords are hashed already, and the gateway would hash them again"
        )
    return _select_tags(info, select_tags), _defaults(info)


def mapping_in(above: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A mapping of a document, empty where it is left out.

    :raises InputError: it is none.
    """
    found = above.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InputError(f"{place_of(above, name)}: {name} is not a mapping")
    return found


def _has_passwords(document: Mapping[str, Any]) -> bool:
    """Whether a document can hold what a gateway stores as a hash."""
    consumers = document.get("consumers") or ()
    holders = [document, *(each for each in consumers if isinstance(each, Mapping))]
    return any(each.get(section) for each in holders for section in _HASHED)


def _check_sections(document: Mapping[str, Any]) -> None:
    if str(document.get("_format_version")) != "3.0":
        raise InputError(f'{place_of(document, "_format_version")}: _format_version must be "3.0"')
    if document.get("_transform") is False and _has_passwords(document):
        raise InputError(
            f"{place_of(document, '_transform')}: _transform false is not supported for "
            "passwords: it says that they are hashed already, and the gateway would hash them again"
        )
    if document.get("_konnect"):
        raise InputError(
            f"{place_of(document, '_konnect')}: _konnect names a control plane of Konnect, and "
            "admin_url is an Admin API; remove _konnect, or set ignore_konnect to true"
        )
    for section in map(str, document):
        where = place_of(document, section)
        if section in FOREIGN_SECTIONS:
            raise InputError(f"{where}: {section} are not managed by this collection")
        known = (*SECTIONS, *META, MEMBERS)
        if section not in known:
            near = did_you_mean(section, known)
            raise InputError(f"{where}: {section} is not a section of a state file{near}")


def _select_tags(info: Mapping[str, Any], wanted: Sequence[str]) -> tuple[str, ...]:
    listed = info.get("select_tags") or []
    try:
        written = [as_type("str", tag) for tag in strings_in(as_type("list", listed))]
    except InputError:
        where = place_of(info, "select_tags")
        raise InputError(f"{where}: _info.select_tags is not a list of strings") from None
    if written and wanted and set(written) != set(wanted):
        raise InputError(
            f"_info.select_tags is {', '.join(written)}, and select_tags is {', '.join(wanted)}"
        )
    return tuple(dict.fromkeys(written or wanted))


def _defaults(info: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    defaults = mapping_in(info, "defaults")
    _refuse_unknown(defaults, DEFAULTED, "_info.defaults")
    for name in defaults:
        kind = KINDS[name]
        # No two entities can share what tells them apart.
        own = [each.name for each in kind.fields if each.name != kind.identity.field]
        _refuse_unknown(mapping_in(defaults, name), own, f"_info.defaults.{name}")
    return {name: mapping_in(defaults, name) for name in defaults}


def _refuse_unknown(found: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    names = set(known)
    for name in found:
        if name not in names:
            near = did_you_mean(str(name), names)
            raise InputError(f"{place_of(found, str(name))}: {what} has no key {name}{near}")
