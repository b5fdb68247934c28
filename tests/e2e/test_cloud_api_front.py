"""The local cloud's front: signatures, faults, the request log, the commands and their exit codes."""
import datetime
import json
import os
import shutil
import socket
import stat
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import RunningCloud


@pytest.fixture(scope="module")
def quick(make_cloud):
    return make_cloud("-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0")


def keys(cloud):
    return botocore.credentials.Credentials(cloud.env["AWS_ACCESS_KEY_ID"], cloud.env["AWS_SECRET_ACCESS_KEY"])


def signed(cloud, body="Action=DescribeRegions&Version=2016-11-15", credentials=None, service="ec2", region="us-east-1", headers=None):
    r = botocore.awsrequest.AWSRequest("POST", cloud.url + "/", headers={"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}, data=body)
    botocore.auth.SigV4Auth(credentials or keys(cloud), service, region).add_auth(r)
    return r.prepare()


def send(url, method="GET", body=None, headers=None):
    """Status and body."""
    q = urllib.request.Request(url, data=body.encode() if isinstance(body, str) else body, headers=dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(q, timeout=30) as a:
            return a.status, a.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def post(p, body=None):
    return send(p.url, "POST", body if body is not None else p.body, p.headers)


def test_signature_header(quick):
    status, text = post(signed(quick))
    assert status == 200 and "<regionName>us-east-1</regionName>" in text


def test_signature_presigned(quick):
    url = quick.url + "/?" + urllib.parse.urlencode({"Action": "DescribeRegions", "Version": "2016-11-15", "RegionName.1": "eu-west-1"})
    r = botocore.awsrequest.AWSRequest("GET", url)
    botocore.auth.SigV4QueryAuth(keys(quick), "ec2", "us-east-1", expires=60).add_auth(r)
    # The service signs the hash of an empty body.
    status, text = send(r.prepare().url)
    assert status == 200 and "eu-west-1" in text
    status, text = send(r.prepare().url.replace("eu-west-1", "eu-west-2"))
    assert status == 401 and "<Code>AuthFailure</Code>" in text


def test_signature_wrong(quick):
    p = signed(quick)
    assert post(p, b"Action=DescribeRegions&Version=2016-11-16")[0] == 401
    wrong = botocore.credentials.Credentials(quick.env["AWS_ACCESS_KEY_ID"], "x" * 40)
    status, text = post(signed(quick, credentials=wrong))
    assert status == 401 and "AuthFailure" in text
    unknown = botocore.credentials.Credentials("AKIAUNKNOWN", "x" * 40)
    assert "AuthFailure" in post(signed(quick, credentials=unknown))[1]
    status, text = post(signed(quick, "Action=GetCallerIdentity&Version=2011-06-15", wrong, "sts"))
    assert status == 403 and "SignatureDoesNotMatch" in text
    assert "InvalidClientTokenId" in post(signed(quick, "Action=GetCallerIdentity&Version=2011-06-15", unknown, "sts"))[1]
    status, text = send(quick.url, "POST", "Action=DescribeRegions&Version=2016-11-15")
    assert status == 401 and "missing" in text.lower()
    assert any("another secret key" in e.get("why", "") for e in quick.log())


def test_signature_body_hash(quick):
    p = signed(quick, headers={"X-Amz-Content-Sha256": "0" * 64})
    assert post(p)[0] == 401


@pytest.mark.parametrize("minutes", [-16, 16])
def test_signature_skew(quick, monkeypatch, minutes):
    real = datetime.datetime

    class Shifted(real):
        @classmethod
        def utcnow(cls):
            return real.utcnow() + datetime.timedelta(minutes=minutes)

        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + datetime.timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth.datetime if hasattr(botocore.auth.datetime, "datetime") else botocore.auth, "datetime", Shifted, raising=False)
    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: real.utcnow() + datetime.timedelta(minutes=minutes))
    status, text = post(signed(quick))
    assert status == 400 and "RequestExpired" in text


def test_bytes_that_are_no_text(quick):
    """Neither the log nor an answer is lost when a header or a parameter is not UTF-8, or is cut inside a character."""
    before = len(quick.log())
    assert send(quick.url, "POST", "Action=DescribeRegions", {"User-Agent": "caf\xe9"})[0] == 401
    entry, = quick.log()[before:]
    assert entry["user_agent"] == "caf?" and entry["status"] == 401
    assert "MalformedQueryString" in post(signed(quick, "Action=DescribeTags&Version=2016-11-15&X=%ff"))[1]
    p = signed(quick, "{}", service="ssm", headers={"Content-Type": "application/x-amz-json-1.1"})
    p.headers["X-Amz-Target"] = "AmazonSSM." + ("x" + "\u00e9" * 60).encode().decode("latin-1")
    status, text = post(p)
    assert status == 400 and json.loads(text)["__type"] == "UnknownOperationException"


def test_log_has_no_secret(quick):
    quick.client("ssm").put_parameter(Name="/log/secret", Value="pa55phrase", Type="SecureString")
    assert "pa55phrase" not in json.dumps(quick.log())
    assert any(e.get("params", {}).get("Value") == "(10 bytes)" for e in quick.log())


def test_protocol_errors(quick):
    for body, code in (("Action=NoSuch&Version=2016-11-15", "InvalidAction"), ("Action=DescribeRegions&Version=2000-01-01", "NoSuchVersion"),
                       ("Version=2016-11-15", "MissingAction"), ("Action=RunInstances&Version=2016-11-15", "MissingParameter"),
                       ("Action=RegisterImage&Version=2016-11-15&Name.1=web", "MissingParameter"),
                       ("Action=CreateTags&Version=2016-11-15&ResourceId.1=i-1", "MissingParameter"),
                       ("Action=DescribeRegions&Version=2016-11-15&Colour=red", "UnknownParameter"), ("Action=%zz", "MalformedQueryString"),
                       ("Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1&Force=perhaps", "InvalidInstanceID.NotFound")):
        status, text = post(signed(quick, body))
        assert status == 400 and f"<Code>{code}</Code>" in text, text
    assert "AuthFailure" in post(signed(quick, region="mars-1"))[1]


def load(cloud, plan, tmp_path):
    f = tmp_path / "faults.json"
    f.write_text(json.dumps(plan))
    cloud.program.run("cloud", "faults", "-data", cloud.data, f, check=0)


def test_faults(quick, tmp_path):
    ec2 = quick.client(config=Config(retries={"total_max_attempts": 1}))

    def code(call, **kw):
        try:
            call(**kw)
        except ClientError as e:
            return e.response["Error"]["Code"]
        except Exception as e:
            return type(e).__name__
        return None
    load(quick, {"faults": [{"action": "DescribeVpcs", "call": 2, "count": 2, "fault": "throttle"},
                            {"action": "DescribeSubnets", "fault": "cut"},
                            {"action": "CreateVolume", "fault": "cut-after"},
                            {"action": "DescribeRegions", "fault": "error", "code": "Odd", "status": 418, "message": "teapot"},
                            {"action": "CreateSecurityGroup", "fault": "invisible", "reads": 2},
                            {"action": "DescribeAvailabilityZones", "fault": "late", "ms": 700}]}, tmp_path)
    assert [code(ec2.describe_vpcs) for _ in range(4)] == [None, "RequestLimitExceeded", "RequestLimitExceeded", None]
    assert code(ec2.describe_subnets) == "ConnectionClosedError" and code(ec2.describe_subnets) is None
    before = len(ec2.describe_volumes()["Volumes"])
    assert code(ec2.create_volume, AvailabilityZone="us-east-1a", Size=1) == "ConnectionClosedError"
    assert len(ec2.describe_volumes()["Volumes"]) == before + 1, "it was made, only the answer was lost"
    assert code(ec2.describe_regions) == "Odd" and code(ec2.describe_regions) is None
    g = ec2.create_security_group(GroupName="hidden", Description="d")["GroupId"]
    assert [code(ec2.describe_security_groups, GroupIds=[g]) for _ in range(3)] == ["InvalidGroup.NotFound"] * 2 + [None]
    start = datetime.datetime.now()
    ec2.describe_availability_zones()
    assert (datetime.datetime.now() - start).total_seconds() > 0.6
    load(quick, {}, tmp_path)
    assert code(ec2.describe_vpcs) is None
    bad = tmp_path / "bad.json"
    for text, words in (("{", "bad.json:1"), ('{"faults":[{"action":"X","fault":"sulk"}]}', "sulk"), ('{"faults":[{"action":"X","fault":"cut","cuont":1}]}', "cuont")):
        bad.write_text(text)
        assert words in quick.program.run("cloud", "faults", "-data", quick.data, bad, check=1).stdout


def test_log(quick):
    quick.client().describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
    image = quick.client().describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    quick.client().run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", UserData="a secret word")
    log = quick.log()
    assert [e["n"] for e in log] == sorted(e["n"] for e in log)
    run = [e for e in log if e["action"] == "RunInstances" and e["status"] == 200][-1]
    assert run["region"] == "us-east-1" and any(i.startswith("i-") for i in run["created"])
    assert "bytes" in run["params"]["UserData"] and run["id"]
    for words in ({"Attribute": "userData", "Value": "c2VjcmV0"}, {"UserData": {"Value": b"secret"}}):
        with pytest.raises(ClientError):
            quick.client().modify_instance_attribute(InstanceId="i-00000000000000000", **words)
    assert "c2VjcmV0" not in json.dumps(quick.log())


def test_long_lists_are_read_to_their_end(quick):
    snapshot = quick.client().describe_snapshots(Filters=[{"Name": "status", "Values": ["completed"]}])["Snapshots"][0]["SnapshotId"]
    with pytest.raises(ClientError) as e:
        quick.client().describe_snapshots(SnapshotIds=[snapshot] * 1000 + ["snap-00000000000000bad"])
    assert e.value.response["Error"]["Code"] == "InvalidSnapshot.NotFound"


def test_reset(make_cloud):
    c = make_cloud("-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0")
    ec2 = c.client()
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2, InstanceType="t3.micro")
    c.program.run("cloud", "reset", "-data", c.data, check=0)
    assert not ec2.describe_instances()["Reservations"] and not ec2.describe_volumes()["Volumes"]
    assert ec2.describe_images(ImageIds=[image])["Images"]


