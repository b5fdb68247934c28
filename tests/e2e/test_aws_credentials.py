"""Where the AWS client finds credentials, region and endpoints: each source with a server or file of its own."""
import hashlib
import json
import ssl
import subprocess
import time

import pytest

from aws_front import Front, ec2_error
from test_moto_aws import front, probe  # noqa: F401: fixtures

FAR = "2040-01-01T00:00:00Z"


def sts_answer(action, key="ASIAROLE", until=FAR):
    return 200, (f"<{action}Response><{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>rs</SecretAccessKey>"
                 f"<SessionToken>rt</SessionToken><Expiration>{until}</Expiration></Credentials></{action}Result></{action}Response>")


@pytest.fixture
def aws_files(tmp_path):
    """aws_files(config=…, credentials=…) writes ~/.aws."""
    def write(config="", credentials=""):
        d = tmp_path / ".aws"
        d.mkdir(exist_ok=True)
        (d / "config").write_text(config)
        (d / "credentials").write_text(credentials)
    return write


def test_template_keys_come_first(probe):
    r = probe("-o", "access_key=T", "-o", "secret_key=ts", "-o", "token=tt", "credentials")
    assert r.stdout == "T ts tt 0 access_key of the template\n"


def test_environment(probe):
    r = probe("credentials", env={"AWS_SESSION_TOKEN": "st"})
    assert r.stdout == "AKIDTEST secret st 0 AWS_ACCESS_KEY_ID in the environment\n"


def test_local_override_ignores_everything(probe, aws_files):
    aws_files("[default]\nendpoint_url = http://other\nregion = eu-north-1\n", "[default]\naws_access_key_id=F\naws_secret_access_key=fs\n")
    local = ("-o", "local_endpoint=http://127.0.0.1:4599", "-o", "local_access_key=L", "-o", "local_secret_key=ls", "-o", "access_key=T", "-o", "secret_key=ts",
             "-o", "profile=absent", "-o", "assume_role.role_arn=arn:aws:iam::1:role/r", "-o", "custom_endpoint_ec2=http://elsewhere")
    env = {"AWS_ENDPOINT_URL_EC2": "http://x", "AWS_ENDPOINT_URL": "http://y", "AWS_PROFILE": "absent"}
    assert probe(*local, "credentials", env=env).stdout == "L ls - 0 the local cloud\n"
    for service in ("ec2", "sts", "iam", "ssm", "kms", "s3"):
        assert probe(*local, "endpoint", service, "eu-west-1", env=env).stdout == "http://127.0.0.1:4599 custom\n"


def test_profiles_of_both_files(probe, aws_files):
    aws_files("[profile dev]\nregion = eu-west-3 ; a comment\n\n[default]\naws_access_key_id = C\naws_secret_access_key = cs\n",
              "# a comment\n[dev]\naws_access_key_id=D\naws_secret_access_key = ds#x\naws_session_token=dt\n[default]\naws_access_key_id=F\naws_secret_access_key=fs\n")
    assert probe("credentials", keys=False).stdout == 'F fs - 0 profile "default" of the shared files\n'
    assert probe("-o", "profile=dev", "credentials").stdout == 'D ds#x dt 0 profile "dev" of the shared files\n'
    assert probe("credentials", keys=False, env={"AWS_PROFILE": "dev"}).stdout.startswith("D ds#x")
    # keys in the environment win over AWS_PROFILE, but not over the template's profile
    assert probe("credentials", env={"AWS_PROFILE": "dev"}).stdout.startswith("AKIDTEST")
    assert probe("region", env={"AWS_REGION": None, "AWS_PROFILE": "dev"}).stdout == "eu-west-3\n"
    assert probe("-o", "region=r-1", "region").stdout == "r-1\n"


def test_a_missing_profile_is_named(probe, aws_files, tmp_path):
    aws_files()
    r = probe("-o", "profile=nope", "credentials")
    assert r.returncode == 1 and f'the profile "nope" is neither in {tmp_path}/.aws/config nor in {tmp_path}/.aws/credentials' in r.stdout
    r = probe("-o", "shared_credentials_file=/nowhere/c", "credentials")
    assert r.returncode == 1 and "/nowhere/c" in r.stdout
    aws_files("[default\nx=y\n")
    r = probe("credentials")
    assert r.returncode == 1 and f'{tmp_path}/.aws/config:1: the section header has no "]"' in r.stdout


def test_nothing_found_lists_the_places(probe, aws_files, tmp_path):
    aws_files()
    r = probe("credentials", keys=False)
    assert r.returncode == 1 and r.stdout.count("\n") == 1
    for place in ("the template (access_key", "the environment (AWS_ACCESS_KEY_ID)", f'the profile "default" of {tmp_path}/.aws/config', "the metadata service (switched off)", "-local"):
        assert place in r.stdout
    r = probe("region", env={"AWS_REGION": None})
    assert r.returncode == 1 and "no region; looked in: the template (region), AWS_REGION" in r.stdout


