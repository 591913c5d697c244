# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, requests, signs and installs a gateway's cluster certificate, with the openssl command.

It runs on managed hosts: Python 3.9 and openssl 1.1.1 or newer. Keys are made where they are used
and never printed. Each action prints one JSON object; a failure is a sentence on stderr, status 1.

The folder holds tls.crt, tls.key and perhaps ca.crt (in use), new.crt and new.key (known to the
control plane soon, not used yet), old.crt, old.key and perhaps old.ca.crt (used before, for the
way back, not forgotten yet).
"""

from __future__ import annotations

import argparse
import base64
import datetime
import grp
import ipaddress
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PRIVATE = 0o600
#: The name that a data plane asks its control plane for where cluster_mtls is shared.
SHARED_NAME = "kong_clustering"


class Refused(Exception):
    """What cannot be done; the message says what to do about it."""


def _openssl(*words: str, text: str = "") -> str:
    try:
        done = subprocess.run(
            ["openssl", *words], input=text, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise Refused("The command openssl is missing; install the package openssl.") from None
    if done.returncode != 0:
        # Its first line is for people, the others are its own trace.
        raise Refused(f"openssl {words[0]} failed: {done.stderr.strip().partition(chr(10))[0]}")
    return done.stdout


def _public_key_of(certificate: str) -> str:
    return _openssl("x509", "-pubkey", "-noout", text=certificate).strip()


def _public_half(key: Path) -> str:
    # With an empty passphrase, as it would else ask the terminal for one.
    words = ["pkey", "-in", str(key), "-passin", "pass:", "-pubout"]
    try:
        return _openssl(*words).strip()
    except Refused:
        raise Refused(
            f"{key} is no private key that can be read: the gateway needs one in PEM, and without"
            " a passphrase."
        ) from None


def _end_of(certificate: str) -> datetime.datetime:
    line = _openssl("x509", "-enddate", "-noout", text=certificate).strip()
    end = datetime.datetime.strptime(line.split("=", 1)[1], "%b %d %H:%M:%S %Y %Z")
    return end.replace(tzinfo=datetime.timezone.utc)


def _days_left(certificate: str) -> float:
    left = _end_of(certificate) - datetime.datetime.now(datetime.timezone.utc)
    return left.total_seconds() / 86400


def _read(path: Path, kind: str = "CERTIFICATE") -> str:
    """The PEM blocks of this kind, without what people write around them; "" where none is."""
    text = path.read_text(encoding="ascii", errors="replace") if path.is_file() else ""
    return _blocks(text, kind)


def _blocks(text: str, kind: str) -> str:
    pattern = rf"-----BEGIN ([A-Z0-9 ]*{kind})-----\n.*?-----END \1-----"
    return "".join(f"{block[0]}\n" for block in re.finditer(pattern, text, re.DOTALL))


def _certificate(path: Path) -> str:
    text = _read(path)
    if not text:
        raise Refused(f"{path} holds no certificate in PEM.")
    return text


def _write(path: Path, text: str, owner: tuple[int, int], mode: int = PRIVATE) -> None:
    """Replace the file at once: whoever reads it sees the old text or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(name, mode)
        os.chown(name, *owner)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _owner(arguments: argparse.Namespace) -> tuple[int, int]:
    """Uid and gid of the new files; -1 leaves one as it is."""
    user, group = arguments.owner, arguments.group
    try:
        uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid if user else -1
        gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid if group else -1
    except KeyError as error:
        raise Refused(f"There is no such user or group on this host: {error.args[0]}.") from None
    return uid, gid


def _check_pair(certificate: str, key_file: Path, what: str) -> None:
    if _public_key_of(certificate) != _public_half(key_file):
        raise Refused(f"{what} does not match its key: they are two halves of different pairs.")
    if _days_left(certificate) <= 0:
        raise Refused(f"{what} expired on {_end_of(certificate):%Y-%m-%d}; give one that is valid.")


def _is_as_asked(arguments: argparse.Namespace, certificate: str, key_file: Path) -> bool:
    """Whether a pair is one, and as a new one would be made, but for its days."""
    if _public_key_of(certificate) != _public_half(key_file):
        return False
    said = _openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", text=certificate)
    kind = _openssl("pkey", "-in", str(key_file), "-pubout", "-text", "-noout")
    return (
        arguments.days_left < _days_left(certificate)
        and said.strip() == f"subject=CN={arguments.name}"
        and _names_of(certificate) == set(map(_general_name, arguments.alternative_name))
        and ("secp384r1" in kind) == (arguments.key_type == "ec")
        and (arguments.key_type == "ec" or f"({arguments.bits} bit" in kind)
        and (_leads_to(arguments.ca, certificate) if arguments.ca else _signs_itself(certificate))
    )


def _names_of(certificate: str) -> set[str]:
    said = _openssl("x509", "-noout", "-ext", "subjectAltName", text=certificate)
    return {_general_name(name) for name in re.findall(r"(?:DNS|IP Address):([^,\s]+)", said)}


