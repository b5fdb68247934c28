"""The AWS client (src/aws), driven by aws_probe, against moto and a front that misbehaves."""
import os
import re
import subprocess
import time

import pytest

from aws_front import CUT, FORWARD_AND_CUT, Front, ec2_error

IMAGE = "ami-12c6146b"


@pytest.fixture
def front(moto):
    made = []

    def make(hook=None, upstream=True, **kw):
        made.append(Front(moto.url if upstream else None, hook, **kw))
        return made[-1]

    yield make
    for f in made:
        f.stop()


@pytest.fixture
def probe(ingot_bin, tmp_path):
    """probe(arguments…, url=…, env={…}): its exit status and output."""
    path = os.path.join(os.path.dirname(ingot_bin), "tests", "unit", "aws_probe")
    if not os.path.exists(path):
        pytest.skip("no aws_probe beside the program under test")

    def run(*args, url=None, env=None, timeout=60, keys=True):
        e = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
        if url:
            e["AWS_ENDPOINT_URL"] = url
        if keys:
            e.update(AWS_ACCESS_KEY_ID="AKIDTEST", AWS_SECRET_ACCESS_KEY="secret")
        e.update({k: os.environ[k] for k in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if k in os.environ})
        e.update(env or {})
        e = {k: v for k, v in e.items() if v is not None}
        r = subprocess.run([path, *map(str, args)], env=e, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        assert "Sanitizer" not in r.stdout and "runtime error:" not in r.stdout, r.stdout
        return r

    return run


def launch(moto):
    return moto.client().run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]


def test_a_build_of_calls_leaves_nothing(moto, probe):
    ec2 = moto.client()
    before = [len(ec2.describe_key_pairs()["KeyPairs"]), len(ec2.describe_security_groups()["SecurityGroups"]),
              len(ec2.describe_images(Owners=["self"])["Images"]), len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])]
    r = probe("cycle", IMAGE, "cycle-a", url=moto.url)
    assert r.returncode == 0, r.stdout
    assert "key ok" in r.stdout and "running mappings=1" in r.stdout and r.stdout.endswith("clean\n")
    after = [len(ec2.describe_key_pairs()["KeyPairs"]), len(ec2.describe_security_groups()["SecurityGroups"]),
             len(ec2.describe_images(Owners=["self"])["Images"]), len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])]
    assert before == after


def test_one_connection_is_kept_and_each_call_is_signed_for_its_region(front, probe):
    f = front()
    r = probe("cycle", IMAGE, "cycle-b", url=f.url)
    assert r.returncode == 0, r.stdout
    assert {q.region for q in f.of("CopyImage")} == {"us-west-2"}
    assert {q.region for q in f.of("RunInstances")} == {"us-east-1"}
    assert {q.service for q in f.requests} == {"ec2"}
    # creates without a client token and waiter threads have connections of their own
    assert f.connections <= 10, f.connections