def test_roles_on_roles(front, probe, aws_files):
    f = front(lambda r, before: sts_answer("AssumeRole", f"ASIA{len(before)}"), upstream=False)
    aws_files("[profile top]\nrole_arn = arn:aws:iam::1:role/top\nsource_profile = mid\nexternal_id = ext\nrole_session_name = me\nduration_seconds = 1800\n"
              "[profile mid]\nrole_arn = arn:aws:iam::1:role/mid\nsource_profile = base\n", "[base]\naws_access_key_id=B\naws_secret_access_key=bs\n")
    r = probe("-o", "profile=top", "credentials", url=f.url)
    assert r.stdout.startswith("ASIA1 rs rt 2208988800 role arn:aws:iam::1:role/top"), r.stdout
    first, second = f.of("AssumeRole")
    assert first.key == "B" and first.params["RoleArn"].endswith("/mid")
    assert second.key == "ASIA0" and second.headers["X-Amz-Security-Token"] == "rt"
    assert {k: second.params[k] for k in ("ExternalId", "RoleSessionName", "DurationSeconds")} == {"ExternalId": "ext", "RoleSessionName": "me", "DurationSeconds": "1800"}


def test_a_circle_of_profiles_ends(probe, aws_files):
    aws_files("[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n")
    assert "does it lead back to itself?" in probe("-o", "profile=a", "credentials").stdout


def test_second_factor(front, probe, aws_files):
    f = front(lambda r, before: sts_answer("AssumeRole"), upstream=False)
    aws_files("[profile m]\nrole_arn = arn:aws:iam::1:role/m\nsource_profile = m\nmfa_serial = arn:aws:iam::1:mfa/me\n", "[m]\naws_access_key_id=B\naws_secret_access_key=bs\n")
    assert "set mfa_code" in probe("-o", "profile=m", "credentials", url=f.url).stdout
    assert probe("-o", "profile=m", "-o", "mfa_code=123456", "credentials", url=f.url).stdout.startswith("ASIAROLE")
    assert f.of("AssumeRole")[0].params["TokenCode"] == "123456"


