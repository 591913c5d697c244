# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller does for ``kong_state``, however it runs: read the state files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils._document._located import Located, packed
from ..module_utils._errors import InputError
from ._action import KongAction, plain
from ._state_files import check_format, parse_state, read_state


class KongStateAction(KongAction):
    """Puts the document of ``src`` or ``content`` parsed into ``content`` for both ways to run."""

    def _arguments(self) -> dict[str, Any]:
        args = dict(self._task.args)
        src, content = args.get("src"), args.get("content")
        # None or both of them: the argument spec has the sentence for that.
        if (src is None) == (content is None):
            return args
        if src is None:
            return {**args, "content": self._content(content)}
        del args["src"]
        return {**args, "content": self._read(plain(src))}

    def _for_module(self, args: dict[str, Any]) -> dict[str, Any]:
        content = args.get("content")
        return {**args, "content": packed(content)} if isinstance(content, Located) else args

    def _content(self, content: Any) -> Mapping[str, Any]:
        if isinstance(content, str):
            return parse_state([("content", plain(content))], self._environment(), self._decrypt)
        if not isinstance(content, Mapping):
            raise InputError("content must be a mapping, or a string that holds one")
        document: Mapping[str, Any] = plain(content)
        check_format(document)
        return document

    def _read(self, src: Any) -> Located:
        names = [src] if isinstance(src, str) else src
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError("src must be the path of a file or a directory, or a list of paths")
        paths = [_shortest(self._find(name)) for name in names]
        return read_state(paths, self._text, self._environment(), self._decrypt)

    def _find(self, name: str) -> str:
        """A path as roles and plays mean it: ``files/`` of the role, the role, the play."""
        try:
            return plain(self._find_needle("files", name))  # type: ignore[no-any-return]
        except AnsibleError as exc:
            raise InputError(f"src: {exc}") from exc

    def _text(self, path: str) -> str:
        """The text of a file, also of one that is encrypted as a whole."""
        absolute = os.path.abspath(path)
        try:
            # The public method of newer versions replaces what is not UTF-8.
            contents: bytes = self._loader._get_file_contents(absolute)[0]
        except AnsibleError as exc:
            raise InputError(f"{path}: the file cannot be read: {exc}") from exc
        return bytes(contents).decode()

    def _decrypt(self, text: str) -> str:
        try:
            decrypted: bytes = self._loader._vault.decrypt(text.encode())
        except AnsibleError as exc:
            raise InputError(f"the encrypted string cannot be read: {exc}") from exc
        try:
            return bytes(decrypted).decode()
        except UnicodeDecodeError:
            raise InputError("the encrypted string is not encoded in UTF-8") from None

    def _environment(self) -> dict[str, str]:
        """The controller's, with the task's own ``environment`` on top, as decK would see them."""
        written: dict[str, Any] = {}
        self._compute_environment_string(written)
        return {**os.environ, **{name: str(value) for name, value in plain(written).items()}}


def _shortest(path: str) -> str:
    """Paths in messages are relative where that is shorter."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative
