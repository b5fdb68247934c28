"""SSH servers that misbehave as a test says (by paramiko), and TCP helpers that cut, proxy and babble."""
import base64
import os
import socket
import socketserver
import struct
import subprocess
import threading

import paramiko


class Tcp:
    """A threaded TCP server on loopback; handler(socket) runs once a connection. Use as a context manager."""

    def __init__(self, handler):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    handler(self.request)
                except (OSError, EOFError, paramiko.SSHException):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def splice(a, b, limit=None):
    """Both ways until an end; after `limit` bytes from b to a everything is cut."""
    passed = [0]

    def pump(x, y, counted):
        try:
            while data := x.recv(65536):
                passed[0] += len(data) if counted else 0
                if limit is not None and passed[0] > limit:
                    break
                y.sendall(data)
        except OSError:
            pass
        for s in (x, y):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
    t = threading.Thread(target=pump, args=(a, b, False), daemon=True)
    t.start()
    pump(b, a, True)
    t.join()


def cutter(target, limit):
    """Relays to target and cuts the line after `limit` bytes from there."""
    return Tcp(lambda s: splice(s, socket.create_connection(("127.0.0.1", target)), limit))


def read(s, n):
    data = b""
    while len(data) < n:
        got = s.recv(n - len(data))
        if not got:
            raise EOFError
        data += got
    return data


class Socks(Tcp):
    """A SOCKS5 proxy; with a user it wants that login. .asked: the hosts that were asked for."""

    def __init__(self, user=None, password=None):
        self.asked, self.login = [], (user, password)
        super().__init__(self.serve)

    def serve(self, s):
        read(s, read(s, 2)[1])
        s.sendall(b"\5" + (b"\2" if self.login[0] else b"\0"))
        if self.login[0]:
            user = read(s, read(s, 2)[1]).decode()
            password = read(s, read(s, 1)[0]).decode()
            s.sendall(b"\1" + (b"\0" if (user, password) == self.login else b"\1"))
            if (user, password) != self.login:
                return
        kind = read(s, 4)[3]
        assert kind == 3, "the host should come as a name"
        host = read(s, read(s, 1)[0]).decode()
        port = struct.unpack(">H", read(s, 2))[0]
        self.asked.append((host, port))
        try:
            up = socket.create_connection((host, port), 5)
        except OSError:
            s.sendall(b"\5\5\0\1" + bytes(6))
            return
        s.sendall(b"\5\0\0\1" + bytes(6))
        splice(s, up)


class HttpConnect(Tcp):
    def __init__(self, login=None):
        self.asked, self.login = [], login
        super().__init__(self.serve)

    def serve(self, s):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += read(s, 1)
        target = head.split()[1].decode()
        self.asked.append(target)
        want = "Basic " + base64.b64encode(self.login.encode()).decode() if self.login else None
        if want and want.encode() not in head:
            s.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, port = target.rsplit(":", 1)
        up = socket.create_connection((host, int(port)), 5)
        s.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        splice(s, up)


class Rules(paramiko.ServerInterface):
    """Login by the password "secret" for the user "joe", plain or as an answer; commands go to `command`."""

    def __init__(self, methods, command):
        self.methods, self.command = methods, command

    def get_allowed_auths(self, username):
        return self.methods

    def check_auth_password(self, username, password):
        ok = "password" in self.methods and (username, password) == ("joe", "secret")
        return paramiko.AUTH_SUCCESSFUL if ok else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username, submethods):
        return paramiko.InteractiveQuery("", "", ("Password: ", False)) if "keyboard" in self.methods else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses):
        return paramiko.AUTH_SUCCESSFUL if responses == ["secret"] else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL if "publickey" in self.methods else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        try:
            up = socket.create_connection(destination, 5)
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        threading.Thread(target=lambda: splice(self.transport.accept(10), up), daemon=True).start()
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self.command, args=(channel, command.decode()), daemon=True).start()
        return True


def run_command(channel, command):
    """What a well-behaved server does."""
    p = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def feed():
        while data := channel.recv(65536):
            p.stdin.write(data)
        p.stdin.close()
    threading.Thread(target=feed, daemon=True).start()
    err = threading.Thread(target=lambda: [channel.sendall_stderr(d) for d in iter(lambda: os.read(p.stderr.fileno(), 65536), b"")], daemon=True)
    err.start()
    while data := os.read(p.stdout.fileno(), 65536):
        channel.sendall(data)
    err.join()
    channel.send_exit_status(p.wait())
    channel.close()


class FakeServer(Tcp):
    def __init__(self, methods="password", command=run_command, key=None, configure=None):
        self.key = key or paramiko.ECDSAKey.generate()
        self.rules, self.configure = Rules(methods, command), configure
        super().__init__(self.serve)

    def serve(self, s):
        t = paramiko.Transport(s)
        if self.configure:
            self.configure(t)
        t.add_server_key(self.key)
        rules = Rules(self.rules.methods, self.rules.command)
        rules.transport = t
        t.start_server(server=rules)
        while t.is_active():
            t.join(0.2)
