# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""State files as one document: found, rendered, parsed, merged.

Knows nothing of Ansible: how a file is read and how a string is decrypted is given. No message
shows a value of a file, apart from the names of workspaces and control planes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from ..module_utils._document._located import Located, joined, place_of
from ..module_utils._document._typed import strings_in
from ..module_utils._errors import InputError
from ._placeholders import render
from ._state_yaml import load

FORMAT = "3.0"
ENDINGS = (".yaml", ".yml", ".json")

Keys = tuple[str, ...]

# What a document can name only one of; the names are no secrets.
_ONE: dict[Keys, str] = {
    ("_workspace",): "workspaces",
    ("_konnect", "control_plane_name"): "control planes",
    ("_konnect", "runtime_group_name"): "control planes",
}
_TAGS = (("_info", "select_tags"), ("_info", "default_lookup_tags"))


def read_state(
    paths: Sequence[str],
    read_text: Callable[[str], str],
    environment: Mapping[str, str],
    decrypt: Callable[[str], str],
) -> Located:
    """The document of state files and of all state files below directories.

    :param paths: as messages shall name them.
    :param read_text: the text of a file; raises ``OSError``, ``UnicodeDecodeError``,
        ``InputError``.
    :param environment: for placeholders.
    :param decrypt: decrypts a ``!vault`` scalar; raises ``InputError``.
    :raises InputError: with the file and the line.
    """
    files = dict.fromkeys(file for path in paths for file in _files_of(path))
    return parse_state(((file, _read(file, read_text)) for file in files), environment, decrypt)


def parse_state(
    files: Iterable[tuple[str, str]],
    environment: Mapping[str, str],
    decrypt: Callable[[str], str],
) -> Located:
    """The document of the texts of files, each with its name; the rest as in ``read_state``."""
    documents = [
        load(render(text.removeprefix("\ufeff"), name, environment), name, decrypt)
        for name, text in files
    ]
    if not documents:
        raise InputError("src lists no file")
    return merge(documents)


def merge(documents: Sequence[Located]) -> Located:
    """One document of several: lists one after the other, mappings key by key.

    :raises InputError: two write the same differently, or it is not of the format 3.0.
    """
    for document in documents:
        if "_format_version" in document:
            check_format(document)
    whole = documents[0]
    for document in documents[1:]:
        whole = _merged_mappings(whole, document, ())
    check_format(whole)
    _refuse_two_names(whole)
    return whole


def check_format(document: Mapping[str, Any]) -> None:
    """Refuse a document that is not of the format 3.0, the only one for Kong 3.

    :raises InputError: older, without quotes, or missing.
    """
    version = document.get("_format_version")
    if version == FORMAT and isinstance(version, str):
        return
    where = place_of(document, "_format_version")
    if version is None:
        raise InputError(f'{where}: _format_version is missing, and must be "{FORMAT}"')
    if version == float(FORMAT):
        raise InputError(f'{where}: _format_version must be a string: write "{FORMAT}" with quotes')
    raise InputError(
        f'{where}: _format_version must be "{FORMAT}": '
        "files for older gateways need to be converted first"
    )


def _files_of(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    found = [
        os.path.join(folder, name)
        for folder, folders, names in os.walk(path)
        for name in names
        if name.lower().endswith(ENDINGS)
    ]
    if not found:
        raise InputError(f"{path}: the directory has no file that ends in {', '.join(ENDINGS)}")
    yield from sorted(found)


def _read(file: str, read_text: Callable[[str], str]) -> str:
    try:
        return read_text(file)
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise InputError(f"{file}:{line}: the file is not encoded in UTF-8") from None
    except OSError as exc:
        raise InputError(f"{file}: the file cannot be read: {exc.strerror}") from exc


def _merged_mappings(first: Located, second: Located, at: Keys) -> Located:
    places_of_both = {**second.places, **first.places}
    strings = {**second.strings, **first.strings}
    merged = Located({**second, **first}, first.where, places_of_both, strings)
    for key in first.keys() & second.keys():
        places = (place_of(first, key), place_of(second, key))
        if first.strings.get(key) != second.strings.get(key):
            raise _different(places, (*at, key))
        merged[key] = _merged(first[key], second[key], (*at, key), places)
    return merged


def _merged(first: Any, second: Any, at: Keys, places: tuple[str, str]) -> Any:
    if isinstance(first, Located) and isinstance(second, Located):
        return _merged_mappings(first, second, at)
    if isinstance(first, list) and isinstance(second, list):
        if at[:2] in _TAGS:
            tags = strings_in(first)
            return [*tags, *(tag for tag in strings_in(second) if tag not in tags)]
        return joined(first, second)
    if type(first) is type(second) and first == second:
        return first
    if at in _ONE and isinstance(first, str) and isinstance(second, str):
        where = " and ".join(places)
        raise InputError(f"{where} name two {_ONE[at]}: {first} and {second}")
    raise _different(places, at)


def _different(places: tuple[str, str], at: Keys) -> InputError:
    return InputError(f"{' and '.join(places)} have different values of {'.'.join(at)}")


def _refuse_two_names(document: Located) -> None:
    konnect = document.get("_konnect")
    names = ("control_plane_name", "runtime_group_name")
    if isinstance(konnect, Located) and konnect.keys() >= set(names):
        where = " and ".join(place_of(konnect, name) for name in names)
        raise InputError(f"{where}: {' and '.join(names)} mean the same; write the first")
