# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the wanted entities and what a gateway has to steps in an order that works.

Every new entity gets its id here, so that each reference is known before the first write and a
create whose answer was lost is recognised.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._apply import fill_nulls, plugin_kind, with_typed_config
from .._entities._certificate import CERTIFICATE, SNI, generated_id
from .._entities._credential import CREDENTIALS, stored_as_hash
from .._entities._identity import ByComparison, ByKeys, stored_id
from .._entities._keys import VAULT
from .._entities._kind import PLACEHOLDER, Entity, Kind, ids_in, unique_values
from .._entities._registry import KINDS
from .._errors import InputError, KongError, error_context
from .._freeform import with_details
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._partials import as_linked, links_of
from .._plan import plan_present
from .._values import without_nulls
from ._changes import EntityKey, Step, key_of
from ._current import CurrentState
from ._defaults import Defaults, defaults_of, leaves_out
from ._format import ORDER
from ._parse import CustomId, Document, Item
from ._typed import typed

Warn = Callable[[str], None]


class _NoSuchEntity(InputError):
    """A reference leads nowhere."""


@dataclass
class Matcher:
    """Gives each item its ID, finds what exists of it, and plans it."""

    gateway: Gateway
    state: CurrentState
    document: Document
    warn: Warn

    def __post_init__(self) -> None:
        self._defaults: dict[tuple[str, int], Defaults] = {}
        self._taken: dict[EntityKey, Item] = {}
        self._memberships: dict[tuple[str | None, str], Item] = {}
        self._typed_kinds: dict[str, Kind] = {}
        self._by_name: dict[tuple[str, Any], Item] = {}
        self._snis: dict[int, list[str]] = {}
        for item in self.document.items:
            if item.kind is SNI:
                owner = id(item.links.get(CERTIFICATE.name))
                self._snis.setdefault(owner, []).append(str(item.written["name"]))
            names = ("id", *item.kind.identity.names(item.kind))
            for key in map(item.written.get, names):
                if isinstance(key, str):
                    self._by_name.setdefault((item.kind.name, key), item)
            for name in item.kind.unique:
                self._by_name.setdefault((f"{item.kind.name}.{name}", item.written.get(name)), item)

    @property
    def matched(self) -> set[EntityKey]:
        """Stored entities that the document has."""
        found = ((item.kind, item.current) for item in self.document.items)
        return {key_of(kind, current) for kind, current in found if current is not None}

    def match(self, kind: Kind, absent: bool = False) -> None:
        """Find what exists of the items of a kind; those that they refer to are matched before.

        :param absent: they are deleted, so one that refers to what does not exist does not exist.
        """
        repeated: set[int] = set()
        for item in self._by_id_first(kind):
            try:
                if self._is_repeated(item):
                    repeated.add(id(item))
                    continue
                current = self._unless_taken(item, self._find(item))
            except _NoSuchEntity:
                if not absent:
                    raise
                current = None
            written = item.written.get("id")
            if current is not None and written not in (None, current["id"]):
                current = self._with_another_id(item, current)
            item.current = current
            item.id = (current or {}).get("id") or written or self._new_id(item)
        if repeated:
            items = self.document.items
            items[:] = [item for item in items if id(item) not in repeated]

    def _with_another_id(self, item: Item, current: Entity) -> Entity | None:
        """An entity that has another ID than the document writes; None where a load replaces it."""
        if not self.gateway.traits().writes_entities:
            return None
        self.warn(
            f"{item.where}: {item.describe()} has the id {current['id']} on the gateway, which "
            "stays"
        )
        return current

    def _is_repeated(self, item: Item) -> bool:
        """Whether an entity without an ID of its own is written a second time, which is allowed."""
        if item.kind.path_id is None:
            return False
        key = (self._owner_id(item), item.kind.path_id(self._references(item)))
        return self._memberships.setdefault(key, item) is not item

    def plan(self, reset: bool) -> list[Step]:
        """Steps for all items; ``reset`` brings fields that are left out back to their defaults."""
        self.read_schemas(reset)
        items = sorted(self.document.items, key=lambda item: ORDER.index(item.kind.name))
        return [self._step(item, reset) for item in items]

    def _by_id_first(self, kind: Kind) -> list[Item]:
        """An ID outweighs a name, and that outweighs what else only one can have.

        An entity that is renamed leaves its name to another item.
        """
        can_be_renamed = bool(kind.unique or kind.unique_together) and not kind.identity.scope

        def rank(item: Item) -> tuple[bool, bool]:
            key, name = item.written.get("id"), item.written.get(kind.path_key)
            has_no_id = key is None or self.state.with_id(kind.name, key) is None
            held = can_be_renamed and self.state.holding(kind.name, kind.path_key, name)
            return has_no_id, can_be_renamed and not held

        return sorted((item for item in self.document.items if item.kind is kind), key=rank)

    def _unless_taken(self, item: Item, found: Entity | None) -> Entity | None:
        """What an item was found as, unless another item is it."""
        if found is None:
            return None
        taker = self._taken.setdefault(key_of(item.kind, found), item)
        if taker is item:
            return found
        kind = item.kind
        names = [each.written.get(kind.identity.field) for each in (taker, item)]
        # Two entities can have keys that one has, as certificates SNIs: it is divided.
        can_be_two = isinstance(kind.identity, (ByComparison, ByKeys))
        if not can_be_two and (names[0] is None or names[0] == names[1]):
            raise InputError(f"{item.where}: {item.describe()} is already defined at {taker.where}")
        return None

    def _new_id(self, item: Item) -> str:
        if self.gateway.predicts:
            return PLACEHOLDER + uuid.uuid4().hex[:12]
        new = self._generated_id(item)
        if new is None or self.state.with_id(item.kind.name, new):
            return str(uuid.uuid4())
        return new

    def _generated_id(self, item: Item) -> str | None:
        """That of a certificate which only its SNIs identify."""
        names = self._snis.get(id(item)) if item.kind is CERTIFICATE else None
        return generated_id(item.written, names, self.document.workspace) if names else None

    def _find(self, item: Item) -> Entity | None:
        kind, written = item.kind, item.written.get("id")
        owner = self._owner_id(item)
        found = self.state.find_by(kind, "id", written) if written else None
        if found is not None and kind.parent_id(found) != owner:
            raise InputError(
                f"{item.where}: {item.describe()}: id {written} is taken by another {kind.name}; "
                f"it belongs to another {kind.parent}"
            )
        if found is not None:
            return found
        # A certificate without an ID is known by the SNIs that nest in it.
        for name in self._snis.get(id(item), ()):
            found = found or kind.identity.find_by_label(self.state, kind, name, None)
        new = None if found else self._generated_id(item)
        if new is not None and not self.state.holding(SNI.name, CERTIFICATE.name, new):
            # Of a run that ended before it created the SNIs.
            found = self.state.with_id(kind.name, new)
        scope = self._references(item, (kind.identity.field, *kind.identity.scope))
        desired = {**item.written, **scope}
        if isinstance(kind.identity, ByComparison):
            return found or self.state.by_comparison(kind, desired, owner)
        found = found or kind.identity.search(self.state, kind, desired, owner)
        if found is not None:
            return found
        renamed = self._renamed(item)
        # What the document does not own is another entity, not one that was renamed.
        tags = set(self.document.select_tags)
        owned = renamed is None or tags <= set(renamed.get("tags") or ())
        return renamed if owned else None

    def _renamed(self, item: Item) -> Entity | None:
        """What has another name, and something that only one can have as it is written."""
        together = [name for names in item.kind.unique_sets for name in names]
        written = {**item.written, **self._references(item, together)}
        for unique in unique_values(item.kind, written, self._owner_id(item)).items():
            for stored in self.state.sharing(item.kind, unique):
                return stored
        return None

    def _owner_id(self, item: Item) -> str | None:
        owner = item.owner
        return None if owner is None else self._id_of(str(item.kind.parent), owner, item)

    def _id_of(self, kind: str, link: Item | str, item: Item) -> str:
        """The ID behind a reference: of an item of the document, else of what is stored."""
        with error_context(f"{item.where}: {item.describe()}"):
            known = self._known(kind, link)
            if known is not None:
                return known
            if not self.gateway.offers(KINDS[kind]):
                raise _NoSuchEntity(self.gateway.not_offered.format(KINDS[kind].schema_name))
            raise _NoSuchEntity(
                f"{kind} {link} is neither in the document nor at {self.gateway.url}"
            )

    def _known(self, kind: str, link: Item | str) -> str | None:
        by = f"{kind}.{link.field}" if isinstance(link, CustomId) else kind
        target = link if isinstance(link, Item) else self._written(by, link)
        if target is not None:
            return target.id
        if isinstance(link, CustomId):
            self.state.read([kind])
            found = next(iter(self.state.holding(kind, link.field, str(link))), None)
        else:
            found = self.state.find(KINDS[kind], str(link))
        return None if found is None else str(found["id"])

    def _written(self, by: str, link: str) -> Item | None:
        return self._by_name.get((by, link)) or self._by_name.get((by, stored_id(link)))

    def _references(self, item: Item, only: Sequence[str] | None = None) -> Entity:
        return {
            each.name: {"id": self._id_of(str(each.reference), item.links[each.name], item)}
            for each in item.kind.fields
            if each.name in item.links and (only is None or each.name in only)
        }

    def read_schemas(self, reset: bool) -> None:
        """Ask side by side for the schemas that planning needs: plugins' own, and defaults.

        Those of kinds that are not matched yet are left out.
        """
        names = set()
        for item in self.document.items:
            # A create leaves the defaults to the gateway.
            item.is_partial = reset and item.current is not None and self._leaves_out(item)
            if item.is_partial and item.kind.validated:
                names.add(item.kind.schema_name)
            settings = self._settings_schema(item)
            if settings is not None:
                names.add(settings)
        for_each(self.gateway.schema, sorted(names))

    def _settings_schema(self, item: Item) -> str | None:
        """The name of the schema that an item's settings are typed by; None where none is needed.

        Those of a vault are sent as they are written: only their defaults need it.
        """
        is_typed = item.kind.typed_by_name or (item.kind is VAULT and item.is_partial)
        return item.kind.settings_schema(item.written.get("name")) if is_typed else None

    def _leaves_out(self, item: Item) -> bool:
        written, current = {**item.written, **item.links}, item.current or {}
        if self.gateway.omits_nulls:
            current = without_nulls(current, in_lists=True)
        return leaves_out(item.kind.fields, written, current)

    def _typed(self, item: Item) -> Kind:
        if item.kind.name in CREDENTIALS:
            return stored_as_hash(item.kind, item.written, str(self._owner_id(item)))
        schema = self._settings_schema(item)
        if schema is None:
            return item.kind
        if schema not in self._typed_kinds:
            self._typed_kinds[schema] = self._typed_by(schema, item)
        return self._typed_kinds[schema]

    def _typed_by(self, schema: str, item: Item) -> Kind:
        if item.kind.typed_by_name:
            return plugin_kind(self.gateway, str(item.written.get("name")))
        details = self.gateway.schema(schema)
        return item.kind if details is None else with_details(details, item.kind)

    def _step(self, item: Item, reset: bool) -> Step:
        current = item.current
        try:
            kind = self._typed(item)
            desired = self._desired(item, kind, reset)
            references = self._references(item)
            if item.partials is not None:
                partial_id = partial(self._id_of, "partial", item=item)
                links = links_of(kind, item.written, current, item.partials, partial_id)
                desired = as_linked(kind, {**desired, "partials": links})
            desired.update(references)
            if kind.path_id is not None:
                desired.update(self._named(item, references))
            else:
                desired["id"] = item.id
            plan = plan_present(kind, desired, current, item.owner_label)
            if kind.path_id is None and "id" not in item.written and current is None:
                plan = replace(plan, generated_id=True)
        except KongError as exc:
            exc.within(f"{item.where}: {item.describe()}")
            raise
        lists = ((each.lists, plan.entity.get(each.name)) for each in kind.fields if each.lists)
        needs = {(listed, key) for listed, ids in lists for key in ids_in(ids)}
        needs |= {(str(kind.field(n).reference), each["id"]) for n, each in references.items()}
        owner_id = self._owner_id(item)
        if owner_id is not None:
            needs.add((str(kind.parent), owner_id))
        return Step(plan, owner_id, needs, where=item.where, desired=desired)

    def _named(self, item: Item, references: Entity) -> Entity:
        """References with what people call the entities, for kinds that have no other name."""
        named = {}
        for name, reference in references.items():
            kind, link = KINDS[str(item.kind.field(name).reference)], item.links[name]
            known = self.state.with_id(kind.name, reference["id"])
            known = known or (link.written if isinstance(link, Item) else self._called(kind, link))
            named[name] = {each: known.get(each) for each in kind.named_by} | reference
        return named

    def _called(self, kind: Kind, name: str) -> Entity:
        item = self._by_name.get((kind.name, name))
        return item.written if item else self.state.find(kind, name) or {}

    def _desired(self, item: Item, kind: Kind, reset: bool) -> Entity:
        written = dict(item.written)
        config = written.get("config")
        if kind.details is not None and isinstance(config, dict):
            fields = kind.field("config").fields
            written["config"] = typed(fields, config, item.strings, "config.")
            written = with_typed_config(kind, written, str(written["name"]))
        current = item.current
        if not reset:
            meant = fill_nulls(self.gateway, kind, written, current)
            return self._with_rules(item, kind, meant, current)
        # Against nothing that exists: what is left out is reset, so nothing can override.
        meant = self._with_rules(item, kind, written, None)
        if current is None or not kind.validated or not item.is_partial:
            return meant
        key = (kind.name, id(kind.details))
        if key not in self._defaults:
            self._defaults[key] = defaults_of(kind, self.gateway.schema_of(kind))
        return self._defaults[key].fill_in(meant, current)

    def _with_rules(
        self, item: Item, kind: Kind, written: Entity, current: Entity | None
    ) -> Entity:
        desired = dict(written)
        for warning in kind.apply_field_rules(desired, current):
            self.warn(f"{item.where}: {item.describe()}: {warning}")
        return desired
