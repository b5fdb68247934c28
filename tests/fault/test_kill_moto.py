"""ingot is killed (SIGKILL) at each API call of an amazon-ebs build on moto; then sweep, and the account holds what it held before."""
import os
import re
import signal

import pytest

from awsproxy import AwsProxy
from ebs import Account, template

BUILD = dict(ssh_keypair_name=None, ssh_private_key_file=None, communicator="none", provisioners=[], temporary_key_pair_name="kill-key", tags={"a": "b"})
READ = re.compile(r"Describe|Get")
NOT_FOUND = {"ami": "InvalidAMIID.NotFound", "i": "InvalidInstanceID.NotFound", "sg": "InvalidGroup.NotFound", "snap": "InvalidSnapshot.NotFound",
             "vol": "InvalidVolume.NotFound"}
SET = re.compile(r"<(\w+Set|\w+Info|\w+s)>.*</\1>", re.S)


@pytest.fixture(scope="module")
def proxy(moto):
    with AwsProxy(moto.port) as p:
        yield p


@pytest.fixture
def world(ingot, proxy, moto, sshd, tmp_path):
    return World(ingot, proxy, Account(moto, ("us-east-1",)), template(tmp_path, sshd, **BUILD), tmp_path)


class World:
    def __init__(self, ingot, proxy, account, path, folder):
        self.ingot, self.proxy, self.account, self.path, self.folder = ingot, proxy, account, path, folder

    def build(self, nth, before_it):
        """Builds and kills the program at its nth call: before the call is served, or between that and its answer. Returns the
        calls made; an exit code of 0 says that there is no nth call."""
        process = None
        self.proxy.calls.clear()

        def strike(call):
            if call.n == nth:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return "cut"

        self.proxy.fault = (lambda n, call: strike(call)) if before_it else None
        self.proxy.after = None if before_it else strike
        process = self.ingot.start("build", self.path, env=self.proxy.environment(), cwd=self.folder)
        out, _ = process.communicate(timeout=120)
        self.proxy.fault = self.proxy.after = None
        return process.returncode, list(self.proxy.calls), out

    def sweep(self, hide):
        """Sweeps; the ids in `hide` are not seen by the first three reads that would show them: asked for by id there is an error, by
        filter nothing."""
        left = [3]

        def refuse(n, call):
            named = [v for v in call.params.values() if v in hide]
            if left[0] and named and READ.match(call.action) and not any(k.startswith("Filter") for k in call.params):
                left[0] -= 1
                return 400, NOT_FOUND[named[0].split("-")[0]], f"The id {named[0]} does not exist"

        def rewrite(call, body):
            if hide and left[0] and READ.match(call.action) and any(i in body for i in hide):
                left[0] -= 1
                return SET.sub(r"<\1/>", body, count=1)
            return body

        self.proxy.calls.clear()
        self.proxy.rewrite, self.proxy.fault = rewrite, refuse
        r = self.ingot.run("sweep", env=self.proxy.environment(INGOT_SWEEP_PATIENCE="20" if hide else "1"), timeout=180)
        self.proxy.rewrite = self.proxy.fault = None
        return r


@pytest.mark.parametrize("before_it,hidden", [(False, False), (True, False), (False, True)],
                         ids=["answer lost", "never served", "answer lost and not visible at first"])
def test_killed_at_every_call(world, before_it, hidden):
    world.account.forget()
    start = world.account.state()
    nth = 0
    while True:
        nth += 1
        code, calls, out = world.build(nth, before_it)
        if code == 0:
            break
        assert code == -signal.SIGKILL, out
        left = world.account.state() - start
        newest = {i for _, i in left} if hidden else set()
        r = world.sweep(newest)
        action = calls[nth - 1].action
        print(f"killed at call {nth} ({action}): {len(left)} left, then swept")
        assert r.returncode == 0, f"call {nth} ({action}):\n{out}\n{r.stdout}"
        assert world.account.state() == start, f"call {nth} ({action}): {world.account.state() - start}\n{r.stdout}"
    assert nth > 15, "a build makes more calls than that"
    print(f"{nth - 1} points, all clean")
    world.account.forget()
