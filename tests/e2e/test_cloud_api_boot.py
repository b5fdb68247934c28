"""One instance that boots: SSH by the key pair, the metadata service in both versions, an image of it that holds the change."""
import subprocess
import time

import pytest

from waiting import until


@pytest.fixture(scope="module")
def booted(make_cloud, tmp_path_factory):
    import os
    if os.geteuid() != 0:
        pytest.skip("the container backend needs root")
    cloud = make_cloud("-backend", "container", "-state-delay", "0", "-listen", "127.0.0.1:0")
    ec2 = cloud.client()
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text(ec2.create_key_pair(KeyName="boot", KeyType="ed25519")["KeyMaterial"])
    key.chmod(0o600)
    group = ec2.create_security_group(GroupName="boot", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    iam = cloud.client("iam")
    iam.create_instance_profile(InstanceProfileName="boot")
    return cloud, ec2, str(key), group


def launch(ec2, image, group, **kw):
    i = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", KeyName="boot", SecurityGroupIds=[group], **kw)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    return ec2.describe_instances(InstanceIds=[i])["Reservations"][0]["Instances"][0]


def ssh(key, instance, command, user="ec2-user", seconds=90):
    """The command's output, once SSH answers."""
    end = time.monotonic() + seconds
    while True:
        r = subprocess.run(["ssh", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=3",
                            "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", f"{user}@{instance['PublicIpAddress']}", command],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if r.returncode != 255 or time.monotonic() > end:
            assert r.returncode == 0, r.stdout + r.stderr
            return r.stdout
        time.sleep(0.3)


# The base images have no curl: the shell speaks HTTP itself.
FETCH = r"""f() { exec 3<>/dev/tcp/169.254.169.254/80; printf '%s %s HTTP/1.0\r\nHost: x\r\n%s\r\n' "$1" "$2" "$3" >&3; cat <&3; }; """


def test_boot_metadata_image(booted):
    cloud, ec2, key, group = booted
    base = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023*"]}])["Images"][0]["ImageId"]
    instance = launch(ec2, base, group, IamInstanceProfile={"Name": "boot"}, UserData="#!/bin/sh\necho from user data > /etc/by-user-data\n")
    i = instance["InstanceId"]

    def imds(method, path, header=""):
        return ssh(key, instance, "bash -c " + "'" + FETCH.replace("'", "'\"'\"'") + f'f {method} {path} "{header}"' + "'")
    assert imds("GET", "/latest/meta-data/instance-id").endswith("\n\n" + i)
    assert imds("GET", "/latest/meta-data/public-keys/").endswith("\n\n0=boot")
    assert "AccessKeyId" in imds("GET", "/latest/meta-data/iam/security-credentials/boot")
    assert '"imageId": "%s"' % base in imds("GET", "/latest/dynamic/instance-identity/document")
    assert " 404 " in imds("GET", "/latest/meta-data/none").splitlines()[0]
    ec2.modify_instance_metadata_options(InstanceId=i, HttpTokens="required")
    assert " 401 " in imds("GET", "/latest/meta-data/instance-id").splitlines()[0]
    assert " 400 " in imds("PUT", "/latest/api/token").splitlines()[0]
    token = imds("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n").split("\n\n")[1].strip()
    assert imds("GET", "/latest/meta-data/instance-id", f"X-aws-ec2-metadata-token: {token}\r\n").endswith(i)
    assert ssh(key, instance, "for n in 1 2 3 4 5 6 7 8 9 10; do [ -s /etc/by-user-data ] && break; sleep 1; done; cat /etc/by-user-data") == "from user data\n"
    ssh(key, instance, "echo changed | sudo tee /etc/marker; sync")

    image = ec2.create_image(InstanceId=i, Name="booted")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
    second = launch(ec2, image, group)
    assert ssh(key, second, "cat /etc/marker") == "changed\n"
    ec2.revoke_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    connect = ["bash", "-c", f"exec 3<>/dev/tcp/{second['PublicIpAddress']}/22"]
    until(lambda: subprocess.run(connect, capture_output=True).returncode, failed="a port that no rule opens is closed")
    ec2.terminate_instances(InstanceIds=[i, second["InstanceId"]])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[i, second["InstanceId"]], WaiterConfig={"Delay": 1})
    assert not ec2.describe_volumes()["Volumes"]
