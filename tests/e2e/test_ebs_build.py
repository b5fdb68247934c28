"""amazon-ebs builds against moto: what is asked for, in which order, what is left, and what is printed."""
import json
import re

import pytest

from conftest import free_port
from ebs import SOURCE, account, build, proxy, tags, template  # noqa: F401: fixtures

POLICY = {"AuthorizeSecurityGroupIngress", "CopyImage", "CreateImage", "CreateKeyPair", "CreateSecurityGroup", "CreateTags", "DeleteKeyPair", "DeleteSecurityGroup", "DeleteSnapshot",
          "DeleteVolume", "DeregisterImage", "DescribeImages", "DescribeInstances", "DescribeRegions", "DescribeSecurityGroups", "DescribeSnapshots", "DescribeSubnets", "DescribeVolumes",
          "ModifyImageAttribute", "ModifyInstanceAttribute", "ModifySnapshotAttribute", "RegisterImage", "RunInstances", "StopInstances", "TerminateInstances"}
# Needs no right, or is done without where it is denied.
BEST_EFFORT = {"GetCallerIdentity", "DeleteTags"}


def test_a_minimal_build_makes_one_image_and_leaves_nothing_else(build, proxy, account):
    before = account.state()
    r = build(ssh_keypair_name=None, ssh_private_key_file=None, communicator="none", provisioners=[])
    image = account.images()["image-1"]
    left = account.state() - before
    snapshots = {("us-east-1", m["Ebs"]["SnapshotId"]) for m in image["BlockDeviceMappings"]}
    assert left == {("us-east-1", image["ImageId"])} | snapshots
    assert f"--> amazon-ebs: AMIs were created:\nus-east-1: {image['ImageId']}\n\n" in r.stdout
    assert "ingot:run" not in tags(image)
    assert set(proxy.actions()) <= POLICY | BEST_EFFORT
    assert len(proxy.find("CreateKeyPair")) == 1 and proxy.find("CreateKeyPair")[0].params["KeyType"] == "rsa"


def test_an_own_key_and_group_need_no_temporary_ones(build, proxy, account):
    ec2 = account.clients["us-east-1"]
    group = ec2.create_security_group(GroupName="own-group", Description="x")["GroupId"]
    try:
        before = account.state()
        r = build(security_group_id=group, provisioners=[{"type": "shell", "inline": ["echo I-was-here"]}])
        assert "==> amazon-ebs: I-was-here" in r.stdout
        assert not set(proxy.actions()) & {"CreateKeyPair", "DeleteKeyPair", "CreateSecurityGroup", "DeleteSecurityGroup", "AuthorizeSecurityGroupIngress"}
        run = proxy.find("RunInstances")[0]
        assert run.params["KeyName"] == "own" and run.list("SecurityGroupId") == [group]
        assert len(account.state() - before) == 2  # image and snapshot
        # Fewer calls than the peer's 15 for the same.
        assert len(proxy.calls) <= 12, proxy.actions()
    finally:
        ec2.delete_security_group(GroupId=group)


def test_everything_wears_the_tag_of_its_run(build, proxy, account):
    build(ssh_keypair_name=None, ssh_private_key_file=None, communicator="none", provisioners=[], run_tags={"Team": "infra", "From": "{{ .SourceAMI }}"}, run_volume_tags={"Disk": "{{ .BuildRegion }}"})
    run = proxy.find("RunInstances")[0]
    for kind in ("instance", "network-interface"):
        t = run.tags(kind)
        assert t["Team"] == "infra" and t["From"] == SOURCE and len(t["ingot:run"]) == 26
    assert run.tags("volume")["Disk"] == "us-east-1" and "ingot:run" in run.tags("volume")
    assert "ingot:run" in proxy.find("CreateKeyPair")[0].tags("key-pair")
    assert "ingot:run" in proxy.find("CreateSecurityGroup")[0].tags("security-group")
    create = proxy.find("CreateImage")[0]
    for kind in ("image", "snapshot"):
        assert create.tags(kind)["Team"] == "infra" and "ingot:run" in create.tags(kind)
    image = account.images()["image-1"]
    assert tags(image) == {"Team": "infra", "From": SOURCE}


@pytest.mark.parametrize("name", ["", "our:run"])
def test_the_run_tag_can_be_renamed_or_left_out(build, proxy, name):
    build(env={"INGOT_RUN_TAG": name}, ami_name="tagless" + name.replace(":", ""))
    found = set(proxy.find("RunInstances")[0].tags("instance"))
    assert found == ({name} if name else set())


