# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of Konnect that validates each answer against Konnect's OpenAPI documents."""

from __future__ import annotations

import contextlib
import functools
import json
import pathlib
import re
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped, unused-ignore]

from harness.gateway import sandbox
from harness.paths import ROOT
from sandbox_tests.cluster_support import Node, Pair, certificates, node

Entity = dict[str, Any]

DOCUMENTS = ("konnect-control-planes", "konnect-core-entities")
TOKEN = "kpat_sandbox"

#: What the documents leave out: refusals of core entities, and paths that clients ask for.
CORE_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {
        "code": {"enum": [3, 5, 6, 7, 12]},
        "message": {"type": "string", "minLength": 1},
        "details": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["@type", "type", "messages"],
                "additionalProperties": False,
                "properties": {
                    "@type": {"const": "type.googleapis.com/kong.admin.model.v1.ErrorDetail"},
                    "type": {"pattern": "^ERROR_TYPE_(REFERENCE|FIELD|ENTITY)$"},
                    "field": {"type": "string", "minLength": 1},
                    "messages": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                },
            },
        },
    },
}
PROBLEM = {"type": "object", "required": ["status", "title", "instance", "detail"]}
UNDOCUMENTED = ("/organizations/me", "/workspaces", "/v1/schemas/json/")


@functools.cache
def document(name: str) -> dict[str, Any]:
    """One OpenAPI document, its nullable schemas as JSON Schema says it."""
    text = (ROOT / f"tests/sandbox/data/{name}.json").read_text(encoding="utf-8")
    return dict(_nullable(json.loads(text)))


def _nullable(value: Any) -> Any:
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {name: _nullable(item) for name, item in value.items() if name != "nullable"}
    return {"anyOf": [out, {"type": "null"}]} if value.get("nullable") is True else out


def _operation(path: str, method: str) -> tuple[str, str, dict[str, Any]] | None:
    """The document, the template and the operation of a request."""
    parts = path.split("/")
    for name in DOCUMENTS:
        paths = document(name)["paths"]
        for template in sorted(paths, key=lambda template: template.count("{")):
            pattern = template.split("/")
            if len(pattern) == len(parts) and all(
                part == text or part.startswith("{")
                for part, text in zip(pattern, parts, strict=True)
            ):
                found = paths[template].get(method.lower())
                return None if found is None else (name, template, found)
    return None


def documented() -> set[tuple[str, str]]:
    """Every (method, template) of the documents."""
    return {
        (method.upper(), template)
        for name in DOCUMENTS
        for template, item in document(name)["paths"].items()
        for method in item
    }


def _outside(path: str) -> str:
    """The path of what is asked for in a workspace as if it was in none."""
    return re.sub("(/core-entities)/[^/]+/", r"\1/", path)


class Konnect:
    """Sends requests to a sandbox; `seen` are the operations that succeeded."""

    def __init__(
        self, url: str, token: str | None = TOKEN, verify: ssl.SSLContext | bool = True
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [self._validate]}
        self.client = httpx.Client(
            base_url=url, headers=headers, trust_env=False, timeout=10, event_hooks=hooks,
            verify=verify,
        )
        self.seen: set[tuple[str, str]] = set()

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Send a request below `/v2`; the decoded answer, whose status must be this one."""
        written = {} if body is None else {"json": body}
        answer = self.client.request(method, f"/v2{path}", **written)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def made(self, path: str, **body: Any) -> Entity:
        """Create an entity; the entity."""
        return dict(self.call("POST", path, body, 201))

    def control_plane(self, name: str = "default") -> str:
        """The path of a control plane."""
        listed = self.call("GET", f"/control-planes?filter[name][eq]={name}")
        return f"/control-planes/{listed['data'][0]['id']}"

    def reset(self) -> None:
        """Empty the sandbox."""
        self.client.delete("/sandbox/faults").raise_for_status()
        self.client.post("/sandbox/reset").raise_for_status()

    def _validate(self, answer: httpx.Response) -> None:
        """Compare one answer with its document."""
        path = answer.request.url.path
        if not path.startswith("/v2/"):
            return
        answer.read()
        method, path = answer.request.method, path.removeprefix("/v2")
        found = _operation(path, method) or _operation(_outside(path), method)
        if found is None:
            assert answer.is_error or any(part in path for part in UNDOCUMENTED), (method, path)
            return
        name, template, operation = found
        if answer.is_success:
            self.seen.add((method, template))
        schema, media = _schema(name, operation, answer)
        if schema is None:
            assert not answer.content, (method, path, answer.text)
            return
        assert answer.headers["content-type"].partition(";")[0] == media, (method, path)
        whole = {"allOf": [schema], "components": document(name)["components"]}
        jsonschema.validate(answer.json(), whole, jsonschema.Draft202012Validator)


def _schema(
    name: str, operation: dict[str, Any], answer: httpx.Response
) -> tuple[dict[str, Any] | None, str]:
    """The schema and the content type of an answer; None where it must be empty."""
    status = str(answer.status_code)
    response = operation["responses"].get(status)
    if response is not None and "$ref" in response:
        response = document(name)["components"]["responses"][response["$ref"].split("/")[-1]]
    if response and "content" in response:
        ((media, content),) = response["content"].items()
        return content["schema"], media
    if answer.is_success:
        assert response is not None, f"{answer.request.method} is not documented to give {status}"
        return None, ""
    if name == "konnect-control-planes":
        return PROBLEM, "application/problem+json"
    return CORE_ERROR, "application/json"


@contextlib.contextmanager
def konnect(*options: str) -> Iterator[Konnect]:
    """Run a sandbox in Konnect's mode until the block ends."""
    with sandbox("--mode", "konnect", *options) as running:
        found = Konnect(running.admin_url)
        with found.client:
            yield found


@contextlib.contextmanager
def konnect_with_cluster(folder: pathlib.Path, pair: Pair) -> Iterator[tuple[Konnect, Node]]:
    """Run a sandbox in Konnect's mode whose control planes data planes can join."""
    own = ["--mode", "konnect", "--cluster-port", "0", *certificates(pair)]
    with node(folder / "konnect.log", *own) as running:
        found = Konnect(running.gateway.admin_url)
        with found.client:
            yield found, running
