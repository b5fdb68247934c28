"""The engine from outside: signals, the terminal, many builds in one process."""
import json
import os
import pty
import re
import resource
import signal
import subprocess
import time

import pytest

from waiting import until, until_said

NULL = {"type": "null", "communicator": "none"}


def template(folder, provisioners=(), builders=(NULL,), **more):
    path = os.path.join(str(folder), "t.json")
    with open(path, "w") as f:
        json.dump({"builders": list(builders), "provisioners": list(provisioners), **more}, f)
    return path


def local(*inline, **more):
    return {"type": "shell-local", "inline": list(inline), **more}


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def ended(process, path, seconds=20):
    process.wait(seconds)
    with open(path) as f:
        return f.read()


@pytest.mark.parametrize("send,word", [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminated"), (signal.SIGHUP, "hangup")])
def test_first_signal_cancels_and_cleans_up(ingot, tmp_path, send, word):
    path = template(tmp_path, [local("echo started; sleep 60"), local("echo never")], [NULL, dict(NULL, name="other")])
    out = tmp_path / "out"
    with open(out, "w") as f:
        p = ingot.start("build", path, stdout=f)
    until_said(p, out, "null: started")
    until_said(p, out, "other: started")
    from_ = time.monotonic()
    p.send_signal(send)
    said = ended(p, out)
    assert time.monotonic() - from_ < 5
    assert p.returncode == 1
    assert f"\nCancelling build after receiving {word}\n" in said
    assert said.endswith("Cleanly cancelled builds after being interrupted.\n")
    assert len(re.findall(r"(?m)^Build '.*' errored after ", said)) == 2
    assert "never" not in said


def test_no_build_starts_after_a_signal(ingot, tmp_path):
    path = template(tmp_path, [local("echo started; sleep 60")], [dict(NULL, name="a"), dict(NULL, name="b")])
    out = tmp_path / "out"
    with open(out, "w") as f:
        p = ingot.start("build", "-parallel-builds=1", path, stdout=f)
    until_said(p, out, "null.a: started")
    p.send_signal(signal.SIGINT)
    assert "null.b: started" not in ended(p, out)


def test_second_signal_stops_at_once(ingot, tmp_path):
    path = template(tmp_path, [local("trap '' TERM INT; echo $$ > pid; echo started; while :; do sleep 0.1; done")], **{
        "error-cleanup-provisioner": local("sleep 60")})
    out = tmp_path / "out"
    with open(out, "w") as f:
        p = ingot.start("build", path, stdout=f)
    until_said(p, out, "null: started")
    p.send_signal(signal.SIGINT)
    until_said(p, out, "Cancelling build")
    from_ = time.monotonic()
    p.send_signal(signal.SIGINT)
    said = ended(p, out)
    assert time.monotonic() - from_ < 2
    assert p.returncode == 1
    assert "Stopped at once" in said and "Cleanly cancelled" not in said
    with open(os.path.join(ingot.home, "pid")) as f:
        script = int(f.read())
    until(lambda: not alive(script), 5, "the script lives on")  # killed; the system may still be at it


def test_a_terminal_that_goes_away_cancels_once(ingot, tmp_path):
    """The hangup comes from the shell and again from the kernel, and writing fails from then on: what was begun is still cleaned up."""
    path = template(tmp_path, [local("trap '' TERM INT; echo started; sleep 1"), local("echo never")], [dict(NULL)], **{
        "post-processors": [{"type": "shell-local", "inline": [f"touch {tmp_path}/never"]}]})
    log = tmp_path / "log"
    log.touch()
    master, slave = pty.openpty()
    p = ingot.start("build", path, stdin=slave, stdout=slave, stderr=slave, env={"PACKER_LOG": "1", "PACKER_LOG_PATH": str(log)})
    os.close(slave)
    until_said(p, log, "null: started")
    os.close(master)
    p.send_signal(signal.SIGHUP)
    until_said(p, log, "Cancelling build after receiving hangup")
    p.send_signal(signal.SIGHUP)
    said = ended(p, log)
    assert p.returncode == 1
    assert "Cleanly cancelled" in said and "Stopped at once" not in said
    assert not os.path.exists(tmp_path / "never")


def test_nohup_is_obeyed(ingot, tmp_path):
    path, out = template(tmp_path, [local("echo started; sleep 1; echo ended")]), tmp_path / "out"
    with open(out, "w") as f:
        p = ingot.start("build", path, stdout=f, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until_said(p, out, "null: started")
    p.send_signal(signal.SIGHUP)
    assert "null: ended" in ended(p, out) and p.returncode == 0


def limited(files):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def test_few_descriptors_let_fewer_builds_run_at_once(ingot, tmp_path):
    path = template(tmp_path, [local("sleep 0.1; echo ended")], [dict(NULL, name=f"n{i}") for i in range(40)])
    for files, at_once in ((128, 7), (32, 1)):
        p = ingot.start("build", path, preexec_fn=limited(files))
        out, _ = p.communicate(timeout=60)
        assert p.returncode == 0 and out.count(": ended\n") == 40, out
        assert f"Only {at_once} builds run at a time, as this process may open only {files} files" in out
    p = ingot.start("build", path, preexec_fn=limited(12))
    out, _ = p.communicate(timeout=60)
    assert p.returncode == 1 and "may open only 12 files" in out and "ulimit -n" in out, out


def test_closed_standard_streams_are_nobodys(ingot, tmp_path):
    """Their numbers must not go to a journal or a connection: what is printed would land there."""
    path = template(tmp_path, [local(f"for n in 0 1 2; do readlink /proc/$(cat pid)/fd/$n; done > {tmp_path}/streams")])
    p = subprocess.run(["sh", "-c", 'echo $$ > pid; exec "$0" build "$1" <&- >&- 2>&-', ingot.path, path], env=ingot.environment(), cwd=ingot.home, timeout=60)
    assert p.returncode == 0
    assert (tmp_path / "streams").read_text() == "/dev/null\n" * 3


def test_a_reader_that_goes_away_does_not_stop_the_build(ingot, tmp_path):
    path = template(tmp_path, [local("echo one"), local(f"until [ -e {tmp_path}/gone ]; do sleep 0.02; done; echo two"), local(f"touch {tmp_path}/done")])
    p = ingot.start("build", path)
    p.stdout.readline()
    p.stdout.close()
    (tmp_path / "gone").touch()
    assert p.wait(20) == 0
    assert os.path.exists(tmp_path / "done")


def on_terminal(ingot, args, answers, stdout=None, env=None, seconds=20):
    """Runs with a controlling terminal; answers: (text to wait for on standard output, keys). Returns (exit code, standard
    output, what the terminal showed)."""
    master, slave = pty.openpty()
    environment = ingot.environment(TERM="xterm", **(env or {}))

    def own_terminal():
        import fcntl
        import termios
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    with open(stdout, "w") as f:
        p = subprocess.Popen([ingot.path, *args], env=environment, cwd=ingot.home, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT,
                             preexec_fn=own_terminal)
    os.close(slave)
    asked = ""  # up to the last question; the terminal is raw before a question is shown
    for text, keys in answers:
        asked = until_said(p, stdout, text, seconds, after=len(asked))
        os.write(master, keys.encode())
    p.wait(seconds)
    with open(stdout) as f:
        said = f.read()
    os.close(master)
    return p.returncode, said


QUESTION = "retry step?"


@pytest.mark.parametrize("keys,exit_code,wanted,unwanted", [
    ("c\r", 1, "null: cleaning", "aborted"),
    ("\r", 1, "null: cleaning", "aborted"),
    ("x\x7fclean\r", 1, "null: cleaning", "Incorrect"),
    ("a\r", 1, 'aborted: skipping cleanup of step "StepConnect"', "cleaning"),
])
def test_on_error_ask(ingot, tmp_path, keys, exit_code, wanted, unwanted):
    path = template(tmp_path, [local("exit 9")], **{"error-cleanup-provisioner": local("echo cleaning")})
    code, said = on_terminal(ingot, ["build", "-on-error=ask", path], [(QUESTION, keys)], tmp_path / "out")
    assert code == exit_code
    assert wanted in said and unwanted not in said


def test_on_error_ask_again_and_retry(ingot, tmp_path):
    path = template(tmp_path, [local(f"[ -e {tmp_path}/mended ] || {{ touch {tmp_path}/mended; exit 9; }}"), local("echo after")])
    code, said = on_terminal(ingot, ["build", "-on-error=ask", path], [(QUESTION, "what\r"), (QUESTION, "r\r")], tmp_path / "out")
    assert 'Incorrect answer: "what"' in said
    assert "==> null: after" in said
    assert code == 1 and "errored after" in said and "status: 9" in said  # the old error stays, as in Packer


def test_ctrl_c_at_a_question(ingot, tmp_path):
    path = template(tmp_path, [{"type": "breakpoint"}])
    code, said = on_terminal(ingot, ["build", path], [("Press enter", "\x03")], tmp_path / "out")
    assert code == 1 and "Cancelling build after receiving interrupt" in said


def test_line_feed_is_no_answer(ingot, tmp_path):
    path = template(tmp_path, [{"type": "breakpoint", "note": "look"}, local("echo after")])
    code, said = on_terminal(ingot, ["build", path], [("Press enter", "\n"), ("to continue.", "\r")], tmp_path / "out")
    assert code == 0 and "==> null: after" in said


def screen(ingot, args, seconds=30, **env):
    """All bytes that a terminal as standard output gets."""
    master, slave = pty.openpty()
    p = subprocess.Popen([ingot.path, *args], env=ingot.environment(**{"TERM": "xterm", **env}), cwd=ingot.home,
                         stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    got = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        got += chunk
    os.close(master)
    assert p.wait(seconds) == 0
    return got.decode()


def test_status_line_on_a_terminal_only(ingot, tmp_path):
    path = template(tmp_path, [local("sleep 1.3; echo done")], [dict(NULL, name="a"), dict(NULL, name="b")])
    shown = screen(ingot, ["build", path])
    assert "> null.a: provisioner 1 of 1: shell-local 0:01" in shown
    assert "> null.b: " in shown and "\033[J" in shown
    # What stays on the screen has no status line in it.
    assert not re.search(r"> null\.a[^\n]*$", shown.rsplit("\033[J", 1)[1])
    assert "\033[J" not in screen(ingot, ["build", path], TERM="dumb")
    assert "> null.a: prov" not in ingot.run("build", path).stdout


def test_many_builds_in_one_process(ingot, tmp_path):
    path = template(tmp_path, [{"type": "sleep", "duration": "1s"}], [dict(NULL, name=f"b{i:04}") for i in range(1000)])
    from_ = time.monotonic()
    r = ingot.run("build", path, check=0)
    assert time.monotonic() - from_ < 20  # one after the other they would take a quarter of an hour
    assert len(re.findall(r"(?m)^Build 'null\.b\d+' finished after", r.stdout)) == 1000


def test_parallel_builds_limit(ingot, tmp_path):
    def build(looks, *args):
        """Each build looks that often for more than two at work; one that sees them stays, so that the others see them too."""
        script = (f"touch run/$PACKER_BUILD_NAME; for n in $(seq {looks}); do [ $(ls run | wc -l) -le 2 ] || {{ echo too many; exit; }}; sleep 0.02; done; "
                  "rm run/$PACKER_BUILD_NAME")
        path = template(tmp_path, [local(script)], [dict(NULL, name=f"b{i}") for i in range(6)])
        return ingot.run("build", *args, path, cwd=tmp_path, check=0).stdout
    os.mkdir(tmp_path / "run")
    assert "too many" not in build(10, "-parallel-builds=2")
    assert "too many" in build(500)  # the script can tell


def test_secrets_leave_no_trace(ingot, tmp_path):
    secret = "it's a \"wörd\" & more/stuff"
    log = tmp_path / "log"
    path = template(tmp_path, [local('echo "$S"; printf %s "$S" | base64', environment_vars=["S={{user `s`}}"])], variables={"s": secret},
                    **{"sensitive-variables": ["s"]})
    r = ingot.run("build", path, env={"PACKER_LOG": "1", "PACKER_LOG_PATH": str(log)}, check=0)
    assert r.stdout.count("==> null: <sensitive>") == 2
    text = r.stdout + log.read_text()
    import base64
    for form in (secret, base64.b64encode(secret.encode()).decode(), json.dumps(secret)[1:-1]):
        assert form not in text
    assert "ui: ==> null: <sensitive>" in log.read_text()


def test_nothing_to_sweep(ingot):
    assert ingot.run("sweep", check=0).stdout == "Nothing to remove.\n"
    assert "no journal of run 01X" in ingot.run("sweep", "-run", "01X", check=1).stdout


def test_what_came_on_stderr_is_an_error(ingot, tmp_path):
    path = template(tmp_path, [local("echo bad >&2")])
    out = ingot.run("build", "-timestamp-ui", path, cwd=tmp_path, env={"PACKER_NO_COLOR": ""}, check=0).stdout
    assert re.search(r"(?m)^\x1b\[1;31m[^\x1b ]+: ==> null: bad\x1b\[0m$", out)
    assert ",ui,error,==> null: bad\n" in ingot.run("build", "-machine-readable", path, cwd=tmp_path, check=0).stdout


def test_the_pause_of_no_length_is_told(ingot, tmp_path):
    assert "Pausing -1s before" in ingot.run("build", template(tmp_path, [local("true", pause_before="-1s")]), cwd=tmp_path, check=0).stdout


def test_the_last_words_stand_below_the_log(ingot, tmp_path):
    """The second Ctrl-C leaves no status line behind: what follows on the screen begins on a line of its own."""
    path = template(tmp_path, [local("sleep 8")])
    master, slave = pty.openpty()
    p = subprocess.Popen([ingot.path, "build", path], env=ingot.environment(TERM="xterm"), cwd=ingot.home, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    shown, sent = b"", False
    try:
        while data := os.read(master, 65536):
            shown += data
            if b"provisioner 1 of 1" in shown and not sent:
                sent = True
                for number in signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT:  # both before any cleanup
                    p.send_signal(number)
    except OSError:  # the terminal is closed
        pass
    os.close(master)
    assert p.wait(20) == 1 and b"provisioner 1 of 1" in shown
    last = shown[shown.rindex(b"Stopped at once"):]
    assert b"provisioner" not in last and shown.endswith(b"\n"), shown[-300:]