def test_a_create_refused_for_its_tag_is_made_without_it(build, proxy, account):
    def refuse(n, call):
        return "deny" if "ingot:run" in call.params.values() else None
    proxy.fault = refuse
    build(ami_name="untagged")
    runs = proxy.find("RunInstances")
    assert len(runs) == 2 and runs[0].params["ClientToken"] != runs[1].params["ClientToken"]
    assert "untagged" in account.images()


def test_the_source_is_found_by_filter(build, proxy):
    build(source_ami=None, source_ami_filter={"filters": {"name": "amzn-ami-hvm-2017.09.1.*-x86_64-gp2", "virtualization-type": "hvm"}, "owners": ["amazon", "137112412989"], "most_recent": True},
          ami_name="by-filter")
    asked = [c for c in proxy.find("DescribeImages") if c.list("Owner") == ["amazon", "137112412989"]]
    assert len(asked) == 1


def test_a_filter_that_finds_nothing_or_too_much(build, proxy, account):
    before = account.state()
    r = build(source_ami=None, source_ami_filter={"filters": {"name": "no-such-*"}, "owners": ["amazon"]}, check=1)
    assert "no source image matches name=no-such-*" in r.stdout
    r = build(source_ami=None, source_ami_filter={"filters": {"name": "*"}, "owners": ["amazon"]}, check=1)
    assert "most_recent" in r.stdout
    assert "RunInstances" not in proxy.actions() and account.state() == before


def test_network_by_filter(build, proxy, account):
    ec2 = account.clients["us-east-1"]
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "builds"}]}])["Vpc"]["VpcId"]
    small = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/28")["Subnet"]["SubnetId"]
    large = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.2.0/24")["Subnet"]["SubnetId"]
    try:
        build(vpc_filter={"filters": {"tag:Name": "builds"}}, subnet_filter={"filters": {"cidr-block": "10.7.1.0/28,10.7.2.0/24"}, "most_free": True}, ami_name="net")
        run = proxy.find("RunInstances")[0]
        assert run.params["SubnetId"] == large
        assert proxy.find("CreateSecurityGroup")[0].params["VpcId"] == vpc
        build(vpc_filter={"filters": {"tag:Name": "builds"}}, subnet_filter={"filters": {"cidr-block": "10.7.1.0/28"}}, associate_public_ip_address=True, ami_name="net-2")
        run = proxy.find("RunInstances")[1]
        assert run.params["NetworkInterface.1.SubnetId"] == small and run.params["NetworkInterface.1.AssociatePublicIpAddress"] == "true"
        r = build(vpc_filter={"filters": {"tag:Name": "builds"}}, subnet_filter={"filters": {"vpc-id": vpc}}, ami_name="net-3", check=1)
        assert "2 subnets match" in r.stdout and "most_free" in r.stdout
    finally:
        for s in (small, large):
            ec2.delete_subnet(SubnetId=s)
        ec2.delete_vpc(VpcId=vpc)


def test_block_devices(build, proxy):
    build(launch_block_device_mappings=[{"device_name": "/dev/sda1", "volume_size": "20", "volume_type": "gp3", "iops": 3500, "throughput": 200, "delete_on_termination": "true"},
                                        {"device_name": "/dev/sdz", "no_device": True}],
          ami_block_device_mappings=[{"device_name": "/dev/sdb", "virtual_name": "ephemeral0"}], ami_name="devices")
    p = proxy.find("RunInstances")[0].params
    assert {k.removeprefix("BlockDeviceMapping.1."): v for k, v in p.items() if k.startswith("BlockDeviceMapping.1.")} == {
        "DeviceName": "/dev/sda1", "Ebs.VolumeSize": "20", "Ebs.VolumeType": "gp3", "Ebs.Iops": "3500", "Ebs.Throughput": "200", "Ebs.DeleteOnTermination": "true"}
    assert p["BlockDeviceMapping.2.DeviceName"] == "/dev/sdz" and p["BlockDeviceMapping.2.NoDevice"] == ""
    p = proxy.find("CreateImage")[0].params
    assert p["BlockDeviceMapping.1.DeviceName"] == "/dev/sdb" and p["BlockDeviceMapping.1.VirtualName"] == "ephemeral0"


