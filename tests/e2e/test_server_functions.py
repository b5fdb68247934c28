"""vault, consul_key and aws_secretsmanager in legacy templates: what goes over the wire, what comes back, and that secrets stay hidden."""
import base64
import http.server
import json
import ssl
import subprocess
import threading

import pytest


class Server:
    """Answers GETs from a table {path with query: (status, object or text)} and keeps the requests."""

    def __init__(self, answers, tls=None):
        self.requests, outer = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                found = answers.get(self.path, (404, {"errors": []}))
                status, body = found.pop(0) if isinstance(found, list) else found
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                if status in (301, 307):
                    self.send_header("Location", body)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def render(ingot, folder, expression, check=0, env=None, **more):
    """What the expression gives in a variable, through a file that a provisioner writes."""
    d = folder({"t.json": json.dumps({"variables": {"v": expression}, **more, "builders": [{"type": "file", "content": "{{user `v`}}", "target": "out"}],
                                      "provisioners": [], "post-processors": [{"type": "shell-local", "inline": ["echo it is $(cat out)"]}]})})
    r = ingot.run("build", "-color=false", "t.json", cwd=d, check=check, env=env)
    return (open(f"{d}/out").read() if check == 0 else None), r.stdout


SECRETS = {
    "/v1/secret/data/app": (200, {"data": {"data": {"pass": "swordfish-9", "n": 1}, "metadata": {"version": 3}}}),
    "/v1/kv/app%20one": (200, {"data": {"pass": "old-style-77"}}),
    "/v1/secret/data/gone": (404, {"data": {"data": None, "metadata": {}}}),
    "/v1/forbidden": (403, {"errors": ["1 error occurred: permission denied"]}),
    "/v1/moved": (307, "/v1/secret/data/app"),
}


def test_vault(ingot, folder):
    with Server(SECRETS) as s:
        env = {"VAULT_ADDR": s.address + "/", "VAULT_TOKEN": "tok-1", "VAULT_NAMESPACE": "team/a"}
        for path in ("secret/data/app", "/secret/data/app", "moved"):
            got, out = render(ingot, folder, "{{vault `%s` `pass`}}" % path, env=env)
            assert got == "swordfish-9" and "swordfish" not in out and "it is <sensitive>" in out
        path, headers = s.requests[0]
        assert path == "/v1/secret/data/app" and headers["x-vault-token"] == "tok-1" and headers["x-vault-namespace"] == "team/a" and headers["x-vault-request"] == "true"
        assert render(ingot, folder, "{{vault `kv/app one` `pass`}}", env=env)[0] == "old-style-77"
        for path, key, said in (("secret/data/app", "no", 'no key "no"'), ("secret/data/gone", "pass", "no secret at this path"), ("nowhere", "k", "no secret at this path"),
                                ("secret/data/app", "n", "no text"), ("forbidden", "k", "permission denied")):
            assert said in render(ingot, folder, "{{vault `%s` `%s`}}" % (path, key), check=1, env=env)[1]
        env["VAULT_TOKEN"] = None
        assert "VAULT_TOKEN is not set" in render(ingot, folder, "{{vault `x` `y`}}", check=1, env=env)[1]



def test_vault_only_in_variables(ingot, folder):
    d = folder({"t.json": json.dumps({"builders": [{"type": "file", "content": "{{vault `a` `b`}}", "target": "out"}]})})
    assert 'in "variables" only' in ingot.run("build", "t.json", cwd=d, check=1, env={"VAULT_TOKEN": "x"}).stdout


def test_vault_asks_again_and_over_tls(ingot, folder, tmp_path):
    pem = tmp_path / "pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pem, "-out", tmp_path / "ca", "-days", "2",
                    "-subj", "/CN=vault", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "ca").read_bytes())
    good = {"data": {"k": "tls-value"}}
    with Server({"/v1/a": [(503, {"errors": ["sealed"]}), (200, good)], "/v1/b": (503, {"errors": ["Vault is sealed"]})}, tls=pem) as s:
        env = {"VAULT_ADDR": s.address, "VAULT_TOKEN": "t"}
        assert "not trusted" in render(ingot, folder, "{{vault `a` `k`}}", check=1, env=env)[1]
        env["VAULT_CACERT"] = str(tmp_path / "ca")
        assert render(ingot, folder, "{{vault `a` `k`}}", env=env)[0] == "tls-value" and len(s.requests) == 2
        assert "Vault is sealed" in render(ingot, folder, "{{vault `b` `k`}}", check=1, env={**env, "VAULT_MAX_RETRIES": "0"})[1]
        assert len(s.requests) == 3
        env = {"VAULT_ADDR": s.address, "VAULT_TOKEN": "t", "VAULT_SKIP_VERIFY": "1", "VAULT_MAX_RETRIES": "0"}
        assert "sealed" in render(ingot, folder, "{{vault `b` `k`}}", check=1, env=env)[1]


