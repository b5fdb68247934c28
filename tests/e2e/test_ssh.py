"""The ssh communicator against OpenSSH's server, and against servers and lines that fail on purpose."""
import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time

import pytest

import sshfake
from waiting import until


def template(folder, sshd, provisioners=(), **options):
    """A null build on the server; an option of None is left out."""
    b = {"type": "null", "ssh_host": "127.0.0.1", "ssh_port": sshd.port, "ssh_username": getattr(sshd, "user", "joe"),
         "ssh_private_key_file": getattr(sshd, "key", None), "ssh_timeout": "20s"}
    if not isinstance(b["ssh_private_key_file"], str):
        b.update(ssh_private_key_file=None, ssh_password="secret")
    b.update(options)
    path = os.path.join(str(folder), "t.json")
    with open(path, "w") as f:
        json.dump({"builders": [{k: v for k, v in b.items() if v is not None}], "provisioners": list(provisioners)}, f)
    return path


def shell(*inline, **options):
    return {"type": "shell", "inline": list(inline), **options}


def keygen(path, *args, kind="ed25519"):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path), *args], check=True)
    return str(path)


def build(ingot, path, check, **kw):
    return ingot.run("build", "-color=false", path, check=check, **kw).stdout


def test_ways_to_log_in_key_forms(ingot, make_sshd, tmp_path):
    keys = {"pem": keygen(tmp_path / "pem", "-m", "PEM", "-b", "2048", kind="rsa"), "openssh": keygen(tmp_path / "openssh", "-b", "2048", kind="rsa"),
            "pkcs8": keygen(tmp_path / "pkcs8", "-m", "PKCS8", "-b", "2048", kind="rsa"), "ecdsa": keygen(tmp_path / "ecdsa", kind="ecdsa")}
    accepted = tmp_path / "accepted"
    accepted.write_text("".join(open(k + ".pub").read() for k in keys.values()))
    server = make_sshd(f"AuthorizedKeysFile {accepted}\n")
    config = open(f"{server.folder}/config").read().replace(f"AuthorizedKeysFile {server.folder}/user.pub\n", "")
    open(f"{server.folder}/config", "w").write(config)
    server.stop()
    server.start()
    for name, key in keys.items():
        assert "Connected." in build(ingot, template(tmp_path, server, ssh_private_key_file=key), 0), name


def test_encrypted_key_is_named_before_anything_starts(ingot, sshd, tmp_path):
    key = tmp_path / "locked"
    for form in ([], ["-m", "PEM", "-t", "rsa", "-b", "2048"]):
        if key.exists():
            key.unlink()
        subprocess.run(["ssh-keygen", "-q", *(form or ["-t", "ed25519"]), "-N", "passphrase", "-f", str(key)], check=True)
        out = ingot.run("validate", template(tmp_path, sshd, ssh_private_key_file=str(key)), check=1).stdout
        assert "passphrase" in out and "ssh_private_key_file" in out
    out = ingot.run("validate", template(tmp_path, sshd, ssh_private_key_file=str(key) + ".pub"), check=1).stdout
    assert "public key" in out


def test_certificate(ingot, make_sshd, tmp_path):
    ca, key = keygen(tmp_path / "ca"), keygen(tmp_path / "key")
    server = make_sshd(f"TrustedUserCAKeys {ca}.pub\n")
    subprocess.run(["ssh-keygen", "-q", "-s", ca, "-I", "test", "-n", server.user, key + ".pub"], check=True)
    assert "Connected" in build(ingot, template(tmp_path, server, ssh_private_key_file=key, ssh_certificate_file=key + "-cert.pub"), 0)
    out = build(ingot, template(tmp_path, server, ssh_private_key_file=key, ssh_timeout="1s"), 1)
    assert "refuses the key" in out and server.user in out


@pytest.fixture
def agent(sshd, tmp_path):
    path = str(tmp_path / "agent")
    p = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    until(lambda: os.path.exists(path))
    subprocess.run(["ssh-add", "-q", sshd.key], env={**os.environ, "SSH_AUTH_SOCK": path}, check=True, stderr=subprocess.DEVNULL)
    yield path
    p.terminate()
    p.wait()


