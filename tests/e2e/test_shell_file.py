"""The provisioners shell and file over a real sshd."""
import json
import os
import re
import shutil
import stat
import subprocess
import time

import pytest

from test_ssh import build, shell, template
from waiting import until, until_said


def put(source, destination, **options):
    return {"type": "file", "source": str(source), "destination": str(destination), **options}


def test_script_file_is_converted_run_and_removed(ingot, sshd, tmp_path):
    (tmp_path / "s.sh").write_bytes(b'#!/bin/sh\r\nstat -c %a "$0"\r\necho "$0"\r\n')
    path = template(tmp_path, sshd, [{"type": "shell", "script": str(tmp_path / "s.sh")}])
    out = build(ingot, path, 0)
    where = re.search(r"==> null: (/tmp/script_\d+\.sh)\n", out).group(1)
    assert "==> null: 755\n" in out and not os.path.exists(where)
    path = template(tmp_path, sshd, [{"type": "shell", "script": str(tmp_path / "s.sh"), "binary": True, "remote_path": str(tmp_path / "r.sh"), "skip_clean": True,
                                      "execute_command": "true"}])
    build(ingot, path, 0)
    assert (tmp_path / "r.sh").read_bytes() == (tmp_path / "s.sh").read_bytes()


@pytest.mark.parametrize("pad", [10, 200000])
def test_bytes_of_a_script_arrive_as_they_are(ingot, sshd, tmp_path, pad):
    """Short ones travel in the command, long ones do not."""
    text = "#!/bin/sh\n" + "# " + "".join(chr(c) for c in range(33, 127)) * (pad // 90 + 1) + " \\ ' % \t !é\n" + "echo arrived\n"
    (tmp_path / "s.sh").write_text(text)
    path = template(tmp_path, sshd, [{"type": "shell", "script": str(tmp_path / "s.sh"), "remote_path": str(tmp_path / "r.sh"), "skip_clean": True}])
    assert "==> null: arrived\n" in build(ingot, path, 0)
    assert (tmp_path / "r.sh").read_text() == text


@pytest.fixture
def login_shell(make_sshd, tmp_path):
    """login_shell("fish", extra configuration): a server whose users have that shell; .commands() lists what it was asked to run."""
    def make(shell, extra=""):
        path, log = shutil.which(shell), tmp_path / "commands"
        if not path:
            pytest.skip(f"no {shell}")
        runner = tmp_path / "runner"
        runner.write_text(f'#!/bin/sh\nprintf "%s\\036" "$SSH_ORIGINAL_COMMAND" >>{log}\nexec {path} -c "$SSH_ORIGINAL_COMMAND"\n')
        runner.chmod(0o755)
        server = make_sshd(f"SetEnv SHELL={path} {extra}\nForceCommand exec {runner}\n")
        server.commands = lambda: log.read_text().split("\036")[:-1]
        return server
    return make


@pytest.mark.parametrize("name", ["bash", "dash", "fish", "tcsh"])
def test_one_command_runs_and_removes(ingot, login_shell, tmp_path, name):
    server, at = login_shell(name), tmp_path / "s.sh"
    run = "chmod +x {{.Path}}; {{.Path}}"  # csh knows no {{.Vars}}
    text = "printf 'a\\001b=gone=c'; printf 'no newline' >&2"
    out = build(ingot, template(tmp_path, server, [shell(text, remote_path=str(at), execute_command=run)]), 0)
    assert "==> null: a\001b=gone=c\n" in out and "==> null: no newline\n" in out and out.count("gone") == 1
    assert len(server.commands()) == 1 and not at.exists()
    assert os.stat(tmp_path / "commands").st_size < 3000
    out = build(ingot, template(tmp_path, server, [shell("umask; kill -9 $$", remote_path=str(at), valid_exit_codes=[137], execute_command=run)]), 0)
    assert len(server.commands()) == 3 and not at.exists()
    build(ingot, template(tmp_path, server, [shell("exit 3", remote_path=str(at), execute_command=run)]), 1)
    assert len(server.commands()) == 4 and at.exists(), "it is left for whoever looks why it failed"
    assert name in ("dash", "tcsh") or "illed" not in out  # those two say it themselves
    assert f"==> null: {subprocess.run(['sh', '-c', 'umask'], capture_output=True, text=True).stdout}" in out


@pytest.mark.parametrize("command", ["sh {{.Path}} # not more", "exec sh {{.Path}}", "sh {{.Path}}; exit 0", "cat <<x; sh {{.Path}}\nhere\nx", "sh {{.Path}}; true \\", "{ sh {{.Path}}; }; cd /; umask 0"])
def test_a_command_is_run_as_it_was_written(ingot, login_shell, tmp_path, command):
    server, at = login_shell("bash"), tmp_path / "s.sh"
    out = build(ingot, template(tmp_path, server, [shell("echo arrived", remote_path=str(at), execute_command=command)]), 0)
    assert "==> null: arrived\n" in out and "gone" not in out and ("here" in command) == ("null: here\n" in out)
    assert len(server.commands()) == 1 and not at.exists()


def test_a_removal_that_cannot_be_is_told(ingot, login_shell, tmp_path):
    server, at = login_shell("bash"), tmp_path / "s.sh"
    out = build(ingot, template(tmp_path, server, [shell('rm "$0"; mkdir "$0"', remote_path=str(at))]), 1)
    assert f"Error removing the temporary script {at}" in out and len(server.commands()) == 2
    at.rmdir()
    build(ingot, template(tmp_path, server, [shell('mv "$0" "$0.kept"', remote_path=str(at))]), 0)
    build(ingot, template(tmp_path, server, [shell("true", remote_path=str(at), skip_clean=True)]), 0)
    assert at.exists() and len(server.commands()) == 4


def test_what_may_cut_the_line_is_removed_later(ingot, login_shell, tmp_path):
    server, at = login_shell("bash"), tmp_path / "s.sh"
    build(ingot, template(tmp_path, server, [shell("true", remote_path=str(at), expect_disconnect=True)]), 0)
    assert len(server.commands()) == 2 and not at.exists()


def test_removal_on_a_terminal_and_start_files(ingot, login_shell, tmp_path):
    home = tmp_path / "login-home"
    home.mkdir()
    (home / ".bashrc").write_text("echo from the start file; unexported=seen\n")
    server, at = login_shell("bash", f"HOME={home}"), tmp_path / "s.sh"
    out = build(ingot, template(tmp_path, server, [shell("tty; printf end", remote_path=str(at), execute_command="echo un-$unexported; sh {{.Path}}")], ssh_pty=True), 0)
    assert "==> null: /dev/pts/" in out and "==> null: end\n" in out and "gone" not in out
    assert len(server.commands()) == 1 and not at.exists()
    assert out.count("from the start file") == 1 and "un-seen" in out, out


def test_exit_codes_and_retries(ingot, sshd, tmp_path):
    assert "non-zero exit status: 7. Allowed exit codes are: [0]" in build(ingot, template(tmp_path, sshd, [shell("exit 7")]), 1)
    build(ingot, template(tmp_path, sshd, [shell("exit 7", valid_exit_codes=[0, 7])]), 0)
    assert "status: 0. Allowed exit codes are: [7]" in build(ingot, template(tmp_path, sshd, [shell("exit 0", valid_exit_codes=[7])]), 1)
    once = f"[ -e {tmp_path}/mark ] || {{ touch {tmp_path}/mark; exit 1; }}; echo second"
    out = build(ingot, template(tmp_path, sshd, [shell(once, max_retries=2)]), 0)
    assert "==> null: second" in out


def test_variables(ingot, sshd, tmp_path):
    path = template(tmp_path, sshd, [shell('printf "[%s][%s][%s]\\n" "$A" "$B" "$C"', environment_vars=["A=it's", "B=1"], env={"B": "2", "C": "a b\\n$x"})])
    assert "==> null: [it's][2][a b\\n$x]" in build(ingot, path, 0)
    path = template(tmp_path, sshd, [shell('echo "[$A]"', environment_vars=["A=x"], use_env_var_file=True,
                                           execute_command="stat -c '%A %n' {{.EnvVarFile}}; . {{.EnvVarFile}}; sh {{.Path}}")])
    out = build(ingot, path, 0)
    assert "==> null: [x]" in out
    assert not os.path.exists(re.search(r"==> null: -rw------- (/tmp/varfile_\d+\.sh)\n", out).group(1))


def test_scripts_of_many_builds_on_one_machine_do_not_meet(ingot, sshd, tmp_path):
    """Their names are of 32 random bits: with four digits, one in eight rounds of 50 builds saw one build remove another's script."""
    out = build(ingot, template(tmp_path, sshd, [shell('echo "$0"')] * 4), 0)
    numbers = [int(n) for n in re.findall(r"==> null: /tmp/script_(\d+)\.sh\n", out)]
    assert len(set(numbers)) == 4 and max(numbers) > 1000000, numbers


def test_streams_are_cut_apart(ingot, sshd, tmp_path):
    out = build(ingot, template(tmp_path, sshd, [shell("for i in 1 2 3; do printf 'out%s ' $i; printf 'err%s ' $i >&2; sleep 0.1; done")]), 0)
    assert "==> null: out1 out2 out3\n" in out and "==> null: err1 err2 err3\n" in out


def test_a_script_that_restarts_the_machine(ingot, make_sshd, tmp_path):
    server = make_sshd()
    new_key = f"ssh-keygen -q -t ed25519 -N '' -f {tmp_path}/new"
    # The server is stopped with all its sessions and comes back, with another host key, a second later.
    script = (f"{new_key}; (exec setsid sh -c 'kill $(cat {server.folder}/pid); sleep 1; cp {tmp_path}/new {server.folder}/host; "
              f"exec /usr/sbin/sshd -f {server.folder}/config') >/dev/null 2>&1 </dev/null & sleep 0.3; kill -9 $PPID; sleep 5")
    path = template(tmp_path, server, [shell(script, expect_disconnect=True, start_retry_timeout="20s"), shell("echo after")])
    try:
        out = build(ingot, path, 0)
        assert "==> null: after" in out and "new host key" in out
    finally:
        os.system(f"kill $(cat {server.folder}/pid) 2>/dev/null")


def test_folders(ingot, sshd, tmp_path):
    src = tmp_path / "src"
    (src / "deep" / "er").mkdir(parents=True)
    (src / "deep" / "er" / "f").write_text("f")
    (src / ("n" * 150)).write_text("long name")
    (src / "run").write_text("#!/bin/sh\n")
    os.chmod(src / "run", 0o751)
    os.symlink("run", src / "link")
    (tmp_path / "there").mkdir()
    steps = [put(src, tmp_path / "there"), put(f"{src}/", tmp_path / "there"), put(src, tmp_path / "copy"),
             put(f"{tmp_path}/copy/", tmp_path / "back", direction="download"), put(f"{tmp_path}/src/deep/er/*", f"{tmp_path}/pattern/", direction="download")]
    build(ingot, template(tmp_path, sshd, steps), 0)
    for top in ("there/src", "there", "copy", "back/copy"):
        assert (tmp_path / top / "deep" / "er" / "f").read_text() == "f", top
        assert (tmp_path / top / ("n" * 150)).read_text() == "long name"
        assert stat.S_IMODE(os.stat(tmp_path / top / "run").st_mode) == 0o751
        assert not os.path.islink(tmp_path / top / "link") and (tmp_path / top / "link").read_text() == "#!/bin/sh\n"
        assert not [f for f in os.listdir(tmp_path / top) if f.startswith(".ingot")]
    assert (tmp_path / "pattern" / "f").read_text() == "f"


def test_files_that_cannot_go_there(ingot, sshd, tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "dir").mkdir()
    for step, words in ((put(tmp_path / "f", tmp_path / "dir"), "Is a directory"), (put(tmp_path / "f", "/no/such/x"), "/no/such/x"),
                        (put(tmp_path / "dir", tmp_path / "f"), "Not a directory"), (put("/none", tmp_path / "y", direction="download"), "/none"),
                        (put("/none/", tmp_path / "y", direction="download"), "none"), (put(tmp_path / "f", "/dev/full"), "No space left")):
        out = build(ingot, template(tmp_path, sshd, [step]), 1)
        assert words in out and "load failed: " in out, step


def test_a_tar_that_stops_early_is_noticed(ingot, make_sshd, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tar").write_text("#!/bin/sh\nhead -c 1000 >/dev/null\n")
    os.chmod(tmp_path / "bin" / "tar", 0o755)
    server = make_sshd(f"SetEnv PATH={tmp_path}/bin:/usr/bin:/bin\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "f").write_bytes(b"x" * 5000000)
    build(ingot, template(tmp_path, server, [put(tmp_path / "src", tmp_path / "dst")]), 1)


def test_big_file_over_a_long_line(ingot, sshd, tmp_path):
    """In parts side by side."""
    from delay import Delay
    (tmp_path / "f").write_bytes(os.urandom(40_000_123))
    with Delay(sshd.port, 25) as line:
        line.user, line.key = sshd.user, sshd.key
        build(ingot, template(tmp_path, line, [put(tmp_path / "f", tmp_path / "g")]), 0)
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes()


def test_cancel_stops_the_script_there(ingot, sshd, tmp_path):
    log = tmp_path / "out"
    with open(log, "w") as f:
        p = ingot.start("build", "-color=false", template(tmp_path, sshd, [shell(f"echo $$ > {tmp_path}/pid; echo begun", "sleep 60", "echo never")]), stdout=f)
    until_said(p, log, "begun")
    start = time.monotonic()
    p.send_signal(2)
    p.wait(20)
    assert p.returncode == 1 and time.monotonic() - start < 3
    script = (tmp_path / "pid").read_text().strip()

    def gone():
        try:
            with open(f"/proc/{script}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True
    until(gone, 5, "it still runs")


def test_a_device_keeps_its_mode(ingot, sshd, folder):
    """An upload to /dev/full fails for want of space, and must not change what others may do with the device."""
    before = os.stat("/dev/full").st_mode
    d = folder({"in.txt": "x", "t.json": json.dumps({"builders": [{"type": "null", "ssh_host": "127.0.0.1", "ssh_port": sshd.port, "ssh_username": sshd.user, "ssh_private_key_file": sshd.key}],
                                                     "provisioners": [{"type": "file", "source": "in.txt", "destination": "/dev/full"}]})})
    ingot.run("build", "t.json", cwd=d, check=1)
    assert os.stat("/dev/full").st_mode == before


def test_the_first_line_of_inline(ingot, sshd, tmp_path):
    own = ["#!/bin/bash", "echo $BASH_VERSION | cut -c1; echo $-"]
    out = build(ingot, template(tmp_path, sshd, [{"type": "shell", "inline": own}]), 0)
    assert "e" not in re.findall(r"==> null: (\w+)\n", out)[1]
    out = build(ingot, template(tmp_path, sshd, [{"type": "shell", "inline": own, "inline_shebang": "/bin/sh -e"}]), 0)
    assert "e" in re.findall(r"==> null: (\w+)\n", out)[-1]
    out = build(ingot, template(tmp_path, sshd, [{"type": "shell", "inline": ["{{`#!`}}/bin/bash", "echo is${BASH_VERSION:+bash}"]}]), 0)
    assert "==> null: isbash\n" in out


def test_content_is_for_its_owner(ingot, sshd, tmp_path):
    build(ingot, template(tmp_path, sshd, [{"type": "file", "content": "secret", "destination": str(tmp_path / "c")}]), 0)
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o600


def test_a_download_says_where_it_goes(ingot, sshd, tmp_path):
    (tmp_path / "here").write_text("x")
    out = build(ingot, template(tmp_path, sshd, [put(tmp_path / "here", f"{tmp_path}/got/", direction="download")]), 0)
    assert f"Downloading {tmp_path}/here => {tmp_path}/got/here\n" in out
