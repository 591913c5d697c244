# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start an operation as a module, and what both ways to run have in common.

The engine raises exceptions; only here they become failed results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.warnings import warn

from ._argspec import ArgumentSpec, Path, refuse_unsendable, remove_nulls, restore_nulls
from ._client import Client
from ._connection import Connection
from ._connection_options import connection_from, secrets_in, with_environment
from ._errors import InputError, KongError, refused_by
from ._gateway._admin import AdminGateway
from ._gateway._konnect import CONTROL_PLANES, KonnectGateway
from ._gateway._konnect_account import KonnectAccount
from ._gateway._protocol import Gateway
from ._gateway._refusal import admin_refusal
from ._operations._base import Operation, Result, Task, silent
from ._predict import Checks, PredictingGateway, Predictions, is_predicted
from ._secrets import mask_fields
from ._transport import HTTPX_IMPORT_ERROR

MOST_GATEWAYS = 8  # with connections that a loop keeps


class Session:
    """What is kept between tasks: clients, and in check mode predictions.

    The session of a module's own process ends with it.
    """

    def __init__(self) -> None:
        self._clients: dict[Connection, Client] = {}
        self._kept: dict[str, dict[str, Any]] = {}

    def client(self, connection: Connection) -> Client:
        """The client of a connection; those that were not used lately are closed."""
        client = self._clients.pop(connection, None) or Client(connection, admin_refusal)
        self._clients[connection] = client
        if len(self._clients) > MOST_GATEWAYS:
            self._clients.pop(next(iter(self._clients))).close()
        return client

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    @contextmanager
    def predictions(self, connection: Connection) -> Iterator[Predictions]:
        """The predictions of earlier tasks for this gateway."""
        yield Predictions()

    def predicted(self, connection: Connection) -> Predictions:
        """A copy of the predictions of earlier tasks, without keeping others from theirs."""
        return Predictions()

    def inside(self, connection: Connection, outer: Gateway, place: dict[str, Any]) -> Gateway:
        """A control plane of Konnect, or a workspace, to be read; in check mode as predicted."""
        gateway: Gateway
        if connection.control_plane == "":
            option = "control_plane"
            gateway = KonnectGateway(self.client(connection), outer, lambda *asked: place)
        else:
            option = "workspace"
            gateway = self.gateway(replace(connection, workspace=place["name"]))
        gateway.is_new = outer.is_new or is_predicted(place["id"])
        # Tasks write its name or its ID.
        for key in (place["id"], place["name"]) if outer.predicts else ():
            known = self.predicted(replace(connection, **{option: key}))
            gateway = PredictingGateway(gateway, known, lambda warning: None)
        return gateway

    def gateway(
        self,
        connection: Connection,
        progress: Callable[[str], None] = silent,
        account: Gateway | None = None,
    ) -> Gateway:
        """The gateway behind a connection, in its dialect.

        :param account: what predicts Konnect's control planes; then nothing is remembered of them.
        """
        client = self.client(connection)
        client.progress = progress
        if not connection.is_konnect:
            return AdminGateway(client)
        if not connection.control_plane:
            return KonnectAccount(client)
        if account is not None:
            return KonnectGateway(client, account, lambda kept, name, read: read())
        return KonnectGateway(client, KonnectAccount(client), self.remember)

    def predicting(
        self,
        connection: Connection,
        predictions: Predictions,
        warn: Callable[[str], None],
        checks: Checks | None = None,
        progress: Callable[[str], None] = silent,
    ) -> PredictingGateway:
        """The gateway behind a connection for check mode, also where the run would create it.

        :raises InputError: the run would have removed its workspace or control plane by then.
        """
        gateway, above = self.gateway(connection, progress), connection.above
        if above is not None:
            with self.predictions(above) as known:
                around = self.predicting(above, known, warn)
                if around.has_predicted(connection.workspace):
                    if connection.workspace is None:
                        gateway = self.gateway(connection, progress, around)
                    gateway = around.inside(gateway, connection.workspace)
        return PredictingGateway(gateway, predictions, warn, checks or Checks())

    def remember(self, kept: str, name: str, read: Callable[[], Any]) -> Any:
        """What all tasks of a run share of Konnect (plain JSON), read once."""
        known = self._kept.setdefault(kept, {})
        # What was not found is looked for again.
        if known.get(name) is None:
            known[name] = read()
        return known[name]

    def forget(self, kept: str) -> None:
        """After a task that can change what is kept."""
        self._kept.pop(kept, None)

    def forget_predictions(self, connection: Connection) -> None:
        """After a task that can write, earlier predictions do not hold."""


