"""Daemons that builds start: shared, ended with the last of them, also when a build is killed."""
import fcntl
import json
import os
import signal
import socket
import sqlite3

from waiting import until


class Attached:
    """Holds a data directory's daemon as a build does."""

    def __init__(self, data):
        self.s = socket.socket(socket.AF_UNIX)
        here = os.getcwd()
        os.chdir(data)
        try:
            self.s.connect("control.sock")
        finally:
            os.chdir(here)
        self.f = self.s.makefile("rw")

    def ask(self, op):
        self.f.write(json.dumps({"op": op}) + "\n")
        self.f.flush()
        return json.loads(self.f.readline())["result"]

    def close(self):
        self.f.close()
        self.s.close()


def wait_down(ingot, data):
    until(lambda: ingot.run("cloud", "status", "-data", data).returncode == 3, failed="it did not end")


SESSION = ("-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0", "-session")


def test_ends_with_the_last(ingot, tmp_path):
    data = str(tmp_path / "d")
    ingot.run("cloud", "up", "-data", data, *SESSION, check=0)
    a, b = Attached(data), Attached(data)
    a.ask("attach"), b.ask("attach")
    assert a.ask("detach") == {"ending": False}
    a.close()
    ingot.run("cloud", "status", "-data", data, check=0)
    b.close()  # as if its build was killed: no detach
    wait_down(ingot, data)


def test_detach_says_that_it_ends(ingot, tmp_path):
    data = str(tmp_path / "d")
    said = ingot.run("cloud", "up", "-data", data, *SESSION, check=0).stdout
    assert "cloud down" not in said, "it ends by itself"
    a = Attached(data)
    a.ask("attach")
    assert a.ask("detach") == {"ending": True}
    a.close()
    wait_down(ingot, data)


def test_a_build_that_gives_up_while_it_starts(ingot, tmp_path):
    """Nobody hears that the daemon is ready: a session ends at once, not when the first minute is over."""
    data = str(tmp_path / "d")
    ingot.run("cloud", "up", "-data", data, *SESSION, check=0)
    ingot.run("cloud", "down", "-data", data, check=0)
    state = sqlite3.connect(os.path.join(data, "state.sqlite"), isolation_level=None)
    state.execute("PRAGMA locking_mode = EXCLUSIVE")
    state.execute("BEGIN EXCLUSIVE")  # the daemon waits for its state
    p = ingot.start("cloud", "up", "-data", data, *SESSION, start_new_session=True)
    with open(os.path.join(data, "daemon.lock")) as lock:
        until(lambda: p.poll() is not None or not free(lock))
        assert p.poll() is None
        p.kill()
        p.wait()
        state.close()
        until(lambda: free(lock), failed="the daemon waits for somebody to come")


def free(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def test_up_makes_it_stay(ingot, tmp_path):
    data = str(tmp_path / "d")
    ingot.run("cloud", "up", "-data", data, *SESSION, check=0)
    a = Attached(data)
    a.ask("attach")
    ingot.run("cloud", "up", "-data", data, check=0)
    assert a.ask("detach") == {"ending": False}
    a.close()
    ingot.run("cloud", "status", "-data", data, check=0)
    ingot.run("cloud", "down", "-data", data, check=0)


def test_two_starts_at_once(ingot, tmp_path):
    data = str(tmp_path / "d")
    both = [ingot.start("cloud", "up", "-data", data, "-backend", "none", "-listen", "127.0.0.1:0") for _ in range(3)]
    try:
        out = [p.communicate(timeout=60)[0] for p in both]
        assert [p.returncode for p in both] == [0, 0, 0], out
        assert sum("already" in o for o in out) == 2, out
    finally:
        ingot.run("cloud", "down", "-data", data, check=0)


def test_terminated_by_signal(ingot, tmp_path):
    data = str(tmp_path / "d")
    p = ingot.start("cloud", "up", "-data", data, "-backend", "none", "-listen", "127.0.0.1:0", "-foreground")
    while "The local cloud is up at " not in (line := p.stdout.readline()):
        assert line
    p.send_signal(signal.SIGINT)
    assert p.wait(timeout=30) == 0
    ingot.run("cloud", "status", "-data", data, check=3)
