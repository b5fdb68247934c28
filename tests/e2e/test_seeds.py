"""The templates that people brought, unchanged: each builds on the local cloud, or says in one error which component is not there yet."""
import calendar
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
    "ansible-local.json": 'The provisioner "ansible-local" is not yet supported by ingot',
    "ami-builder-packer-cis.json": 'The provisioner "ansible-local" is not yet supported by ingot',
    "windows-shell.json": 'The provisioner "windows-shell" is not yet supported by ingot',
    "artifice-consul.json": 'The builder "vmware-vmx" is not yet supported by ingot',
    "autoknitter-template.json": 'The builder "amazon-ebssurrogate" is not yet supported by ingot',
    "example1-missing-comma.json": "line 7, column 8",
}


@pytest.fixture(scope="module")
def seeds(shared):
    return os.path.join(shared, "templates", "seeds")


class Build:
    """A build in the background. Its AMI's name is read before the next one starts: the seeds' names differ by the second only."""

    def __init__(self, ingot, cloud, seeds, template, path=None):
        args, region, self.regions, self.command = BUILDS[template]
        env = {"INGOT_CLOUD_DATA": cloud.data, "AWS_DEFAULT_REGION": region}
        self.process = ingot.start("build", "-local", *args, path or template, env=env, cwd=seeds)
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
    """The time in a name: seconds of the epoch from JSON, digits of the date from HCL2."""
    stamp = re.fullmatch(r"packer-(\d+)", name)
    if not stamp:
        return
    second = int(stamp.group(1)) if len(stamp.group(1)) < 14 else calendar.timegm(time.strptime(stamp.group(1), "%Y%m%d%H%M%S"))
    while time.time() < second + 1:
        time.sleep(0.05)


def build_all(cloud, seeds, home, paths):
    """All of them built, side by side. paths: of each template, the one to build."""
    account = Account(cloud, ["us-east-1", TALK_REGION, *COPIES])
    before, builds = account.state(), {}
    try:
        for template, path in paths.items():
            builds[template] = Build(home(), cloud, seeds, template, path)
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


@pytest.fixture(scope="module")
def home(ingot_bin, tmp_path_factory):
    """Makes a program with a home of its own."""
    from conftest import Program
    return lambda: Program(ingot_bin, str(tmp_path_factory.mktemp("seed")))


@pytest.fixture(scope="module")
def built(cloud, seeds, home):
    return build_all(cloud, seeds, home, {template: template for template in BUILDS})


def properties(cloud, b):
    """What the images of a build are, less what differs by the hour and the id."""
    for region in b.regions:
        image = cloud.client(region=region).describe_images(ImageIds=[b.images[region]])["Images"][0]
        disks = [(d["DeviceName"], d["Ebs"]["VolumeSize"], d["Ebs"]["VolumeType"], d["Ebs"]["DeleteOnTermination"]) for d in image["BlockDeviceMappings"]]
        yield region, re.sub(r"\d{10,}", "TIME", image["Name"]), image.get("Description"), image["Architecture"], image["RootDeviceName"], image["State"], disks, image.get("Tags")


@pytest.fixture(scope="module")
def upgraded(built, cloud, seeds, home, tmp_path_factory):
    """The templates turned into HCL2, and those built; with what the JSON ones had left before."""
    before = {template: list(properties(cloud, built[template])) for template in BUILDS}
    for region, image in built["minimal-demo.json"].images.items():  # its name has no time in it
        cloud.client(region=region).deregister_image(ImageId=image)
    folder = tmp_path_factory.mktemp("upgraded")
    paths = {template: str(folder / f"{template}.pkr.hcl") for template in BUILDS}
    for template, path in paths.items():
        home().run("hcl2_upgrade", f"-output-file={path}", template, cwd=seeds, check=0)
    return before, build_all(cloud, seeds, home, paths)


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


def test_upgraded_ones_build_the_same(built, upgraded, cloud):
    before, again = upgraded
    for template, (_, _, regions, command) in BUILDS.items():
        assert list(properties(cloud, again[template])) == before[template]
        assert ("(oo)" in again[template].text) == (command is not None), again[template].text
    assert len(again["left"]) == len(built["left"])


@pytest.mark.parametrize("template, region", [("example1.json", "ap-northeast-2"), ("example4.json", "ap-northeast-1")])
def test_an_instance_of_the_image_has_the_change(built, cloud, ingot, folder, template, region):
    again = """{"builders": [{"type": "amazon-ebs", "region": "%s", "source_ami": "%s", "instance_type": "t2.nano", "ssh_username": "ec2-user",
        "ami_name": "again", "skip_create_ami": true}], "provisioners": [{"type": "shell", "inline": ["sudo cowsay works"]}]}"""
    where = folder({"t.json": again % (region, built[template].images[region])})
    r = ingot.run("build", "-local", "t.json", env={"INGOT_CLOUD_DATA": cloud.data}, cwd=where, timeout=400, check=0)
    assert "< works >" in r.stdout


@pytest.mark.parametrize("template", [*BUILDS, *(t for t in REFUSED if t != "example1-missing-comma.json")])
def test_each_upgraded_is_valid_or_lacks_the_same(ingot, seeds, tmp_path, template):
    path = tmp_path / "t.pkr.hcl"
    ingot.run("hcl2_upgrade", f"-output-file={path}", template, cwd=seeds, check=0)
    ingot.run("fmt", "-check", path, check=0)
    args = BUILDS[template][0] if template in BUILDS else []
    r = ingot.run("validate", *args, path, cwd=seeds, env={"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}, check=0 if template in BUILDS else 1)
    assert template in BUILDS or REFUSED[template] in r.stdout
    assert all("not yet supported by ingot" in x for x in re.findall("(?m)^Error: .*", r.stdout)), r.stdout


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
