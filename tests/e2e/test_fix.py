"""fix: what it prints, and what it says of templates that it cannot bring up to date. (Each fixer: tests/unit/test_fix.c.)"""
import json

import pytest

OLD = {"builders": [{"type": "amazon-ebs", "ssh_private_ip": True, "ami_name": "web-{{.CreateTime}}"}]}
NEW = '''{
  "builders": [
    {
      "ami_name": "web-{{timestamp}}",
      "ssh_interface": "private_ip",
      "type": "amazon-ebs"
    }
  ]
}

'''


def test_the_fixed_template_is_printed(ingot, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(OLD))
    assert ingot.run("fix", "t.json", cwd=tmp_path, check=0).stdout == NEW
    assert ingot.run("fix", "-", input=json.dumps(OLD), check=0).stdout == NEW
    assert json.loads((tmp_path / "t.json").read_text()) == OLD


def test_what_is_fixed_stays(ingot):
    assert ingot.run("fix", "-", input=NEW, check=0).stdout == NEW


def test_templates_for_newer_versions_are_fixed_too(ingot):
    text = json.dumps({"min_packer_version": "99.0.0", "builders": [{"type": "null"}]})
    assert json.loads(ingot.run("fix", "-", input=text, check=0).stdout) == json.loads(text)


def test_what_looks_like_an_escape_is_text(ingot):
    text = '{"builders": [{"type": "null", "content": "\\\\u003e > \\u003e"}]}'
    out = ingot.run("fix", "-", input=text, check=0).stdout
    assert json.loads(out)["builders"][0]["content"] == "\\u003e > >", out


# name: (template, what is said, whether a fixed text comes first)
MISTAKES = {
    "no JSON": ('{"builders": [', ["Template error: ", "line 1"], False),
    "no object": ("[]", ["Template error: ", "A template is an object"], False),
    "a value that no fixer understands": ('{"builders": [{"type": "amazon-ebs", "ssh_private_ip": "maybe"}]}', ["amazon-private-ip", "builder 1", "maybe"], False),
    "two builders of one name": ('{"builders": [{"type": "null"}, {"type": "null"}]}', ["Template error: ", "the fixed template line", "'null'"], True),
    "no builders": ("{}", ["Template error: ", "builders"], True),
    "a NUL in a name": ('{"builders": [{"type": "null", "a\\u0000b": 1}]}', ["Template error: ", "U+0000", "line 1"], False),
    "an override of nobody": ('{"builders": [{"type": "vmware"}], "provisioners": [{"type": "shell", "override": {"vmware": {}}}]}', ["'vmware'"], True),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(ingot, name):
    text, says, printed = MISTAKES[name]
    out = ingot.run("fix", "-", input=text, check=1).stdout
    assert all(s in out for s in says) and out.startswith("{\n") == printed, out


def test_without_validation(ingot):
    assert ingot.run("fix", "-validate=false", "-", input="{}", check=0).stdout == '{\n  "builders": null\n}\n\n'


def test_hcl_is_refused(ingot, tmp_path):
    (tmp_path / "t.pkr.hcl").write_text("")
    for path in ("t.pkr.hcl", "."):
        assert "legacy JSON" in ingot.run("fix", path, cwd=tmp_path, check=1).stdout
    assert "none.json" in ingot.run("fix", "none.json", cwd=tmp_path, check=1).stdout