@pytest.mark.parametrize("code,status", [("RequestLimitExceeded", 503), ("Throttling", 400), ("InternalError", 500), ("Unavailable", 503)])
def test_passing_errors_are_retried(front, probe, code, status):
    f = front(lambda r, before: ec2_error(code, status) if r.action == "DescribeRegions" and len(before) < 3 else None)
    r = probe("call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 0, r.stdout
    assert len(f.of("DescribeRegions")) == 4


def test_final_errors_are_not_retried_and_name_what_to_do(front, probe):
    f = front(lambda r, before: ec2_error("UnauthorizedOperation", 403, "You are not authorized."))
    r = probe("call", "ec2", "RunInstances", url=f.url)
    assert r.returncode == 1 and len(f.requests) == 1
    assert r.stdout.startswith("error 2 UnauthorizedOperation 403: ec2:RunInstances in us-east-1: UnauthorizedOperation: You are not authorized.")
    assert "need the IAM permission ec2:RunInstances" in r.stdout and "AWS_ACCESS_KEY_ID in the environment" in r.stdout


def test_retries_end(front, probe):
    f = front(lambda r, before: ec2_error("InternalError", 500))
    r = probe("-o", "max_retries=2", "call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 1 and "InternalError" in r.stdout and len(f.requests) == 3


def test_a_body_that_is_no_xml_survives(front, probe):
    f = front(lambda r, before: (500, "<!doctype html><h1>Oops"))
    r = probe("-o", "max_retries=1", "call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 1 and "HTTP status 500: the answer is no AWS answer: <!doctype html><h1>Oops" in r.stdout
    f = front(lambda r, before: (200, "<a><b>") if not before else None)
    assert "the answer is no XML" in probe("call", "ec2", "DescribeRegions", url=f.url).stdout


def test_a_cut_connection_is_retried_with_the_same_client_token(moto, front, probe):
    f = front(lambda r, before: FORWARD_AND_CUT if r.action == "RunInstances" and not before else None)
    r = probe("call", "ec2", "RunInstances", f"ImageId={IMAGE}", "InstanceType=t3.micro", "MinCount=1", "MaxCount=1", url=f.url)
    assert r.returncode == 0, r.stdout
    runs = f.of("RunInstances")
    assert len(runs) == 2 and runs[0].params["ClientToken"] == runs[1].params["ClientToken"]


def test_a_lost_create_is_looked_up_not_repeated(moto, front, probe):
    f = front(lambda r, before: FORWARD_AND_CUT if r.action in ("CreateSecurityGroup", "CreateImage", "CreateKeyPair") and not before else None)
    r = probe("cycle", IMAGE, "lost-one", url=f.url)
    assert r.returncode == 0 and r.stdout.endswith("clean\n"), r.stdout
    assert len(f.of("CreateSecurityGroup")) == 1 and len(f.of("CreateImage")) == 1
    assert len(f.of("CreateKeyPair")) == 2 and len(f.of("DeleteKeyPair")) == 2
    assert not moto.client().describe_key_pairs()["KeyPairs"]


def test_a_create_that_was_never_done_is_done_again(front, probe):
    f = front(lambda r, before: CUT if r.action in ("CreateSecurityGroup", "CreateImage") and not before else None)
    r = probe("cycle", IMAGE, "lost-two", url=f.url, timeout=90)
    assert r.returncode == 0, r.stdout
    assert len(f.of("CreateSecurityGroup")) == 2 and len(f.of("CreateImage")) == 2


def test_what_was_just_made_may_be_unknown_for_a_while(front, probe):
    late = {"StopInstances": "InvalidInstanceID.NotFound", "AuthorizeSecurityGroupIngress": "InvalidGroup.NotFound",
            "TerminateInstances": "InvalidInstanceID.NotFound"}
    f = front(lambda r, before: ec2_error(late[r.action]) if r.action in late and len(before) < 3 else None)
    r = probe("cycle", IMAGE, "late-one", url=f.url)
    assert r.returncode == 0 and r.stdout.endswith("clean\n"), r.stdout


def test_what_never_was_is_not_waited_for(front, probe):
    f = front()
    r = probe("call", "ec2", "DescribeImages", "ImageId.1=ami-0123456789abcdef0", url=f.url)
    assert r.returncode == 1 and "InvalidAMIID.NotFound" in r.stdout
    assert len(f.requests) == 1


def test_a_wrong_id_beside_new_ones_is_not_waited_for(front, probe):
    f = front(lambda r, before: ec2_error("InvalidAMIID.NotFound", message="The image id '[ami-0123456789abcdef0]' does not exist") if r.action == "RunInstances" else None)
    r = probe("cycle", "ami-0123456789abcdef0", "wrong-image", url=f.url)
    assert r.returncode == 1 and "InvalidAMIID.NotFound" in r.stdout
    assert len(f.of("RunInstances")) == 1


def test_a_wrong_clock_is_corrected_from_the_server(front, probe):
    def hook(r, before):
        return ec2_error("RequestExpired") if r.headers["X-Amz-Date"][:4] != "2031" else (200, "<R><ok>yes</ok></R>")
    f = front(hook, upstream=False, date="Wed, 01 Jan 2031 00:00:00 GMT")
    r = probe("call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 0 and "/R/ok=yes" in r.stdout, r.stdout
    assert len(f.requests) == 2


def test_wrong_keys_fail_at_once(front, probe):
    f = front(lambda r, before: ec2_error("AuthFailure", 401, "AWS was not able to validate the provided access credentials"))
    r = probe("call", "ec2", "DescribeRegions", url=f.url)
    assert r.returncode == 1 and len(f.requests) == 1 and "check the access key and secret key (AWS_ACCESS_KEY_ID in the environment)" in r.stdout


def test_no_network_is_one_clear_line(probe):
    start = time.monotonic()
    r = probe("call", "ec2", "DescribeRegions", url="http://127.0.0.1:9")
    assert r.returncode == 1 and "no connection to 127.0.0.1:9" in r.stdout and r.stdout.count("\n") == 1
    r = probe("call", "ec2", "DescribeRegions", url="http://nowhere.invalid")
    assert r.returncode == 1 and "nowhere.invalid cannot be resolved" in r.stdout
    assert time.monotonic() - start < 20


# ---- waiting ----

def delayed_state(seconds, goal="running"):
    """Instances look pending until that long after the first look."""
    first = []

    def hook(r, before):
        if r.action != "DescribeInstances":
            return None
        first.append(r.time)
        if r.time - first[0] >= seconds:
            return None
        ids = [v for k, v in r.params.items() if re.match(r"Filter\.1\.Value\.", k)]
        items = "".join(f"<item><instancesSet><item><instanceId>{i}</instanceId><instanceState><name>pending</name></instanceState></item></instancesSet></item>" for i in ids)
        return 200, f"<R><reservationSet>{items}</reservationSet></R>"
    return hook


def test_one_describe_serves_all_who_wait(moto, front, probe):
    ids = ",".join(launch(moto) for _ in range(10))
    f = front(delayed_state(1.5))
    start = time.monotonic()
    r = probe("wait-many", 50, ids, "running", url=f.url)
    took = time.monotonic() - start
    assert r.returncode == 0 and "50 done" in r.stdout, r.stdout
    assert took < 4, took
    polls = f.of("DescribeInstances")
    assert len(polls) < 40 and len([k for k in polls[-1].params if k.startswith("Filter.1.Value")]) == 10


def test_throttled_polls_go_on(moto, front, probe):
    i = launch(moto)
    f = front(lambda r, before: ec2_error("RequestLimitExceeded", 503) if r.action == "DescribeInstances" and len(before) < 3 else None)
    r = probe("wait", "instance", i, "running", url=f.url)
    assert r.returncode == 0 and f"{i} running" in r.stdout, r.stdout


def test_polls_survive_an_outage(moto, front, probe):
    i = launch(moto)
    f = front(lambda r, before: CUT if r.action == "DescribeInstances" and 0 < len(before) < 6 else
              ((200, "<R/>") if r.action == "DescribeInstances" and not before else None))
    r = probe("wait", "instance", i, "running", url=f.url)
    assert r.returncode == 0 and f"{i} running" in r.stdout, r.stdout


def test_a_denied_poll_ends_the_wait(front, probe):
    f = front(lambda r, before: ec2_error("UnauthorizedOperation", 403))
    r = probe("wait", "instance", "i-1", "running", url=f.url)
    assert r.returncode == 1 and "waiting for the instance i-1 to be running" in r.stdout and "ec2:DescribeInstances" in r.stdout


def test_a_state_that_cannot_lead_there_ends_the_wait(front, probe):
    f = front(lambda r, before: (200, "<R><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>terminated</name></instanceState>"
                                      "<stateReason><message>Client.InternalError: KMS key</message></stateReason></item></instancesSet></item></reservationSet></R>"))
    r = probe("wait", "instance", "i-1", "running", url=f.url)
    assert r.returncode == 1 and "the instance i-1 cannot become running: it is terminated: Client.InternalError: KMS key" in r.stdout


def test_a_failed_image_says_why(front, probe):
    f = front(lambda r, before: (200, "<R><imagesSet><item><imageId>ami-1</imageId><imageState>failed</imageState><stateReason><message>no key</message></stateReason></item></imagesSet></R>"))
    r = probe("wait", "image", "ami-1", "available", url=f.url)
    assert r.returncode == 1 and "the image ami-1 cannot become available: it is failed: no key" in r.stdout
    assert f.requests[0].params["Owner.1"] == "self"


def test_an_instance_that_is_gone_counts_as_terminated(front, probe):
    f = front(lambda r, before: (200, "<R><reservationSet/></R>"))
    assert "i-1 terminated" in probe("wait", "instance", "i-1", "terminated", url=f.url).stdout


def test_cancel_ends_a_wait_at_once(front, probe):
    f = front(delayed_state(60))
    r = probe("cancel", 300, "instance", "i-1", "running", url=f.url)
    assert r.returncode == 0
    took = int(re.search(r"cancelled after (\d+) ms", r.stdout)[1])
    assert 300 <= took < 1000, r.stdout


def test_cancel_interrupts_a_call_that_hangs(front, probe):
    f = front(lambda r, before: time.sleep(5) or (200, "<R/>"), upstream=False)
    start = time.monotonic()
    r = probe("cancel", 300, "image", "ami-1", "available", url=f.url)
    assert r.returncode == 0 and "cancelled after" in r.stdout and time.monotonic() - start < 4


def test_aws_polling_is_obeyed(front, probe):
    f = front(delayed_state(60))
    r = probe("-o", "delay_seconds=1", "-o", "max_attempts=3", "wait", "instance", "i-1", "running", url=f.url)
    assert r.returncode == 1 and "the instance i-1 is not running after" in r.stdout and "max_attempts" in r.stdout
    assert 2 <= len(f.of("DescribeInstances")) <= 5
    gaps = [b.time - a.time for a, b in zip(f.requests, f.requests[1:])]
    assert all(0.9 < g < 2.5 for g in gaps), gaps


@pytest.mark.parametrize("moving", [True, False])
def test_an_image_whose_snapshots_progress_is_waited_for(front, probe, moving):
    began = time.monotonic()

    def hook(r, before):
        age = time.monotonic() - began
        if r.action == "DescribeImages":
            return 200, f"<R><imagesSet><item><imageId>ami-1</imageId><imageState>{'available' if age > 4 else 'pending'}</imageState></item></imagesSet></R>"
        return 200, (f"<R><snapshotSet><item><snapshotId>snap-1</snapshotId><status>pending</status><progress>{int(age * 5) if moving else 7}%</progress>"
                     "<description>Copied for DestinationAmi ami-1 from SourceAmi ami-2</description></item></snapshotSet></R>")
    f = front(hook, upstream=False)
    r = probe("patience", 1600, "ami-1", url=f.url)
    if moving:
        assert r.returncode == 0 and "available" in r.stdout, r.stdout
    else:
        assert r.returncode == 1 and "the image ami-1 is not available after" in r.stdout and "without progress" in r.stdout


# ---- finding what a run left ----

def test_intents_without_an_id_are_found(moto, probe):
    ec2 = moto.client()
    tags = [{"Key": "ingot:run", "Value": "RUN7"}]
    i = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1, ClientToken="token-7",
                          TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])["Instances"][0]["InstanceId"]
    g = ec2.create_security_group(GroupName="find-me", Description="x")["GroupId"]
    v = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}])["VolumeId"]
    assert probe("find", "instance", "-", "-", "RUN7", url=moto.url).stdout.strip() == i
    assert probe("find", "security-group", "find-me", "-", "RUN7", url=moto.url).stdout.strip() == g
    assert probe("find", "volume", "-", "-", "RUN7", url=moto.url).stdout.strip() == v
    assert probe("find", "image", "not-there", "-", "RUN7", url=moto.url).stdout.strip() == "none"
    assert probe("find", "key-pair", "packer_1", "-", "RUN7", url=moto.url).stdout.strip() == "packer_1"
    for kind, what in (("instance", i), ("security-group", g), ("volume", v)):
        for _ in range(2):
            r = probe("undo", kind, what, url=moto.url)
            assert r.returncode == 0, r.stdout
    assert probe("find", "instance", "-", "-", "RUN7", url=moto.url).stdout.strip() == "none"


def test_public_address_is_not_asked_for_a_custom_endpoint(moto, probe):
    assert probe("address", url=moto.url).stdout == "127.0.0.1/32\n"


def test_parameters_by_the_json_protocol(moto, probe):
    moto.client("ssm").put_parameter(Name="/a/b", Value="v1", Type="String")
    assert probe("parameter", "/a/b", url=moto.url).stdout == "v1 1 String\n"
    r = probe("parameter", "/a/none", url=moto.url)
    assert r.returncode == 1 and r.stdout.startswith("error 3 ParameterNotFound 400: parameter /a/none: ssm:GetParameter in us-east-1")
