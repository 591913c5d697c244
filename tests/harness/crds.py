# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of Kubernetes resources, out of their CustomResourceDefinitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.paths import ROOT

FIXTURES = ROOT / "tests/fixtures/kubernetes"


def schema_of(path: Path) -> dict[str, Any]:
    """The schema of the version that a definition stores."""
    definition = json.loads(path.read_text())
    (version,) = [each for each in definition["spec"]["versions"] if each["storage"]]
    return dict(version["schema"]["openAPIV3Schema"])


def strict(schema: Any) -> Any:
    """The schema with unknown fields refused, as an API server does where it is asked to."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found
