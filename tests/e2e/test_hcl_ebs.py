"""amazon-ebs from HCL2 on the local cloud, whose instances only have states: blocks, dynamic blocks, data sources, instances of a source."""
import json

import pytest

from ebs import Account, tags


@pytest.fixture(scope="module")
def cloud(make_cloud):
    return make_cloud("-backend", "none", "-state-delay", "0s")


@pytest.fixture
def build(cloud, ingot, folder):
    def run(text, *args, name="t.pkr.hcl", check=0):
        path = folder({name: text})
        return ingot.run("build", "-local", *args, name, env={"INGOT_CLOUD_DATA": cloud.data}, cwd=path, check=check, timeout=120).stdout
    return run


FILTER = """
  source_ami_filter {
    filters     = { name = "debian-12-*" }
    owners      = ["136693071363"]
    most_recent = true
  }"""
HEAD = """
  region        = "us-east-1"
  instance_type = "t3.micro"
  communicator  = "none"
"""


def test_blocks_of_all_kinds(build, cloud):
    out = build("""
variable "extra" {
  type    = map(string)
  default = { Owner = "me", Team = "images" }
}
source "amazon-ebs" "x" {""" + HEAD + FILTER + """
  ami_name = "hcl-blocks"
  tags     = { Base = "{{ .SourceAMIName }}", Build = "${source.name}" }
  dynamic "tag" {
    for_each = var.extra
    content {
      key   = tag.key
      value = upper(tag.value)
    }
  }
  launch_block_device_mappings {
    device_name           = "/dev/sdb"
    volume_size           = 3
    delete_on_termination = true
  }
  dynamic "launch_block_device_mappings" {
    for_each = { c = 4, d = 5 }
    content {
      device_name           = "/dev/sd${launch_block_device_mappings.key}"
      volume_size           = launch_block_device_mappings.value
      delete_on_termination = true
    }
  }
}
build { sources = ["source.amazon-ebs.x"] }
""")
    assert "==> amazon-ebs.x: " in out
    image = Account(cloud).images()["hcl-blocks"]
    assert tags(image).items() >= {"Owner": "ME", "Team": "IMAGES", "Build": "x"}.items() and tags(image)["Base"].startswith("debian-12-")
    sizes = {m["DeviceName"]: m["Ebs"]["VolumeSize"] for m in image["BlockDeviceMappings"]}
    assert sizes.items() >= {"/dev/sdb": 3, "/dev/sdc": 4, "/dev/sdd": 5}.items()


def test_both_languages_make_the_same_image(build, cloud):
    options = {"region": "us-east-1", "instance_type": "t3.micro", "communicator": "none", "ami_name": "parity-json", "ami_description": "from {{ .SourceAMIName }}",
               "source_ami_filter": {"filters": {"name": "debian-12-*"}, "owners": ["136693071363"], "most_recent": True},
               "tags": {"Name": "p"}, "ami_block_device_mappings": [{"device_name": "/dev/sdf", "virtual_name": "ephemeral0"}]}
    build(json.dumps({"source": {"amazon-ebs": {"p": {**options, "ami_name": "parity-hcl"}}}, "build": {"sources": ["amazon-ebs.p"]}}), name="t.pkr.json")
    build(json.dumps({"builders": [{"type": "amazon-ebs", **options}]}), name="t.json")
    one, other = (Account(cloud).images()[name] for name in ("parity-hcl", "parity-json"))
    for what in "Description", "Tags", "Architecture", "VirtualizationType", "EnaSupport", "BootMode":
        assert one.get(what) == other.get(what), what
    assert [m["DeviceName"] for m in one["BlockDeviceMappings"]] == [m["DeviceName"] for m in other["BlockDeviceMappings"]]
    assert one["Description"].startswith("from debian-12-") and tags(one) == {"Name": "p"}


def test_a_data_source_names_the_base_image(build, cloud):
    out = build("""
data "amazon-ami" "base" {
  region      = "us-east-1"
  filters     = { name = "debian-12-*" }
  owners      = ["136693071363"]
  most_recent = true
}
source "amazon-ebs" "x" {""" + HEAD + """
  source_ami = data.amazon-ami.base.id
  ami_name   = "hcl-data"
  tags       = { Base = data.amazon-ami.base.name }
}
build {
  sources = ["amazon-ebs.x"]
  post-processor "shell-local" { inline = ["echo ${build.SourceAMI} is ${data.amazon-ami.base.id}"] }
}
""")
    image = Account(cloud).images()["hcl-data"]
    assert tags(image)["Base"].startswith("debian-12-")
    pair = [line.split(": ", 1)[1].split(" is ") for line in out.splitlines() if " is ami-" in line]
    assert pair and pair[0][0] == pair[0][1]


def test_one_image_for_each_instance(build, cloud):
    out = build("""
source "amazon-ebs" "x" {
  for_each = { small = 8, big = 20 }
""" + HEAD + FILTER + """
  ami_name = "hcl-${each.key}"
  launch_block_device_mappings {
    device_name           = "/dev/sdb"
    volume_size           = each.value
    delete_on_termination = true
  }
}
build {
  sources = ["amazon-ebs.x"]
  post-processor "manifest" { output = "m-${each.key}.json" }
}
""")
    assert "--> amazon-ebs.x.big: AMIs were created:" in out
    images = Account(cloud).images()
    assert {"hcl-small", "hcl-big"} <= set(images)
    assert 20 in [m["Ebs"]["VolumeSize"] for m in images["hcl-big"]["BlockDeviceMappings"]]


def test_validate_knows_no_data_and_guesses_at_none(ingot, folder):
    path = folder({"t.pkr.hcl": """
data "amazon-ami" "base" {
  region      = "us-east-1"
  filters     = { name = "debian-12-*" }
  owners      = ["136693071363"]
  most_recent = true
}
source "amazon-ebs" "x" {
  region         = "us-east-1"
  instance_type  = data.amazon-ami.base.name
  source_ami     = data.amazon-ami.base.id
  ami_name       = "from-${data.amazon-ami.base.name}"
  ssh_username   = data.amazon-ami.base.owner
  ssh_interface  = data.amazon-ami.base.owner
  dynamic "tag" {
    for_each = data.amazon-ami.base.tags
    content {
      key   = tag.key
      value = tag.value
    }
  }
}
build { sources = ["amazon-ebs.x"] }
"""})
    assert ingot.run("validate", ".", cwd=path, check=0).stdout == "The configuration is valid.\n"