def test_what_launches_say(build, proxy, tmp_path):
    (tmp_path / "user-data").write_text("#!/bin/sh\ntrue\n")
    build(user_data_file="user-data", ebs_optimized=True, shutdown_behavior="terminate", availability_zone="us-east-1b", tenancy="dedicated",
          metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 2, "instance_metadata_tags": "enabled"}, enable_unlimited_credits=True, ami_name="says",
          security_group_ids=None, capacity_reservation_preference="open")
    p = proxy.find("RunInstances")[0].params
    want = {"UserData": "IyEvYmluL3NoCnRydWUK", "EbsOptimized": "true", "InstanceInitiatedShutdownBehavior": "terminate", "Placement.AvailabilityZone": "us-east-1b",
            "Placement.Tenancy": "dedicated", "MetadataOptions.HttpTokens": "required", "MetadataOptions.HttpPutResponseHopLimit": "2", "MetadataOptions.InstanceMetadataTags": "enabled",
            "CreditSpecification.CpuCredits": "unlimited", "CapacityReservationSpecification.CapacityReservationPreference": "open"}
    assert {k: p.get(k) for k in want} == want


def test_a_named_profile(build, proxy, account):
    account.iam.create_instance_profile(InstanceProfileName="web")
    try:
        build(iam_instance_profile="web", ami_name="web")
        assert proxy.find("RunInstances")[0].params["IamInstanceProfile.Name"] == "web"
    finally:
        account.iam.delete_instance_profile(InstanceProfileName="web")
    r = build(iam_instance_profile="nobody", ami_name="nobody", check=1)
    assert "nobody" in r.stdout and len(proxy.find("RunInstances")) == 1


def test_copies_go_to_all_regions_with_tags_and_sharing(build, proxy, account):
    r = build(ami_regions=["us-west-2", "eu-west-1", "us-west-2", "us-east-1"], tags={"Name": "copied", "Base": "{{ .SourceAMIName }}"}, snapshot_tags={"Only": "snapshots"}, ami_users=["111122223333"],
              ami_groups=["all"], snapshot_users=["444455556666"], ami_description="from {{ .SourceAMI }}", ami_name="copied")
    copies = proxy.find("CopyImage")
    assert sorted(c.region for c in copies) == ["eu-west-1", "us-west-2"]
    assert all(c.params["SourceRegion"] == "us-east-1" and len(c.params["ClientToken"]) == 36 for c in copies)
    ids = {}
    for region in ("us-east-1", "us-west-2", "eu-west-1"):
        image = account.images(region)["copied"]
        ids[region] = image["ImageId"]
        assert tags(image)["Name"] == "copied" and "ingot:run" not in tags(image) and "Only" not in tags(image), region
        assert image["Description"] == "from " + SOURCE
        ec2 = account.clients[region]
        launch = ec2.describe_image_attribute(ImageId=image["ImageId"], Attribute="launchPermission")["LaunchPermissions"]
        assert {"UserId": "111122223333"} in launch and {"Group": "all"} in launch
        snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        assert tags(ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0])["Only"] == "snapshots"
        may = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"]
        assert may == [{"UserId": "444455556666"}]
    lines = "".join(f"{k}: {ids[k]}\n" for k in sorted(ids))
    assert "AMIs were created:\n" + lines + "\n" in r.stdout


def test_an_unknown_region_is_told_before_anything_is_made(build, proxy, account):
    before = account.state()
    r = build(ami_regions=["eu-wst-1"], check=1)
    assert "eu-wst-1" in r.stdout and "eu-west-1" in r.stdout
    assert account.state() == before and "RunInstances" not in proxy.actions()


def test_a_name_that_is_taken(build, proxy, account):
    build(ami_name="taken")
    before = account.state()
    r = build(ami_name="taken", check=1)
    assert account.images()["taken"]["ImageId"] in r.stdout and account.state() == before


