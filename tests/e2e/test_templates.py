"""Legacy templates through the program: seeds, size, and what -strict and -syntax-only see."""
import json
import os
import re
import time

import pytest

NULL = {"type": "null", "communicator": "none"}

# template: (exit code, what stands in the output, errors that there are)
SEEDS = {
    "example1.json": (0, ["The configuration is valid."], 0),
    "example2.json": (0, ["The configuration is valid."], 0),
    "example3.json": (0, ["The configuration is valid."], 0),
    "example4.json": (0, ["The configuration is valid."], 0),
    "minimal-demo.json": (0, ["The configuration is valid."], 0),
    "example1-missing-comma.json": (1, ["line 7, column 8"], 0),
    "artifice-consul.json": (1, ["comment", "line 14", '"vmware-vmx" is not yet supported'], 1),
    "ansible-local.json": (1, ["clean_ami_name", '"ansible-local" is not yet supported'], 1),
    "ami-builder-packer-cis.json": (1, ["clean_ami_name", '"ansible-local" is not yet supported'], 1),
    "windows-shell.json": (1, ['"windows-shell" is not yet supported'], 1),
    "autoknitter-template.json": (1, ['"amazon-ebssurrogate" is not yet supported'], 1),
}


@pytest.mark.parametrize("name", SEEDS)
def test_seed_templates(ingot, shared, name):
    code, texts, errors = SEEDS[name]
    seeds = os.path.join(shared, "templates", "seeds")
    r = ingot.run("validate", "-var-file=packer-var.json", name, cwd=seeds, env={"AWS_DEFAULT_REGION": "ap-northeast-2"})
    assert r.returncode == code, r.stdout
    for text in texts:
        assert text in r.stdout
    assert len(re.findall("(?m)^Error: ", r.stdout)) == errors, r.stdout


def test_required_variables_are_named(ingot, shared):
    out = ingot.run("validate", "example3.json", cwd=os.path.join(shared, "templates", "seeds"), check=1).stdout
    assert '"aws_ec2_type" is not set' in out and '"aws_ec2_user" is not set' in out


def test_a_thousand_builds(ingot, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({
        "builders": [{**NULL, "name": f"b{i}"} for i in range(1000)],
        "provisioners": [{"type": "shell-local", "inline": ["echo {{build_name}} {{uuid}}"]}] * 5,
        "post-processors": ["manifest"]}))
    start = time.monotonic()
    ingot.run("validate", "t.json", cwd=tmp_path, check=0)
    assert time.monotonic() - start < 20  # 0.1 s; much more under the sanitizers on a busy machine
    bad = {"builders": [{**NULL, "name": f"b{i}"} for i in range(1000)], "provisioners": [{"type": "shell-local", "inlin": 1}]}
    (tmp_path / "t.json").write_text(json.dumps(bad))
    out = ingot.run("validate", "t.json", cwd=tmp_path, check=1).stdout
    assert out.count("inlin") < 10 and "995 more" in out  # one mistake is told once


def test_strict(ingot, tmp_path):
    (tmp_path / "t.json").write_text('{ // a comment\n"builders": [{"type": "null", "communicator": "none"}]}\n')
    assert "Warning" in ingot.run("validate", "t.json", cwd=tmp_path, check=0).stdout
    assert "-strict" in ingot.run("validate", "-strict", "t.json", cwd=tmp_path, check=1).stdout


def test_syntax_only_takes_any_option(ingot, tmp_path):
    (tmp_path / "t.json").write_text('{"builders": [{"type": "nosuch", "x": 1}], "variables": {"a": null}}')
    out = ingot.run("validate", "-syntax-only", "t.json", cwd=tmp_path, check=0).stdout
    assert out == "Syntax-only check passed. Everything looks okay.\n"


def test_machine_readable_mistakes(ingot, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({"builders": [{**NULL, "nope": 1, "nope2": 2}]}))
    lines = ingot.run("validate", "-machine-readable", "t.json", cwd=tmp_path, check=1).stdout.splitlines()
    assert len(lines) == 2 and all(re.match(r"\d{10},,ui,error,Error: ", x) for x in lines)


