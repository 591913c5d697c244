# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the tutorial as it is meant, on Konnect, in named steps: `make demo-konnect`.

Konnect is the sandbox's. The data plane is the sandbox's, too, or a real one where KONG_BIN names
the gateway's command. Each step proves what it says and the program ends with status 1 where one
does not. All processes are its own children on free ports of the loopback interface; none survives
it, however it ends.
"""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml  # type: ignore[import-untyped, unused-ignore]

from demo.display import changes
from demo.stage import alternates, demonstrate, prove, say, say_command, succeeded
from harness.echo import Echo, echo_server
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.playbook import LOCAL, Player, Run
from harness.program import DIRECT, run_program
from sandbox_tests.cluster_support import Authority, Pair, certificates, data_plane, node
from sandbox_tests.real_support import konnect_settings, real_data_plane

TOKEN = "kpat_demonstration"
CONTROL_PLANE = "first-upstream-target"
# The name in the certificate of Konnect's cluster port.
SERVER_NAME = "cp.konnect.test"
PLAYBOOKS = ROOT / "tests/demo/konnect"
TUTORIAL = ROOT / "tests/fixtures/state/first-upstream-target-konnect.yaml"


@dataclass
class Stage:
    """Konnect, two echo servers, what runs playbooks, and the data plane once it has joined.

    `trusted` is the certificate of Konnect's cluster port.
    """

    konnect: Gateway
    trusted: Path
    first: Echo
    second: Echo
    player: Player
    data_plane: ExitStack = field(default_factory=ExitStack)
    address: str = ""
    proxy_url: str = ""

    @property
    def folder(self) -> Path:
        """Where the files of the demonstration are."""
        return self.player.folder

    @property
    def state_file(self) -> Path:
        """The tutorial's file."""
        return self.folder / "kong.yaml"

    def attempt(self, name: str, *options: str, **more: str) -> Run:
        """Run a playbook as a user would."""
        written = [word for key, value in more.items() for word in ("-e", f"{key}={value}")]
        say_command(PLAYBOOKS / f"{name}.yml", *options, *written)
        self.konnect.reset_requests()
        variables = {
            "konnect_url": self.konnect.admin_url,
            "konnect_control_plane": CONTROL_PLANE,
            "certificates": str(self.folder),
            "state_file": str(self.state_file),
            "first_target": self.first.target,
            "second_target": self.second.target,
        }
        return self.player(
            PLAYBOOKS / f"{name}.yml",
            inventory={"control_planes": {"hosts": {CONTROL_PLANE: {**LOCAL, **variables}}}},
            extra_vars=more,
            diff="--diff" in options,
        )

    def play(self, name: str, *options: str, **more: str) -> Run:
        """Run a playbook as a user would, and return the run, which has to succeed."""
        return succeeded(self.attempt(name, *options, **more))

    def write_file(self, control_plane: str) -> None:
        """Write the tutorial's file with the echo servers instead of the public targets."""
        document = yaml.safe_load(TUTORIAL.read_text(encoding="utf-8"))
        document["_konnect"]["control_plane_name"] = control_plane
        for target, echo in zip(
            document["upstreams"][0]["targets"], (self.first, self.second), strict=True
        ):
            target["target"] = echo.target
        self.state_file.write_text(yaml.safe_dump(document))

    def join(self) -> str:
        """Start the data plane, which leaves at the end; what it is."""
        pair = Pair(self.folder / "tls.crt", self.folder / "tls.key", 0)
        enter = self.data_plane.enter_context
        command = os.environ.get("KONG_BIN", "").partition(":")[0]
        if command:
            settings = konnect_settings(SERVER_NAME, self.trusted)
            real = enter(real_data_plane(command, self.folder, pair, self.address, **settings))
            self.proxy_url = real.proxy
            return f"the data plane of {command}"
        options = ["--cluster-mtls", "pki", "--cluster-server-name", SERVER_NAME,
                   "--cluster-trusted", str(self.trusted)]  # fmt: skip
        running = enter(data_plane(self.folder / "dp.log", pair, self.address, *options))
        self.proxy_url = running.gateway.proxy_url
        return "the sandbox's data plane"

    def alternates(self) -> None:
        """Prove that the echo servers take turns behind the data plane."""
        alternates(self.proxy_url, {self.first.name, self.second.name})


def ping(stage: Stage) -> None:
    """Ping Konnect, which says whose organization it is"""
    said = stage.play("ping").result("Ping")["msg"]
    prove(said == "Successfully Konnected to the Kong organization!", said)
    say(said)


def create_control_plane(stage: Stage) -> None:
    """Create a control plane"""
    run = stage.play("control_plane", "--diff")
    for line in changes(run):
        say(line)
    made = run.result("Create the control plane")["control_plane"]
    stage.address = str(made["config"]["control_plane_endpoint"]).removeprefix("https://")
    prove(run.total("changed") == 1, f"changed: {run.changed()}")
    stage.konnect = replace(stage.konnect, control_plane=CONTROL_PLANE)
    say(f"data planes join it at {stage.address}.")