def kv(value):
    return [{"Key": "k", "Flags": 0, "Value": value if value is None else base64.b64encode(value.encode()).decode()}]


def test_consul(ingot, folder, tmp_path):
    answers = {"/v1/kv/images/base": (200, kv("ami-äöü")), "/v1/kv/empty": (200, kv(None)), "/v1/kv/images/base?ns=n%26m&partition=p": (200, kv("apart")),
               "/v1/kv/no": (403, "Permission denied"), "/v1/kv/odd": (200, "no json")}
    with Server(answers) as s:
        env = {"CONSUL_HTTP_ADDR": s.address.removeprefix("http://"), "CONSUL_HTTP_TOKEN": "tok-2", "CONSUL_HTTP_AUTH": "joe:pass"}
        got, out = render(ingot, folder, "{{consul_key `images/base`}}", env=env)
        assert got == "ami-äöü" and "it is ami-äöü" in out
        _, headers = s.requests[0]
        assert headers["x-consul-token"] == "tok-2" and headers["authorization"] == "Basic " + base64.b64encode(b"joe:pass").decode()
        (tmp_path / "token").write_text("from-a-file\n")
        env.update(CONSUL_HTTP_TOKEN_FILE=str(tmp_path / "token"), CONSUL_NAMESPACE="n&m", CONSUL_PARTITION="p", CONSUL_HTTP_ADDR=s.address)
        assert render(ingot, folder, "{{consul_key `/images/base`}}", env=env)[0] == "apart"
        assert s.requests[-1][1]["x-consul-token"] == "from-a-file"
        env = {"CONSUL_HTTP_ADDR": s.address}
        for key, said in (("empty", "its value is empty"), ("nowhere", "there is no such key"), ("no", "403: Permission denied"), ("odd", "no answer of Consul")):
            assert said in render(ingot, folder, "{{consul_key `%s`}}" % key, check=1, env=env)[1]
    assert "no connection to" in render(ingot, folder, "{{consul_key `x`}}", check=1, env={"CONSUL_HTTP_ADDR": s.address})[1]
    assert "no http, https or unix address" in render(ingot, folder, "{{consul_key `x`}}", check=1, env={"CONSUL_HTTP_ADDR": "ftp://x"})[1]


@pytest.fixture(scope="module")
def secrets(moto):
    client = moto.client("secretsmanager")
    for name, text in (("plain", "just-text-1"), ("one", '{"only": "single-value"}'), ("two", '{"user": "joe-the-user", "n": 41.7, "list": []}')):
        client.create_secret(Name=name, SecretString=text)
    client.create_secret(Name="bytes", SecretBinary=b"\x00\xff")
    return moto


@pytest.mark.parametrize("call, want", [("aws_secretsmanager `plain`", "just-text-1"), ("aws_secretsmanager `one`", "single-value"), ("aws_secretsmanager `two` `user`", "joe-the-user"),
                                        ("aws_secretsmanager `two` `n`", "42"), ("aws_secretsmanager_raw `one`", '{"only": "single-value"}')])
def test_secrets_manager(ingot, folder, secrets, call, want):
    got, out = render(ingot, folder, "{{%s}}" % call, env=secrets.environment())
    assert got == want and (len(want) < 3 or want not in out)


@pytest.mark.parametrize("call, said", [("aws_secretsmanager `two`", "holds 3 values"), ("aws_secretsmanager `two` `x`", 'no key "x"'), ("aws_secretsmanager `two` `list`", "neither text nor a number"),
                                        ("aws_secretsmanager `none`", "secret none"), ("aws_secretsmanager ``", "must be named"), ("aws_secretsmanager_raw `bytes`", "holds bytes")])
def test_secrets_that_cannot_be_had(ingot, folder, secrets, call, said):
    assert said in render(ingot, folder, "{{%s}}" % call, check=1, env=secrets.environment())[1]


def test_a_rehearsal_reads_no_real_secret(ingot, folder, secrets):
    d = folder({"t.json": json.dumps({"variables": {"v": "{{aws_secretsmanager `plain`}}"}, "builders": [{"type": "null", "communicator": "none"}]})})
    assert "a rehearsal (-local) reads nothing" in ingot.run("build", "-local", "t.json", cwd=d, check=1, env=secrets.environment()).stdout
