# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML and JSON of state files, with the place of every mapping and key.

PRIVATE to the collection: it can change in any release.

Only what JSON has comes out: no dates, no numbers to the base 60, texts as keys. Messages name
the place and never repeat a part of the file, which can be a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any, Callable

import yaml  # type: ignore[import-untyped]

from ..module_utils._document._located import Located
from ..module_utils._errors import InputError
from ._placeholders import Rendered

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML without libyaml reads the same, more slowly.
    from yaml import SafeLoader as _Base

_TAG = "tag:yaml.org,2002:"
_PLAIN = ("null", "bool", "str")
_INT = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$")
_PAIR = re.compile(r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class _Wrong(Exception):
    """A mistake at a node; the line is that of the rendered text, from 0."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Loader(_Base):
    """One document; the constructors below are all that it has."""

    yaml_constructors: dict[Any, Any] = {}
    yaml_implicit_resolvers: dict[Any, Any] = {
        first: [(tag, form) for tag, form in found if tag in (f"{_TAG}null", f"{_TAG}bool")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, rendered: Rendered, name: str, decrypt: Callable[[str], str]) -> None:
        super().__init__(rendered.text)
        self.rendered = rendered
        self.file = name
        self.decrypt = decrypt

    def where(self, line: int) -> str:
        """The place in the file of a line of the rendered text."""
        return f"{self.file}:{self.rendered.line(line)}"


def _mapping(loader: _Loader, node: yaml.Node) -> Located:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(node.start_mark.line, "this is no mapping")
    _refuse_duplicates(loader, node)
    loader.flatten_mapping(node)
    found = Located(where=loader.where(node.start_mark.line))
    for key, value in node.value:
        found[key.value] = loader.construct_object(value, deep=True)
        found.places[key.value] = loader.where(key.start_mark.line)
    return found


def _refuse_duplicates(loader: _Loader, node: yaml.MappingNode) -> None:
    lines: dict[Hashable, int] = {}
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            _refuse_wrong_keys(value)
            continue
        _refuse_wrong_key(key)
        if key.value in lines:
            raise _Wrong(
                key.start_mark.line,
                f"the key {key.value} is written twice in one mapping, first at "
                f"{loader.where(lines[key.value])}",
            )
        lines[key.value] = key.start_mark.line


def _refuse_wrong_keys(merged: yaml.Node) -> None:
    """The keys of what ``<<`` merges, which is constructed only where it stands itself."""
    parts = merged.value if isinstance(merged, yaml.SequenceNode) else [merged]
    for part in parts:
        for key in part.value if isinstance(part, yaml.MappingNode) else ():
            _refuse_wrong_key(key[0])


def _refuse_wrong_key(key: yaml.Node) -> None:
    if not isinstance(key, yaml.ScalarNode) or key.tag.startswith("!"):
        raise _Wrong(key.start_mark.line, "a key must be a text")


def _sequence(loader: _Loader, node: yaml.Node) -> list[Any]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Wrong(node.start_mark.line, "this is no list")
    return [loader.construct_object(item, deep=True) for item in node.value]


def _vault(loader: _Loader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong(node.start_mark.line, "!vault stands before an encrypted text only")
    try:
        return loader.decrypt(node.value)
    except InputError as exc:
        raise _Wrong(node.start_mark.line, exc.message) from exc


def _unknown(loader: _Loader, node: yaml.Node) -> None:
    raise _Wrong(node.start_mark.line, "a YAML tag that is not known here; !vault is")


_SCALARS: dict[str, Any] = {
    **{name: yaml.SafeLoader.yaml_constructors[f"{_TAG}{name}"] for name in _PLAIN},
    "int": yaml.SafeLoader.yaml_constructors[f"{_TAG}int"],
    "float": yaml.SafeLoader.yaml_constructors[f"{_TAG}float"],
}
for _name, _constructor in {**_SCALARS, "map": _mapping, "seq": _sequence}.items():
    _Loader.add_constructor(f"{_TAG}{_name}", _constructor)
_Loader.add_constructor("!vault", _vault)
_Loader.add_constructor("!vault-encrypted", _vault)
_Loader.add_constructor(None, _unknown)
_Loader.add_implicit_resolver(f"{_TAG}int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+0123456789."))
_Loader.add_implicit_resolver(f"{_TAG}merge", re.compile("<<$"), ["<"])


def load(rendered: Rendered, name: str, decrypt: Callable[[str], str]) -> Located:
    """The document of a text.

    :param name: the file, for places; JSON where it ends so.
    :param decrypt: the text behind a ``!vault`` scalar; raises ``InputError``.
    :raises InputError: no YAML, empty, or no mapping.
    """
    if name.lower().endswith(".json"):
        rendered = Rendered(_json_as_yaml(rendered.text), rendered.lines)
    loader = None
    try:
        loader = _Loader(rendered, name, decrypt)
        document = loader.get_single_data()
    except _Wrong as exc:
        raise InputError(f"{name}:{rendered.line(exc.line)}: {exc}") from exc.__cause__
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        # What is quoted can be a part of a value: an unquoted secret that begins with a star.
        problem = re.sub("['\"].*['\"]", "…", exc.problem or "", flags=re.DOTALL)
        where = f"{name}:{rendered.line(mark.line)}" if mark else name
        raise InputError(f"{where}: no valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError):
        raise InputError(f"{name}: no valid YAML: it holds what YAML does not allow") from None
    finally:
        if loader is not None:
            loader.dispose()
    if document is None:
        raise InputError(f"{name}: the document is empty")
    if not isinstance(document, Located):
        raise InputError(f"{name}: a state file must be a mapping, and this is none")
    return document


def _json_as_yaml(text: str) -> str:
    """JSON in the form that YAML shares with it.

    Tabs stand between tokens only, and characters beyond the first 65,536 are pairs of escapes.
    """
    return _PAIR.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), text.replace("\t", " "))
