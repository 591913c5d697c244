# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: kong
short_description: Read entities of Kong Gateway
version_added: 1.0.0
description:
  - Returns entities of a gateway, or one field of them, as the gateway has them.
  - It reads on the controller, whatever the task's host. In check mode, too, it sees what is really
    there, and not what earlier tasks would change.
extends_documentation_fragment:
  - irishtek.kong.connection_plugin
options:
  _terms:
    description:
      - The kind of the entities, then what each of them is called by.
      - Kinds are called as their modules are, without C(kong_), and credentials by their type.
      - An entity is called by its id, or as its module finds it, such as by name. A plugin's name
        must be that of one plugin only, a CA certificate is called by its digest.
    type: list
    elements: str
    required: true
  parent:
    description:
      - What the entities belong to, the upstream of targets or the consumer of credentials, by its
        name or id. Needed for these kinds, and an error for the others.
    type: str
  field:
    description:
      - Only this field of each entity, with dots into records as in V(healthchecks.active.timeout).
        A field of a record that is null is null, one that the gateway does not have is an error.
    type: str
  default:
    description:
      - What to return for an entity that does not exist, instead of failing. It may be null.
    type: raw
notes:
  - Secrets are returned like all other values, because reading values is what a lookup is for. Give
    a task that handles them C(no_log=true).
  - The options of C(module_defaults) do not apply to lookups; the environment variables do.
seealso:
  - module: irishtek.kong.kong_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Show an upstream
  ansible.builtin.debug:
    msg: "{{ lookup('irishtek.kong.kong', 'upstream', 'echo', admin_url='http://127.0.0.1:8001') }}"

- name: Show the weights of two targets, as a list
  ansible.builtin.debug:
    msg: "{{ query('irishtek.kong.kong', 'target', '10.0.0.11:8080', '10.0.0.12:8080',
      parent='echo', field='weight', admin_url='http://127.0.0.1:8001') }}"

- name: Show the host of a service, or nothing, with the connection of the environment
  ansible.builtin.debug:
    msg: "{{ lookup('irishtek.kong.kong', 'service', 'echo', field='host', default=none) }}"

- name: Read the secret with which a consumer signs tokens
  ansible.builtin.set_fact:
    alice_secret: "{{ lookup('irishtek.kong.kong', 'jwt', 'https://issuer.example',
      parent='alice', field='secret') }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description:
    - For each term after the kind, in that order, the entity or its O(field).
  type: list
  elements: raw
  sample:
    - name: echo
      algorithm: round-robin
      slots: 10000
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.lookup import LookupBase

from ansible_collections.irishtek.kong.plugins.module_utils._apply import parent_key
from ansible_collections.irishtek.kong.plugins.module_utils._connection_options import (
    CONNECTION,
    connection_from,
    with_environment,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._identity import (
    find_by_reference,
    looks_like_id,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import (
    InputError,
    KongError,
    refused_by,
)
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._spelling import did_you_mean
from ansible_collections.irishtek.kong.plugins.module_utils._transport import HTTPX_IMPORT_ERROR
from ansible_collections.irishtek.kong.plugins.module_utils._values import as_stored
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import plain
from ansible_collections.irishtek.kong.plugins.plugin_utils._session import worker_session


class LookupModule(LookupBase):
    """``lookup('irishtek.kong.kong', KIND, NAME, …)``."""

    def run(
        self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        """One entity, or field, for each term after the kind.

        :raises AnsibleLookupError: what is asked for is not there or cannot be read.
        """
        self.set_options(var_options=variables, direct=kwargs)
        if HTTPX_IMPORT_ERROR is not None:
            raise AnsibleLookupError(missing_required_lib("httpx"))
        try:
            kind, keys = _asked_for(as_stored(plain(list(terms)), "terms"))
            parent = _parent(kind, plain(self.get_option("parent")))
            params = {name: plain(self.get_option(name)) for name in CONNECTION}
            gateway = worker_session().gateway(connection_from(with_environment(params)))
            with refused_by(gateway.url):
                return [self._answer(gateway, kind, key, parent, kwargs) for key in keys]
        except KongError as exc:
            raise AnsibleLookupError(exc.message) from exc

    def _answer(
        self,
        gateway: Gateway,
        kind: Kind,
        key: str,
        parent: str | None,
        written: Mapping[str, Any],
    ) -> Any:
        # A key that is secret is not in it.
        subject = kind.describe({kind.identity.field: key}, parent)
        entity = _find(gateway, kind, key, parent)
        if entity is None:
            if "default" not in written:
                raise InputError(f"{subject} does not exist at {gateway.url}")
            return plain(self.get_option("default"))
        field = plain(self.get_option("field"))
        return entity if field is None else _field(entity, field, subject)


def _asked_for(terms: Sequence[Any]) -> tuple[Kind, list[str]]:
    """The kind that the first term names, and what the entities are called by."""
    if len(terms) < 2:
        raise InputError(
            "the kind and the name or ID of an entity are required, as in 'upstream', 'echo'"
        )
    kind = KINDS.get(str(terms[0]))
    if kind is None:
        known = ", ".join(KINDS) + did_you_mean(str(terms[0]), KINDS)
        raise InputError(f"{terms[0]!r} is not a kind of entity; use one of {known}")
    keys = terms[1:]
    if not all(key and isinstance(key, str) for key in keys):
        raise InputError(f"the name or ID of the {kind.name} must be a string that is not empty")
    return kind, list(keys)


def _parent(kind: Kind, parent: str | None) -> str | None:
    if kind.parent and not parent:
        raise InputError(f"{kind.name} needs parent, the name or id of its {kind.parent}")
    if parent and not kind.parent:
        raise InputError(f"{kind.name} has no parent")
    return parent


def _find(gateway: Gateway, kind: Kind, key: str, parent: str | None) -> Entity | None:
    """By ID or by what else it is called."""
    for field in kind.fields:
        if field.name == kind.identity.field and field.normalise and not looks_like_id(key):
            key = field.normalise(key)
    if parent is not None:
        parent = parent_key(gateway, kind, parent)
        return find_by_reference(gateway, kind, key, parent) if parent else None
    return find_by_reference(gateway, kind, key)


def _field(entity: Entity, path: str, subject: str) -> Any:
    value: Any = entity
    for step in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict) or step not in value:
            near = did_you_mean(step, value) if isinstance(value, dict) else ""
            raise InputError(f"{subject} has no field {path!r}{near}")
        value = value[step]
    return value
