"""Fixtures: the program, its judges (moto, OpenSSH, the local cloud), each started for the tests and stopped after them."""
import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(HERE, "lib"))


# Where base images are cached for all test runs of the user; the rest of a test's home is its own.
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Instances that boot share one worker: two local clouds at once would only slow each other down."""
    for item in items:
        if "cloud" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("cloud"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process=None, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


@pytest.fixture(scope="session")
def shared():
    """The directory of recorded facts beside a developer's checkout; a user's has none."""
    path = os.environ.get("INGOT_SHARED", os.path.join(TOP, "..", "shared"))
    if not os.path.isdir(os.path.join(path, "vectors")):
        pytest.skip("no ../shared: the recorded vectors are not part of a checkout")
    return os.path.realpath(path)


class Program:
    """The program under one of its names, run in an environment of its own."""

    def __init__(self, path, home):
        self.path, self.home = path, home

    def environment(self, **extra):
        env = {"PATH": os.environ["PATH"], "HOME": self.home, "TZ": "UTC", "LANG": "C.UTF-8", "TMPDIR": self.home, "AWS_EC2_METADATA_DISABLED": "true",
               "XDG_CACHE_HOME": CACHE, "PACKER_NO_COLOR": "1", "CHECKPOINT_DISABLE": "1", "INGOT_STATE_DIR": os.path.join(self.home, "state")}
        env.update({k: os.environ[k] for k in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "SUDO_USER") if k in os.environ})
        env.update({k: v for k, v in extra.items() if v is not None})
        return env

    def start(self, *args, env=None, cwd=None, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.STDOUT)
        kw.setdefault("text", True)
        kw.setdefault("errors", "backslashreplace")
        kw.setdefault("start_new_session", True)
        return subprocess.Popen([self.path, *map(str, args)], env=self.environment(**(env or {})), cwd=cwd or self.home, **kw)

    def run(self, *args, env=None, cwd=None, input=None, timeout=120, check=None):
        """A finished process with .returncode and .stdout (both streams)."""
        p = self.start(*args, env=env, cwd=cwd, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
        try:
            out, _ = p.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            p.kill()
            out, _ = p.communicate()
            raise AssertionError(f"{args} did not end in {timeout} s; it said:\n{out}")
        r = subprocess.CompletedProcess(args, p.returncode, out)
        assert "Sanitizer" not in out and "runtime error:" not in out, out
        if check is not None:
            assert r.returncode == check, f"{args} ended with {r.returncode}, not {check}:\n{out}"
        return r


@pytest.fixture(scope="session")
def ingot_bin():
    return os.path.abspath(os.environ.get("INGOT_BIN", os.path.join(TOP, "build", "ingot")))


@pytest.fixture
def ingot(ingot_bin, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Program(ingot_bin, str(home))


@pytest.fixture
def packer_name(ingot_bin, tmp_path):
    """The same program under the name packer."""
    home = tmp_path / "packer-home"
    home.mkdir()
    link = tmp_path / "packer"
    link.symlink_to(ingot_bin)
    return Program(str(link), str(home))


SSHD_CONFIG = """ListenAddress 127.0.0.1
Port {port}
HostKey {d}/host
PidFile {d}/pid
AuthorizedKeysFile {d}/user.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
MaxStartups 500
MaxSessions 500
LogLevel ERROR
Subsystem sftp internal-sftp
"""


class Sshd:
    """A loopback OpenSSH server of this user: port, user, key (and wrong_key, which it does not take)."""

    def __init__(self, folder, extra=""):
        if not os.path.exists("/usr/sbin/sshd"):
            pytest.skip("no /usr/sbin/sshd: install openssh-server")
        self.folder, self.port, self.user = str(folder), free_port(), getpass.getuser()
        os.makedirs(self.folder, exist_ok=True)
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        for k in ("host", "user", "wrong"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/{k}"], check=True)
        self.key, self.wrong_key = f"{self.folder}/user", f"{self.folder}/wrong"
        with open(f"{self.folder}/config", "w") as f:
            f.write(SSHD_CONFIG.format(port=self.port, d=self.folder) + extra)
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", f"{self.folder}/config", "-E", f"{self.folder}/log"])
        wait_port(self.port, self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory):
    s = Sshd(tmp_path_factory.mktemp("sshd"))
    yield s
    s.stop()


@pytest.fixture(scope="session")
def make_sshd(tmp_path_factory):
    """make_sshd(extra configuration): another server, stopped at the end."""
    made = []

    def make(extra=""):
        made.append(Sshd(tmp_path_factory.mktemp("sshd"), extra))
        return made[-1]

    yield make
    for s in made:
        s.stop()


class Moto:
    """moto's EC2 simulator: an account that starts empty."""

    def __init__(self, log):
        server = os.path.join(os.path.dirname(sys.executable), "moto_server")
        if not os.path.exists(server):
            pytest.skip("no moto_server beside this Python")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=log)
        wait_port(self.port, self.process, 60)

    def environment(self, **extra):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", **extra}

    def client(self, service="ec2", region="us-east-1"):
        import boto3
        return boto3.client(service, region_name=region, endpoint_url=self.url, aws_access_key_id="test", aws_secret_access_key="test")

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with open(tmp_path_factory.mktemp("moto") / "log", "w") as log:
        m = Moto(log)
        yield m
        m.stop()