def _general_name(name: str) -> str:
    """A name as openssl's settings have it; an address in one of its many spellings."""
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        if ":" in name:
            raise Refused(f"{name} is neither an address nor a host's name.") from None
        return f"DNS:{name}"


def _make_key(path: Path, arguments: argparse.Namespace) -> None:
    algorithm = ["EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"]
    if arguments.key_type == "rsa":
        algorithm = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{arguments.bits}"]
    _write(path, _openssl("genpkey", "-algorithm", *algorithm), _owner(arguments))


def _config(arguments: argparse.Namespace, authority: bool = False) -> str:
    """Settings of openssl for a request; what it may be used for is the same at both ends."""
    extensions = [
        "basicConstraints=critical,CA:TRUE",
        "keyUsage=critical,keyCertSign,cRLSign",
    ] if authority else [
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=clientAuth,serverAuth",
        f"subjectAltName={','.join(dict.fromkeys(map(_general_name, arguments.alternative_name)))}",
    ]
    return "\n".join(
        ["[req]", "distinguished_name=dn", "prompt=no", "[dn]", f"CN={arguments.name}",
         "[extensions]", *extensions, ""]
    )


def _request(arguments: argparse.Namespace, key: Path, *more: str, authority: bool = False) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as config:
        config.write(_config(arguments, authority))
        config.flush()
        section = "-extensions" if "-x509" in more else "-reqexts"
        return _openssl("req", "-new", "-config", config.name, section, "extensions",
                        "-key", str(key), "-sha384", *more)


def look(arguments: argparse.Namespace) -> dict[str, Any]:
    """What lies in the folder, and whether the certificate in use is to be replaced."""
    folder = Path(arguments.folder)
    current, key = _read(folder / "tls.crt"), folder / "tls.key"
    return {
        "needed": not (
            current and key.is_file() and _is_as_asked(arguments, current, key)
            and arguments.ca == _read(folder / "ca.crt")
        ),
        "current": current,
        "old": _read(folder / "old.crt"),
    }


def _signs_itself(certificate: str) -> bool:
    issuer = _openssl("x509", "-noout", "-issuer_hash", text=certificate)
    return issuer == _openssl("x509", "-noout", "-subject_hash", text=certificate)


def _leads_to(trusted: str, certificate: str) -> bool:
    """Whether a chain leads to a root among these, as the gateway's two ends ask for."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as chain, \
            tempfile.NamedTemporaryFile("w", suffix=".pem") as anchors:
        for file, text in ((chain, certificate), (anchors, trusted)):
            file.write(text)
            file.flush()
        words = ["-CAfile", anchors.name, "-untrusted", chain.name]
        try:
            _openssl("verify", *words, text=certificate)
        except Refused:
            return False
    return True


def prepare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make a new key beside the one in use, and its request or its self-signed certificate.

    A self-signed pair that an interrupted run has left is taken up: it may be known already.
    """
    folder = Path(arguments.folder)
    key, left = folder / "new.key", _read(folder / "new.crt")
    if arguments.self_signed and left and key.is_file() and _is_as_asked(arguments, left, key):
        return {"changed": False, "new": left}
    _make_key(key, arguments)
    if not arguments.self_signed:
        return {"changed": True, "request": _request(arguments, key)}
    certificate = _request(arguments, key, "-x509", "-days", str(arguments.days))
    _write(folder / "new.crt", certificate, _owner(arguments))
    return {"changed": True, "new": certificate}


def sign(arguments: argparse.Namespace) -> dict[str, Any]:
    """Sign the request in `text` with the CA of `certificate` and `key`."""
    for path in (arguments.certificate, arguments.key):
        if not Path(path).is_file():
            raise Refused(f"{path} is missing on the host that signs.")
    ca = _certificate(Path(arguments.certificate))
    _check_pair(ca, Path(arguments.key), "The CA's certificate")
    with tempfile.TemporaryDirectory() as folder:
        extensions = Path(folder, "extensions.cnf")
        extensions.write_text(_config(arguments), encoding="ascii")
        signed = _openssl(
            "x509", "-req", "-CA", arguments.certificate, "-CAkey", arguments.key, "-sha384",
            "-set_serial", f"0x{os.urandom(16).hex()}", "-days", str(arguments.days),
            "-extfile", str(extensions), "-extensions", "extensions", text=arguments.text,
        )
    return {"changed": True, "new": signed, "ca": ca}


