"""What relay and uploads share: a loopback sshd whose login shells read no start files, the peer's command line, and a line of 50 ms."""
import contextlib
import json
import os
import tempfile

from bench_startup import environment
from conftest import Sshd
from delay import Delay

# bash reads the user's start files for a command of sshd only at the outermost level.
QUIET = "SetEnv SHLVL=5\n"
ROUND_TRIP_MS = 50


class Bench:
    def __init__(self, program, home):
        self.program, self.home = program, home
        self.sshd = Sshd(os.path.join(home, "sshd"), QUIET)
        self.env = environment(home)

    def ssh(self, port, command):
        """A shell line that runs `command` there by OpenSSH's client, which makes its stderr non-blocking: not the one that others share."""
        return (f"ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i {self.sshd.key} "
                f"-p {port} {self.sshd.user}@127.0.0.1 '{command}' 2>/dev/null")

    def build(self, port, provisioner):
        """The command that runs one provisioner on the null builder."""
        path = os.path.join(self.home, f"t{port}.json")
        builder = {"type": "null", "ssh_host": "127.0.0.1", "ssh_port": port, "ssh_username": self.sshd.user, "ssh_private_key_file": self.sshd.key}
        with open(path, "w") as f:
            json.dump({"builders": [builder], "provisioners": [provisioner]}, f)
        return [self.program, "build", "-color=false", path]


@contextlib.contextmanager
def bench(program):
    with tempfile.TemporaryDirectory() as home:
        b = Bench(program, home)
        try:
            yield b
        finally:
            b.sshd.stop()


def lines(b):
    """(name, port, runs): no delay, and the long line."""
    yield "0 ms", b.sshd.port, 5
    with Delay(b.sshd.port, ROUND_TRIP_MS / 2) as d:
        yield f"{ROUND_TRIP_MS} ms", d.port, 3
