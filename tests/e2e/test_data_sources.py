"""Data sources against moto, a small HTTP server and the local cloud, through HCL2 templates."""
import base64
import hashlib
import http.server
import json
import threading

import pytest

from test_server_functions import Server, kv

NULL = """
source "null" "x" {
  communicator = "none"
}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = ["echo 'ran <%s>'"]
  }
}
"""


def build(ingot, folder, data, shown, check=0, env=None, args=(), **more):
    """The output of a build that echoes an expression in < >."""
    d = folder({"t.pkr.hcl": data + NULL % shown, **more})
    return ingot.run("build", "-color=false", *args, "t.pkr.hcl", cwd=d, check=check, env=env).stdout


@pytest.fixture(scope="module")
def account(moto):
    ec2, ssm, secrets = moto.client(), moto.client("ssm"), moto.client("secretsmanager")
    base = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    moto.images = [ec2.create_image(InstanceId=instance, Name=f"web-{i}", TagSpecifications=[])["ImageId"] for i in range(2)]
    ec2.create_tags(Resources=moto.images[:1], Tags=[{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}])
    ssm.put_parameter(Name="/app/size", Value="large", Type="String")
    ssm.put_parameter(Name="/app/size", Value="small", Type="String", Overwrite=True)
    ssm.put_parameter(Name="/app/token", Value="token-4711", Type="SecureString")
    secrets.create_secret(Name="login", SecretString='{"user": "joe", "pass": "hush-hush-8", "n": 3}')
    secrets.create_secret(Name="text", SecretString="plain-secret-9")
    secrets.create_secret(Name="bytes", SecretBinary=b"binary-text-7")
    return moto


def test_ami(ingot, folder, account):
    data = 'data "amazon-ami" "a" {\n filters = { name = "web-0" }\n owners = ["self"]\n region = "us-east-1"\n}\n'
    a = "data.amazon-ami.a"
    out = build(ingot, folder, data, f'${{{a}.id}} ${{{a}.name}} ${{{a}.tags.a}}${{{a}.tags["b"]}} ${{length({a}.owner)}} ${{length({a}.owner_name)}} ${{length({a}.creation_date)}}',
                env=account.environment())
    assert f"ran <{account.images[0]} web-0 12 12 0 24>" in out, out
    several = data.replace("web-0", "web-*")
    assert "2 images match name=web-*" in build(ingot, folder, several, "x", 1, account.environment())
    newest = several.replace('region =', 'most_recent = true\n region =')
    assert any(i in build(ingot, folder, newest, f"${{{a}.id}}", env=account.environment()) for i in account.images)
    owners = 'data "amazon-ami" "a" {\n owners = ["self"]\n most_recent = true\n region = "us-east-1"\n}\n'
    assert any(i in build(ingot, folder, owners, f"${{{a}.id}}", env=account.environment()) for i in account.images)
    assert "no source image matches name=none" in build(ingot, folder, data.replace("web-0", "none"), "x", 1, account.environment())


def test_ami_needs_filters_and_owners(ingot, folder):
    out = build(ingot, folder, 'data "amazon-ami" "a" {\n region = "us-east-1"\n}\n', "x", 1)
    assert "at least one filter" in out and "who owns the image" in out
    assert "t.pkr.hcl line 1" in out


def test_parameterstore(ingot, folder, account):
    data = 'data "amazon-parameterstore" "p" {\n name = "/app/size"\n region = "us-east-1"\n}\n'
    p = "data.amazon-parameterstore.p"
    out = build(ingot, folder, data, f"${{{p}.value}} ${{{p}.version}} ${{{p}.arn}}", env=account.environment())
    assert "ran <small 2 arn:aws:ssm:us-east-1:" in out and "parameter/app/size>" in out
    secret = data.replace("/app/size", "/app/token").replace("region", "with_decryption = true\n region")
    out = build(ingot, folder, secret, f"${{md5({p}.value)}} ${{{p}.value}}", env=account.environment())
    assert f"ran <{hashlib.md5(b'token-4711').hexdigest()} <sensitive>>" in out and "token-4711" not in out
    stored = secret.replace("with_decryption = true", "")
    assert "ran <" in build(ingot, folder, stored, f"${{{p}.value}}", env=account.environment())
    assert "parameter /none" in build(ingot, folder, data.replace("/app/size", "/none"), "x", 1, account.environment())


