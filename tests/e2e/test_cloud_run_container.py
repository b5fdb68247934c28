"""Instances of the container backend as their users find them: over SSH, from outside and from inside."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from waiting import until

pytestmark = pytest.mark.xdist_group("cloud")


class Instance:
    """One instance from the amzn stand-in, with a key pair and a group that opens SSH."""

    def __init__(self, cloud, folder, image=None, user="ec2-user", **extra):
        self.ec2, self.user = cloud.client(), user
        name = os.path.basename(str(folder)) + str(time.monotonic_ns())
        self.key = os.path.join(str(folder), name)
        pair = self.ec2.create_key_pair(KeyName=name)
        with open(os.open(self.key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
            f.write(pair["KeyMaterial"])
        group = self.ec2.create_security_group(GroupName=name, Description="test")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="127.0.0.1/32")
        image = image or self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["amzn-ami-hvm-*"]}])["Images"][0]["ImageId"]
        run = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName=name,
                                     SecurityGroupIds=[group], **extra)
        self.id = run["Instances"][0]["InstanceId"]
        self.await_state("running")

    def describe(self):
        return self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]

    def await_state(self, state):
        return until(lambda: self.describe()["State"]["Name"] == state)

    def start_ssh(self, command):
        address = self.describe()["PublicIpAddress"]
        return ["ssh", "-n", "-i", self.key, "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-oIdentitiesOnly=yes",
                "-oConnectTimeout=20", f"{self.user}@{address}", command]

    def ssh(self, command, check=True, seconds=60):
        """Its output, both streams."""
        r = subprocess.run(self.start_ssh(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if check:
            assert r.returncode == 0, f"{command} ended with {r.returncode}:\n{r.stdout}"
        return r.stdout

    def boot_id(self):
        """Differs after each boot."""
        return self.ssh("stat -c %Y.%i /run/systemd").strip()

    def terminate(self):
        self.ec2.terminate_instances(InstanceIds=[self.id])
        self.await_state("terminated")


@pytest.fixture(scope="module")
def instance(cloud, tmp_path_factory):
    i = Instance(cloud, tmp_path_factory.mktemp("instance"))
    yield i
    i.terminate()


def test_looks_like_a_machine(instance):
    assert instance.ssh("cat /proc/1/comm").strip() == "systemd"
    assert until(lambda: instance.ssh("systemctl is-system-running", check=False).strip() == "running")
    assert instance.describe()["PrivateIpAddress"] in instance.ssh("hostname -I 2>/dev/null || cat /proc/net/fib_trie")
    assert instance.ssh("findmnt -no SOURCE /").strip() == "/dev/xvda1"
    assert instance.ssh("sudo -n id -u").strip() == "0"


def test_other_ports_are_closed(instance):
    r = subprocess.run(instance.start_ssh("true")[:-2] + ["-p", "23", f"ec2-user@{instance.describe()['PublicIpAddress']}", "true"],
                       capture_output=True, text=True)
    assert r.returncode == 255 and "refused" in r.stderr


@pytest.mark.parametrize("command", [
    "sudo mknod /tmp/host b 254 0; sudo head -c 16 /tmp/host",
    "sudo mknod /tmp/mem c 1 1; sudo head -c 16 /tmp/mem",
    "sudo date -s 2020-01-01",
    "sudo dmesg",
    "echo x | sudo tee /proc/sys/kernel/core_pattern",
    "echo b | sudo tee /proc/sysrq-trigger",
    "timeout 3 bash -c 'echo > /dev/tcp/172.31.0.1/22'",
    "timeout 3 bash -c 'echo > /dev/tcp/192.0.2.1/80'",
    "curl -sSf -x http://169.254.169.254:3128 http://127.0.0.1/",
    "curl -sSf -x http://169.254.169.254:3128 http://host.invalid/",
])
def test_kept_from_the_host(instance, command):
    out = instance.ssh(f"({command}) && echo ALLOWED", check=False)
    assert "ALLOWED" not in out, out


def test_partitions_appear_at_once(instance):
    """sfdisk && mkfs without a pause in between, three times over; as chroot builds do it."""
    zone = instance.describe()["Placement"]["AvailabilityZone"]
    volume = instance.ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
    instance.ec2.attach_volume(VolumeId=volume, InstanceId=instance.id, Device="/dev/sdf")
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"][0]["State"] == "attached")
    for table in "label: gpt\\n,100M\\n,\\n", "label: dos\\n,50M\\n,200M,E\\n,,L\\n", "label: gpt\\n,300M\\n":
        instance.ssh(f"printf '{table}' | sudo sfdisk -q -w always /dev/xvdf && sudo mkfs.ext4 -q -F /dev/xvdf1")
    assert instance.ssh("ls /dev/xvdf*").split() == ["/dev/xvdf", "/dev/xvdf1"]
    instance.ssh("sudo mount /dev/sdf1 /mnt && echo kept | sudo tee /mnt/x && sudo umount /mnt")
    instance.ec2.detach_volume(VolumeId=volume)
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
    assert "xvdf" not in instance.ssh("ls /dev")
    instance.ec2.attach_volume(VolumeId=volume, InstanceId=instance.id, Device="/dev/sdg")
    until(lambda: "xvdg1" in instance.ssh("ls /dev"))
    assert instance.ssh("sudo mount /dev/xvdg1 /mnt && cat /mnt/x && sudo umount /mnt") == "kept\n"
    instance.ec2.detach_volume(VolumeId=volume)
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available")
    instance.ec2.delete_volume(VolumeId=volume)


def test_reboots_and_stops(instance):
    instance.ssh("echo kept > kept")
    before = instance.boot_id()
    instance.ssh("sudo reboot", check=False)
    until(lambda: instance.ssh("true", check=False) == "" and instance.boot_id() != before)
    before = instance.boot_id()
    instance.ec2.reboot_instances(InstanceIds=[instance.id])
    until(lambda: instance.ssh("true", check=False) == "" and instance.boot_id() != before)
    instance.ec2.stop_instances(InstanceIds=[instance.id])
    instance.await_state("stopped")
    instance.ec2.start_instances(InstanceIds=[instance.id])
    instance.await_state("running")
    assert instance.ssh("cat kept") == "kept\n"


def test_root_takes_the_whole_volume(cloud, tmp_path):
    big = Instance(cloud, tmp_path, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12}}])
    assert int(big.ssh("df --output=size -BG / | tail -1").strip(" G\n")) >= 11
    big.terminate()


def test_instances_see_each_other(cloud, instance, tmp_path):
    other = Instance(cloud, tmp_path)
    other.ssh("true")  # its SSH server is up
    address = other.describe()["PrivateIpAddress"]
    assert "SSH-2.0" in instance.ssh(f"timeout 10 bash -c 'exec 3<>/dev/tcp/{address}/22; head -1 <&3'")
    other.terminate()


def host_traces(folder):
    """What the host still has of the data directory."""
    loops = subprocess.run(["losetup", "-a"], capture_output=True, text=True).stdout
    with open("/proc/mounts") as f:
        mounts = f.read()
    return [line for line in (loops + mounts).splitlines() if folder in line]


def test_nothing_stays_after_a_crash(make_cloud, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("the container backend needs root")
    cloud = make_cloud("-backend", "container")
    instance = Instance(cloud, tmp_path)
    instance.ssh("true")
    volume = os.path.join(cloud.data, "volumes")
    assert host_traces(volume)
    status = json.loads(cloud.program.run("cloud", "status", "-json", "-data", cloud.data, check=0).stdout)
    os.kill(status["pid"], signal.SIGKILL)
    until(lambda: not host_traces(volume), 10)
    cloud.program.run("cloud", "up", "-data", cloud.data, "-backend", "container", timeout=300, check=0)
    cloud.program.run("cloud", "down", "-data", cloud.data, check=0)
    assert not host_traces(volume)


def test_terminated_while_it_starts(cloud, instance):
    """At whatever point of its start: the machine that was just being made goes too."""
    before, image, ids = host_traces(cloud.data), instance.describe()["ImageId"], []
    for wait in range(8):
        ids.append(instance.ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])
        time.sleep(wait * 0.05)
        instance.ec2.terminate_instances(InstanceIds=ids[-1:])

    def ended():
        found = [i for r in instance.ec2.describe_instances(InstanceIds=ids)["Reservations"] for i in r["Instances"]]
        return all(i["State"]["Name"] == "terminated" for i in found)
    until(ended)
    assert [line for line in host_traces(cloud.data) if line not in before] == []


def test_snapshot_of_a_running_instance(cloud, instance):
    """What a program wrote a moment ago is in it, though nobody synced."""
    volume = instance.describe()["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    instance.ssh("head -c 3000000 /dev/zero | tr '\\0' x > fresh")
    snapshot = instance.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    until(lambda: instance.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed")
    copy = instance.ec2.create_volume(AvailabilityZone=instance.describe()["Placement"]["AvailabilityZone"], SnapshotId=snapshot)["VolumeId"]
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[copy])["Volumes"][0]["State"] == "available")
    instance.ec2.attach_volume(VolumeId=copy, InstanceId=instance.id, Device="/dev/sdh")
    until(lambda: "xvdh1" in instance.ssh("ls /dev"))
    instance.ssh("sudo mount /dev/xvdh1 /mnt && cmp fresh /mnt/home/ec2-user/fresh && sudo umount /mnt")
    instance.ec2.detach_volume(VolumeId=copy)
    until(lambda: instance.ec2.describe_volumes(VolumeIds=[copy])["Volumes"][0]["State"] == "available")
    instance.ec2.delete_volume(VolumeId=copy)
    instance.ec2.delete_snapshot(SnapshotId=snapshot)


def test_a_rule_for_another_machine_lets_nobody_in(cloud, instance):
    group = instance.describe()["SecurityGroups"][0]["GroupId"]
    rule = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    instance.ec2.authorize_security_group_ingress(**rule, CidrIp="203.0.113.7/32")
    instance.ec2.revoke_security_group_ingress(**rule, CidrIp="127.0.0.1/32")
    try:
        assert until(lambda: "refused" in instance.ssh("true", check=False))
    finally:
        instance.ec2.authorize_security_group_ingress(**rule, CidrIp="10.0.0.0/8")
        instance.ec2.revoke_security_group_ingress(**rule, CidrIp="203.0.113.7/32")
    until(lambda: not instance.ssh("true", check=False))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """A root file system as a tar, as a raw disk of one file system, and as qcow2."""
    import glob
    from conftest import CACHE
    tars = glob.glob(os.path.join(CACHE, "ingot", "base", "root-*.tar"))
    if not tars:
        pytest.skip("no root file system in the cache of base images")
    d = tmp_path_factory.mktemp("roots")
    (d / "root").mkdir()
    subprocess.run(["tar", "-xpf", tars[0], "-C", d / "root", "--numeric-owner"], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-d", d / "root", d / "disk.raw", "1500M"], check=True)
    if shutil.which("qemu-img"):
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", d / "disk.raw", d / "disk.qcow2"], check=True)
    subprocess.run(["rm", "-rf", d / "root"], check=True)
    yield {"tar": tars[0], "raw": d / "disk.raw", "qcow2": d / "disk.qcow2"}
    subprocess.run(["rm", "-rf", d], check=True)


@pytest.mark.parametrize("kind", ["tar", "raw", "qcow2"])
def test_imported_image_boots(cloud, roots, tmp_path, kind):
    if not os.path.exists(roots[kind]):
        pytest.skip("no qemu-img: install qemu-utils")
    r = cloud.program.run("cloud", "import", roots[kind], "-name", f"mine-{kind}", "-user", "root", "-description", "brought along", "-data", cloud.data, timeout=300, check=0)
    image = r.stdout.split()[-1]
    found = cloud.client().describe_images(ImageIds=[image])["Images"][0]
    assert found["Name"] == f"mine-{kind}" and found["Description"] == "brought along" and found["State"] == "available"
    assert found["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] >= 1
    instance = Instance(cloud, tmp_path, image=image, user="root", UserData="#!/bin/sh\necho ran >/root/ran\n")
    try:
        assert instance.ssh("cat /etc/debian_version").startswith("12")
        assert until(lambda: "ran" in instance.ssh("cat /root/ran", check=False), 30)
    finally:
        instance.terminate()


def test_many_at_once(cloud, tmp_path):
    """24 in one call, all reachable, all gone again."""
    first = Instance(cloud, tmp_path)
    group, key = first.describe()["SecurityGroups"][0]["GroupId"], first.describe()["KeyName"]
    run = first.ec2.run_instances(ImageId=first.describe()["ImageId"], InstanceType="t3.nano", MinCount=24, MaxCount=24, KeyName=key, SecurityGroupIds=[group])
    ids = [i["InstanceId"] for i in run["Instances"]]
    try:
        def all_running():
            found = [i for r in first.ec2.describe_instances(InstanceIds=ids)["Reservations"] for i in r["Instances"]]
            lost = [i["StateReason"]["Message"] for i in found if i["State"]["Name"] not in ("pending", "running")]
            assert not lost, "\n".join(lost)
            return found if all(i["State"]["Name"] == "running" for i in found) else None
        found = until(all_running, 120)
        assert len({i["PublicIpAddress"] for i in found}) == len({i["PrivateIpAddress"] for i in found}) == 24
        address = first.start_ssh("hostname -I")
        logins = [subprocess.Popen([*address[:-2], f"ec2-user@{i['PublicIpAddress']}", "hostname -I"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for i in found]
        for p, i in zip(logins, found):
            assert i["PrivateIpAddress"] in p.communicate(timeout=120)[0]
    finally:
        first.ec2.terminate_instances(InstanceIds=[*ids, first.id])
    until(lambda: {i["State"]["Name"] for r in first.ec2.describe_instances(InstanceIds=ids)["Reservations"] for i in r["Instances"]} == {"terminated"})