def test_commands(ingot, tmp_path):
    data = str(tmp_path / "d")
    assert "down" in ingot.run("cloud", "status", "-data", data, check=3).stdout
    ingot.run("cloud", "down", "-data", data, check=0)
    assert "cloud up" in ingot.run("cloud", "env", "-data", data, check=1).stdout
    up = ["cloud", "up", "-data", data, "-backend", "none", "-state-delay", "0"]
    assert "-state-delay" in ingot.run("cloud", "up", "-data", data, "-state-delay", "soon", check=1).stdout
    assert "loopback" in ingot.run("cloud", "up", "-data", data, "-backend", "none", "-listen", "0.0.0.0:0", check=1).stdout
    assert "backend" in ingot.run("cloud", "up", "-data", data, "-backend", "vmware", check=1).stdout
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        assert "taken" in ingot.run(*up, "-listen", f"127.0.0.1:{s.getsockname()[1]}", check=1).stdout
    try:
        ingot.run(*up, "-listen", "127.0.0.1:0", check=0)
        assert "already" in ingot.run(*up, check=0).stdout
        assert stat.S_IMODE(os.stat(data).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(data + "/control.sock").st_mode) == 0o600
        assert stat.S_IMODE(os.stat(data + "/keys.json").st_mode) == 0o600
        state = json.loads(ingot.run("cloud", "status", "-json", "-data", data, check=0).stdout)
        assert state["up"] and state["backend"] == "none" and "secret_key" not in state
        # A second one beside it takes another part of the addresses and, by itself, another port.
        other = str(tmp_path / "other")
        ingot.run("cloud", "up", "-data", other, "-backend", "none", check=0)
        assert json.loads(ingot.run("cloud", "status", "-json", "-data", other, check=0).stdout)["endpoint"] != state["endpoint"]
        ingot.run("cloud", "down", "-data", other, check=0)
        # A crash: the next start finds everything as it was, what ran is stopped.
        os.kill(state["pid"], 9)
        ingot.run(*up, "-listen", "127.0.0.1:0", check=0)
    finally:
        ingot.run("cloud", "down", "-data", data, check=0)
    ingot.run("cloud", "status", "-data", data, check=3)