class RunningCloud:
    """A local cloud that is up: .env as `cloud env` prints it, .url, clients."""

    def __init__(self, program, data):
        self.program, self.data = program, str(data)
        out = self.program.run("cloud", "env", "-data", self.data, check=0).stdout
        self.env = {name: value.strip("'") for name, value in re.findall(r"(?m)^export (\w+)=(.*)$", out)}
        self.url = self.env["AWS_ENDPOINT_URL"]

    def client(self, service="ec2", region=None, **options):
        import boto3
        return boto3.client(service, region_name=region or self.env["AWS_DEFAULT_REGION"], endpoint_url=self.url,
                            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"], **options)


class Cloud(RunningCloud):
    """The local cloud with a data directory of its own."""

    def __init__(self, program, data, *args):
        program.run("cloud", "up", "-data", data, *args, timeout=900, check=0)
        super().__init__(program, data)

    def log(self):
        import json
        out = self.program.run("cloud", "log", "-json", "-data", self.data, check=0).stdout
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def down(self):
        """Stops it, and looks whether a sanitizer had anything to say of the daemon: its output is the data directory's log."""
        self.program.run("cloud", "down", "-data", self.data, timeout=120, check=0)
        with open(os.path.join(self.data, "cloud.log"), errors="backslashreplace") as f:
            said = f.read()
        assert "Sanitizer" not in said and "runtime error:" not in said, said


@pytest.fixture(scope="session")
def make_cloud(ingot_bin, tmp_path_factory):
    """make_cloud("-backend", "none", …): another local cloud, stopped at the end."""
    made = []

    def make(*args):
        home = tmp_path_factory.mktemp("cloud-home")
        program = Program(ingot_bin, str(home))
        made.append(Cloud(program, home / "data", *args))
        return made[-1]

    yield make
    for c in made:
        c.down()


@pytest.fixture(scope="session")
def api_cloud(make_cloud):
    """A local cloud whose instances have states but do not boot: for tests of the API."""
    return make_cloud("-backend", "none")


@pytest.fixture(scope="module")
def quick_cloud(make_cloud):
    """The same, with states that change at once."""
    return make_cloud("-backend", "none", "-state-delay", "0s")


@pytest.fixture(scope="session")
def cloud(make_cloud):
    """A local cloud whose instances boot. The base images are shared by all of the user's test runs (XDG_CACHE_HOME)."""
    if os.geteuid() != 0:
        pytest.skip("the container backend needs root")
    return make_cloud("-backend", "container")


@pytest.fixture
def folder(tmp_path):
    """folder({"t.json": "…", "x.sh": "…"}): the files in a new directory."""
    def make(files):
        d = tmp_path / "work"
        shutil.rmtree(d, ignore_errors=True)
        d.mkdir()
        for name, text in files.items():
            p = d / name
            p.parent.mkdir(parents=True, exist_ok=True)
            p.write_text(text)
            if name.endswith(".sh"):
                p.chmod(0o755)
        return str(d)
    return make