def test_agent_logs_in_and_is_lent(ingot, sshd, agent, tmp_path):
    lent = shell('[ -z "$SSH_AUTH_SOCK" ] || ssh-add -l')
    path = template(tmp_path, sshd, [lent], ssh_private_key_file=None, ssh_agent_auth=True)
    assert "(ED25519)" in build(ingot, path, 0, env={"SSH_AUTH_SOCK": agent})
    path = template(tmp_path, sshd, [lent], ssh_private_key_file=None, ssh_agent_auth=True, ssh_disable_agent_forwarding=True)
    assert "(ED25519)" not in build(ingot, path, 0, env={"SSH_AUTH_SOCK": agent})
    assert "SSH_AUTH_SOCK" in build(ingot, path, 1)


@pytest.mark.parametrize("methods", ["password", "keyboard-interactive"])
def test_password(ingot, tmp_path, methods):
    with sshfake.FakeServer(methods) as server:
        assert "==> null: hello" in build(ingot, template(tmp_path, server, [shell("echo hello")]), 0)
        out = build(ingot, template(tmp_path, server, ssh_password="wrong-one", ssh_timeout="1s"), 1)
        assert "refuses" in out and "joe" in out and "wrong-one" not in out


def test_bastion_with_key_and_agent(ingot, sshd, make_sshd, agent, tmp_path):
    bastion = make_sshd("AllowTcpForwarding yes\n")
    through = {"ssh_bastion_host": "127.0.0.1", "ssh_bastion_port": bastion.port, "ssh_bastion_username": bastion.user}
    path = template(tmp_path, sshd, [shell("seq 1 20000")], **through, ssh_bastion_private_key_file=bastion.key)
    out = build(ingot, path, 0)
    assert [x for x in out.split("\n") if x[10:].isdigit()] == [f"==> null: {i}" for i in range(1, 20001)]
    subprocess.run(["ssh-add", "-q", bastion.key], env={**os.environ, "SSH_AUTH_SOCK": agent}, check=True, stderr=subprocess.DEVNULL)
    path = template(tmp_path, sshd, [shell("echo through")], **through, ssh_private_key_file=None, ssh_agent_auth=True, ssh_bastion_agent_auth=True)
    assert "==> null: through" in build(ingot, path, 0, env={"SSH_AUTH_SOCK": agent})
    path = template(tmp_path, sshd, **{**through, "ssh_bastion_private_key_file": sshd.wrong_key, "ssh_timeout": "1s"})
    out = build(ingot, path, 1)
    assert "bastion" in out and "refuses" in out


@pytest.mark.parametrize("methods", ["password", "keyboard-interactive"])
def test_bastion_with_password(ingot, sshd, tmp_path, methods):
    with sshfake.FakeServer(methods) as bastion:
        through = {"ssh_bastion_host": "127.0.0.1", "ssh_bastion_port": bastion.port, "ssh_bastion_username": "joe"}
        assert "==> null: through" in build(ingot, template(tmp_path, sshd, [shell("echo through")], **through, ssh_bastion_password="secret"), 0)
        out = build(ingot, template(tmp_path, sshd, **through, ssh_bastion_password="wrong-one", ssh_timeout="1s"), 1)
        assert "bastion" in out and "refuses" in out and "wrong-one" not in out


def test_bastion_that_asks_the_user(ingot, sshd, tmp_path):
    with sshfake.FakeServer("keyboard-interactive") as bastion:
        path = template(tmp_path, sshd, [shell("echo through")], ssh_bastion_host="127.0.0.1", ssh_bastion_port=bastion.port, ssh_bastion_username="joe", ssh_bastion_interactive=True)
        out, code = on_a_terminal(ingot, path, b"Password:", b"secret\r")
        assert code == 0 and "through" in out and "secret" not in out, out
        out = build(ingot, path, 1)
        assert "there is no terminal" in out, "nobody is there to be asked"


def on_a_terminal(ingot, path, wait_for, answer):
    """A build with a controlling terminal, on which one question is answered: (what stood there, exit status)."""
    pid, tty = pty.fork()
    if pid == 0:
        os.chdir(ingot.home)
        os.execve(ingot.path, [ingot.path, "build", "-color=false", path], ingot.environment())
    seen = b""
    try:
        while data := os.read(tty, 65536):
            seen += data
            if wait_for and wait_for in seen:
                os.write(tty, answer)
                wait_for = None
    except OSError:
        pass  # the other side is gone
    os.close(tty)
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_pause_before_connecting(ingot, sshd, tmp_path):
    start = time.monotonic()
    out = build(ingot, template(tmp_path, sshd, [shell("echo hello")], pause_before_connecting="1s"), 0)
    assert time.monotonic() - start > 1 and "1s" in out and "==> null: hello" in out
    p = ingot.start("build", "-color=false", template(tmp_path, sshd, pause_before_connecting="60s"))
    while "before connecting" not in (line := p.stdout.readline()):
        assert line
    p.send_signal(2)
    start = time.monotonic()
    assert p.wait(10) == 1 and time.monotonic() - start < 3


