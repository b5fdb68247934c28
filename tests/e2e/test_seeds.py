"""The templates that people brought, unchanged: each builds on the local cloud, or says in one error which component is not there yet."""
import os
import re
import time

import pytest

from ebs import Account

VARIABLES = "-var-file=packer-var.json"
TALK_REGION, COPIES = "eu-west-1", ["ap-northeast-1", "ap-northeast-2"]

# Those that build: arguments, then the region AWS_DEFAULT_REGION names, the regions with an image, and what the stand-in has more than its base.
BUILDS = {
    "example1.json": ([], None, ["ap-northeast-2"], "cowsay"),
    "example2.json": ([], None, ["ap-northeast-2"], "cowsay"),
    "example3.json": ([VARIABLES], TALK_REGION, [TALK_REGION], "cowsay"),
    "example4.json": ([VARIABLES], TALK_REGION, [TALK_REGION, *COPIES], "cowsay"),
    "minimal-demo.json": ([], None, ["us-east-1"], None),
}

# Those that do not: the component, or the place of the mistake.
REFUSED = {
    "ansible-local.json": 'the provisioner "ansible-local" is not yet supported by ingot',
    "ami-builder-packer-cis.json": 'the provisioner "ansible-local" is not yet supported by ingot',
    "windows-shell.json": 'the provisioner "windows-shell" is not yet supported by ingot',
    "artifice-consul.json": 'the builder "vmware-vmx" is not yet supported by ingot',
    "autoknitter-template.json": 'the builder "amazon-ebssurrogate" is not yet supported by ingot',
    "example1-missing-comma.json": "line 7, column 8",
}


@pytest.fixture(scope="module")
def seeds(shared):
    return os.path.join(shared, "templates", "seeds")


class Build:
    """A build in the background. Its AMI's name is read before the next one starts: the seeds' names differ by the second only."""

    def __init__(self, ingot, cloud, seeds, template):
        args, region, self.regions, self.command = BUILDS[template]
        env = {"INGOT_CLOUD_DATA": cloud.data, "AWS_DEFAULT_REGION": region}
        self.process = ingot.start("build", "-local", *args, template, env=env, cwd=seeds)
        self.text = ""
        for line in self.process.stdout:
            self.text += line
            found = re.search("Checking that the AMI name is free: (.*)", line)
            if found:
                self.name = found.group(1)
                return
        raise AssertionError(self.text)

    def end(self):
        self.text += self.process.communicate(timeout=400)[0]
        assert self.process.returncode == 0, self.text
        listed = re.search(r"AMIs were created:\n((?:\S+: ami-\w+\n)+)\n", self.text)
        assert listed, self.text
        self.images = dict(line.split(": ") for line in listed.group(1).splitlines())
        assert list(self.images) == sorted(self.regions), self.text


def second_after(name):
    stamp = re.fullmatch(r"packer-(\d+)", name)
    while stamp and time.time() < int(stamp.group(1)) + 1:
        time.sleep(0.05)


@pytest.fixture(scope="module")
def built(cloud, seeds, ingot_bin, tmp_path_factory):
    """All of them built, side by side."""
    from conftest import Program
    account = Account(cloud, ["us-east-1", TALK_REGION, *COPIES])
    before, builds = account.state(), {}
    try:
        for template in BUILDS:
            builds[template] = Build(Program(ingot_bin, str(tmp_path_factory.mktemp("seed"))), cloud, seeds, template)
            second_after(builds[template].name)
        for b in builds.values():
            b.end()
    finally:
        for b in builds.values():
            if b.process.poll() is None:
                b.process.kill()
                b.process.wait()
    builds["left"] = account.state() - before
    return builds


def test_each_leaves_its_images_and_nothing_else(built, cloud):
    expected = set()
    for template, (_, _, regions, _) in BUILDS.items():
        b = built[template]
        for region in regions:
            image = cloud.client(region=region).describe_images(ImageIds=[b.images[region]])["Images"][0]
            assert image["State"] == "available" and image["Name"] == b.name
            expected |= {(region, image["ImageId"]), (region, image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])}
    assert built["left"] == expected


def test_the_scripts_of_the_talk_speak(built):
    for template, (_, _, _, command) in BUILDS.items():
        assert ("(oo)" in built[template].text) == (command is not None), built[template].text


@pytest.mark.parametrize("template, region", [("example1.json", "ap-northeast-2"), ("example4.json", "ap-northeast-1")])
def test_an_instance_of_the_image_has_the_change(built, cloud, ingot, folder, template, region):
    again = """{"builders": [{"type": "amazon-ebs", "region": "%s", "source_ami": "%s", "instance_type": "t2.nano", "ssh_username": "ec2-user",
        "ami_name": "again", "skip_create_ami": true}], "provisioners": [{"type": "shell", "inline": ["sudo cowsay works"]}]}"""
    where = folder({"t.json": again % (region, built[template].images[region])})
    r = ingot.run("build", "-local", "t.json", env={"INGOT_CLOUD_DATA": cloud.data}, cwd=where, timeout=400, check=0)
    assert "< works >" in r.stdout


@pytest.mark.parametrize("command", ["validate", "build"])
@pytest.mark.parametrize("template", REFUSED)
def test_what_is_not_there_yet_is_named_once(ingot, seeds, template, command):
    r = ingot.run(command, template, cwd=seeds, env={"AWS_REGION": "us-east-1"}, check=1)
    assert REFUSED[template] in r.stdout
    assert len(re.findall("(?m)^(?:Error|Template error): ", r.stdout)) == 1, r.stdout
    assert r.stdout.count("Warning: JSON has no comments") == (template == "artifice-consul.json")


def test_the_sequence_of_the_note_on_its_own_download(ingot, sshd, seeds, tmp_path):
    """artifice-consul.json as it stands, its machine and the two programs that only its writer has replaced."""
    with open(os.path.join(seeds, "artifice-consul.json")) as f:
        text = f.read()
    null = f'"builders": [{{"type": "null", "ssh_host": "127.0.0.1", "ssh_port": {sshd.port}, "ssh_username": "{sshd.user}", "ssh_private_key_file": "{sshd.key}"}}],\n"provisioners"'
    text = re.sub(r'(?s)"builders".*?"provisioners"', lambda _: null, text)
    text = re.sub(r'"sudo [^"]*"', '"true"', text).replace("/usr/local/bin/consul", str(tmp_path / "installed"))
    text = text.replace("/usr/local/bin/aws s3 cp consul-0.5.2.tar.gz s3://<s3 path>", "tar xzOf consul-0.5.2.tar.gz")
    (tmp_path / "installed").write_text("the binary that was fetched\n")
    (tmp_path / "t.json").write_text(text)
    r = ingot.run("build", "t.json", cwd=tmp_path, check=0)
    assert "the binary that was fetched" in r.stdout
    assert (tmp_path / "consul-0.5.2.tar.gz").exists()