def test_force_replaces_only_after_the_new_image_is_there(build, proxy, account):
    build(ami_name="forced", tags={"v": "1"})
    old = account.images()["forced"]
    proxy.calls.clear()
    r = build("-force", ami_name="forced", tags={"v": "2"}, force_delete_snapshot=True, ami_users=["111122223333"])
    new = account.images()
    assert set(new) == {"forced"} and new["forced"]["ImageId"] != old["ImageId"] and tags(new["forced"]) == {"v": "2"}
    assert f"us-east-1: {new['forced']['ImageId']}" in r.stdout
    order = [c.action for c in proxy.calls]
    gone = next(c for c in proxy.find("DeregisterImage") if c.params["ImageId"] == old["ImageId"])
    made = proxy.find("CreateImage")[0]
    assert re.fullmatch(r"forced-ingot-[0-9A-Z]{26}", made.params["Name"])
    assert made.n < gone.n < proxy.find("RegisterImage")[0].n, order
    assert proxy.find("RegisterImage")[0].params["Name"] == "forced"
    snapshot = old["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert [c.params["SnapshotId"] for c in proxy.find("DeleteSnapshot")][-1] == snapshot


def test_force_gives_the_old_image_back_when_the_name_cannot_be_had(build, proxy, account):
    build(ami_name="kept")
    state = {"n": 0}

    def fail_first_register(n, call):
        if call.action == "RegisterImage":
            state["n"] += 1
            return "refuse" if state["n"] == 1 else None
        return None
    proxy.fault = fail_first_register
    r = build("-force", ami_name="kept", check=1)
    images = account.images()
    assert "kept" in images and any(n.startswith("kept-ingot-") for n in images)
    temp = next(i for n, i in images.items() if n.startswith("kept-ingot-"))
    assert temp["ImageId"] in r.stdout and "registered again" in r.stdout


def test_encryption_needs_no_copy_where_the_launch_can_do_it(build, proxy):
    build(encrypt_boot=True, kms_key_id="alias/builds", ami_regions=["us-west-2"], region_kms_key_ids={"us-west-2": "alias/west"}, ami_name="encrypted")
    p = proxy.find("RunInstances")[0].params
    assert p["BlockDeviceMapping.1.Ebs.Encrypted"] == "true" and p["BlockDeviceMapping.1.Ebs.KmsKeyId"] == "alias/builds"
    copy, = proxy.find("CopyImage")
    assert copy.region == "us-west-2" and copy.params["Encrypted"] == "true" and copy.params["KmsKeyId"] == "alias/west"


def test_the_build_region_can_be_left_out(build, proxy, account):
    before = account.state()
    r = build(skip_save_build_region=True, ami_regions=["us-west-2"], ami_name="elsewhere")
    assert not account.images() and "elsewhere" in account.images("us-west-2")
    assert {k for k in account.state() - before if k[0] == "us-east-1"} == set()
    assert re.search(r"AMIs were created:\nus-west-2: ami-\w+\n\n", r.stdout) and "us-east-1: ami" not in r.stdout


def test_a_dry_build_makes_no_image(build, proxy, account):
    before = account.state()
    r = build(skip_create_ami=True)
    assert account.state() == before and "CreateImage" not in proxy.actions()
    assert "no artifacts were created" in r.stdout


def test_a_failing_provisioner_leaves_nothing(build, proxy, account):
    before = account.state()
    r = build(provisioners=[{"type": "shell-local", "inline": ["exit 3"]}], check=1)
    assert "non-zero exit status: 3" in r.stdout and account.state() == before
    assert "CreateImage" not in proxy.actions()


def test_a_temporary_profile_comes_and_goes(build, proxy, account):
    before = account.state()
    build(temporary_iam_instance_profile_policy_document={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]}, ami_name="profiled",
          run_tags={"Team": "infra"})
    run = proxy.find("RunInstances")[0].params
    name = run["IamInstanceProfile.Name"]
    assert name == proxy.find("CreateInstanceProfile")[0].params["InstanceProfileName"]
    policy = json.loads(proxy.find("PutRolePolicy")[0].params["PolicyDocument"])
    assert policy == {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]}
    assert {k for k in account.state() - before if k[0] == "iam"} == set()


def test_enhanced_networking_is_set_on_the_stopped_instance(build, proxy):
    build(ena_support=True, sriov_support=True, ami_name="enhanced")
    actions = proxy.actions()
    changes = [c.params for c in proxy.find("ModifyInstanceAttribute")]
    assert any(p.get("EnaSupport.Value") == "true" for p in changes) and any(p.get("SriovNetSupport.Value") == "simple" for p in changes)
    assert actions.index("StopInstances") < actions.index("ModifyInstanceAttribute") < actions.index("CreateImage")


def test_build_values_reach_provisioners(build, account):
    r = build(provisioners=[{"type": "shell-local", "inline": ["echo id={{ build `ID` }} region={{ build `BuildRegion` }} source={{ build `SourceAMI` }} host={{ build `Host` }} user={{ build `User` }}"]}],
              ami_name="values")
    assert re.search(rf"id=i-\w+ region=us-east-1 source={SOURCE} host=127.0.0.1 user=\w+", r.stdout)


