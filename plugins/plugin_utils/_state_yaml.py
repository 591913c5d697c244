# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML and JSON of state files, with the place of every mapping and key.

Only what JSON has comes out: no dates, no numbers to the base 60, strings as keys. What is written
in place of a number or a boolean is kept beside it, for fields that are strings. Messages name the
place and never repeat a part of the file, which can be a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Callable

import yaml  # type: ignore[import-untyped]

from ..module_utils._document._located import Listed, Located
from ..module_utils._errors import InputError
from ._placeholders import Inserted, Rendered

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML without libyaml reads the same, more slowly.
    from yaml import SafeLoader as _Base

_TAG = "tag:yaml.org,2002:"
_PLAIN = ("null", "bool", "str")
_INT = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$")
_TYPED = tuple(f"{_TAG}{name}" for name in ("null", "bool", "int", "float"))
_VAULT = ("!vault", "!vault-encrypted")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.|$)", re.DOTALL)
_ESCAPES = {
    **dict(zip("0abtnvfre", "\0\a\b\t\n\v\f\r\x1b")),
    **{each: each for each in " \"'/\\\t"},
    **dict(zip("N_LP", "\x85\xa0\u2028\u2029")),
}
# An escape is one only behind an even number of backslashes.
_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
# A problem that quotes signs of YAML at most.
_SIGNS_ONLY = re.compile("(?:[^'\"]|'[]},:-]')*$")
_PROBLEMS = {
    "but found another document": "a file can hold one document only; write the next one to a file "
    "of its own"
}