def test_all_commands_see_the_same_mistake(ingot, tmp_path):
    (tmp_path / "t.json").write_text('{\n  "builders": [\n    {"type": "null" "communicator": "none"}\n  ]\n}\n')
    outs = {ingot.run(*command, "t.json", cwd=tmp_path, check=1).stdout.strip() for command in (["validate"], ["validate", "-syntax-only"], ["build"], ["inspect"])}
    assert len(outs) == 1 and "line 3, column 22" in outs.pop()


def test_the_name_decides_the_language(ingot, tmp_path):
    for name in ("t.json", "t.txt", "t"):
        (tmp_path / name).write_text(json.dumps({"builders": [NULL]}))
        ingot.run("validate", name, cwd=tmp_path, check=0)
    (tmp_path / "t.pkr.json").write_text("{}")
    (tmp_path / "folder").mkdir()
    for args, text in (["t.pkr.json"], "no build block"), (["folder"], ".pkr.hcl"), (["-config-type=hcl2", "t.json"], ".pkr.hcl"):
        assert text in ingot.run("validate", *args, cwd=tmp_path, check=1).stdout


def test_secrets_do_not_show_in_mistakes(ingot, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({"variables": {"s": "hunter2", "n": "{{nope}}"}, "sensitive-variables": ["s"], "builders": [NULL]}))
    out = ingot.run("validate", "t.json", cwd=tmp_path, check=1).stdout
    assert "nope" in out and "hunter2" not in out
    (tmp_path / "t.json").write_text(json.dumps({"variables": {"s": "hunter2"}, "sensitive-variables": ["s"], "builders": [{"type": "null", "ssh_port": "{{user `s`}}"}]}))
    out = ingot.run("validate", "t.json", cwd=tmp_path, check=1).stdout
    assert "<sensitive>" in out and "hunter2" not in out


def test_override_is_decoded_over_the_options(ingot, folder):
    """As the reference: maps are merged, lists replaced element by element, what is longer keeps its rest."""
    t = {"builders": [{"type": "null", "name": n, "communicator": "none"} for n in "ab"],
         "provisioners": [{"type": "shell-local", "inline": ["echo one", "echo $A$B$C", "echo three"], "env": {"A": "1", "B": "2"},
                           "override": {"a": {"inline": ["echo ONE"], "env": {"B": "x", "C": "y"}, "environment_vars": None}}}]}
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": json.dumps(t)}), check=0).stdout
    assert [line[12:] for line in out.splitlines() if line.startswith("==> null.a: ")][1:] == ["ONE", "1xy", "three"]
    assert [line[12:] for line in out.splitlines() if line.startswith("==> null.b: ")][1:] == ["one", "12", "three"]


def test_inspect_hides_the_values_of_sensitive_variables_wherever_they_stand(ingot, tmp_path):
    """As the reference; the columns are those of the names themselves."""
    (tmp_path / "t.json").write_text(json.dumps({
        "description": "of hunter2", "variables": {"s": "hunter2", "t": "pre-hunter2-post", "hunter2": "x"}, "sensitive-variables": ["s"],
        "builders": [{**NULL, "name": "n-hunter2"}, {**NULL, "name": "n"}]}))
    out = ingot.run("inspect", "t.json", cwd=tmp_path, check=0).stdout
    assert "\nof <sensitive>\n" in out and "\n  <sensitive> = x\n  s       = <sensitive>\n  t       = pre-<sensitive>-post\n" in out
    assert "\n  n         (null)\n  n-<sensitive> (null)\n" in out
    machine = ingot.run("inspect", "-machine-readable", "t.json", cwd=tmp_path, check=0).stdout
    assert ",template-variable,t,pre-<sensitive>-post,0\n" in machine and "hunter2" not in out + machine
    out = ingot.run("inspect", "-var", "s=post", "t.json", cwd=tmp_path, check=0).stdout
    assert " = pre-hunter2-<sensitive>\n" in out
