"""Options of amazon-ebs whose effect or whose error is easily got wrong: each as the reference plugin has it, seen in the requests
that leave."""
import html
import json
import re
import subprocess
import time

import pytest

from awsproxy import AwsProxy
from ebs import LOCAL, SOURCE, Account, account, build, proxy, template  # noqa: F401: fixtures

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]}


@pytest.fixture
def validate(ingot, sshd, tmp_path):
    def run(check=0, **options):
        return ingot.run("validate", template(tmp_path, sshd, **options), cwd=tmp_path, check=check).stdout
    return run


def test_a_role_that_is_left_empty_is_none(build, proxy):
    build(assume_role={"role_arn": "", "session_name": "s", "duration_seconds": 0}, skip_create_ami=True)
    assert "AssumeRole" not in proxy.actions()


def test_a_token_without_keys_is_not_used(validate):
    assert "token is not used" in validate(token="t")


def test_the_key_of_the_build_region_wins_over_the_general_one(build, proxy):
    keys = {"us-east-1": "alias/east", "us-west-2": ""}
    build(encrypt_boot=True, kms_key_id="alias/general", ami_regions=["us-east-1", "us-west-2"], region_kms_key_ids=keys, ami_name="keys")
    assert proxy.find("RunInstances")[0].params["BlockDeviceMapping.1.Ebs.KmsKeyId"] == "alias/east"
    copy, = proxy.find("CopyImage")
    assert copy.region == "us-west-2" and "KmsKeyId" not in copy.params


@pytest.mark.parametrize("mapping", ["launch_block_device_mappings", "ami_block_device_mappings"])
def test_an_image_has_one_key_for_all_its_volumes(build, proxy, account, mapping):
    device = {"device_name": "/dev/xvdf", "volume_size": 1, "delete_on_termination": True}
    if mapping.startswith("launch"):
        device.update(encrypted=True, kms_key_id="alias/own")
    build(encrypt_boot=True, kms_key_id="alias/image", ami_name="one-key", **{mapping: [device]})
    copy, = proxy.find("CopyImage")
    assert copy.params["Encrypted"] == "true" and copy.params["KmsKeyId"] == "alias/image"


def test_a_named_profile_may_be_as_new_as_the_build(build, proxy, account):
    account.iam.create_instance_profile(InstanceProfileName="fresh")
    try:
        proxy.fault = lambda n, call: (400, "InvalidParameterValue", "Value (fresh) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name") \
            if call.action == "RunInstances" and len(proxy.find("RunInstances")) < 3 else None
        build(iam_instance_profile="fresh", skip_create_ami=True)
        assert len(proxy.find("RunInstances")) == 3
    finally:
        account.iam.delete_instance_profile(InstanceProfileName="fresh")


def test_roles_are_made_without_the_tag_where_it_is_refused(build, proxy, account):
    before = account.state()
    proxy.fault = lambda n, call: (403, "AccessDenied", "not authorized to perform: iam:TagRole") if call.service == "iam" and "ingot:run" in call.params.values() else None
    build(temporary_iam_instance_profile_policy_document=POLICY, skip_create_ami=True)
    assert len(proxy.find("CreateRole")) == len(proxy.find("CreateInstanceProfile")) == 2
    assert account.state() == before


def test_a_statement_grants_nothing_by_itself(validate):
    policy = {"Statement": [{"Action": ["*"], "Resource": ["*"]}]}
    assert "needs an Effect" in validate(check=1, temporary_iam_instance_profile_policy_document=policy)


def test_no_group_for_the_filter_means_the_default_group(build, proxy):
    r = build(security_group_filter={"filters": {"tag:none": "none"}}, skip_create_ami=True)
    assert "Warning: no security group matches security_group_filter (tag:none=none)" in r.stdout
    assert not proxy.find("RunInstances")[0].list("SecurityGroupId") and "CreateSecurityGroup" not in proxy.actions()


def test_a_subnet_filter_without_filters_is_none(build, proxy, account):
    ec2 = account.clients["us-east-1"]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    try:
        r = build(vpc_id=vpc, subnet_filter={"most_free": True}, check=1)
        assert f"vpc_id {vpc} is not the default VPC" in r.stdout
    finally:
        ec2.delete_vpc(VpcId=vpc)


def test_a_create_whose_answer_is_lost_and_that_shows_late(build, proxy, account):
    """The lookups after the lost answer see nothing yet; the second create is told that the name is taken."""
    before = account.state()
    hidden = {"n": 0}

    def fault(n, call):
        return "cut-after" if call.action == "CreateSecurityGroup" and len(proxy.find("CreateSecurityGroup")) == 1 else None

    def hide(call, body):
        if call.action == "DescribeSecurityGroups" and "group-name" in call.params.values() and hidden["n"] < 4:
            hidden["n"] += 1
            return '<DescribeSecurityGroupsResponse><securityGroupInfo/></DescribeSecurityGroupsResponse>'
        return body
    proxy.fault, proxy.rewrite = fault, hide
    r = build(ssh_keypair_name=None, ssh_private_key_file=None, communicator="none", skip_create_ami=True)
    assert hidden["n"] == 4 and len(proxy.find("CreateSecurityGroup")) == 2, r.stdout
    assert account.state() == before