def run(
    operation: Operation,
    params: Mapping[str, Any],
    *,
    check_mode: bool,
    diff: bool,
    warn: Callable[[str], None],
    session: Session,
    progress: Callable[[str], None] = silent,
) -> Result:
    """Run an operation and return its result; a failure is a result with ``failed``.

    :param params: validated, with the explicit nulls put back.
    """
    try:
        refuse_unsendable(operation.spec, params)
        if not operation.spec.connects:
            return operation.run(Task(params, None, check_mode, diff, warn, progress))
        connection = connection_from(params)
        if operation.of_account:
            connection = connection.account()

        def node(url: str) -> Gateway:
            return session.gateway(connection_from(params, url, "status_urls"))

        def start(on: Gateway) -> Result:
            with refused_by(on.url):
                inside = partial(session.inside, connection, on)
                return operation.run(
                    Task(params, on, check_mode, diff, warn, progress, node, inside)
                )

        if check_mode or operation.only_predicts:
            with session.predictions(connection) as known:
                predictions = known.copy() if operation.only_predicts else known
                checks = operation.checks
                return start(session.predicting(connection, predictions, warn, checks, progress))
        if operation.writes:
            session.forget_predictions(connection)
        try:
            return start(session.gateway(connection, progress))
        finally:
            if operation.of_account and operation.writes:
                session.forget(CONTROL_PLANES)
    except KongError as exc:
        return failed(exc)


def failed(exc: KongError) -> Result:
    """The result of a failure: the message, the details, and what was done before it."""
    failure = {key: value for key, value in exc.failure.items() if key not in ("context", "final")}
    # A name in it may have a lone surrogate, which no output can encode.
    message = exc.message.encode("utf-8", "backslashreplace").decode()
    return {"changed": False, **exc.partial, "failed": True, "msg": message, "failure": failure}


class KongModule(AnsibleModule):
    """``AnsibleModule`` that keeps explicit nulls, and does not log secrets."""

    def __init__(self, spec: ArgumentSpec) -> None:
        self._spec = spec
        self._nulls: list[Path] = []
        self.params: dict[str, Any] = {}
        super().__init__(
            argument_spec=spec.to_spec(), supports_check_mode=True, **spec.constraints()
        )

    @property
    def written(self) -> dict[str, Any]:
        return restore_nulls(self.params, self._spec.fields, self._nulls)

    @property
    def shown_params(self) -> dict[str, Any]:
        return {**mask_fields(self._spec.fields, self.params), **self._spec.masked(self.params)}

    def fail_json(self, msg: str, **result: Any) -> None:
        # Arguments that failed validation have no known shape, so they cannot be masked.
        super().fail_json(msg, **{"invocation": {}, **result})

    def _load_params(self) -> None:
        super()._load_params()
        if self._spec.connects:
            self.params = with_environment(self.params)
        self.no_log_values |= secrets_in(self.params)
        try:
            # Before ansible-core logs them, which fails with a lone surrogate.
            refuse_unsendable(self._spec, self.params)
            self.params, self._nulls = remove_nulls(
                self._spec.fields, self.argument_spec, self.params, warn
            )
        except InputError as exc:
            self.fail_json(**failed(exc))

    def _log_invocation(self) -> None:
        written, self.params = self.params, self.shown_params
        try:
            super()._log_invocation()
        finally:
            self.params = written


def run_module(operation: Operation) -> None:
    """The whole ``main()`` of a module."""
    module = KongModule(operation.spec)
    invocation = {"module_args": module.shown_params}
    if HTTPX_IMPORT_ERROR is not None:
        module.fail_json(
            msg=missing_required_lib("httpx"), exception=HTTPX_IMPORT_ERROR, invocation=invocation
        )
    session = Session()
    result = run(
        operation,
        module.written,
        check_mode=module.check_mode,
        diff=module._diff,
        warn=module.warn,
        session=session,
    )
    session.close()
    if result.pop("failed", False):
        module.fail_json(invocation=invocation, **result)
    module.exit_json(invocation=invocation, **result)