def test_socks_proxy(ingot, sshd, tmp_path):
    with sshfake.Socks("pat", "open sesame") as proxy:
        through = {"ssh_host": "localhost", "ssh_proxy_host": "127.0.0.1", "ssh_proxy_port": proxy.port, "ssh_proxy_username": "pat"}
        assert "Connected" in build(ingot, template(tmp_path, sshd, **through, ssh_proxy_password="open sesame"), 0)
        assert proxy.asked == [("localhost", sshd.port)], "the proxy looks the name up"
        out = build(ingot, template(tmp_path, sshd, **through, ssh_proxy_password="no", ssh_timeout="1s"), 1)
        assert "proxy" in out and "refuses the user pat" in out
    with sshfake.Socks() as proxy:
        out = build(ingot, template(tmp_path, sshd, ssh_port=1, ssh_proxy_host="127.0.0.1", ssh_proxy_port=proxy.port, ssh_timeout="1s"), 1)
        assert "cannot reach 127.0.0.1 port 1" in out


def test_http_proxy(ingot, sshd, tmp_path):
    with sshfake.HttpConnect("pat:x") as proxy:
        through = {"ssh_proxy_host": "http://127.0.0.1", "ssh_proxy_port": proxy.port, "ssh_proxy_username": "pat"}
        assert "Connected" in build(ingot, template(tmp_path, sshd, **through, ssh_proxy_password="x"), 0)
        assert proxy.asked == [f"127.0.0.1:{sshd.port}"]
        assert "407" in build(ingot, template(tmp_path, sshd, **through, ssh_proxy_password="y", ssh_timeout="1s"), 1)


