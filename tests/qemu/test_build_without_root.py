"""One whole build on the qemu backend as an ordinary user, and a second one from its image that finds the change."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

NOBODY = 65534


@pytest.fixture
def place(ingot_bin):
    """A directory that the ordinary user owns, with the program in it."""
    d = tempfile.mkdtemp(prefix="ingot-qemu-")
    shutil.copy(ingot_bin, os.path.join(d, "ingot"))
    os.chmod(d, 0o755)
    yield d
    shutil.rmtree(d, ignore_errors=True)


def environment(d, data):
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "USER", "LOGNAME", "HTTP_PROXY", "HTTPS_PROXY")}
    return dict(env, HOME=d, XDG_CACHE_HOME=os.path.join(d, "cache"), INGOT_CLOUD_DATA=os.path.join(d, data), PACKER_NO_COLOR="1", TMPDIR="/tmp")


def run(d, *args, data="data", prefix=(), timeout=1500):
    r = subprocess.run([*prefix, os.path.join(d, "ingot"), *args], cwd=d, env=environment(d, data), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert r.returncode == 0, r.stdout
    return r.stdout


def template(d, source, command):
    builder = {"type": "amazon-ebs", "source_ami": source, "instance_type": "t2.nano", "ssh_username": "ec2-user", "ssh_timeout": "20m",
               "ami_name": "qemu-{{timestamp}}", "region": "us-east-1"}
    path = os.path.join(d, f"{len(os.listdir(d))}.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"builders": [builder], "provisioners": [{"type": "shell", "inline": [command]}]}, f)
    return path


def test_build(place):
    prefix = ()
    if os.geteuid() == 0:
        # The user of the test may have no ids in /etc/subuid: the root file system is made for him first.
        run(place, "cloud", "up", "-backend", "qemu", data="made-by-root")
        run(place, "cloud", "down", data="made-by-root")
        shutil.rmtree(os.path.join(place, "made-by-root"))
        prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    first = template(place, "ami-dac312b4", "sudo yum -y -q install cowsay && echo changed | sudo tee /etc/changed")
    if prefix:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", place], check=True)
    plan = os.path.join(place, "faults.json")
    with open(plan, "w", encoding="utf-8") as f:
        # The machine starts before its group has a rule, as it may on a busy host.
        json.dump({"faults": [{"action": "AuthorizeSecurityGroupIngress", "fault": "throttle", "count": 4}]}, f)
    start = time.monotonic()
    run(place, "cloud", "up", "-faults", plan, prefix=prefix)
    try:
        out = run(place, "build", "-local", first, prefix=prefix)
        took = time.monotonic() - start
        assert "(backend qemu)" in out, out
        image = re.search(r"^us-east-1: (ami-[0-9a-f]+)$", out, re.M).group(1)
        second = template(place, image, "cat /etc/changed; /usr/games/cowsay found")
        out = run(place, "build", "-local", second, prefix=prefix)
        assert "changed" in out and "< found >" in out, out
    finally:
        with open(os.path.join(place, "data", "cloud.log"), errors="backslashreplace") as f:
            said = f.read()
        print(said, file=sys.stderr)  # where a daemon that died says why
        run(place, "cloud", "down", prefix=prefix)
    assert "Sanitizer" not in said and "runtime error:" not in said, said
    print(f"a whole qemu build as an ordinary user: {took:.0f} s", file=sys.stderr)
    left = subprocess.run(["pgrep", "-f", f"^qemu-system.*{place}"], capture_output=True, text=True)
    assert not left.stdout, left.stdout