@pytest.mark.parametrize("mode", [[], ["-foreground"]])
def test_start_with_faults(ingot, tmp_path, mode):
    """The plan counts from the first call on; with a mistake in it nothing starts."""
    data, plan = str(tmp_path / "d"), tmp_path / "plan.json"
    up = ["cloud", "up", "-data", data, "-backend", "none", "-listen", "127.0.0.1:0", "-faults", plan, *mode]
    try:
        plan.write_text('{"faults": [{"action": "DescribeVpcs", "fault": "sulk"}]}')
        assert "sulk" in ingot.run(*up, check=1).stdout
        ingot.run("cloud", "status", "-data", data, check=3)
        plan.write_text('{"faults": [{"action": "DescribeRegions", "fault": "error", "code": "Odd", "status": 418}]}')
        p = ingot.start(*up)
        while "The local cloud is up at " not in (line := p.stdout.readline()):
            assert line
        with pytest.raises(ClientError, match="Odd"):
            RunningCloud(ingot, data).client().describe_regions()
    finally:
        ingot.run("cloud", "down", "-data", data, check=0)
    assert p.wait(60) == 0


@pytest.mark.parametrize("order", [["-data", "DATA", "FILE", "-name", "n"], ["FILE", "-name", "n", "-data", "DATA"], ["-name", "n", "-data", "DATA", "FILE"]])
def test_import_takes_flags_on_both_sides_of_the_file(quick, tmp_path, order):
    words = [{"DATA": quick.data, "FILE": str(tmp_path / "disk.raw")}.get(w, w) for w in order]
    assert "the backend none has no disks" in quick.program.run("cloud", "import", *words, check=1).stdout