class _Wrong(Exception):
    """A mistake at a node; the line is that of the rendered text, from 0."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class _Entry:
    """A key of a mapping and its value; ``in_flow``: they stand between braces."""

    key: yaml.ScalarNode
    value: yaml.Node
    in_flow: bool


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

    def read(self, node: yaml.Node, in_flow: bool) -> tuple[Any, str | None]:
        """The value of a node, and its text where the value alone does not tell it.

        :param in_flow: whether the node stands between brackets or braces.
        """
        if isinstance(node, yaml.ScalarNode) and node.tag not in _VAULT:
            inserted = self.rendered.inserted(node.value)
            if inserted:
                return self._filled(node, inserted, in_flow)
            if not node.style and node.tag in _TYPED:
                return self._typed(node.value, node.tag)
        return self.construct_object(node, deep=True), None

    def _filled(
        self, node: yaml.ScalarNode, inserted: list[Inserted], in_flow: bool
    ) -> tuple[Any, str | None]:
        """A scalar with placeholders: no sign in a value means something to YAML.

        In double quotes a backslash begins an escape, as decK has it, and a block ends as its first
        line says.
        """
        if node.style in ("|", ">"):
            body = node.value.rstrip("\n")
            filled = self.rendered.filled(body)
            ends = body.endswith(self.rendered.sign)
            return (filled.rstrip("\n") if ends else filled) + node.value[len(body) :], None
        if not node.style and len(inserted) == 1 and node.value in self.rendered.values:
            if inserted[0].is_quoted:
                return inserted[0].raw, None
            return self._reread(inserted[0].raw, node.start_mark.line, in_flow)
        if any(each.is_quoted for each in inserted):
            line = node.start_mark.line
            raise _Wrong(line, 'printf "%q" makes a string in quotes; write nothing around it')
        if node.style == '"':
            return self.rendered.filled(node.value, partial(_unescaped, node)), None
        text = self.rendered.filled(node.value)
        return (text, None) if node.style else self._typed(text)

    def _typed(self, text: str, tag: str = "") -> tuple[Any, str | None]:
        """The value of a plain scalar, and its text where that is a number or a word."""
        tag = tag or self.resolve(yaml.ScalarNode, text, (True, False))
        if tag not in _TYPED:
            return text, None
        value = self.construct_object(yaml.ScalarNode(tag, text))
        is_canonical = value is None or (
            isinstance(value, int) and not isinstance(value, bool) and str(value) == text
        )
        return value, None if is_canonical else text

    def _reread(self, text: str, line: int, in_flow: bool) -> tuple[Any, str | None]:
        """A value that stands alone: its text, and what decK would read it as."""
        tag = self.resolve(yaml.ScalarNode, text, (True, False))
        if tag in _TYPED:
            return self._typed(text, tag)[0], text
        inside = f"[{text}]" if in_flow else text
        if not re.search(r"[\[\]{},]" if in_flow else r"^\s*[\[{]|^\s*- |: |:$", text):
            return text, None
        rendered = Rendered(inside, (self.rendered.line(line),) * (inside.count("\n") + 1))
        try:
            loader = _Loader(rendered, self.file, self.decrypt)
            value = loader.get_single_data()
        except (_Wrong, yaml.YAMLError, ValueError):
            return text, None
        if in_flow and len(value) != 1:
            raise _Wrong(
                line, "the value is several items of a list; put the placeholder in quotes"
            )
        value = value[0] if in_flow else value
        return (value, text) if isinstance(value, (Mapping, list)) else (text, None)


def _mapping(loader: _Loader, node: yaml.Node) -> Located:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(node.start_mark.line, "this is not a mapping")
    found = Located(where=loader.where(node.start_mark.line))
    for name, entry in _entries(loader, node, ()).items():
        found[name], text = loader.read(entry.value, entry.in_flow)
        found.places[name] = loader.where(entry.key.start_mark.line)
        if text is not None:
            found.strings[name] = text
    return found


def _entries(
    loader: _Loader, node: yaml.MappingNode, above: tuple[yaml.Node, ...]
) -> dict[str, _Entry]:
    """The entries of a mapping: its own, else those of the first that it merges.

    PyYAML's own merge differs between its versions.

    :param above: the mappings that merge this one.
    """
    if any(node is each for each in above):
        raise _Wrong(node.start_mark.line, "this mapping merges itself")
    own: dict[str, _Entry] = {}
    merged: dict[str, _Entry] = {}
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(part, yaml.MappingNode):
                    raise _Wrong(key.start_mark.line, "<< takes a mapping or a list of mappings")
                merged = {**_entries(loader, part, (*above, node)), **merged}
            continue
        if not isinstance(key, yaml.ScalarNode) or key.tag.startswith("!"):
            raise _Wrong(key.start_mark.line, "a key must be a string")
        name = loader.rendered.filled(key.value)
        if name in own:
            first = loader.where(own[name].key.start_mark.line)
            raise _Wrong(
                key.start_mark.line,
                f"{_key(loader, key)} is written twice in one mapping, first at {first}",
            )
        own[name] = _Entry(key, value, bool(node.flow_style))
    return {**merged, **own}


def _key(loader: _Loader, key: yaml.ScalarNode) -> str:
    """A key for messages; what a placeholder gives is not shown."""
    return "a key" if loader.rendered.inserted(key.value) else f"the key {key.value}"


def _unescaped(node: yaml.ScalarNode, inserted: Inserted) -> str:
    """A value in double quotes."""
    if inserted.is_escaped:
        return inserted.raw

    def character(found: re.Match[str]) -> str:
        letter, digits = found[1][0], found[1][1:]
        code = int(digits, 16) if digits else -1
        if digits and not 0xD800 <= code <= 0xDFFF and code <= 0x10FFFF:
            return chr(code)
        if letter in _ESCAPES and not digits:
            return _ESCAPES[letter]
        raise _Wrong(
            node.start_mark.line,
            "in double quotes, the value has a backslash that begins no escape; "
            "remove the quotes around the placeholder",
        )

    return _ESCAPE.sub(character, inserted.raw)


def _sequence(loader: _Loader, node: yaml.Node) -> list[Any]:
    if not isinstance(node, yaml.SequenceNode):
        raise _Wrong(node.start_mark.line, "this is not a list")
    found = [loader.read(item, bool(node.flow_style)) for item in node.value]
    strings = {position: text for position, (_item, text) in enumerate(found) if text is not None}
    items = [item for item, _text in found]
    return Listed(items, strings) if strings else items


def _vault(loader: _Loader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong(node.start_mark.line, "!vault takes an encrypted string")
    try:
        return loader.decrypt(loader.rendered.filled(node.value))
    except InputError as exc:
        raise _Wrong(node.start_mark.line, exc.message) from exc


def _unknown(loader: _Loader, node: yaml.Node) -> None:
    raise _Wrong(node.start_mark.line, "an unknown YAML tag; only !vault is supported")


_SCALARS: dict[str, Any] = {
    **{name: yaml.SafeLoader.yaml_constructors[f"{_TAG}{name}"] for name in _PLAIN},
    "int": yaml.SafeLoader.yaml_constructors[f"{_TAG}int"],
    "float": yaml.SafeLoader.yaml_constructors[f"{_TAG}float"],
}
for _name, _constructor in {**_SCALARS, "map": _mapping, "seq": _sequence}.items():
    _Loader.add_constructor(f"{_TAG}{_name}", _constructor)
for _name in _VAULT:
    _Loader.add_constructor(_name, _vault)
_Loader.add_constructor(None, _unknown)
_Loader.add_implicit_resolver(f"{_TAG}int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+0123456789."))
_Loader.add_implicit_resolver(f"{_TAG}merge", re.compile("<<$"), ["<"])


def load(rendered: Rendered, name: str, decrypt: Callable[[str], str]) -> Located:
    """The document of a text.

    :param name: the file, for places; JSON where it ends so.
    :param decrypt: decrypts a ``!vault`` scalar; raises ``InputError``.
    :raises InputError: no YAML, empty, or no mapping.
    """
    if name.lower().endswith(".json"):
        rendered = replace(rendered, text=_json_as_yaml(rendered.text))
    try:
        return _load(rendered, name, decrypt)
    except InputError:
        structured = rendered.with_structure()
        if structured is None:
            raise
    return _load(structured, name, decrypt)


def _load(rendered: Rendered, name: str, decrypt: Callable[[str], str]) -> Located:
    loader = None
    try:
        loader = _Loader(rendered, name, decrypt)
        document = loader.get_single_data()
    except _Wrong as exc:
        raise InputError(f"{name}:{rendered.line(exc.line)}: {exc}") from exc.__cause__
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        problem = _PROBLEMS.get(exc.problem, exc.problem or "")
        if not _SIGNS_ONLY.match(problem):
            # What is quoted can be a part of a value: an unquoted secret that begins with a star.
            problem = re.sub("['\"].*['\"]", "…", problem, flags=re.DOTALL)
        where = f"{name}:{rendered.line(mark.line)}" if mark else name
        raise InputError(f"{where}: this is not valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError):
        raise InputError(
            f"{name}: this is not valid YAML: it holds what YAML does not allow"
        ) from None
    finally:
        if loader is not None:
            loader.dispose()
    if document is None:
        raise InputError(f"{name}: the document is empty")
    if not isinstance(document, Located):
        raise InputError(f"{name}: a state file must be a mapping")
    return document


def _json_as_yaml(text: str) -> str:
    """JSON in the form that YAML shares with it.

    Tabs stand between tokens only, and characters beyond the first 65,536 are pairs of escapes.
    """
    return _PAIR.sub(
        lambda found: found[1] + str(json.loads(f'"{found[2]}"')), text.replace("\t", " ")
    )