def test_assume_role_of_the_template(front, probe):
    f = front(lambda r, before: sts_answer("AssumeRole") if r.action == "AssumeRole" else (200, "<R/>"), upstream=False)
    role = ("-o", "assume_role.role_arn=arn:aws:iam::1:role/x", "-o", "assume_role.external_id=e")
    assert probe(*role, "call", "ec2", "DescribeRegions", url=f.url).returncode == 0
    assert f.of("AssumeRole")[0].key == "AKIDTEST" and f.of("DescribeRegions")[0].key == "ASIAROLE"
    f.hook = lambda r, before: (403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
    r = probe(*role, "credentials", url=f.url)
    assert r.returncode == 1 and "assume_role: taking the role arn:aws:iam::1:role/x with AWS_ACCESS_KEY_ID in the environment: sts:AssumeRole: AccessDenied: no" in r.stdout


def test_expired_credentials_are_renewed_once(front, probe):
    def hook(r, before):
        if r.action == "AssumeRole":
            return sts_answer("AssumeRole", f"ASIA{len(before)}")
        return ec2_error("ExpiredToken") if r.key == "ASIA0" else (200, "<R><ok>1</ok></R>")
    f = front(hook, upstream=False)
    r = probe("-o", "assume_role.role_arn=arn", "call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 0 and len(f.of("AssumeRole")) == 2
    # and before they run out, without being told
    f.requests.clear()
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    f.hook = lambda r, before: sts_answer("AssumeRole", until=soon) if r.action == "AssumeRole" else (200, "<R/>")
    assert probe("-o", "assume_role.role_arn=arn", "wait", "instance", "i-1", "terminated", url=f.url).returncode == 0
    assert len(f.of("AssumeRole")) >= 2


def test_web_identity(front, probe, tmp_path):
    f = front(lambda r, before: sts_answer("AssumeRoleWithWebIdentity"), upstream=False)
    (tmp_path / "token").write_text("jwt\n")
    env = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/w"}
    assert probe("credentials", url=f.url, keys=False, env=env).stdout.startswith("ASIAROLE rs rt")
    q = f.requests[0]
    assert q.params["WebIdentityToken"] == "jwt" and "Authorization" not in q.headers


def test_credential_process(probe, aws_files):
    aws_files("[default]\ncredential_process = printf '%s' '" + json.dumps({"Version": 1, "AccessKeyId": "P", "SecretAccessKey": "ps", "SessionToken": "pt", "Expiration": FAR}) + "'\n")
    assert probe("credentials", keys=False).stdout == 'P ps pt 2208988800 credential_process of the profile "default"\n'
    aws_files("[default]\ncredential_process = echo broken >&2; exit 3\n")
    r = probe("credentials", keys=False)
    assert r.returncode == 1 and 'credential_process of the profile "default"' in r.stdout and "broken" in r.stdout


@pytest.mark.parametrize("form", ["session", "old"])
def test_sso_cache(front, probe, aws_files, tmp_path, form):
    f = front(lambda r, before: (200, json.dumps({"roleCredentials": {"accessKeyId": "S", "secretAccessKey": "ss", "sessionToken": "st", "expiration": 2208988800000}}))
              if "federation" in r.path else (200, json.dumps({"accessToken": "new", "expiresIn": 3600, "refreshToken": "r2"})), upstream=False)
    common = "sso_start_url = https://start\nsso_region = eu-west-1\n"
    mine = "sso_account_id = 1\nsso_role_name = dev\n"
    aws_files(f"[default]\nsso_session = corp\n{mine}[sso-session corp]\n{common}" if form == "session" else f"[default]\n{common}{mine}")
    assert "aws sso login --profile default" in probe("credentials", keys=False, url=f.url).stdout
    cache = tmp_path / ".aws" / "sso" / "cache" / (hashlib.sha1(b"corp" if form == "session" else b"https://start").hexdigest() + ".json")
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({"accessToken": "tok", "expiresAt": FAR}))
    assert probe("credentials", keys=False, url=f.url).stdout == 'S ss st 2208988800 SSO of the profile "default"\n'
    assert f.requests[0].headers["x-amz-sso_bearer_token"] == "tok" and "account_id=1&role_name=dev" in f.requests[0].path
    cache.write_text(json.dumps({"accessToken": "tok", "expiresAt": "2020-01-01T00:00:00Z"}))
    assert "has run out" in probe("credentials", keys=False, url=f.url).stdout
    cache.write_text(json.dumps({"accessToken": "tok", "expiresAt": "2020-01-01T00:00:00Z", "refreshToken": "r1", "clientId": "c", "clientSecret": "cs"}))
    assert probe("credentials", keys=False, url=f.url).stdout.startswith("S ss st")
    assert f.requests[-1].headers["x-amz-sso_bearer_token"] == "new"
    kept = json.loads(cache.read_text())
    assert kept["accessToken"] == "new" and kept["refreshToken"] == "r2" and cache.stat().st_mode & 0o777 == 0o600


def test_container_endpoint(front, probe, tmp_path):
    f = front(lambda r, before: (200, json.dumps({"AccessKeyId": "K", "SecretAccessKey": "ks", "Token": "kt", "Expiration": FAR})), upstream=False)
    (tmp_path / "auth").write_text("Bearer x\n")
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f.url + "/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "auth"), "http_proxy": "http://127.0.0.1:9"}
    assert probe("credentials", keys=False, env=env).stdout == "K ks kt 2208988800 the container's credential endpoint\n"
    assert f.requests[0].headers["Authorization"] == "Bearer x"
    r = probe("credentials", keys=False, env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/x"})
    assert "must be https, loopback or a container address" in r.stdout


def metadata(v2=True):
    def hook(r, before):
        if r.method == "PUT":
            return (200, "TOKEN") if v2 else (404, "")
        if v2 and r.headers.get("X-aws-ec2-metadata-token") != "TOKEN":
            return 401, ""
        tail = r.path.partition("/latest/")[2]
        if tail == "meta-data/placement/region":
            return 200, "ap-south-2"
        if tail == "meta-data/iam/security-credentials/":
            return 200, "builder"
        if tail == "meta-data/iam/security-credentials/builder":
            return 200, json.dumps({"Code": "Success", "AccessKeyId": "M", "SecretAccessKey": "ms", "Token": "mt", "Expiration": FAR})
        return 404, ""
    return hook


@pytest.mark.parametrize("v2", [True, False])
def test_metadata_service(front, probe, v2):
    f = front(metadata(v2), upstream=False)
    env = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f.url, "AWS_REGION": None}
    assert probe("credentials", keys=False, env=env).stdout == "M ms mt 2208988800 instance profile role builder\n"
    assert probe("region", keys=False, env=env).stdout == "ap-south-2\n"


def test_metadata_without_a_token_where_its_answer_gets_lost(front, probe):
    """As inside a container, with a hop limit of 1."""
    f = front(lambda r, before: time.sleep(6) or (200, "TOKEN") if r.method == "PUT" else metadata(False)(r, before), upstream=False)
    env = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f.url}
    assert probe("credentials", keys=False, env=env).stdout == "M ms mt 2208988800 instance profile role builder\n"