def test_newer_state_is_refused(ingot, tmp_path):
    import sqlite3
    data = tmp_path / "d"
    data.mkdir()
    with sqlite3.connect(data / "state.sqlite") as db:
        db.execute("PRAGMA user_version = 999")
    assert "newer" in ingot.run("cloud", "up", "-data", data, "-backend", "none", "-listen", "127.0.0.1:0", check=1).stdout


def test_emptied_files_are_told(ingot, tmp_path):
    data = tmp_path / "d"
    up = ["cloud", "up", "-data", data, "-backend", "none", "-listen", "127.0.0.1:0"]
    ingot.run(*up, check=0)
    ingot.run("cloud", "down", "-data", data, check=0)
    for name in ("keys.json", "state.sqlite"):
        kept = (data / name).read_bytes()
        (data / name).write_bytes(b"")
        assert f"{name} is damaged" in ingot.run(*up, check=1).stdout
        assert (data / name).read_bytes() == b"", "nothing takes its place"
        (data / name).write_bytes(kept)
    ingot.run(*up, check=0)
    ingot.run("cloud", "down", "-data", data, check=0)


def test_state_survives(ingot, tmp_path):
    data = str(tmp_path / "d")
    up = ["cloud", "up", "-data", data, "-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0"]

    def turn(use):
        ingot.run(*up, check=0)
        try:
            cloud = RunningCloud(ingot, data)
            return cloud.env["AWS_SECRET_ACCESS_KEY"], use(cloud.client())
        finally:
            ingot.run("cloud", "down", "-data", data, check=0)
    key, vpc = turn(lambda ec2: ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])
    same, found = turn(lambda ec2: ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"])
    assert same == key and found


def test_state_that_was_moved_away_stays_away(ingot, tmp_path):
    """Also where the daemon was killed: SQLite's log, which has its rows then, is not read into the new file."""
    data = tmp_path / "d"
    up = ["cloud", "up", "-data", data, "-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0"]
    try:
        ingot.run(*up, check=0)
        vpc = RunningCloud(ingot, data).client().create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        os.kill(json.loads(ingot.run("cloud", "status", "-json", "-data", data, check=0).stdout)["pid"], 9)
        (data / "state.sqlite").rename(tmp_path / "away")
        ingot.run(*up, check=0)
        assert vpc not in [v["VpcId"] for v in RunningCloud(ingot, data).client().describe_vpcs()["Vpcs"]]
    finally:
        ingot.run("cloud", "down", "-data", data, check=0)


def test_awscli(quick):
    if not shutil.which("aws"):
        pytest.skip("no aws: install awscli")
    env = {**os.environ, **quick.env, "AWS_PAGER": ""}

    def aws(*args):
        return subprocess.run(["aws", "--endpoint-url", quick.url, "--output", "text", "ec2", *args], env=env, check=True, capture_output=True, text=True).stdout.strip()
    image = aws("describe-images", "--owners", "amazon", "--filters", "Name=name,Values=al2023-ami-2023*", "--query", "Images[0].ImageId")
    i = aws("run-instances", "--image-id", image, "--instance-type", "t3.micro", "--query", "Instances[0].InstanceId")
    aws("wait", "instance-running", "--instance-ids", i)
    made = aws("create-image", "--instance-id", i, "--name", "by the cli", "--query", "ImageId")
    aws("wait", "image-available", "--image-ids", made)
    second = aws("run-instances", "--image-id", made, "--instance-type", "t3.micro", "--query", "Instances[0].InstanceId")
    aws("terminate-instances", "--instance-ids", i, second)
    aws("wait", "instance-terminated", "--instance-ids", i, second)


PACKER = {"variables": {"url": "{{env `AWS_ENDPOINT_URL`}}"}, "builders": [{
    "type": "amazon-ebs", "region": "ap-northeast-2", "custom_endpoint_ec2": "{{user `url`}}", "instance_type": "t2.micro", "communicator": "none",
    "source_ami_filter": {"filters": {"name": "amzn-ami-hvm-*-x86_64-gp2", "virtualization-type": "hvm", "root-device-type": "ebs"}, "owners": ["amazon"], "most_recent": True},
    "ami_name": "by packer", "ami_description": "d", "ami_regions": ["us-west-2"], "encrypt_boot": True, "kms_key_id": "alias/a",
    "region_kms_key_ids": {"us-west-2": "alias/b"}, "ami_users": ["123456789012"], "snapshot_users": ["123456789012"], "tags": {"a": "b"}, "snapshot_tags": {"c": "d"},
    "run_tags": {"e": "f"}, "ami_block_device_mappings": [{"device_name": "/dev/sdb", "volume_size": 2}]}]}


def test_packer_unmodified(quick, tmp_path):
    """Debian's packer 1.6.6 (AWS SDK for Go v1) does a whole build with copies; nothing but the images stays."""
    packer = shutil.which("packer")
    if not packer or "1.6.6" not in subprocess.run([packer, "version"], capture_output=True, text=True).stdout:
        pytest.skip("no packer 1.6.6: install packer of Debian 12")
    (tmp_path / "t.json").write_text(json.dumps(PACKER))
    r = subprocess.run([packer, "build", "-color=false", "t.json"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                       env={**os.environ, **quick.env, "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"})
    assert r.returncode == 0, r.stdout + r.stderr
    ids = dict(line.split(": ") for line in r.stdout.split("AMIs were created:\n")[1].splitlines() if line)
    assert set(ids) == {"ap-northeast-2", "us-west-2"}
    for region, image in ids.items():
        ec2 = quick.client(region=region)
        own = ec2.describe_images(Owners=["self"])["Images"]
        assert [x["ImageId"] for x in own] == [image], own
        assert {"Key": "a", "Value": "b"} in own[0]["Tags"]
        assert ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == [{"UserId": "123456789012"}]
        snapshots = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert all(s["Encrypted"] for s in snapshots) and {"Key": "c", "Value": "d"} in snapshots[0]["Tags"]
        assert not ec2.describe_volumes()["Volumes"] and not ec2.describe_key_pairs()["KeyPairs"]
        assert [g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