def test_reasons_of_a_failed_connection(ingot, sshd, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        closed = s.getsockname()[1]
    out = build(ingot, template(tmp_path, sshd, ssh_port=closed, ssh_timeout="1s"), 1)
    assert "Connection refused" in out and str(closed) in out
    out = build(ingot, template(tmp_path, sshd, ssh_host="no-such-name.invalid", ssh_timeout="1s"), 1)
    assert "no-such-name.invalid" in out
    out = build(ingot, template(tmp_path, sshd, ssh_private_key_file=sshd.wrong_key, ssh_timeout="1s"), 1)
    assert f"refuses the key {sshd.wrong_key} for the user {sshd.user}" in out
    with sshfake.Tcp(lambda s: s.close()) as early:
        out = build(ingot, template(tmp_path, sshd, ssh_port=early.port, ssh_timeout="1s"), 1)
        assert "is open, but" in out
    with sshfake.Tcp(lambda s: s.sendall(b"220 mail.example.com ESMTP\r\n") or s.recv(1000)) as mail:
        out = build(ingot, template(tmp_path, sshd, ssh_port=mail.port, ssh_timeout="2s"), 1)
        assert "is open, but" in out


def test_handshake_attempts(ingot, sshd, tmp_path):
    path = template(tmp_path, sshd, ssh_private_key_file=sshd.wrong_key, ssh_handshake_attempts=1, ssh_timeout=None)
    start = time.monotonic()
    assert "every login was refused" in build(ingot, path, 1)
    assert time.monotonic() - start < 10


def test_waits_for_a_server_that_comes_late(ingot, make_sshd, tmp_path):
    server = make_sshd()
    server.stop()
    p = ingot.start("build", "-color=false", template(tmp_path, server))
    time.sleep(1)
    server.start()
    up = time.monotonic()
    out, _ = p.communicate(timeout=20)
    assert p.returncode == 0 and "Connected" in out, out
    assert time.monotonic() - up < 4, "a login should follow within a second or so"


def test_cancel_while_waiting_is_immediate(ingot, tmp_path):
    called, over = threading.Event(), threading.Event()
    with sshfake.Tcp(lambda s: called.set() or over.wait(30)) as mute:
        mute.user, mute.key = "joe", None
        p = ingot.start("build", "-color=false", template(tmp_path, mute))
        assert called.wait(20)
        start = time.monotonic()
        p.send_signal(2)
        p.communicate(timeout=20)
        assert time.monotonic() - start < 2 and p.returncode == 1
        over.set()


def test_options_reach_the_wire(ingot, make_sshd, tmp_path):
    server = make_sshd("Ciphers aes256-ctr\nKexAlgorithms ecdh-sha2-nistp384\n")
    log = {"PACKER_LOG": "1"}
    path = template(tmp_path, server, ssh_ciphers=["aes256-ctr"], ssh_key_exchange_algorithms=["ecdh-sha2-nistp384"])
    assert "cipher aes256-ctr" in build(ingot, path, 0, env=log)
    out = build(ingot, template(tmp_path, server, ssh_ciphers=["aes128-gcm@openssh.com"], ssh_timeout="2s"), 1)
    assert "no match for method" in out and "aes256-ctr" in out and "tries" not in out
    assert "ssh_ciphers" in build(ingot, template(tmp_path, server, ssh_ciphers=["rot13"], ssh_timeout="2s"), 1)


def test_sha1_only_for_servers_that_know_no_better(ingot, make_sshd, tmp_path):
    key = keygen(tmp_path / "rsa", "-b", "2048", kind="rsa")

    def old(transport):
        transport.disabled_algorithms = {"pubkeys": ["rsa-sha2-512", "rsa-sha2-256"]}
    with sshfake.FakeServer("publickey", configure=old) as server:
        out = build(ingot, template(tmp_path, server, ssh_private_key_file=key, ssh_password=None, ssh_timeout="2s"), 1)
        assert out.count("only with SHA-1 signatures") == 1, "the fake refuses them too: one warning is what there is to see"
    other = make_sshd()
    with open(f"{other.folder}/user.pub", "a") as f:
        f.write(open(key + ".pub").read())
    assert "SHA-1" not in build(ingot, template(tmp_path, other, ssh_private_key_file=key), 0)


def test_host_key_is_pinned_for_the_run(ingot, make_sshd, tmp_path):
    server = make_sshd()
    subprocess.run(["cp", f"{server.folder}/host", f"{server.folder}/host.old"], check=True)
    keygen(tmp_path / "other")
    # Another key, and the old server's session is cut: the next provisioner must notice.
    restart = {"type": "shell-local", "inline": [f"cp {tmp_path}/other {server.folder}/host", f"kill $(cat {server.folder}/pid)",
                                                  f"kill $(cat {tmp_path}/session) || true", "sleep 0.5", f"/usr/sbin/sshd -f {server.folder}/config"]}
    first = shell(f"echo $PPID > {tmp_path}/ppid; ps -o ppid= -p $PPID | tr -d ' ' > {tmp_path}/parent; cat {tmp_path}/ppid {tmp_path}/parent > {tmp_path}/session")
    after = shell("echo went on", start_retry_timeout="5s")
    path = template(tmp_path, server, [first, restart, after])
    try:
        out = build(ingot, path, 1)
        assert "the host key of 127.0.0.1 differs" in out and "went on" not in out
        os.replace(f"{server.folder}/host.old", f"{server.folder}/host")
        subprocess.run(["sh", "-c", f"kill $(cat {server.folder}/pid); sleep 0.3; /usr/sbin/sshd -f {server.folder}/config"], check=True)
        out = build(ingot, template(tmp_path, server, [first, restart, after], ssh_host_key_check="off"), 0)
        assert "went on" in out
    finally:
        subprocess.run(["sh", "-c", f"kill $(cat {server.folder}/pid)"], stderr=subprocess.DEVNULL)


def test_a_cut_line_is_no_exit_status(ingot, sshd, tmp_path):
    with sshfake.cutter(sshd.port, 200000) as line:
        line.user, line.key = sshd.user, sshd.key
        out = build(ingot, template(tmp_path, line, [shell("seq 1 1000000", start_retry_timeout="2s")]), 1)
    assert "Script lost the connection" in out and "exit status" not in out and "==> null: 1\n" in out


def test_no_exit_status_is_a_lost_connection(ingot, tmp_path):
    def vanish(channel, command):
        if "=ready=" in command:
            channel.sendall(b"=ingot=\n=ready=\nbegun\n")
            channel.close()
        else:
            sshfake.run_command(channel, command)
    with sshfake.FakeServer(command=vanish) as server:
        out = build(ingot, template(tmp_path, server, [shell("echo x", start_retry_timeout="1s")]), 1)
    assert "==> null: begun" in out and "Script lost the connection" in out


def test_truncated_upload_is_an_error(ingot, tmp_path):
    def swallow(channel, command):
        if "wc -c" not in command:
            return sshfake.run_command(channel, command)
        channel.sendall(b"=ingot=\nready\n")
        got = 0
        while data := channel.recv(65536):
            got += len(data)
        channel.sendall(b"%d\n" % (got - 1))
        channel.send_exit_status(0)
        channel.close()
    (tmp_path / "f").write_bytes(b"x" * 100000)
    with sshfake.FakeServer(command=swallow) as server:
        out = build(ingot, template(tmp_path, server, [{"type": "file", "source": str(tmp_path / "f"), "destination": "/nowhere/x"}]), 1)
    assert "99999 of 100000 bytes arrived" in out


def test_machine_without_a_shell_gets_sftp(ingot, make_sshd, tmp_path):
    server = make_sshd("ForceCommand internal-sftp\n")
    src, dst = tmp_path / "src", tmp_path / "dst"
    (src / "sub").mkdir(parents=True)
    dst.mkdir()
    (src / "a").write_bytes(os.urandom(3000000))
    (src / "sub" / "b").write_text("b")
    os.chmod(src / "a", 0o640)
    steps = [{"type": "file", "source": str(src / "a"), "destination": str(dst) + "/"}, {"type": "file", "source": str(src), "destination": str(dst)},
             {"type": "file", "source": str(dst / "a"), "destination": str(tmp_path / "back"), "direction": "download"},
             {"type": "file", "source": str(dst / "src") + "/", "destination": str(tmp_path / "got"), "direction": "download"}]
    for method in ("sftp", "scp"):
        build(ingot, template(tmp_path, server, steps, ssh_file_transfer_method=method), 0)
        for copy in (dst / "a", tmp_path / "back", dst / "src" / "a", tmp_path / "got" / "src" / "a"):
            assert copy.read_bytes() == (src / "a").read_bytes()
            copy.unlink()
        assert (tmp_path / "got" / "src" / "sub" / "b").read_text() == "b"
    out = build(ingot, template(tmp_path, server, [{"type": "file", "source": str(src / "a"), "destination": "/no/such/x"}], ssh_file_transfer_method="sftp"), 1)
    assert "/no/such/x: No such file or directory" in out


def test_sftp_of_a_file_that_tells_no_size_has_no_gaps(ingot, sshd, tmp_path):
    """Files of /proc have size 0 and are given out in pieces smaller than what was asked for."""
    source = next((f for f in ("/proc/crypto", "/proc/kallsyms") if os.path.exists(f) and len(open(f, "rb").read()) > 8192), None)
    if not source:
        pytest.skip("no file of /proc that is larger than one piece")
    step = {"type": "file", "source": source, "destination": str(tmp_path / "got"), "direction": "download"}
    build(ingot, template(tmp_path, sshd, [step], ssh_file_transfer_method="sftp"), 0)
    assert (tmp_path / "got").read_bytes() == open(source, "rb").read()


def test_what_a_forced_command_says_is_shown(ingot, make_sshd, tmp_path):
    """As of images whose root login tells the right user."""
    server = make_sshd("ForceCommand echo Please login as the user admin rather than root; exit 142\n")
    for step in (shell("echo x"), {"type": "file", "source": "/etc/hostname", "destination": "/tmp/never"}, {"type": "file", "source": "/etc/hostname", "destination": str(tmp_path / "x"), "direction": "download"}):
        assert 'answered "Please login as the user admin rather than root"' in build(ingot, template(tmp_path, server, [step]), 1)


def test_a_script_that_was_not_run_is_no_success(ingot, make_sshd, tmp_path):
    assert "the script was not run" in build(ingot, template(tmp_path, make_sshd("ForceCommand exec true\n"), [shell("echo x")]), 1)


def test_start_files_may_talk(ingot, make_sshd, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ".bashrc").write_text("echo NOISE; echo LOUD >&2\n")
    server = make_sshd(f"SetEnv HOME={tmp_path}/there\n")
    (tmp_path / "f").write_bytes(os.urandom(300000))
    steps = [{"type": "file", "source": str(tmp_path / "f"), "destination": str(tmp_path / "g")}, {"type": "file", "source": str(tmp_path / "g"), "destination": str(tmp_path / "h"), "direction": "download"},
             shell("echo done")]
    assert "==> null: done\n" in build(ingot, template(tmp_path, server, steps), 0)
    assert (tmp_path / "h").read_bytes() == (tmp_path / "f").read_bytes()


def test_tunnels(ingot, sshd, tmp_path):
    def echo(s):
        while data := s.recv(65536):
            s.sendall(data)
    ports = []
    for _ in range(2):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            ports.append(s.getsockname()[1])
    talk = "import socket,sys; s=socket.create_connection(('127.0.0.1', %d)); d=b'x'*500000; import threading; " \
           "threading.Thread(target=lambda: (s.sendall(d), s.shutdown(1))).start(); n=0\nwhile True:\n b=s.recv(65536)\n if not b: break\n n+=len(b)\nprint('came back', n)"
    with sshfake.Tcp(echo) as server:
        (tmp_path / "local.py").write_text(talk % ports[0])
        (tmp_path / "remote.py").write_text(talk % ports[1])
        path = template(tmp_path, sshd, [{"type": "shell-local", "inline": [f"python3 {tmp_path}/local.py"]}, shell(f"python3 {tmp_path}/remote.py")],
                        ssh_local_tunnels=[f"{ports[0]}:127.0.0.1:{server.port}"], ssh_remote_tunnels=[f"{ports[1]}:127.0.0.1:{server.port}"])
        assert build(ingot, path, 0).count("==> null: came back 500000") == 2
    assert "ssh_local_tunnels" in ingot.run("validate", template(tmp_path, sshd, ssh_local_tunnels=["x:y"]), check=1).stdout


def test_silence_is_a_loss(ingot, sshd, tmp_path):
    """The line stays open but nothing passes any more: ssh_read_write_timeout ends the wait."""
    stop, ended = threading.Event(), threading.Event()

    def freeze(s):
        up = socket.create_connection(("127.0.0.1", sshd.port))

        def pump(a, b):
            while (data := a.recv(65536)) and not stop.is_set():
                b.sendall(data)
            ended.wait(60)
        threading.Thread(target=pump, args=(s, up), daemon=True).start()
        pump(up, s)
    with sshfake.Tcp(freeze) as line:
        line.user, line.key = sshd.user, sshd.key
        p = ingot.start("build", "-color=false", template(tmp_path, line, [shell("echo begun; sleep 20", start_retry_timeout="1s")], ssh_read_write_timeout="2s"))
        told = ""
        while "begun" not in told:
            told += p.stdout.readline()
            assert p.poll() is None, told
        stop.set()
        start = time.monotonic()
        out, _ = p.communicate(timeout=60)
        ended.set()
    assert p.returncode == 1 and "nothing came from the server" in out, out
    assert time.monotonic() - start < 45


def test_a_stopped_program_keeps_its_connection(ingot, sshd, tmp_path):
    """A minute of SIGSTOP, or of a runner that is paused: the server was not asked meanwhile, so its silence means nothing."""
    p = ingot.start("build", "-color=false", template(tmp_path, sshd, [shell("echo started; sleep 66; echo ended")]))
    for line in p.stdout:
        if line == "==> null: started\n":
            break
    time.sleep(0.5)  # the next question is for later: no answer waits in the socket
    p.send_signal(signal.SIGSTOP)
    time.sleep(62)
    p.send_signal(signal.SIGCONT)
    out, _ = p.communicate(timeout=60)
    assert p.returncode == 0 and "==> null: ended" in out, out


def test_rekeying_while_data_flows(ingot, make_sshd, tmp_path):
    server = make_sshd("RekeyLimit 1M\n")
    (tmp_path / "f").write_bytes(os.urandom(20000000))
    path = template(tmp_path, server, [{"type": "file", "source": str(tmp_path / "f"), "destination": str(tmp_path / "g")}, shell("seq 1 1000000")])
    out = build(ingot, path, 0)
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes()
    assert [x for x in out.split("\n") if x[10:].isdigit()] == [f"==> null: {i}" for i in range(1, 1000001)]


def test_one_session_at_a_time(ingot, make_sshd, tmp_path):
    server = make_sshd("")
    config = open(f"{server.folder}/config").read().replace("MaxSessions 500", "MaxSessions 1")
    open(f"{server.folder}/config", "w").write(config)
    server.stop()
    server.start()
    assert "==> null: two" in build(ingot, template(tmp_path, server, [shell("echo one"), shell("echo two")]), 0)
