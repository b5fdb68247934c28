"""What the amazon-ebs tests share: templates, and what an account holds."""
import json

import pytest

from awsproxy import AwsProxy

SOURCE = "ami-760aaa0f"  # amzn-ami-hvm-2017.09.1… of moto's catalogue

# A build on the local cloud without machines.
LOCAL = dict(source_ami=None, source_ami_filter={"filters": {"name": "debian-12-*"}, "owners": ["136693071363"], "most_recent": True}, ssh_keypair_name=None, ssh_private_key_file=None,
             ssh_host=None, ssh_port=None, communicator="none")


def template(folder, sshd, provisioners=None, source=SOURCE, variables=None, post=None, **options):
    """Writes t.json whose instance is the loopback sshd; returns its path. An option of None is left out."""
    b = {"type": "amazon-ebs", "region": "us-east-1", "source_ami": source, "instance_type": "t3.micro", "ssh_username": sshd.user, "ssh_host": "127.0.0.1", "ssh_port": sshd.port,
         "ssh_private_key_file": sshd.key, "ssh_keypair_name": "own", "ami_name": "image-1"}
    b.update(options)
    b = {k: v for k, v in b.items() if v is not None}
    t = {"builders": [b], "provisioners": provisioners or []}
    if variables:
        t["variables"] = variables
    if post:
        t["post-processors"] = post
    path = folder / "t.json"
    path.write_text(json.dumps(t))
    return path


class Account:
    """State of an account, less what a simulator made by itself."""

    def __init__(self, moto, regions=("us-east-1",)):
        self.clients = {r: moto.client("ec2", r) for r in regions}
        self.iam = moto.client("iam")

    def state(self):
        out = set()
        for region, c in self.clients.items():
            for r in c.describe_instances()["Reservations"]:
                out |= {(region, i["InstanceId"]) for i in r["Instances"] if i["State"]["Name"] not in ("terminated", "shutting-down")}
            out |= {(region, i["ImageId"]) for i in c.describe_images(Owners=["self"])["Images"]}
            out |= {(region, s["SnapshotId"]) for s in c.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
            out |= {(region, v["VolumeId"]) for v in c.describe_volumes()["Volumes"] if v["State"] != "deleting"}
            out |= {(region, k["KeyName"]) for k in c.describe_key_pairs()["KeyPairs"]}
            out |= {(region, g["GroupId"]) for g in c.describe_security_groups()["SecurityGroups"]}
        out |= {("iam", p["InstanceProfileName"]) for p in self.iam.list_instance_profiles()["InstanceProfiles"]}
        out |= {("iam", r["RoleName"]) for r in self.iam.list_roles()["Roles"]}
        return out

    def images(self, region="us-east-1"):
        return {i["Name"]: i for i in self.clients[region].describe_images(Owners=["self"])["Images"]}

    def forget(self):
        """Takes away what a test's good builds left."""
        for c in self.clients.values():
            for i in c.describe_images(Owners=["self"])["Images"]:
                c.deregister_image(ImageId=i["ImageId"])
                for m in i["BlockDeviceMappings"]:
                    if "SnapshotId" in m.get("Ebs", {}):
                        try:
                            c.delete_snapshot(SnapshotId=m["Ebs"]["SnapshotId"])
                        except c.exceptions.ClientError:
                            pass


@pytest.fixture
def proxy(moto):
    with AwsProxy(moto.port) as p:
        yield p


@pytest.fixture
def account(moto):
    a = Account(moto, ("us-east-1", "us-west-2", "eu-west-1"))
    a.forget()
    return a


@pytest.fixture
def build(ingot, proxy, sshd, tmp_path):
    def run(*args, env=None, check=0, timeout=180, **options):
        path = template(tmp_path, sshd, **options)
        return ingot.run("build", *args, path, env=proxy.environment(**(env or {})), cwd=tmp_path, check=check, timeout=timeout)
    return run


def tags(thing):
    return {t["Key"]: t["Value"] for t in thing.get("Tags", [])}