@pytest.mark.parametrize("text, shown", [
    ("{{ .SourceAMITags.none }}", "<no value>"),
    ("{{ .SourceAMI }} {{ .SourceAMIOwner }}", SOURCE + " 137112412989"),
])
def test_tags_are_rendered_late(build, proxy, text, shown):
    build(run_tags={"T": text, "{{ .BuildRegion }}": "k"}, skip_create_ami=True)
    tags = proxy.find("RunInstances")[0].tags("instance")
    assert tags["T"] == shown and tags["us-east-1"] == "k"


def test_a_value_that_is_not_there_fails_before_anything_is_made(build, proxy, account):
    before = account.state()
    r = build(run_tags={"T": "{{ .SourceAMIX }}"}, check=1)
    assert "run_tags" in r.stdout and "there is no field SourceAMIX" in r.stdout and account.state() == before and "RunInstances" not in proxy.actions()


def test_the_metadata_service_can_be_switched_off(build, proxy):
    build(metadata_options={"http_endpoint": "disabled"}, skip_create_ami=True)
    p = proxy.find("RunInstances")[0].params
    assert p["MetadataOptions.HttpEndpoint"] == "disabled" and "MetadataOptions.HttpTokens" not in p


def test_policy_document_as_written(build, proxy):
    build(temporary_iam_instance_profile_policy_document={"Statement": [{"Effect": "Deny", "Action": ["a:b"], "Resource": ["*"]}]}, skip_create_ami=True)
    assert json.loads(proxy.find("PutRolePolicy")[0].params["PolicyDocument"])["Statement"][0]["Effect"] == "Deny"


def test_only_the_temporary_key_is_cleared(ingot, proxy, make_sshd, tmp_path):
    """Lines of other keys stay, though the name stands in their comments too."""
    server = make_sshd(f"SetEnv HOME={tmp_path}\n")
    own = tmp_path / ".ssh" / "authorized_keys"
    own.parent.mkdir()
    own.write_text("ssh-rsa AAA deploy-2@host\nssh-rsa BBB deploy\nssh-rsa CCC deploy of old\n ssh-rsa D\\nD x*\n")

    def after(call):
        if call.action == "CreateKeyPair":
            pem = tmp_path / "pem"
            pem.touch(0o600)
            pem.write_text(html.unescape(re.search(r"<keyMaterial>(.*?)</keyMaterial>", call.body, re.S).group(1)))
            with open(f"{server.folder}/user.pub", "a") as f:
                f.write(subprocess.run(["ssh-keygen", "-y", "-f", pem], capture_output=True, text=True, check=True).stdout)
    proxy.after = after
    path = template(tmp_path, server, ssh_keypair_name=None, ssh_private_key_file=None, temporary_key_pair_name="deploy", ssh_clear_authorized_keys=True, skip_create_ami=True)
    ingot.run("build", path, env=proxy.environment(), cwd=tmp_path, check=0, timeout=180)
    assert own.read_text() == "ssh-rsa AAA deploy-2@host\nssh-rsa CCC deploy of old\n ssh-rsa D\\nD x*\n"


def test_snapshots_are_tagged_by_who_may_not_look_at_them(build, proxy, account):
    proxy.fault = lambda n, call: "deny" if call.action == "DescribeSnapshots" else None
    build(tags={"a": "b"}, ami_name="blind")
    snapshot = account.images()["blind"]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert any(snapshot in c.list("ResourceId") and c.params["Tag.1.Value"] == "b" for c in proxy.find("CreateTags"))


def test_a_profile_that_is_never_made_holds_nobody_up(ingot, quick_cloud, tmp_path, sshd):
    """The role of the same name is new: that the profile is not found is not waited for a minute."""
    with AwsProxy(int(quick_cloud.url.rsplit(":", 1)[1]), for_moto=False) as p:
        p.fault = lambda n, call: "cut" if call.action == "CreateInstanceProfile" else None
        start = time.monotonic()
        path = template(tmp_path, sshd, **LOCAL, temporary_iam_instance_profile_policy_document=POLICY, max_retries=1)
        r = ingot.run("build", path, env={**quick_cloud.env, "AWS_ENDPOINT_URL": p.url}, cwd=tmp_path, check=1, timeout=180)
        assert time.monotonic() - start < 40, r.stdout
        assert not quick_cloud.client("iam").list_roles()["Roles"]


def test_an_instance_that_cannot_be_ended_is_left_to_sweep_with_its_group(ingot, quick_cloud, tmp_path, sshd):
    account = Account(quick_cloud)
    before = account.state()
    with AwsProxy(int(quick_cloud.url.rsplit(":", 1)[1]), for_moto=False) as p:
        env = {**quick_cloud.env, "AWS_ENDPOINT_URL": p.url}
        p.fault = lambda n, call: "refuse" if call.action == "TerminateInstances" else None
        start = time.monotonic()
        r = ingot.run("build", template(tmp_path, sshd, **LOCAL, skip_create_ami=True), env=env, cwd=tmp_path, timeout=180)
        assert time.monotonic() - start < 60, r.stdout
        assert re.search(r"Terminating instance i-\w+ failed: .*IncorrectState", r.stdout) and not p.find("DeleteSecurityGroup")
        p.fault = None
        ingot.run("sweep", env=env, cwd=tmp_path, check=0, timeout=180)
    assert account.state() == before
