"""What ingot's HCL2 has beyond Packer's: for_each, enabled, groups of provisioners, depends_on; and that -strict tells of it."""
import re

NULL = 'source "null" "a" { communicator = "none" }\n'


def build(ingot, path, *args, code=0):
    return ingot.run("build", *args, ".", cwd=path, check=code).stdout


def test_one_build_for_each_instance_of_a_source(ingot, folder):
    path = folder({"t.pkr.hcl": """
source "file" "f" {
  for_each = { small = 1, big = 100 }
  content  = "${each.key} has ${each.value}"
  target   = "${each.key}.txt"
}
build {
  sources = ["file.f"]
  provisioner "shell-local" {
    only   = ["file.f.big"]
    inline = ["echo provisioning ${each.key}"]
  }
  post-processor "shell-local" { inline = ["echo of ${source.name}; cat ${each.key}.txt"] }
}"""})
    out = build(ingot, path)
    assert "==> file.f.small (shell-local): small has 1" in out and "==> file.f.big (shell-local): of f.big" in out
    assert "file.f.big: output will be in this color." in out
    assert "Build 'file.f.small'" not in build(ingot, path, "-only=*.big")


def test_one_build_block_for_each_element(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  for_each = ["eu", "us"]
  name     = "in-${each.key}"
  sources  = ["null.a"]
  provisioner "shell-local" { inline = ["echo ${build.name} ${each.value}"] }
}"""})
    out = build(ingot, path)
    assert "==> in-eu.null.a: in-eu eu" in out and "==> in-us.null.a: in-us us" in out


def test_what_is_not_enabled_is_left_out(ingot, folder):
    path = folder({"t.pkr.hcl": """
variable "debug" { default = false }
source "null" "a" { communicator = "none" }
source "null" "b" {
  communicator = "none"
  enabled      = var.debug
}
build {
  sources = ["null.a", "null.b"]
  provisioner "shell-local" {
    enabled = var.debug
    inline  = ["echo debugging ${source.name}"]
  }
}"""})
    out = build(ingot, path)
    assert "null.b" not in out and "debugging" not in out
    assert "==> null.b: debugging b" in build(ingot, path, "-var", "debug=true")


def test_no_build_is_left(ingot, folder):
    """What left none: the template's own options, or the flags."""
    path = folder({"t.pkr.hcl": NULL + 'build {\n  enabled = false\n  sources = ["null.a"]\n}\n'})
    out = build(ingot, path, code=1)
    assert "No builds to run" in out and "enabled = false" in out and "-only" not in out
    path = folder({"t.pkr.hcl": NULL + 'build {\n  sources = ["null.a"]\n}\n'})
    assert "is left with -only=*.a -except=null.*." in build(ingot, path, "-only=*.a", "-except=null.*", code=1)


def test_a_group_of_provisioners_stands_where_it_is_named(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
provisioners "base" {
  provisioner "shell-local" { inline = ["echo one of ${build.name}"] }
  provisioner "shell-local" { inline = ["echo two"] }
}
build {
  name    = "x"
  sources = ["null.a"]
  provisioner "shell-local" { inline = ["echo before"] }
  provisioners "base" {}
  provisioner "shell-local" { inline = ["echo after"] }
}
build {
  name    = "y"
  sources = ["null.a"]
  provisioners "base" {}
}"""})
    out = build(ingot, path)
    said = [x for x in re.findall(r"(?m)^==> x.null.a: (.*)", out) if not x.startswith("Running")]
    assert said == ["before", "one of x", "two", "after"]
    assert "==> y.null.a: one of y" in out


CHAIN = NULL + """
build {
  name       = "second"
  depends_on = ["first"]
  sources    = ["null.a"]
  provisioner "shell-local" { inline = ["test -e first.done && echo second runs"] }
}
build {
  name    = "first"
  sources = ["null.a"]
  provisioner "shell-local" { inline = ["FIRST", "touch first.done"] }
}
build {
  name       = "third"
  depends_on = ["second"]
  sources    = ["null.a"]
}
"""


def test_a_build_waits_for_those_it_depends_on(ingot, folder):
    path = folder({"t.pkr.hcl": CHAIN.replace("FIRST", "sleep 0.2")})
    for more in [], ["-parallel-builds=1"]:
        out = build(ingot, path, *more)
        assert "==> second.null.a: second runs" in out
        assert out.index("Build 'first.null.a' finished") < out.index("Build 'second.null.a' finished") < out.index("Build 'third.null.a' finished")


def test_what_depends_on_a_failed_build_is_skipped(ingot, folder):
    path = folder({"t.pkr.hcl": CHAIN.replace("FIRST", "exit 1")})
    out = build(ingot, path, code=1)
    assert "Build 'second.null.a' skipped: not run: it depends on 'first.null.a', which failed" in out
    assert "Build 'third.null.a' skipped" in out and "--> third.null.a:" in out
    assert "second runs" not in out
    only = build(ingot, path, "-only=third.*")  # nobody to wait for
    assert "Build 'third.null.a' finished" in only


def test_circles_are_found_before_anything_runs(ingot, folder):
    path = folder({"t.pkr.hcl": CHAIN.replace('name    = "first"', 'name    = "first"\n  depends_on = ["third"]')})
    out = ingot.run("validate", ".", cwd=path, check=1).stdout
    assert "waits for itself" in out


def test_strict_tells_of_what_packer_lacks(ingot, folder):
    path = folder({"t.pkr.hcl": CHAIN})
    assert ingot.run("validate", ".", cwd=path, check=0).stdout == "The configuration is valid.\n"
    out = ingot.run("validate", "-strict", ".", cwd=path, check=1).stdout
    assert out.count("ingot's own") == 2 and "depends_on" in out
