"""The local cloud, container backend, no state delays: from RunInstances to a login of ingot's own client, CreateImage, and a whole
rehearsal of examples/example2.json beside the same commands by hand over ssh."""
import json
import os
import statistics
import subprocess
import tempfile
import time

import measure
from bench_startup import TEMPLATE
from conftest import Cloud, Program

SSH = ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-oIdentitiesOnly=yes", "-oConnectTimeout=20"]
USED_MIB = 400


class Machines:
    """Instances of one cloud, in the template's region, with a key pair and a group of their own."""

    def __init__(self, cloud, home):
        with open(TEMPLATE) as f:
            builder = json.load(f)["builders"][0]
        self.cloud, self.home, self.user = cloud, home, builder["ssh_username"]
        self.ec2 = cloud.client(region=builder["region"])
        self.key = os.path.join(home, "id")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        filters = builder["source_ami_filter"]["filters"]
        images = self.ec2.describe_images(Owners=["amazon"], Filters=[{"Name": k, "Values": [v]} for k, v in filters.items()])["Images"]
        self.image = max(images, key=lambda i: i["CreationDate"])

    def prepare(self):
        """Key pair and group, as a build makes them."""
        with open(self.key + ".pub", "rb") as f:
            self.ec2.import_key_pair(KeyName="bench", PublicKeyMaterial=f.read())
        self.group = self.ec2.create_security_group(GroupName="bench", Description="bench")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="127.0.0.1/32")

    def tidy(self):
        self.ec2.delete_security_group(GroupId=self.group)
        self.ec2.delete_key_pair(KeyName="bench")

    def launch(self, kind="t3.small", **extra):
        r = self.ec2.run_instances(ImageId=self.image["ImageId"], InstanceType=kind, MinCount=1, MaxCount=1, KeyName="bench", SecurityGroupIds=[self.group], **extra)
        return r["Instances"][0]["InstanceId"]

    def describe(self, instance):
        return self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    def address(self, instance):
        return poll(lambda: self.describe(instance).get("PublicIpAddress"))

    def await_state(self, instance, state):
        poll(lambda: self.describe(instance)["State"]["Name"] == state)

    def terminate(self, instance):
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.await_state(instance, "terminated")

    def save(self, instance, name):
        """CreateImage and the wait until it is available."""
        image = self.ec2.create_image(InstanceId=instance, Name=name)["ImageId"]
        poll(lambda: self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"] == "available")

    def ssh(self, address, command):
        """Its output; tried again while nothing listens yet."""
        def attempt():
            r = subprocess.run(["ssh", "-n", "-i", self.key, *SSH, f"{self.user}@{address}", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if r.returncode not in (0, 255):
                raise RuntimeError(f"{command} ended with {r.returncode}:\n{r.stdout}")
            return [r.stdout] if r.returncode == 0 else None
        return poll(attempt)[0]


def poll(what, seconds=120):
    """The first true answer; the pause is what tight polling by hand would take."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise RuntimeError(f"waited {seconds} s in vain")


def login(m, program, path):
    """Seconds from the call of RunInstances to the end of a build that logs in and runs `true`."""
    start = time.monotonic()
    instance = m.launch()
    with open(path, "w") as f:
        json.dump({"builders": [{"type": "null", "ssh_host": m.address(instance), "ssh_username": m.user, "ssh_private_key_file": m.key}],
                   "provisioners": [{"type": "shell", "inline": ["true"]}]}, f)
    program.run("build", path, check=0)
    took = time.monotonic() - start
    m.terminate(instance)
    return took


def create_image(m, name):
    """Seconds from the call of CreateImage to `available`, of a stopped instance with 400 MiB used on 8 GiB."""
    root = m.image["RootDeviceName"]
    instance = m.launch(BlockDeviceMappings=[{"DeviceName": root, "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}}])
    address = m.address(instance)
    used = "df -k --output=used / | tail -1"
    m.ssh(address, f"n=$(({USED_MIB} * 1024 - $({used}))); [ $n -le 0 ] || head -c ${{n}}K /dev/urandom > fill; sync")
    mib = int(m.ssh(address, used)) / 1024
    m.ec2.stop_instances(InstanceIds=[instance])
    m.await_state(instance, "stopped")
    start = time.monotonic()
    m.save(instance, name)
    took = time.monotonic() - start
    m.terminate(instance)
    return took, mib


def by_hand(m, name):
    """What the rehearsal does, by boto3 and ssh."""
    with open(TEMPLATE) as f:
        template = json.load(f)
    start = time.monotonic()
    m.prepare()
    instance = m.launch(template["builders"][0]["instance_type"])
    m.ssh(m.address(instance), "set -e\n" + "\n".join(template["provisioners"][0]["inline"]))
    m.ec2.stop_instances(InstanceIds=[instance])
    m.await_state(instance, "stopped")
    m.save(instance, name)
    m.terminate(instance)
    m.tidy()
    return time.monotonic() - start


def rehearse(program, cloud):
    start = time.monotonic()
    program.run("build", "-local", TEMPLATE, env={"INGOT_CLOUD_DATA": cloud.data}, timeout=600, check=0)
    return time.monotonic() - start


def measure_all(program, cloud, home):
    m = Machines(cloud, home)
    m.prepare()
    path = os.path.join(home, "null.json")
    login(m, program, path)  # prepares the image
    measure.row("RunInstances to login, local cloud", statistics.median(login(m, program, path) for _ in range(5)), limit_abs=1.5)
    images = [create_image(m, f"bench-{i}") for i in range(3)]
    measure.row(f"CreateImage, 8 GiB with {images[0][1]:.0f} MiB used, local cloud", statistics.median(t for t, _ in images), limit_abs=3)
    m.tidy()
    ours, theirs = [], []
    for i in range(4):
        ours.append(rehearse(program, cloud))
        theirs.append(by_hand(m, f"by-hand-{i}"))
    measure.row("example2.json with -local, beside the same by hand", statistics.median(ours[1:]), statistics.median(theirs[1:]))


def main(program):
    if os.geteuid() != 0:
        print("local_cloud: not measured: the container backend needs root")
        return
    with tempfile.TemporaryDirectory(prefix="ingot-bench-") as home:
        p = Program(program, home)
        cloud = Cloud(p, os.path.join(home, "cloud"), "-backend", "container", "-state-delay", "0s")
        try:
            measure_all(p, cloud, home)
        finally:
            cloud.down()