def test_metadata_service_that_throttles(front, probe):
    seen = []
    f = front(lambda r, before: (503, "") if r.method == "GET" and not seen and not seen.append(1) else metadata()(r, before), upstream=False)
    env = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f.url}
    assert probe("credentials", keys=False, env=env).stdout == "M ms mt 2208988800 instance profile role builder\n" and seen


def test_endpoints(probe, aws_files):
    def at(service, region="eu-west-1", *options, **env):
        return probe(*options, "endpoint", service, region, env=env).stdout.split()

    aws_files()
    assert at("ec2") == ["https://ec2.eu-west-1.amazonaws.com", "aws"]
    assert at("ec2", "cn-north-1") == ["https://ec2.cn-north-1.amazonaws.com.cn", "aws"]
    assert at("iam") == ["https://iam.amazonaws.com", "aws"]
    assert at("iam", "us-gov-east-1") == ["https://iam.us-gov.amazonaws.com", "aws"]
    assert at("sts", AWS_USE_FIPS_ENDPOINT="true") == ["https://sts-fips.eu-west-1.amazonaws.com", "aws"]
    assert at("ec2", AWS_USE_DUALSTACK_ENDPOINT="true") == ["https://ec2.eu-west-1.api.aws", "aws"]
    assert at("ec2", AWS_ENDPOINT_URL="http://a/", AWS_ENDPOINT_URL_EC2="http://b:8/") == ["http://b:8", "custom"]
    assert at("sts", AWS_ENDPOINT_URL="http://a/", AWS_ENDPOINT_URL_EC2="http://b:8/") == ["http://a", "custom"]
    assert at("ec2", AWS_ENDPOINT_URL="http://a", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true") == ["https://ec2.eu-west-1.amazonaws.com", "aws"]
    custom = ("-o", "custom_endpoint_ec2=http://mine:1")
    assert at("ec2", "eu-west-1", *custom, AWS_ENDPOINT_URL="http://a") == ["http://mine:1", "custom"]
    assert at("sts", "eu-west-1", *custom) == ["http://mine:1", "custom"]
    vpce = ("-o", "custom_endpoint_ec2=https://vpce-1.ec2.eu-west-1.vpce.amazonaws.com")
    assert at("ec2", "eu-west-1", *vpce)[0].startswith("https://vpce-1")
    assert at("sts", "eu-west-1", *vpce) == ["https://sts.eu-west-1.amazonaws.com", "aws"]
    aws_files("[default]\nendpoint_url = http://all\nservices = s\nuse_fips_endpoint = true\n[services s]\nec2 =\n  endpoint_url = http://one\n")
    assert at("ec2") == ["http://one", "custom"]
    assert at("ssm") == ["http://all", "custom"]
    assert probe("endpoint", "ec2", "not a region").returncode == 1


def test_proxies(front, probe):
    f = front(lambda r, before: (200, "<R><via>proxy</via></R>"), upstream=False)
    env = {"HTTP_PROXY": f.url}
    r = probe("call", "ec2", "DescribeRegions", url="http://ec2.example.invalid", env=env)
    assert r.returncode == 0 and f.requests[0].path == "http://ec2.example.invalid/"
    # an https endpoint is reached by CONNECT, which this server does not know
    r = probe("-o", "max_retries=1", "call", "ec2", "DescribeRegions", env={"HTTPS_PROXY": f.url})
    assert r.returncode == 1 and "ec2.us-east-1.amazonaws.com" in r.stdout and "CONNECT" in r.stdout
    # loopback never goes through a proxy, nor what NO_PROXY names
    assert probe("call", "ec2", "DescribeRegions", url=f.url, env={"HTTP_PROXY": "http://127.0.0.1:9"}).returncode == 0
    r = probe("-o", "max_retries=1", "call", "ec2", "DescribeRegions", url="http://ec2.example.invalid", env={"HTTP_PROXY": f.url, "NO_PROXY": ".example.invalid"})
    assert "cannot be resolved" in r.stdout


def test_certificates_are_checked(probe, tmp_path):
    key, crt = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", crt, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    f = Front(None, lambda r, before: (200, "<R><tls>yes</tls></R>"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    f.server.socket = context.wrap_socket(f.server.socket, server_side=True)
    url = f"https://localhost:{f.server.server_address[1]}"
    try:
        r = probe("call", "ec2", "DescribeRegions", url=url)
        assert r.returncode == 1 and "is not trusted" in r.stdout and "AWS_CA_BUNDLE" in r.stdout
        assert "/R/tls=yes" in probe("call", "ec2", "DescribeRegions", url=url, env={"AWS_CA_BUNDLE": str(crt)}).stdout
    finally:
        f.stop()
