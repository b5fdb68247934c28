"""The local cloud under several clients at once: answers share their parts with a state that others change meanwhile. Nothing boots (backend none).

The requests are signed once and sent again and again over open connections, so that the daemon, not the client, is what is busy."""
import http.client
import re
import threading
import time
import urllib.parse

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECONDS = 4
HELD = 8  # instances that stay, each with TAGS tags
TAGS = 40
VERSION = "2016-11-15"


class Client:
    """One connection. Counts what it asked."""

    def __init__(self, cloud):
        self.keys = Credentials(cloud.env["AWS_ACCESS_KEY_ID"], cloud.env["AWS_SECRET_ACCESS_KEY"])
        self.url = cloud.url
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(cloud.url).netloc, timeout=60)
        self.signed = {}

    def ask(self, action, status=200, **params):
        body = urllib.parse.urlencode({"Action": action, "Version": VERSION, **params})
        if body not in self.signed:
            request = AWSRequest("POST", self.url + "/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
            SigV4Auth(self.keys, "ec2", "us-east-1").add_auth(request)
            self.signed[body] = dict(request.headers)
        self.connection.request("POST", "/", body, self.signed[body])
        answer = self.connection.getresponse()
        text = answer.read().decode()
        assert answer.status == status, text
        assert text.rstrip().endswith(f"</{action}Response>"), text
        return text


def tags(ids, values=None):
    p = {f"ResourceId.{n}": i for n, i in enumerate(ids, 1)}
    for n in range(1, TAGS + 1):
        p[f"Tag.{n}.Key"] = f"key-{n}"
        if values:
            p[f"Tag.{n}.Value"] = values * 8
    return p


def run(c, image, n):
    return re.findall(r"<instanceId>(i-[0-9a-f]+)<", c.ask("RunInstances", ImageId=image, MinCount=n, MaxCount=n, InstanceType="t3.nano"))


def describe(c, held, image):
    for action in ("DescribeInstances", "DescribeTags", "DescribeVolumes"):
        c.ask(action)


def tag(c, held, image):
    for value in "abc":
        c.ask("CreateTags", **tags(held, value))
    c.ask("DeleteTags", **tags(held))


def come_and_go(c, held, image):
    ids = run(c, image, 2)
    c.ask("CreateTags", **tags(ids, "short-lived"))
    c.ask("TerminateInstances", **{f"InstanceId.{n}": i for n, i in enumerate(ids, 1)})


def stop_and_start(c, held, image):
    one = run(c, image, 1)[0]
    for action, state in (("StopInstances", "stopped"), ("StartInstances", "running")):
        wait(c, one, "running" if state == "stopped" else "stopped")
        c.ask(action, **{"InstanceId.1": one})
        wait(c, one, state)
    c.ask("TerminateInstances", **{"InstanceId.1": one})


def wait(c, one, state):
    end = time.monotonic() + 30
    while f"<name>{state}</name>" not in c.ask("DescribeInstances", **{"InstanceId.1": one}):
        assert time.monotonic() < end, f"{one} did not become {state}"


def groups(c, held, image):
    name = f"g-{threading.get_ident()}"
    made = re.search(r"<groupId>(sg-[0-9a-f]+)<", c.ask("CreateSecurityGroup", GroupName=name, GroupDescription="load")).group(1)
    rule = {"GroupId": made, "IpPermissions.1.IpProtocol": "tcp", "IpPermissions.1.FromPort": 22, "IpPermissions.1.ToPort": 22,
            "IpPermissions.1.IpRanges.1.CidrIp": "127.0.0.1/32"}
    c.ask("AuthorizeSecurityGroupIngress", **rule)
    c.ask("DescribeSecurityGroups")
    c.ask("RevokeSecurityGroupIngress", **rule)
    c.ask("DeleteSecurityGroup", GroupId=made)


WORK = [describe, describe, tag, tag, come_and_go, come_and_go, stop_and_start, groups]


@pytest.fixture(scope="module")
def crowd(make_cloud):
    return make_cloud("-backend", "none", "-state-delay", "1ms", "-listen", "127.0.0.1:0")


def test_many_clients_at_once(crowd):
    first = Client(crowd)
    image = re.search(r"<imageId>(ami-[0-9a-f]+)<", first.ask("DescribeImages")).group(1)
    held = run(first, image, HELD)
    end, trouble, rounds = time.monotonic() + SECONDS, [], [0] * len(WORK)

    def work(n):
        try:
            c = Client(crowd)
            while time.monotonic() < end and not trouble:
                WORK[n](c, held, image)
                rounds[n] += 1
        except Exception as e:  # told by the test's own thread
            trouble.append(f"{WORK[n].__name__}, round {rounds[n]}: {type(e).__name__}: {e}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(WORK))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not trouble, trouble
    assert min(rounds) > 0, rounds
    # The state is whole: what was held runs, all else has ended, and nothing of it is left.
    with_state = dict(re.findall(r"<instanceId>(i-[0-9a-f]+)<.*?<instanceState>.*?<name>([a-z-]+)<", first.ask("DescribeInstances"), re.S))
    assert {i: with_state[i] for i in held} == {i: "running" for i in held}
    stop = time.monotonic() + 20
    while any(s != "terminated" for i, s in with_state.items() if i not in held) and time.monotonic() < stop:
        with_state = dict(re.findall(r"<instanceId>(i-[0-9a-f]+)<.*?<instanceState>.*?<name>([a-z-]+)<", first.ask("DescribeInstances"), re.S))
    left = {i: s for i, s in with_state.items() if i not in held and s != "terminated"}
    assert not left, left
    first.ask("TerminateInstances", **{f"InstanceId.{n}": i for n, i in enumerate(held, 1)})
