# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the parts of a release, CycloneDX in JSON: `python -m tools.sbom ARCHIVE FILE`.

Nothing of others is in the archive, so its parts are its own files; what it needs is listed, too.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

# What a task needs at run time, from the project's own documents (galaxy.yml depends on nothing).
NEEDED = ("ansible-core", "httpx")


def _json(archive: tarfile.TarFile, name: str) -> dict[str, Any]:
    member = archive.extractfile(name)
    assert member
    found: dict[str, Any] = json.load(member)
    return found


def _sha256(value: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=value)


def _collection(manifest: dict[str, Any], digest: str) -> Component:
    info = manifest["collection_info"]
    name = f"{info['namespace']}.{info['name']}"
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=info["version"],
        description=info["description"],
        bom_ref=name,
        purl=PackageURL("generic", info["namespace"], info["name"], info["version"]),
        licenses=[LicenseFactory().make_from_string(each) for each in info["license"]],
        hashes=[_sha256(digest)],
        external_references=[
            ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(info["repository"])),
            ExternalReference(type=ExternalReferenceType.ISSUE_TRACKER, url=XsUri(info["issues"])),
        ],
    )


def make(path: Path) -> str:
    """Return the list of an archive's parts, which is valid CycloneDX 1.6."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with tarfile.open(path) as archive:
        manifest, files = _json(archive, "MANIFEST.json"), _json(archive, "FILES.json")
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.component = _collection(manifest, digest)
    for each in files["files"]:
        if each["ftype"] == "file":
            bom.components.add(
                Component(
                    type=ComponentType.FILE, name=each["name"], bom_ref=each["name"],
                    hashes=[_sha256(each["chksum_sha256"])],
                )
            )
    needed = [
        Component(
            type=ComponentType.LIBRARY, name=name, bom_ref=f"pypi:{name}",
            purl=PackageURL("pypi", None, name), scope=ComponentScope.REQUIRED,
        )
        for name in NEEDED
    ]
    bom.components.update(needed)
    links = [Dependency(ref=component.bom_ref) for component in needed]
    bom.dependencies.add(Dependency(ref=bom.metadata.component.bom_ref, dependencies=links))
    written: str = JsonV1Dot6(bom).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(written):
        raise SystemExit(f"the list of parts is not valid: {error}")
    return written


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(make(Path(sys.argv[1])) + "\n", encoding="utf-8")
