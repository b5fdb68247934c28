"""Builds of HCL2 templates by the real program: what happens in which order, what parts see of the build, what fails how."""
import json
import os
import re

NULL = 'source "null" "a" { communicator = "none" }\nsource "null" "b" { communicator = "none" }\n'


def build(ingot, path, *args, code=0, **env):
    return ingot.run("build", *args, ".", cwd=path, env=env, check=code).stdout


def said(out, name):
    return re.findall(rf"(?m)^==> {re.escape(name)}: (.*)", out)


def test_values_of_the_build_reach_its_parts(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  name    = "n"
  sources = ["null.a"]
  provisioner "shell-local" {
    environment_vars = ["ID=${build.ID}"]
    inline           = ["echo \\"id $ID ${build.PackerRunUUID}\\" = $PACKER_RUN_UUID; echo $PACKER_BUILD_NAME ${source.type}.${source.name} ${build.name}"]
  }
  provisioner "shell-local" { inline = [build.ID == "Null" ? "echo decided at run" : "exit 1"] }
  post-processor "shell-local" { inline = ["echo after ${build.ID}"] }
}"""})
    out = build(ingot, path)
    lines = said(out, "n.null.a")
    uuid = re.search("id Null (.*) = (.*)", out)
    assert uuid.group(1) == uuid.group(2)
    assert "a null.a n" in lines and "decided at run" in lines
    assert said(out, "n.null.a (shell-local)")[-1] == "after Null"


def test_a_failure_that_may_be(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  sources = ["null.a"]
  provisioner "shell-local" {
    continue_on_error = true
    max_retries       = 1
    inline            = ["echo try; exit 3"]
  }
  provisioner "shell-local" { inline = ["echo still there"] }
}"""})
    out = build(ingot, path)
    assert said(out, "null.a").count("try") == 2 and "still there" in said(out, "null.a")
    assert re.search(r"(?m)^==> null.a: Warning: .*exit status: 3", out)
    assert "Build 'null.a' finished" in out


def test_a_failure_is_cleaned_up_after(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  sources = ["null.a", "null.b"]
  provisioner "shell-local" {
    inline   = ["echo fine"]
    override = { a = { inline = ["exit 4"] } }
  }
  error-cleanup-provisioner "shell-local" { inline = ["echo cleaning ${build.ID} of ${source.name}"] }
}"""})
    out = build(ingot, path, code=1)
    assert "cleaning Null of a" in said(out, "null.a") and "fine" in said(out, "null.b")
    assert "cleaning Null of b" not in out
    assert "--> null.b: Did not export anything" in out
    assert "exit status: 4" in build(ingot, path, "-on-error=abort", code=1)


def test_timeouts_and_pauses(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  sources = ["null.a"]
  provisioner "shell-local" {
    pause_before = "20ms"
    inline       = ["echo after the pause"]
  }
  provisioner "shell-local" {
    timeout = "50ms"
    inline  = ["sleep 60"]
  }
}"""})
    out = build(ingot, path, code=1)
    assert said(out, "null.a").index("Pausing 20ms before the next provisioner...") < said(out, "null.a").index("after the pause")
    assert "timeout of 50ms" in out


def test_a_build_that_is_wrong_does_not_stop_the_others(ingot, folder):
    path = folder({"t.pkr.hcl": 'source "file" "x" {}\n' + NULL + 'build { sources = ["file.x", "null.a"] }'})
    out = build(ingot, path, code=1)
    assert '"target" is required' in out and "Build 'null.a' finished" in out and "Build 'file.x'" not in out


def test_a_mistake_of_the_structure_stops_all(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + 'build { sources = ["null.a"] }\nbuild { sources = ["null.c"] }\n'})
    out = build(ingot, path, code=1)
    assert 'no source "null.c"' in out and "Did you mean" in out and "Build '" not in out


def test_chains_and_what_they_keep(ingot, folder):
    path = folder({"t.pkr.hcl": """
source "file" "f" {
  content = "x"
  target  = "f.txt"
}
build {
  sources = ["file.f"]
  post-processors {
    post-processor "compress" { output = "{{.BuildName}}.gz" }
    post-processor "manifest" {
      output      = "m.json"
      strip_path  = true
      custom_data = { name = source.name }
    }
  }
}"""})
    build(ingot, path)
    assert not os.path.exists(path + "/f.txt") and os.path.exists(path + "/f.gz")
    with open(path + "/m.json") as f:
        entry = json.load(f)["builds"][0]
    assert entry["name"] == "f" and entry["custom_data"] == {"name": "f"} and entry["files"][0]["name"] == "f.gz"
    build(ingot, path, "-except=compress")
    assert os.path.exists(path + "/f.txt")


def test_secrets_are_hidden(ingot, folder):
    path = folder({"t.pkr.hcl": """
variable "pw" {
  type      = string
  sensitive = true
}
""" + NULL + """
build {
  sources = ["null.a"]
  provisioner "shell-local" {
    inline = ["echo pw=${var.pw}", "echo ${base64encode(var.pw)} ${sha256(var.pw)}"]
  }
}"""})
    out = build(ingot, path, "-var", "pw=correct horse")
    assert "correct horse" not in out and "pw=<sensitive>" in out
    assert "Y29ycmVjdCBob3JzZQ" not in out


def test_validate_does_not_guess_at_what_only_the_build_knows(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + """
build {
  sources = ["null.a"]
  provisioner "file" {
    source      = "${build.ID}.txt"
    destination = "/x"
  }
  provisioner "shell-local" {
    inline           = ["x"]
    valid_exit_codes = [build.Port]
  }
  dynamic "post-processor" {
    for_each = ["manifest"]
    labels   = [post-processor.value]
    content { output = "${build.Host}.json" }
  }
}"""})
    assert ingot.run("validate", ".", cwd=path, check=0).stdout == "The configuration is valid.\n"


def test_the_same_template_in_json(ingot, folder):
    path = folder({"t.pkr.json": json.dumps({
        "variable": {"who": {"default": "json"}},
        "source": {"null": {"a": {"communicator": "none"}}},
        "build": {"name": "j", "sources": ["null.a"],
                  "provisioner": [{"shell-local": {"inline": ["echo ${var.who} ${build.ID}"], "max_retries": 1}}],
                  "post-processors": [{"post-processor": [{"shell-local": {"inline": ["echo ${source.name}"]}}]}]}})})
    out = build(ingot, path)
    assert "json Null" in said(out, "j.null.a") and said(out, "j.null.a (shell-local)")[-1] == "a"


def test_machine_readable(ingot, folder):
    path = folder({"t.pkr.hcl": NULL + 'build { sources = ["null.a"] }'})
    rows = [line.split(",") for line in build(ingot, path, "-machine-readable").splitlines()]
    assert ["null.a", "artifact", "0", "builder-id", "fnoeding.null"] in [r[1:] for r in rows]


def test_a_hundred_at_once(ingot, folder):
    names = [f"a{i}" for i in range(100)]
    path = folder({"t.pkr.hcl": "\n".join(f'source "null" "{n}" {{ communicator = "none" }}' for n in names) + """
locals { words = { for i in range(20) : "k${i}" => upper("v${i}") } }
build {
  sources = [for i in range(100) : "null.a${i}"]
  provisioner "shell-local" {
    environment_vars = [for k, v in local.words : "${k}=${v}-${build.ID}"]
    inline           = ["echo $k7 of ${source.name}"]
  }
}"""})
    out = build(ingot, path)
    for n in names:
        assert f"==> null.{n}: V7-Null of {n}" in out
