"""The local cloud's EC2 as boto3 sees it: round trips, errors, filters, pages, idempotency. Nothing boots (backend none)."""
import subprocess
import uuid

import pytest
from botocore.exceptions import ClientError


def fails(code, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value
    return e.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def quick(make_cloud):
    """States pass at once."""
    return make_cloud("-backend", "none", "-state-delay", "0", "-listen", "127.0.0.1:0")


@pytest.fixture(scope="module")
def ec2(quick):
    return quick.client()


@pytest.fixture(scope="module")
def base(ec2):
    return ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023*"]}])["Images"][0]["ImageId"]


def launch(ec2, image, **kw):
    i = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", **kw)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})
    return i


def end(ec2, i):
    ec2.terminate_instances(InstanceIds=[i])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[i], WaiterConfig={"Delay": 1})


def test_launch_image_launch(ec2, base):
    i = launch(ec2, base)
    name = uuid.uuid4().hex
    image = ec2.create_image(InstanceId=i, Name=name)["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})
    assert "already in use by AMI " + image in fails("InvalidAMIName.Duplicate", ec2.create_image, InstanceId=i, Name=name)
    snapshot = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    fails("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=snapshot)
    second = launch(ec2, image)
    end(ec2, i), end(ec2, second)
    ec2.deregister_image(ImageId=image)
    fails("InvalidAMIID.Unavailable", ec2.describe_images, ImageIds=[image])
    ec2.delete_snapshot(SnapshotId=snapshot)
    fails("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[snapshot])
    assert not ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [i, second]}])["Volumes"]


@pytest.mark.parametrize("code, action, kw", [
    ("InvalidAMIID.NotFound", "describe_images", {"ImageIds": ["ami-01234567890abcdef"]}),
    ("InvalidAMIID.Malformed", "describe_images", {"ImageIds": ["bad"]}),
    ("InvalidInstanceID.NotFound", "stop_instances", {"InstanceIds": ["i-01234567890abcdef"]}),
    ("InvalidInstanceID.Malformed", "terminate_instances", {"InstanceIds": ["x"]}),
    ("InvalidGroup.NotFound", "delete_security_group", {"GroupId": "sg-01234567890abcdef"}),
    ("InvalidKeyPair.NotFound", "describe_key_pairs", {"KeyNames": ["no such"]}),
    ("InvalidVpcID.NotFound", "delete_vpc", {"VpcId": "vpc-01234567890abcdef"}),
    ("InvalidSubnetID.NotFound", "describe_subnets", {"SubnetIds": ["subnet-01234567890abcdef"]}),
    ("InvalidVolume.NotFound", "delete_volume", {"VolumeId": "vol-01234567890abcdef"}),
    ("InvalidSnapshot.NotFound", "delete_snapshot", {"SnapshotId": "snap-01234567890abcdef"}),
    ("InvalidParameterValue", "describe_images", {"Filters": [{"Name": "colour", "Values": ["red"]}]}),
    ("InvalidParameterValue", "describe_instances", {"NextToken": "nonsense"}),
    ("InvalidParameterValue", "describe_instances", {"MaxResults": 2}),
])
def test_errors(ec2, code, action, kw):
    fails(code, getattr(ec2, action), **kw)


def test_run_errors(ec2, base):
    run = dict(ImageId=base, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    fails("InvalidParameterValue", ec2.run_instances, **{**run, "InstanceType": "t9.huge"})
    fails("InvalidKeyPair.NotFound", ec2.run_instances, **run, KeyName="nobody")
    fails("InvalidParameterValue", ec2.run_instances, **run, IamInstanceProfile={"Name": "nobody"})
    fails("InvalidBlockDeviceMapping", ec2.run_instances, **run, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 1}}])
    fails("InvalidParameterValue", ec2.run_instances, **{**run, "MinCount": 3, "MaxCount": 2})
    assert "limit" in fails("InstanceLimitExceeded", ec2.run_instances, **{**run, "MinCount": 101, "MaxCount": 101})
    fails("DryRunOperation", ec2.run_instances, **run, DryRun=True)