def pin_certificate(stage: Stage) -> None:
    """Make a certificate for a data plane and pin it in the control plane"""
    run = stage.play("certificate")
    pinned = run.result("Pin the certificate in the control plane")
    prove(pinned["changed"], "the certificate was pinned before")
    sent = [each["body"] for each in stage.konnect.requests() if each["method"] == "POST"]
    prove("PRIVATE KEY" not in str(sent), "the key was sent to Konnect")
    say(f"fingerprint {pinned['fingerprint'][:16]}..., and the key stays here.")


def join(stage: Stage) -> None:
    """Start a data plane with it"""
    what = stage.join()
    run = stage.play("nodes")
    found = run.result("expected configuration")
    prove((found["connected"], found["up_to_date"]) == (1, 1), f"joined: {found['nodes']}")
    say(f"{what} has joined, version {found['nodes'][0]['version']};")
    say(f"its proxy is {stage.proxy_url}")


def sync_another(stage: Stage) -> None:
    """Synchronize the tutorial's file as it is: it names the control plane default"""
    stage.write_file("default")
    run = stage.attempt("sync")
    prove(run.rc != 0, "a file for another control plane was accepted")
    said = run.result("Synchronize the file")["msg"]
    prove("control plane default" in said and not stage.konnect.writes(), said)
    say("refused, and no write was sent:")
    for line in textwrap.wrap(said, 90):
        say(f"  {line}")


def sync(stage: Stage) -> None:
    """Synchronize it with the right name, by its select tag"""
    stage.write_file(CONTROL_PLANE)
    run = stage.play("sync", "--diff")
    _five_made(stage, run)
    found = run.result("expected configuration")
    say(f"the data plane runs the expected configuration {found['expected_hash']}.")


def ask(stage: Stage) -> None:
    """Send requests through the data plane: the two targets take turns"""
    stage.alternates()


def sync_again(stage: Stage) -> None:
    """Synchronize it again: nothing changes"""
    _nothing_done(stage, stage.play("sync"))


def requests_find_the_same(stage: Stage) -> None:
    """Run the tutorial's five requests as five tasks: the file did the same"""
    _nothing_done(stage, stage.play("requests"))


def requests_instead(stage: Stage) -> None:
    """Remove what the file made, and let the five tasks do it instead"""
    gone = changes(stage.play("sync", "--diff", wanted="absent"))
    prove(len(gone) == 5, f"removed: {gone}")
    _five_made(stage, stage.play("requests", "--diff"))
    stage.alternates()


def requests_again(stage: Stage) -> None:
    """Run the five tasks again: nothing changes"""
    _nothing_done(stage, stage.play("requests"))


def remove(stage: Stage) -> None:
    """Stop the data plane and remove everything"""
    stage.data_plane.close()
    run = stage.play("remove", "--diff")
    for line in changes(run):
        say(line)
    prove(run.total("changed") == 3, f"changed: {run.changed()}")
    listed = stage.konnect.call("GET", "/v2/control-planes")["data"]
    prove([each["name"] for each in listed] == ["default"], f"Konnect still has {listed}")
    say("Konnect is as it was.")


STEPS = (
    ping, create_control_plane, pin_certificate, join, sync_another, sync, ask, sync_again,
    requests_find_the_same, requests_instead, requests_again, remove,
)  # fmt: skip


def _five_made(stage: Stage, run: Run) -> None:
    lines = changes(run)
    for line in lines:
        say(line)
    writes = stage.konnect.writes()
    prove(len(lines) == 5 and len(writes) == 5, f"not five writes: {writes}")
    say(f"changed={run.total('changed')}: five entities, five writes.")


def _nothing_done(stage: Stage, run: Run) -> None:
    writes = stage.konnect.writes()
    prove(run.total("changed") == 0 and not writes, f"changed: {run.changed()}, {writes}")
    say("changed=0, and no write was sent.")


@contextmanager
def _stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kong-demo-")))
        first, second = (stack.enter_context(echo_server(name)) for name in ("echo-a", "echo-b"))
        own = Authority(folder).alone(SERVER_NAME)
        options = ["--mode", "konnect", "--admin-token", TOKEN, "--cluster-port", "0"]
        running = stack.enter_context(node(folder / "konnect.log", *options, *certificates(own)))
        konnect = replace(running.gateway, token=TOKEN, control_plane="default")
        # As the tutorial has it: export KONNECT_TOKEN=kpat_...
        environment = {
            **DIRECT, "KONNECT_TOKEN": TOKEN, "ANSIBLE_REMOTE_TMP": str(folder / "remote"),
        }  # fmt: skip
        stage = Stage(konnect, own.certificate, first, second, Player(folder, environment))
        stack.enter_context(stage.data_plane)
        say(f"Konnect  {konnect.admin_url}, with the token in KONNECT_TOKEN")
        for echo in (first, second):
            say(f"target   {echo.name} at {echo.target}")
        yield stage


def _main() -> int:
    title = "The first upstream and its targets, on a sandbox of Konnect on this machine."
    return demonstrate(title, _stage, STEPS)


if __name__ == "__main__":
    sys.exit(run_program(_main))