def authority(arguments: argparse.Namespace) -> dict[str, Any]:
    """The CA's certificate; with --create it is made where there is none (not with --check)."""
    certificate, key = Path(arguments.certificate), Path(arguments.key)
    if certificate.is_file():
        text = _certificate(certificate)
        if _days_left(text) <= 0:
            raise Refused(f"{certificate} of the CA expired on {_end_of(text):%Y-%m-%d}.")
        if not _leads_to(text, text):
            raise Refused(
                f"{certificate} holds a CA without its root: add the root's certificate to the"
                " file, as gateways trust no chain that ends before it."
            )
        return {"changed": False, "ca": text}
    if not arguments.create:
        raise Refused(f"{certificate} is missing; data_plane_ca_create makes a CA there.")
    if not arguments.check:
        certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_key(key, arguments)
        arguments.name = "Kong cluster CA"
        made = _request(arguments, key, "-x509", "-days", str(arguments.days), authority=True)
        _write(certificate, made, _owner(arguments), mode=0o644)
    return {"changed": True, "ca": _read(certificate)}


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Take a pair that lies on this host; without --check it becomes the new one."""
    folder = Path(arguments.folder)
    certificate, key = Path(arguments.certificate), Path(arguments.key)
    for path in (certificate, key):
        if not path.is_file():
            raise Refused(f"{path} is missing on this host.")
    text = _certificate(certificate)
    _check_pair(text, key, f"The certificate {certificate}")
    _check_trust(arguments, text)
    pair = (text, _read(key, "PRIVATE KEY"))
    current = (_read(folder / "tls.crt"), _read(folder / "tls.key", "PRIVATE KEY"))
    needed = current != pair or arguments.ca != _read(folder / "ca.crt")
    if needed and not arguments.check:
        _write(folder / "new.key", pair[1], _owner(arguments))
        _write(folder / "new.crt", pair[0], _owner(arguments))
    return {"needed": needed, "current": current[0], "new": text, "old": _read(folder / "old.crt")}


def _check_trust(arguments: argparse.Namespace, certificate: str) -> None:
    """Refuse a given certificate that nodes of a cluster of one's own would refuse."""
    if arguments.ca and not _leads_to(arguments.ca, certificate):
        raise Refused(
            f"{arguments.certificate} was not signed by the CA of data_plane_ca_certificate, or"
            " that file lacks the root that the CA leads to."
        )
    if not arguments.shared:
        return
    if not _signs_itself(certificate):
        raise Refused(
            f"{arguments.certificate} was signed by a CA: name the CA's certificate in"
            " data_plane_ca_certificate."
        )
    said = _openssl("x509", "-noout", "-checkhost", SHARED_NAME, text=certificate)
    if "does match" not in said:
        raise Refused(
            f"{arguments.certificate} is not for the name {SHARED_NAME}, by which nodes that"
            " share a pair know each other."
        )


def install(arguments: argparse.Namespace) -> dict[str, Any]:
    """Put the new pair into use and keep the one used before, for the way back."""
    folder, owner = Path(arguments.folder), _owner(arguments)
    if arguments.text:
        _write(folder / "new.crt", arguments.text, owner)
    _check_pair(_read(folder / "new.crt"), folder / "new.key", "The new certificate")
    current, trusted = _read(folder / "tls.crt"), _read(folder / "ca.crt")
    if current and not (folder / "old.crt").exists():
        if trusted:
            _write(folder / "old.ca.crt", trusted, owner)
        _write(folder / "old.key", _read(folder / "tls.key", "PRIVATE KEY"), owner)
        _write(folder / "old.crt", current, owner)
    if arguments.ca:
        _write(folder / "ca.crt", arguments.ca, owner)
    elif trusted:
        (folder / "ca.crt").unlink()
    os.replace(folder / "new.key", folder / "tls.key")
    os.replace(folder / "new.crt", folder / "tls.crt")
    return {"changed": True, "old": _read(folder / "old.crt")}


def restore(arguments: argparse.Namespace) -> dict[str, Any]:
    """Put the pair used before, and its CA, into use again, where there is one."""
    folder = Path(arguments.folder)
    there = all((folder / name).is_file() for name in ("old.crt", "old.key"))
    if there:
        for old, name in (("old.key", "tls.key"), ("old.crt", "tls.crt"), ("old.ca.crt", "ca.crt")):
            if (folder / old).is_file():
                os.replace(folder / old, folder / name)
    return {"changed": there}


ACTIONS = {
    "look": look, "prepare": prepare, "sign": sign, "authority": authority, "given": given,
    "install": install, "restore": restore,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=sorted(ACTIONS))
    for name in (
        "--folder", "--certificate", "--key", "--name", "--owner", "--group", "--text", "--ca",
    ):
        parser.add_argument(name, default="")
    parser.add_argument("--alternative-name", action="append", default=[])
    parser.add_argument("--key-type", choices=["ec", "rsa"], default="ec")
    parser.add_argument("--bits", type=int, default=3072)
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--days-left", type=int, default=0)
    for name in ("--self-signed", "--shared", "--create", "--check"):
        parser.add_argument(name, action="store_true")
    found = parser.parse_args()
    # A text of several lines travels in base64.
    found.text = base64.b64decode(found.text).decode("utf-8", "replace")
    found.ca = _blocks(base64.b64decode(found.ca).decode("utf-8", "replace"), "CERTIFICATE")
    return found


def main() -> int:
    """Run one action."""
    os.umask(0o077)
    arguments = _arguments()
    try:
        if not shutil.which("openssl"):
            raise Refused("The command openssl is missing; install the package openssl.")
        print(json.dumps(ACTIONS[arguments.action](arguments)))
    except (Refused, OSError, UnicodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
