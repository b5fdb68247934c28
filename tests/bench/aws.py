"""amazon-ebs builds on moto through one logging proxy, for both programs: same template, same sshd as the instance."""
import json
import os
import re
import shutil
import tempfile
import time

from awsproxy import AwsProxy
from bench_startup import environment
from conftest import Moto, Sshd

SOURCE = "ami-12c6146b"  # of moto's catalogue


class Stage:
    """A moto, a proxy before it and an sshd; used as a context manager."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="ingot-bench-")
        self.log = open(os.path.join(self.home, "moto.log"), "w")
        self.moto = Moto(self.log)
        self.sshd = Sshd(os.path.join(self.home, "sshd"))
        self.proxy = AwsProxy(self.moto.port).__enter__()
        ec2 = self.moto.client()
        with open(self.sshd.key + ".pub") as f:
            ec2.import_key_pair(KeyName="own", PublicKeyMaterial=f.read().encode())
        self.group = ec2.create_security_group(GroupName="own", Description="own")["GroupId"]
        self.env = environment(self.home)
        self.env.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
        return self

    def __exit__(self, *_):
        self.proxy.__exit__(None, None, None)
        self.sshd.stop()
        self.moto.stop()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def template(self, name, builds=1, provisioners=None):
        """A template of so many builds with an own key and an own group."""
        b = {"type": "amazon-ebs", "region": "us-east-1", "source_ami": SOURCE, "instance_type": "t3.micro", "ssh_username": self.sshd.user, "ssh_host": "127.0.0.1",
             "ssh_port": self.sshd.port, "ssh_private_key_file": self.sshd.key, "ssh_keypair_name": "own", "security_group_ids": [self.group],
             "custom_endpoint_ec2": self.proxy.url}
        path = os.path.join(self.home, name)
        with open(path, "w") as f:
            json.dump({"builders": [{**b, "name": f"b{i}", "ami_name": f"bench-{i}-{{{{timestamp}}}}-{{{{uuid}}}}"} for i in range(builds)],
                       "provisioners": provisioners or [{"type": "shell", "inline": ["true"]}]}, f)
        return path

    def delay(self, instance_s, image_s):
        """Instances stay pending and images stay pending for so long, by the first time they were seen."""
        born = {}

        def age(i):
            return time.monotonic() - born.setdefault(i, time.monotonic())

        def rewrite(call, body):
            if call.action == "RunInstances":
                for i in re.findall(r"<instanceId>(i-\w+)", body):
                    age(i)
            elif call.action == "CreateImage":
                for i in re.findall(r"<imageId>(ami-\w+)", body):
                    age(i)
            elif call.action == "DescribeInstances":
                body = re.sub(r"(<instanceId>(i-\w+)</instanceId>.*?)<code>16</code>(\s*)<name>running</name>",
                              lambda m: m.group(1) + "<code>0</code><name>pending</name>" if age(m.group(2)) < instance_s else m.group(0), body, flags=re.S)
            elif call.action == "DescribeImages":
                body = re.sub(r"(<imageId>(ami-\w+)</imageId>(?:(?!<imageId>).)*?)<imageState>available</imageState>",
                              lambda m: m.group(1) + "<imageState>pending</imageState>" if m.group(2) in born and age(m.group(2)) < image_s else m.group(0), body, flags=re.S)
            return body
        self.proxy.rewrite = rewrite