def test_states_refuse(ec2, base):
    i = launch(ec2, base)
    fails("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=i, EnaSupport={"Value": True})
    ec2.modify_instance_attribute(InstanceId=i, DisableApiTermination={"Value": True})
    fails("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[i])
    ec2.modify_instance_attribute(InstanceId=i, DisableApiTermination={"Value": False})
    end(ec2, i)
    fails("IncorrectInstanceState", ec2.stop_instances, InstanceIds=[i])
    fails("IncorrectInstanceState", ec2.start_instances, InstanceIds=[i])
    fails("IncorrectState", ec2.create_image, InstanceId=i, Name="of nothing")


def test_client_tokens(ec2, base):
    token = str(uuid.uuid4())
    run = dict(ImageId=base, MinCount=1, MaxCount=1, InstanceType="t3.micro", ClientToken=token)
    a, b = ec2.run_instances(**run), ec2.run_instances(**run)
    assert a["Instances"][0]["InstanceId"] == b["Instances"][0]["InstanceId"]
    fails("IdempotentParameterMismatch", ec2.run_instances, **{**run, "InstanceType": "t3.small"})
    end(ec2, a["Instances"][0]["InstanceId"])


def test_security_groups(ec2, base):
    g = ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="d")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=[rule])
    fails("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=g, IpPermissions=[rule])
    found = ec2.describe_security_groups(Filters=[{"Name": "ip-permission.cidr", "Values": ["10.*"]}])["SecurityGroups"]
    assert [x["GroupId"] for x in found] == [g]
    i = launch(ec2, base, SecurityGroupIds=[g])
    fails("DependencyViolation", ec2.delete_security_group, GroupId=g)
    end(ec2, i)
    ec2.revoke_security_group_ingress(GroupId=g, IpPermissions=[rule])
    fails("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=g, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=g)


def test_key_pairs(ec2, tmp_path):
    for kind in ("rsa", "ed25519"):
        made = ec2.create_key_pair(KeyName=f"made-{kind}", KeyType=kind)
        key = tmp_path / kind
        key.write_text(made["KeyMaterial"])
        key.chmod(0o600)
        public = subprocess.run(["ssh-keygen", "-y", "-f", str(key)], check=True, capture_output=True, text=True).stdout
        imported = ec2.import_key_pair(KeyName=f"imported-{kind}", PublicKeyMaterial=public.encode())
        listed = {k["KeyName"]: k for k in ec2.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]}
        assert listed[f"made-{kind}"]["PublicKey"].split()[:2] == public.split()[:2] == listed[f"imported-{kind}"]["PublicKey"].split()[:2]
        if kind == "ed25519":
            assert imported["KeyFingerprint"] == made["KeyFingerprint"]
        fails("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName=f"made-{kind}")
        ec2.delete_key_pair(KeyName=f"made-{kind}"), ec2.delete_key_pair(KeyName=f"imported-{kind}")
    ec2.delete_key_pair(KeyName="made-rsa")
    fails("InvalidKey.Format", ec2.import_key_pair, KeyName="x", PublicKeyMaterial=b"ssh-rsa nonsense")


def test_filters_and_pages(ec2, base):
    v = [ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[
        {"ResourceType": "volume", "Tags": [{"Key": "page", "Value": f"p-{n}"}, {"Key": "odd", "Value": str(n % 2)}]}])["VolumeId"] for n in range(12)]

    def ids(*filters):
        return [x["VolumeId"] for p in ec2.get_paginator("describe_volumes").paginate(
            Filters=[{"Name": n, "Values": values} for n, values in filters], PaginationConfig={"PageSize": 5}) for x in p["Volumes"]]
    assert ids(("tag-key", ["page"])) == v
    assert ids(("tag:page", ["p-1*"])) == [v[1], v[10], v[11]]
    assert ids(("tag:page", ["p-?"]), ("tag:odd", ["1"])) == v[1:10:2]
    assert ids(("tag:page", [r"p-\*"])) == []
    assert ids(("volume-id", [v[3], "vol-nothing"])) == [v[3]]
    assert ids(("size", ["2"])) == []
    first = ec2.describe_volumes(MaxResults=5)
    assert len(first["Volumes"]) == 5 and first["NextToken"]
    ec2.delete_tags(Resources=[v[0]], Tags=[{"Key": "odd"}])
    assert {t["Key"] for t in ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [v[0]]}])["Tags"]} == {"page"}
    pairs = lambda **f: [(t["ResourceId"], t["Key"], t["Value"]) for t in ec2.describe_tags(Filters=[{"Name": n.replace("_", "-").replace("tag-", "tag:"), "Values": x} for n, x in f.items()])["Tags"]]
    assert pairs(tag_page=["p-3"]) == [(v[3], "page", "p-3")] and pairs(tag_page=["nope"]) == pairs(tag_none=["p-3"]) == []
    assert sorted(pairs(tag_page=["p-1*"], resource_id=v[:11])) == sorted([(v[1], "page", "p-1"), (v[10], "page", "p-10")])
    fails("InvalidVolume.NotFound", ec2.create_tags, Resources=[v[0], "vol-01234567890abcdef"], Tags=[{"Key": "x", "Value": "y"}])
    assert not ids(("tag-key", ["x"])), "nothing is tagged when one id is wrong"
    fails("InvalidParameterValue", ec2.create_tags, Resources=[v[0]], Tags=[{"Key": "aws:x", "Value": "y"}])
    for x in v:
        ec2.delete_volume(VolumeId=x)


