"""What is in the stand-ins: accounts, user data, host keys on the console, the yum front; all in instances that really boot."""
import base64
import gzip
import os
import re
import subprocess
import time
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

pytestmark = pytest.mark.xdist_group("cloud")

CONFIG = """#cloud-config
hostname: renamed
write_files:
  - path: /etc/made/plain
    content: |
      text
    permissions: '0640'
  - path: /etc/made/packed
    encoding: gz+b64
    content: {packed}
users:
  - default
  - name: alice
    groups: [adm]
    colour: blue
runcmd:
  - [sh, -c, 'echo "$1" >/etc/made/run', x, two words]
timezone: Europe/Paris
"""


def user_data():
    m = MIMEMultipart()
    m.attach(MIMEText(CONFIG.format(packed=base64.b64encode(gzip.compress(b"unpacked")).decode()), "cloud-config"))
    m.attach(MIMEText("#!/bin/sh\necho script by $(id -un) >/etc/made/script\n", "x-shellscript"))
    m.attach(MIMEText("#include\nhttp://example.com/\n", "x-include-url"))
    return gzip.compress(m.as_bytes())


class Instance:
    def __init__(self, cloud, folder, name, user, **launch):
        self.ec2, self.user, self.key = cloud.client(), user, os.path.join(folder, "key")
        if not os.path.exists(self.key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        with open(self.key + ".pub", "rb") as f:
            key = f"base-images-{time.monotonic_ns()}"
            self.ec2.import_key_pair(KeyName=key, PublicKeyMaterial=f.read())
        if not name.startswith("ami-"):
            images = self.ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]
            name = max(images, key=lambda i: i["CreationDate"])["ImageId"]
        group = self.ec2.create_security_group(GroupName=key, Description="test")["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
        r = self.ec2.run_instances(ImageId=name, MinCount=1, MaxCount=1, InstanceType="t3.micro", KeyName=key, SecurityGroupIds=[group], **launch)
        self.id = r["Instances"][0]["InstanceId"]
        self.ec2.get_waiter("instance_running").wait(InstanceIds=[self.id], WaiterConfig={"Delay": 1})
        self.address = self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"][0]["PublicIpAddress"]

    def ssh(self, command, check=True):
        end = time.monotonic() + 60
        while True:
            r = subprocess.run(["ssh", "-i", self.key, "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR", "-oBatchMode=yes",
                                "-oIdentitiesOnly=yes", f"{self.user}@{self.address}", command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if r.returncode != 255 or time.monotonic() > end:
                break
            time.sleep(0.2)
        if check:
            assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout + r.stderr

    def console(self):
        return self.ec2.get_console_output(InstanceId=self.id, Latest=True)["Output"]

    def end(self):
        self.ec2.terminate_instances(InstanceIds=[self.id])


@pytest.fixture
def launch(cloud, tmp_path):
    made = []

    def start(name, user, **kw):
        made.append(Instance(cloud, str(tmp_path), name, user, **kw))
        return made[-1]

    yield start
    for i in made:
        i.end()


@pytest.mark.parametrize("name, user", [("amzn-ami-hvm-*", "ec2-user"), ("ubuntu/images/*jammy*", "ubuntu"), ("debian-12-*", "admin")])
def test_stand_in(launch, name, user):
    i = launch(name, user)
    out = i.ssh("id -un; sudo id -un; systemctl --failed --no-legend; sudo env; grep stand-in /etc/os-release; echo $PATH; "
                "sudo stat -c '%a %U %G %n' /etc/shadow /home/$USER ~/.ssh/authorized_keys")
    assert out.startswith(f"{user}\nroot\n"), out
    assert "failed" not in out
    assert "http_proxy=http://169.254.169.254:3128" in out and "stand-in" in out and "/usr/games" in out
    assert "640 root shadow /etc/shadow" in out and f"755 {user} {user} /home/{user}" in out and f"600 {user} {user}" in out


def test_user_data(launch):
    i = launch("debian-12-*", "admin", UserData=user_data())
    out = i.ssh("for n in $(seq 100); do test -e /etc/made/script && break; sleep 0.1; done; hostname; id -nG alice; sudo tail -n +1 /etc/made/*; stat -c %a /etc/made/plain")
    assert out.startswith("renamed\nalice adm\n"), out
    for text in ("text\n", "unpacked", "two words", "script by root", "\n640\n"):
        assert text in out, text
    console = i.console()
    for text in ("timezone is not supported", "users: colour is not supported", "#include"):
        assert text in console, console


def host_keys(instance):
    text = instance.console().replace("\r", "")
    return re.search(r"BEGIN SSH HOST KEY KEYS-----\n(.*?)-----END", text, re.S).group(1).split("\n")


def test_image_starts_clean(launch):
    first = launch("debian-12-*", "admin", UserData="#!/bin/sh\ndate +%N >>/etc/runs\n",
                   BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 12}}])
    first.ssh("for n in $(seq 100); do test -e /etc/runs && break; sleep 0.1; done; sync; test $(df --output=size -BG / | tail -1 | tr -d 'G ') -ge 11")
    shown = subprocess.run(["ssh-keyscan", "-t", "ed25519", first.address], capture_output=True, text=True).stdout.split()[2]
    assert any(shown in k for k in host_keys(first))
    image = first.ec2.create_image(InstanceId=first.id, Name=f"clean-{time.time()}")["ImageId"]
    first.ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
    second = launch(image, "admin", UserData="#!/bin/sh\ndate +%N >>/etc/runs\n")
    assert second.ssh("for n in $(seq 100); do test $(wc -l </etc/runs) = 2 && break; sleep 0.1; done; wc -l </etc/runs").strip() == "2"
    assert not set(filter(None, host_keys(first))) & set(host_keys(second))


def test_yum(launch):
    i = launch("amzn-ami-hvm-*", "ec2-user")
    assert i.ssh("sudo yum -y -q install cowsay bind-utils") == ""
    assert "< hi >" in i.ssh("sudo cowsay hi")
    out = i.ssh("sudo yum -y install no-such-package; echo status $?", check=False)
    assert "no-such-package" in out and "stand-in" in out and "/etc/yum/stand-in-packages" in out and "status 1" in out
    assert "You need to be root" in i.ssh("yum -y install jq", check=False)
    assert "cowsay" in i.ssh("yum list installed cowsay")
    assert "not known" in i.ssh("sudo yum frobnicate", check=False)
    assert i.ssh("echo 'my-dig bind9-dnsutils' | sudo tee -a /etc/yum/stand-in-packages >/dev/null; sudo dnf -q -y install my-dig") == ""
