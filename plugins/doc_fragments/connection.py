# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which every module reaches a gateway."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - httpx
options:
  admin_url:
    description:
      - URL of the gateway's Admin API, for example V(http://127.0.0.1:8001).
      - When it is not written, the environment variable E(KONG_ADMIN_URL) is used.
    type: str
  admin_token:
    description:
      - Token of an RBAC user, sent as the header C(Kong-Admin-Token).
      - When it is not written, the environment variable E(KONG_ADMIN_TOKEN) is used.
    type: str
  konnect_token:
    description:
      - Token of Kong Konnect, a personal or a system account's, for a control plane of Konnect instead of an Admin API.
        It cannot be combined with O(admin_url).
      - When it is not written, the environment variable E(KONNECT_TOKEN) is used, else E(KONG_TOKEN).
      - Environment variables count only for the way in that is written. Where none is, E(KONG_ADMIN_URL) and
        E(KONNECT_TOKEN) cannot be combined.
    type: str
  konnect_region:
    description:
      - Region of Konnect. A control plane of another region is not found.
      - When it is not written, the environment variable E(KONNECT_REGION) is used, else V(us).
    type: str
    choices: [us, eu, au, me, in, sg]
  konnect_url:
    description:
      - URL of Konnect's API, instead of O(konnect_region). It must be C(https), unless the host is loopback.
      - When it is not written, the environment variable E(KONNECT_URL) is used.
    type: str
  control_plane:
    description:
      - Name or ID of the control plane of Konnect. It is looked up once a run.
      - When it is not written, the environment variable E(KONNECT_CONTROL_PLANE) is used, else V(default).
    type: str
  admin_headers:
    description:
      - Headers to send with every request, for an Admin API behind a proxy with its own authentication.
      - The values of those whose names say so (C(Authorization), C(Cookie), C(X-Api-Key) and the like) are
        treated as secrets.
    type: dict
  workspace:
    description:
      - Workspace (Kong Gateway Enterprise, Konnect) in which the entities live.
      - When it is not written, the environment variable E(KONG_WORKSPACE) is used, else the default workspace.
      - Version and edition are read outside of it, or at its path C(kong) by an account that may read one workspace only.
    type: str
  validate_certs:
    description:
      - Whether the certificate of an C(https) Admin API must be valid.
      - When it is not written, the environment variable E(KONG_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File (PEM) or hashed directory of the certificate authorities to trust instead of the system's.
      - When it is not written, the environment variable E(KONG_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - File (PEM) with the certificate that the Admin API asks of its clients.
      - When it is not written, the environment variable E(KONG_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - File (PEM, no passphrase) with the private key of O(client_cert).
      - When it is not written, the environment variable E(KONG_CLIENT_KEY) is used.
    type: path
  request_timeout:
    description:
      - Seconds within which each response must be complete.
    type: float
    default: 10.0
  request_retries:
    description:
      - How often a request is sent again after a connection error, HTTP 500, 502, 503 or 504, where repeating is harmless.
        A create whose outcome is not known is looked for before it is sent again.
      - All attempts together take no longer than O(request_timeout) times one more than this.
      - HTTP 429 is not counted. It is waited for as long as C(Retry-After) says, up to 60 seconds each time and ten times.
    type: int
    default: 3
notes:
  - Tasks whose connection is C(local) run inside Ansible's own process, which is many times faster than a
    module. Set the environment variable E(KONG_ANSIBLE_IN_PROCESS) or the host variable
    C(kong_ansible_in_process) to V(false) to run them as ordinary modules.
  - C(HTTP_PROXY), C(HTTPS_PROXY) and C(NO_PROXY) are honoured; loopback addresses are never proxied.
"""
