"""A rehearsal calls nothing but the local cloud and its instances, scripts included; the daemon it started goes with it."""
import json
import os
import re
import shutil
import signal

import pytest

from waiting import until

OLD_AWS = "/usr/bin/aws"  # Debian 12's, which knows no AWS_ENDPOINT_URL
FILTER = {"filters": {"name": "debian-12-*"}, "owners": ["136693071363"], "most_recent": True}

# What would lead a script of an ordinary build to a real account.
ELSEWHERE = {"AWS_PROFILE": "real", "AWS_ENDPOINT_URL_STS": "https://203.0.113.7", "AWS_ENDPOINT_URL": "https://203.0.113.8", "AWS_ACCESS_KEY_ID": "AKIAREAL",
             "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real", "ASAN_OPTIONS": "detect_leaks=0"}


def write(folder, provisioners, post=(), **options):
    builder = {"type": "amazon-ebs", "region": "eu-west-3", "source_ami_filter": FILTER, "instance_type": "t3.micro", "ssh_username": "admin",
               "ami_name": "rehearsed-{{uuid}}", "custom_endpoint_ec2": "https://203.0.113.9", "access_key": "AKIATEMPLATE", "secret_key": "t", **options}
    (folder / "t.json").write_text(json.dumps({"builders": [builder], "provisioners": provisioners, "post-processors": list(post)}))


def calls_of_scripts():
    if not shutil.which("aws"):
        pytest.skip("no aws: install awscli")
    return {"type": "shell-local", "inline": ["aws sts get-caller-identity", "aws --region eu-west-3 ec2 describe-key-pairs", "aws --version"]}


def connections(trace):
    """(address, port) of each, of those over IP."""
    text = trace.read_text()
    v4 = re.findall(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)', text)
    v6 = re.findall(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"', text)
    return {(address, int(port)) for port, address in v4 + v6}


@pytest.mark.parametrize("old", [False, True], ids=["aws of the PATH", "aws of Debian 12"])
def test_nothing_else_is_called(cloud, ingot, tmp_path, old):
    if not shutil.which("strace"):
        pytest.skip("no strace: install it")
    script = calls_of_scripts()
    if old and not os.path.exists(OLD_AWS):
        pytest.skip("no /usr/bin/aws: install awscli")
    write(tmp_path, [script, {"type": "shell", "inline": ["echo inside"]}], [script], temporary_security_group_source_cidrs=["203.0.113.7/32"])
    trace = tmp_path / "trace"
    traced = type(ingot)("strace", ingot.home)
    env = {"INGOT_CLOUD_DATA": cloud.data, **ELSEWHERE}
    if old:
        env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    r = traced.run("-f", "-qq", "-o", trace, "-e", "trace=connect,sendto,sendmsg", ingot.path, "build", "-local", "t.json", env=env, cwd=tmp_path, timeout=300, check=0)
    assert r.stdout.count("arn:aws:iam::000000000000:user/local") == 2 and '"KeyName": "packer_' in r.stdout and "inside" in r.stdout
    endpoint = re.search(r"http://([\d.]+):(\d+)", cloud.url)
    called = connections(trace)
    assert (endpoint.group(1), int(endpoint.group(2))) in called
    others = {c for c in called if c != (endpoint.group(1), int(endpoint.group(2))) and not c[0].startswith("127.77.")}
    assert not others


def daemon_of(data):
    """The process id of the daemon with this data directory, None when there is none."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if b"cloud" in words and b"up" in words and data.encode() in words:
            return int(pid)
    return None


def await_end(data, seconds=20):
    until(lambda: not daemon_of(data), seconds, f"the daemon of {data} stays")


@pytest.mark.xdist_group("cloud")
@pytest.mark.parametrize("end", ["by itself", "killed", "killed before it came up"])
def test_the_daemon_goes_with_its_build(ingot, tmp_path, end):
    if os.geteuid() != 0:
        pytest.skip("the container backend needs root")
    data = str(tmp_path / "d")
    wait = {"type": "shell-local", "inline": ["echo waiting", "sleep 100"]}
    write(tmp_path, [] if end == "by itself" else [wait])
    p = ingot.start("build", "-local", "t.json", env={"INGOT_CLOUD_DATA": data}, cwd=tmp_path)
    text = ""
    marker = {"by itself": None, "killed": ": waiting\n", "killed before it came up": "base image: storing its blocks"}[end]
    for line in p.stdout:
        text += line
        if marker and marker in line:
            os.kill(p.pid, signal.SIGKILL)
            break
    p.stdout.close()
    code = p.wait()
    assert code == (-signal.SIGKILL if marker else 0), text
    # Nobody came: a daemon waits a minute for its first build.
    await_end(data, 90 if end == "killed before it came up" else 20)
    with open("/proc/mounts") as f:
        assert data not in f.read()


def test_a_build_ends_with_its_cloud(make_cloud, ingot, tmp_path):
    """Its instance would never answer, and nothing can be undone before the next start."""
    cloud = make_cloud("-backend", "none")
    status = json.loads(ingot.run("cloud", "status", "-json", "-data", cloud.data, check=0).stdout)
    write(tmp_path, [], ssh_timeout="10m")
    p = ingot.start("build", "-local", "t.json", env={"INGOT_CLOUD_DATA": cloud.data}, cwd=tmp_path)
    text = ""
    for line in p.stdout:
        text += line
        if "Waiting for a login" in line:
            os.kill(status["pid"], signal.SIGKILL)
    assert p.wait(60) == 1
    assert f"The local cloud stopped: the builds are cancelled. Its log: {cloud.data}/cloud.log" in text
    left = re.search(r"ingot sweep -run \w+", text).group().split()[1:]
    assert "Left behind: instance i-" in text
    ingot.run("cloud", "up", "-data", cloud.data, "-backend", "none", check=0)
    ingot.run(*left, env={"INGOT_CLOUD_DATA": cloud.data}, check=0)
    found = cloud.client(region="eu-west-3").describe_key_pairs()["KeyPairs"]
    assert not found


@pytest.mark.parametrize("clear", [True, False])
def test_the_temporary_key_stays_only_where_it_is_let(cloud, ingot, tmp_path, clear):
    """A second build from the first one's image looks whose keys are there."""
    show = {"type": "shell", "inline": ["cat ~/.ssh/authorized_keys", "sudo cat /root/.ssh/authorized_keys || true"]}
    keys = []
    for options in ({"ami_name": f"cleared-{clear}", "ssh_clear_authorized_keys": clear}, {"source_ami_filter": {"filters": {"name": f"cleared-{clear}"}, "owners": ["self"]}, "skip_create_ami": True}):
        write(tmp_path, [show], **options)
        out = ingot.run("build", "-local", "-color=false", "t.json", env={"INGOT_CLOUD_DATA": cloud.data}, cwd=tmp_path, timeout=300, check=0).stdout
        keys.append({line.split()[-1] for line in out.splitlines() if "ssh-rsa AAAA" in line})
    assert keys[0] and bool(keys[0] & keys[1]) != clear, keys
