"""What an interrupted amazon-ebs run leaves, and sweep, against moto."""
import os
import re
import signal

import pytest

from ebs import account, proxy, template  # noqa: F401: fixtures
from waiting import until_said


@pytest.fixture
def start(ingot, proxy, sshd, tmp_path):
    """A build that has made its instance and now works on it; (process, path of its output)."""
    def run():
        path = template(tmp_path, sshd, ssh_keypair_name=None, ssh_private_key_file=None, communicator="none",
                        provisioners=[{"type": "shell-local", "inline": ["echo $$ > pid; echo provisioning; exec sleep 60"]}])
        out = tmp_path / "out"
        with open(out, "w") as f:
            p = ingot.start("build", "-color=false", path, env=proxy.environment(), cwd=tmp_path, stdout=f)
        until_said(p, out, "provisioning\n")
        return p, out
    yield run
    try:  # killed programs leave their script
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    except (OSError, ValueError):
        pass


def test_second_signal_prints_what_is_left_and_the_way_out(ingot, proxy, account, start):
    before = account.state()
    p, out = start()
    p.send_signal(signal.SIGSTOP)  # both signals arrive before any cleanup
    p.send_signal(signal.SIGINT)
    p.send_signal(signal.SIGTERM)
    p.send_signal(signal.SIGCONT)
    assert p.wait(20) == 1
    with open(out) as f:
        said = f.read()
    run = re.search(r"To remove what is left: ingot sweep -run (\w{26})\n", said).group(1)
    assert re.search(r"Left behind: instance i-\w+ \(us-east-1\)", said)
    assert account.state() != before
    env = dict(proxy.environment(), INGOT_SWEEP_PATIENCE="0")
    r = ingot.run("sweep", "-dry-run", env=env, check=0)
    assert "Would remove instance i-" in r.stdout and account.state() != before
    r = ingot.run("sweep", "-run", run, env=env, check=0)
    assert "Removed instance i-" in r.stdout
    assert account.state() == before
    assert ingot.run("sweep", env=env, check=0).stdout == "Nothing to remove.\n"


def test_a_live_run_is_left_alone_and_a_killed_one_swept(ingot, proxy, account, start):
    before = account.state()
    p, _ = start()
    env = dict(proxy.environment(), INGOT_SWEEP_PATIENCE="0")
    alive = account.state()
    assert "is still alive: skipped" in ingot.run("sweep", env=env, check=0).stdout
    assert account.state() == alive
    p.kill()
    p.wait()
    assert "Removed instance i-" in ingot.run("sweep", env=env, check=0).stdout
    assert account.state() == before


def test_no_way_to_the_account_is_one_line_and_exit_1(ingot, proxy, account, start):
    p, _ = start()
    p.kill()
    p.wait()
    env = dict(proxy.environment(), INGOT_SWEEP_PATIENCE="0")
    broken = {k: v for k, v in env.items() if not k.startswith("AWS_") or k == "AWS_ENDPOINT_URL"}
    r = ingot.run("sweep", env=broken, check=1)
    assert "Left behind: instance i-" in r.stdout and "could not be removed; fix the cause and run sweep again" in r.stdout
    ingot.run("sweep", env=env, check=0)
