# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_ingress_values``; its documentation is the YAML file of the same name.

Source of the names: the values of the chart ``kong/ingress`` and Kong's pages on Konnect.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleFilterError

_MOUNTED = "/etc/secrets"
_CONTROLLER_TYPE = "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"


def kong_ingress_values(
    options: Mapping[str, Any],
    *,
    control_plane: Mapping[str, Any] | None = None,
    region: str = "us",
) -> dict[str, Any]:
    """Values of the chart ``kong/ingress`` for the options of the role ``ingress``.

    :param control_plane: as ``konnect_control_plane_info`` returns it, where there is one.
    :raises AnsibleFilterError: options that conflict, or what the role needs is not installed.
    """
    _check(options)
    controller: dict[str, Any] = {"ingressClass": options["class"]}
    values: dict[str, Any] = {
        "controller": {"ingressController": controller},
        # The Admin API stays within the cluster, and Kong Manager is not published.
        "gateway": {"manager": {"enabled": False}},
    }
    if control_plane is not None:
        secret = f"{options['release']}-konnect"
        controller["env"] = {"feature_gates": "FillIDs=true"}
        controller["konnect"] = _konnect(control_plane, region, secret)
        values["gateway"]["secretVolumes"] = [secret]
        values["gateway"]["env"] = _gateway_settings(control_plane, secret)
    return values


def _check(options: Mapping[str, Any]) -> None:
    try:
        importlib.import_module("ansible_collections.kubernetes.core")
    except ImportError:
        raise AnsibleFilterError(
            "the role ingress needs the collection kubernetes.core: "
            "ansible-galaxy collection install kubernetes.core"
        ) from None
    if options.get("control_plane"):
        for name in ("certificate", "key"):
            if not options.get(name):
                raise AnsibleFilterError(f"konnect_control_plane needs ingress_konnect_{name}")


def _konnect(control_plane: Mapping[str, Any], region: str, secret: str) -> dict[str, Any]:
    found = control_plane["config"]["cluster_type"]
    if found != _CONTROLLER_TYPE:
        raise AnsibleFilterError(
            f"control plane {control_plane['name']} has the type {found}, and an ingress "
            f"controller needs one of the type {_CONTROLLER_TYPE}"
        )
    return {
        "enabled": True,
        "controlPlaneID": control_plane["id"],
        "tlsClientCertSecretName": secret,
        "apiHostname": f"{region}.kic.api.konghq.com",
        "license": {"enabled": True},
    }


def _gateway_settings(control_plane: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Settings by which the gateway reports to Konnect; its configuration is the controller's."""
    telemetry = urlsplit(control_plane["config"]["telemetry_endpoint"]).hostname
    return {
        "konnect_mode": "on",
        "vitals": "off",
        "cluster_mtls": "pki",
        "cluster_telemetry_endpoint": f"{telemetry}:443",
        "cluster_telemetry_server_name": telemetry,
        "cluster_cert": f"{_MOUNTED}/{secret}/tls.crt",
        "cluster_cert_key": f"{_MOUNTED}/{secret}/tls.key",
        "lua_ssl_trusted_certificate": "system",
    }


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_ingress_values": kong_ingress_values}