def test_copy_and_share(quick, ec2, base):
    i = launch(ec2, base)
    source = ec2.create_image(InstanceId=i, Name=uuid.uuid4().hex, Description="of here")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[source], WaiterConfig={"Delay": 1})
    there = quick.client(region="eu-central-1")
    copy = there.copy_image(SourceRegion="us-east-1", SourceImageId=source, Name="copy", Encrypted=True, KmsKeyId="alias/mine")["ImageId"]
    there.get_waiter("image_available").wait(ImageIds=[copy], WaiterConfig={"Delay": 1})
    fails("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[copy])
    ebs = there.describe_images(ImageIds=[copy])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]
    snapshot = there.describe_snapshots(SnapshotIds=[ebs["SnapshotId"]])["Snapshots"][0]
    assert ebs["Encrypted"] and snapshot["Encrypted"] and snapshot["KmsKeyId"] == "arn:aws:kms:eu-central-1:000000000000:alias/mine"
    ec2.modify_image_attribute(ImageId=source, LaunchPermission={"Add": [{"UserId": "123456789012"}, {"Group": "all"}]})
    assert ec2.describe_images(ImageIds=[source])["Images"][0]["Public"]
    fails("InvalidAMIAttributeItemValue", ec2.modify_image_attribute, ImageId=source, LaunchPermission={"Add": [{"UserId": "12"}]})
    ec2.enable_image_deregistration_protection(ImageId=source)
    fails("OperationNotPermitted", ec2.deregister_image, ImageId=source)
    ec2.disable_image_deregistration_protection(ImageId=source)
    ec2.deregister_image(ImageId=source)
    end(ec2, i)


def test_another_region_is_empty(quick, ec2, base):
    i = launch(ec2, base)
    other = quick.client(region="sa-east-1")
    assert not other.describe_instances()["Reservations"]
    assert other.describe_vpcs()["Vpcs"][0]["VpcId"] != ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    end(ec2, i)


def test_iam_sts_ssm(quick, ec2, base):
    iam, sts, ssm = quick.client("iam"), quick.client("sts"), quick.client("ssm")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    trust = '{"Version":"2012-10-17","Statement":[]}'
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust), iam.create_instance_profile(InstanceProfileName="p")
    fails("EntityAlreadyExists", iam.create_role, RoleName="r", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="r", PolicyName="q", PolicyDocument=trust), iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    assert iam.get_instance_profile(InstanceProfileName="p")["InstanceProfile"]["Roles"][0]["RoleName"] == "r"
    fails("DeleteConflict", iam.delete_instance_profile, InstanceProfileName="p")
    i = launch(ec2, base, IamInstanceProfile={"Name": "p"})
    assert ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"][0]["InstanceId"] == i
    end(ec2, i)
    import boto3
    c = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/r", RoleSessionName="ses")["Credentials"]
    assumed = boto3.client("sts", region_name="us-east-1", endpoint_url=quick.url, aws_access_key_id=c["AccessKeyId"],
                           aws_secret_access_key=c["SecretAccessKey"], aws_session_token=c["SessionToken"])
    assert assumed.get_caller_identity()["Arn"] == "arn:aws:sts::000000000000:assumed-role/r/ses"
    fails("AccessDenied", sts.assume_role, RoleArn="arn:aws:iam::000000000000:role/none", RoleSessionName="ses")
    iam.delete_role_policy(RoleName="r", PolicyName="q"), iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.delete_role(RoleName="r"), iam.delete_instance_profile(InstanceProfileName="p")
    fails("NoSuchEntity", iam.get_role, RoleName="r")
    image = ssm.get_parameter(Name="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")["Parameter"]["Value"]
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Name"].startswith("al2023-ami-")
    assert ssm.get_parameters(Names=["/none"])["InvalidParameters"] == ["/none"]
    fails("ParameterNotFound", ssm.get_parameter, Name="/none")