def test_an_artifact_that_nobody_keeps_is_taken_away(build, account):
    before = account.state()
    build(ami_name="not-kept", post=[[{"type": "artifice", "files": ["t.json"], "keep_input_artifact": False}, {"type": "manifest", "output": "m.json"}]])
    assert account.state() == before


def test_debug_saves_the_key_while_the_build_runs(build, proxy, tmp_path):
    r = build("-debug", ssh_keypair_name=None, ssh_private_key_file=None, communicator="none", ami_name="debug",
              provisioners=[{"type": "shell-local", "inline": ["stat -c 'key %a %s' ec2_amazon-ebs.pem"]}])
    assert re.search(r"key 600 \d{3,}", r.stdout) and not (tmp_path / "ec2_amazon-ebs.pem").exists()
    assert re.search(r"Private IP: \d", r.stdout)


def test_machine_readable_artifact(ingot, proxy, sshd, tmp_path, account):
    path = template(tmp_path, sshd, ami_name="machine")
    r = ingot.run("build", "-machine-readable", path, env=proxy.environment(), cwd=tmp_path, check=0)
    image = account.images()["machine"]["ImageId"]
    assert f",amazon-ebs,artifact,0,builder-id,mitchellh.amazonebs\n" in r.stdout
    assert f",amazon-ebs,artifact,0,id,us-east-1:{image}\n" in r.stdout
    assert f",amazon-ebs,artifact,0,string,AMIs were created:\\nus-east-1: {image}\\n\n" in r.stdout


def test_ten_builds_in_one_process(ingot, proxy, sshd, tmp_path, account):
    path = template(tmp_path, sshd)
    t = json.loads(path.read_text())
    t["builders"] = [{**t["builders"][0], "name": f"b{i}", "ami_name": f"many-{i}"} for i in range(10)]
    path.write_text(json.dumps(t))
    before = account.state()
    ingot.run("build", path, env=proxy.environment(), cwd=tmp_path, check=0)
    assert {f"many-{i}" for i in range(10)} <= set(account.images())
    assert len(account.state() - before) == 20


def test_calls_beyond_the_policy_may_be_denied(build, proxy, account):
    proxy.fault = lambda n, call: None if call.action in POLICY else "deny"
    build(ami_name="least-rights")
    assert "least-rights" in account.images()
    assert {c.action for c in proxy.calls if c.fault} <= BEST_EFFORT


def test_keys_that_were_found_are_hidden(build, proxy, account):
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    env = {"AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "token-" + "x" * 40}
    r = build(communicator="none", ssh_keypair_name=None, ssh_private_key_file=None, skip_create_ami=True, env=env,
              provisioners=[{"type": "shell-local", "inline": ["echo <$AWS_SECRET_ACCESS_KEY> <$AWS_SESSION_TOKEN> <$AWS_ACCESS_KEY_ID>".replace("<", "'<'").replace(">", "'>'")]}])
    assert "<<sensitive>> <<sensitive>> <test>" in r.stdout and secret not in r.stdout and "token-x" not in r.stdout


def test_the_temporary_group_widens_only_when_nothing_connects(ingot, proxy, account, sshd, tmp_path):
    """The minute is ingot's own; both builds wait side by side."""
    running = {}
    for name, flags in (("wide", []), ("strict", ["-strict-ingress"])):
        (tmp_path / name).mkdir()
        path = template(tmp_path / name, sshd, ami_name=f"image-{name}", ssh_port=free_port(), ssh_timeout="64s")
        running[name] = ingot.start("build", *flags, path, env=proxy.environment(), cwd=tmp_path)
    out = {name: p.communicate(timeout=180)[0] for name, p in running.items()}
    assert all(p.returncode == 1 for p in running.values())
    assert out["wide"].count("no connection to") and "0.0.0.0/0" in out["wide"] and "temporary_security_group_source_cidrs" in out["wide"]
    assert "0.0.0.0/0" not in out["strict"]
    ranges = [c.params["IpPermissions.1.IpRanges.1.CidrIp"] for c in proxy.find("AuthorizeSecurityGroupIngress")]
    assert sorted(ranges) == ["0.0.0.0/0", "127.0.0.1/32", "127.0.0.1/32"]