@pytest.mark.parametrize("options, attr, want", [('name = "login"\nkey = "pass"', "value", "hush-hush-8"), ('name = "login"', "value", "joe"), ('name = "login"\nkey = "n"', "value", "3"),
                                                  ('name = "login"\nkey = "none"', "value", ""), ('name = "text"', "value", "plain-secret-9"), ('name = "text"', "secret_string", "plain-secret-9"),
                                                  ('name = "bytes"', "secret_binary", "binary-text-7"), ('name = "bytes"', "value", "")])
def test_secretsmanager(ingot, folder, account, options, attr, want):
    data = f'data "amazon-secretsmanager" "s" {{\n{options}\n region = "us-east-1"\n}}\nlocals {{\n s = data.amazon-secretsmanager.s\n}}\n'
    out = build(ingot, folder, data, f"${{md5(local.s.{attr})}} ${{local.s.{attr}}} ${{length(local.s.version_id)}}", env=account.environment())
    assert f"ran <{hashlib.md5(want.encode()).hexdigest()} {'<sensitive>' if len(want) > 2 else want} 36>" in out


def test_what_is_in_a_secret_is_secret(ingot, folder, account):
    data = 'data "amazon-secretsmanager" "s" {\n name = "login"\n region = "us-east-1"\n}\n'
    out = build(ingot, folder, data, '${split("\\"", data.amazon-secretsmanager.s.secret_string)[7]} ${split("\\"", aws_secretsmanager_raw("login"))[7]}', env=account.environment())
    assert "ran <<sensitive> <sensitive>>" in out and "hush" not in out


def test_secretsmanager_mistakes(ingot, folder, account):
    data = 'data "amazon-secretsmanager" "s" {\n name = "none"\n version_stage = "AWSPREVIOUS"\n region = "us-east-1"\n}\n'
    assert "secret none, version AWSPREVIOUS" in build(ingot, folder, data, "x", 1, account.environment())
    assert "name" in build(ingot, folder, data.replace('name = "none"', ""), "x", 1, account.environment())


def test_validate_asks_only_when_told(ingot, folder, account):
    d = folder({"t.pkr.hcl": 'data "amazon-parameterstore" "p" {\n name = "/none"\n region = "us-east-1"\n}\n' + NULL % "${data.amazon-parameterstore.p.value}"})
    ingot.run("validate", "t.pkr.hcl", cwd=d, check=0, env=account.environment())
    assert "parameter /none" in ingot.run("validate", "-evaluate-datasources", "t.pkr.hcl", cwd=d, check=1, env=account.environment()).stdout


def test_null(ingot, folder):
    assert "ran <echo>" in build(ingot, folder, 'data "null" "n" {\n input = "echo"\n}\n', "${data.null.n.output}")
    assert "input" in build(ingot, folder, 'data "null" "n" {\n input = ""\n}\n', "x", 1)


class Echo(http.server.BaseHTTPRequestHandler):
    """Tells what it got; /go redirects."""
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == "/go":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.send_header("X-Gone", "1")
        else:
            self.send_response(418 if self.path == "/bad" else 204 if self.path == "/none" else 200)
        data = b"" if self.command == "HEAD" or self.path == "/none" else json.dumps([self.command, self.path, body, self.headers.get("x-mine"), self.headers.get("content-type")]).encode()
        self.send_header("content-type", "application/json")
        self.send_header("X-Two", "a")
        self.send_header("x-two", "b")
        if self.path != "/none":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = do_PATCH = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def echo():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path, options, want", [
    ("/a?b=c", "", '["GET", "/a?b=c", "", null, null]'),
    ("/a", 'method = "POST"\nrequest_body = "x=y"\nrequest_headers = { X-Mine = "m" }', '["POST", "/a", "x=y", "m", null]'),
    ("/a", 'method = "PUT"\nrequest_body = "z"\nrequest_headers = { content-type = "text/x" }', '["PUT", "/a", "z", null, "text/x"]'),
    ("/go", "", '["GET", "/there", "", null, null]'), ("/go", 'method = "POST"', '["GET", "/there", "", null, null]'),
    ("/a", 'method = "DELETE"', '["DELETE", "/a", "", null, null]'), ("/a", 'method = "HEAD"', ""), ("/none", 'method = "PATCH"', "")])
