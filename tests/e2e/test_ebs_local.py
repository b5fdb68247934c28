"""amazon-ebs with -local, on a local cloud whose instances only have states: nothing of the template leads anywhere else."""

import pytest

from ebs import LOCAL, Account, tags, template


@pytest.fixture(scope="module")
def cloud(make_cloud):
    return make_cloud("-backend", "none", "-state-delay", "0s")


@pytest.fixture
def build(cloud, ingot, sshd, tmp_path):
    def run(*args, env=None, check=0, **options):
        path = template(tmp_path, sshd, **{**LOCAL, **options})
        r = ingot.run("build", "-local", *args, path, env={"INGOT_CLOUD_DATA": cloud.data, **(env or {})}, cwd=tmp_path, check=check, timeout=120)
        return r
    return run


def test_keys_profile_role_and_endpoint_of_the_template_are_replaced(build, cloud):
    build(access_key="AKIATEMPLATE", secret_key="template-secret", token="t", profile=None, assume_role={"role_arn": "arn:aws:iam::1:role/x"},
          custom_endpoint_ec2="http://127.0.0.1:1", ami_name="replaced", env={"AWS_PROFILE": "no-such", "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"})
    assert "replaced" in Account(cloud).images()


def test_ids_that_only_a_real_account_knows_get_stand_ins(build, cloud):
    r = build(vpc_id="vpc-0aaaaaaaaaaaaaaa1", subnet_id="subnet-0aaaaaaaaaaaaaaa1", security_group_ids=["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"], iam_instance_profile="my-profile",
              ami_users=["111122223333"], encrypt_boot=True, kms_key_id="alias/my-key", source_ami="ami-0aaaaaaaaaaaaaaa1", source_ami_filter=None, ssh_username="admin", ami_name="stand-ins")
    for name in ("vpc-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2", "my-profile", "alias/my-key", "ami-0aaaaaaaaaaaaaaa1"):
        lines = [line for line in r.stdout.splitlines() if name in line and "Warning: " in line]
        assert lines, name
    image = Account(cloud).images()["stand-ins"]
    assert image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
    assert "CopyImage" not in {c.get("action") for c in cloud.log()}
    again = build(vpc_id="vpc-0aaaaaaaaaaaaaaa1", subnet_id="subnet-0aaaaaaaaaaaaaaa1", ami_name="stand-ins-2")
    assert "vpc-0aaaaaaaaaaaaaaa1" not in again.stdout  # known by now


def test_a_stand_in_says_so_once(build):
    r = build(ami_name="says-so")
    assert r.stdout.count("stand-in") == 1


def test_all_there_is_about_an_image(build, cloud):
    build(ami_name="all", deprecate_at="2030-01-01T00:00:00Z", imds_support="v2.0", deregistration_protection={"enabled": True}, tags={"Name": "all"}, snapshot_tags={"Only": "snapshots"},
          ami_regions=["us-west-2"], ami_description="from {{ .SourceAMIName }}", snapshot_users=["111122223333"], ami_groups=["all"])
    for region in ("us-east-1", "us-west-2"):
        a = Account(cloud, [region])
        image = a.images(region)["all"]
        assert image["DeprecationTime"].startswith("2030-01-01T00:00") and image["ImdsSupport"] == "v2.0" and image["Public"]
        assert tags(image) == {"Name": "all"} and image["Description"].startswith("from debian-12-")
        assert image["DeregistrationProtection"].startswith("enabled")
        s = a.clients[region].describe_snapshots(SnapshotIds=[image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]])["Snapshots"][0]
        assert tags(s) == {"Name": "all", "Only": "snapshots"}


def test_force_replaces_with_all_that_belongs_to_the_image(build, cloud):
    build(ami_name="again", tags={"v": "1"})
    account = Account(cloud, ["us-east-1", "us-west-2"])
    old = account.images()["again"]
    before = account.state()
    build("-force", ami_name="again", tags={"v": "2"}, ami_users=["111122223333"], force_delete_snapshot=True, ami_regions=["us-west-2"])
    new = account.images()["again"]
    assert new["ImageId"] != old["ImageId"] and tags(new) == {"v": "2"}
    ec2 = account.clients["us-east-1"]
    assert {"UserId": "111122223333"} in ec2.describe_image_attribute(ImageId=new["ImageId"], Attribute="launchPermission")["LaunchPermissions"]
    for key in ("Architecture", "BootMode", "RootDeviceName", "VirtualizationType", "EnaSupport"):
        assert new.get(key) == old.get(key), key
    gone = {r[1] for r in before - account.state()}
    assert gone == {old["ImageId"], old["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]}
    assert not [n for n in account.images() if "-ingot-" in n]
    assert "again" in account.images("us-west-2")


def test_the_old_way_to_encrypt_where_the_launch_cannot(build, cloud):
    account = Account(cloud)
    before = account.state()
    build(encrypt_boot=True, ami_name="old-way", launch_block_device_mappings=[{"device_name": "/dev/xvdf", "volume_size": 1, "encrypted": False, "delete_on_termination": True}])
    image = account.images()["old-way"]
    assert all(m["Ebs"]["Encrypted"] for m in image["BlockDeviceMappings"] if "Ebs" in m)
    assert len(account.state() - before) == 1 + len(image["BlockDeviceMappings"])


def test_scripts_are_held_to_the_local_cloud(build, cloud):
    r = build(ami_name="scripts", provisioners=[{"type": "shell-local", "inline": ["echo endpoint=$AWS_ENDPOINT_URL profile=$AWS_PROFILE key=$AWS_ACCESS_KEY_ID"]}], env={"AWS_PROFILE": "real"})
    assert f"endpoint={cloud.url} profile= key={cloud.env['AWS_ACCESS_KEY_ID']}" in r.stdout