def test_http(ingot, folder, echo, path, options, want):
    data = f'data "http" "h" {{\n url = "{echo}{path}"\n{options}\n}}\nlocals {{\n h = data.http.h\n}}\n'
    out = build(ingot, folder, data, '${base64encode(local.h.body)} ${local.h.request_headers["Content-Type"]} ${local.h.request_headers["X-Two"]} ${local.h.url} '
                '${lookup(local.h.request_headers, "X-Gone", "no")}')
    assert f"ran <{base64.b64encode(want.encode()).decode()} application/json a, b {echo}{path} no>" in out


def test_http_mistakes(ingot, folder, echo):
    for options, said in ((f'url = "{echo}/bad"', "status 418"), (f'url = "{echo}/"\nmethod = "get"', "method"), ('url = "ftp://x/"', "no http or https URL"), ('url = ""', "must not be empty"),
                          ('url = "http://127.0.0.1:1/"', "no connection to 127.0.0.1:1")):
        assert said in build(ingot, folder, f'data "http" "h" {{\n{options}\n}}\n', "x", 1)


def test_functions_of_servers_in_hcl(ingot, folder, account):
    answers = {"/v1/secret/data/app": (200, {"data": {"data": {"pass": "swordfish-9"}}}), "/v1/kv/images/base": (200, kv("ami-1"))}
    with Server(answers) as s:
        env = account.environment(VAULT_ADDR=s.address, VAULT_TOKEN="t", CONSUL_HTTP_ADDR=s.address)
        data = ('locals {\n v = vault("/secret/data/app", "pass")\n c = consul_key("images/base")\n a = aws_secretsmanager("login", "user")\n'
                ' t = aws_secretsmanager("text", null)\n r = length(aws_secretsmanager_raw("login"))\n}\n')
        out = build(ingot, folder, data, "${md5(local.v)} ${local.v} ${local.c} ${local.a} ${local.t} ${local.r}", env=env)
        assert f"ran <{hashlib.md5(b'swordfish-9').hexdigest()} <sensitive> ami-1 <sensitive> <sensitive> 46>" in out
        assert "swordfish" not in out and "plain-secret" not in out
        direct = build(ingot, folder, "", '${vault("secret/data/app", "pass")}', env=env)
        assert "ran <<sensitive>>" in direct and "swordfish" not in direct
        wrong = build(ingot, folder, 'locals {\n v = vault("none", "x")\n}\n', "x", 1, env)
        assert "there is no secret at this path" in wrong and "t.pkr.hcl line 2" in wrong


DEBIAN = """data "amazon-ami" "a" {
  filters     = { name = "debian-12-*" }
  owners      = ["136693071363"]
  most_recent = true
  region      = "eu-west-1"
%s}
"""


def newest(cloud):
    images = cloud.client(region="eu-west-1").describe_images(Filters=[{"Name": "name", "Values": ["debian-12-*"]}], Owners=["136693071363"])["Images"]
    return [f"ran <{i['ImageId']} {i['Name']}>" for i in images]


def test_ami_on_the_local_cloud(ingot, folder, api_cloud):
    out = build(ingot, folder, DEBIAN % "", "${data.amazon-ami.a.id} ${data.amazon-ami.a.name}", env=api_cloud.env)
    assert any(n in out for n in newest(api_cloud)), out


def test_ami_in_a_rehearsal(ingot, folder, cloud):
    """The template's keys and endpoint and those of the environment count for nothing; the words about the cloud come once."""
    keys = '  access_key = "AKIAREAL"\n  secret_key = "real"\n  custom_endpoint_ec2 = "http://127.0.0.1:1"\n'
    env = {"INGOT_CLOUD_DATA": cloud.data, "AWS_ENDPOINT_URL": "http://127.0.0.1:2", "AWS_PROFILE": "real"}
    out = build(ingot, folder, DEBIAN % keys, "${data.amazon-ami.a.id} ${data.amazon-ami.a.name}", env=env, args=["-local"])
    assert any(n in out for n in newest(cloud)) and out.count("Rehearsing on the local cloud") == 1
    out = build(ingot, folder, DEBIAN.replace("debian-12", "none") % keys, "x", 1, env, ["-local"])
    assert "no source image matches name=none" in out and "Rehearsing" in out
    out = build(ingot, folder, DEBIAN % "  nonsense = 1\n", "x", 1, env, ["-local"])
    assert "Rehearsing" not in out
