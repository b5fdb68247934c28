"""`schema`: what it prints is JSON Schema, lets good templates pass and finds what is wrong with bad ones."""
import glob
import json
import os

import pytest

jsonschema = pytest.importorskip("jsonschema", reason="tests/requirements.txt has it")

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HCL = {
    "//": "every kind of block",
    "packer": {"required_version": ">= 1.9", "required_plugins": {"amazon": {"version": ">= 1", "source": "github.com/hashicorp/amazon"}}},
    "variable": {
        "region": {"type": "string", "default": "us-east-1", "description": "where", "sensitive": False},
        "sizes": [{"type": "list(number)", "default": [1, 2], "validation": {"condition": "${length(var.sizes) > 0}", "error_message": "Give one."}}],
    },
    "locals": {"name": "x-${var.region}"},
    "local": {"secret": {"expression": "${var.region}", "sensitive": True}},
    "data": {"amazon-ami": {"base": {"region": "us-east-1", "filters": {"name": "ubuntu*"}, "owners": ["amazon"], "most_recent": True}}},
    "source": {
        "null": {"a": {"communicator": "none"}},
        "amazon-ebs": {"web": {"ami_name": "web", "instance_type": "t3.micro", "source_ami": "${data.amazon-ami.base.id}",
                               "ssh_username": "ubuntu", "tags": {"Name": "web"},
                               "launch_block_device_mappings": {"device_name": "/dev/sda1", "volume_size": 8}}},
    },
    "build": {
        "name": "all",
        "sources": ["source.null.a", "source.amazon-ebs.web"],
        "provisioner": [{"shell": {"inline": ["true"], "only": ["null.a"], "timeout": "5m"}}, {"shell-local": {"command": "true"}}],
        "post-processor": {"manifest": {"output": "m.json", "keep_input_artifact": True}},
        "post-processors": {"post-processor": [{"artifice": {"files": ["x"]}}, {"compress": {}}]},
    },
}


def changed(path, value):
    """HCL with something else at a path."""
    template = json.loads(json.dumps(HCL))
    *way, last = path
    at = template
    for step in way:
        at = at[step]
    at[last] = value
    return template


CHECKED = set()


def schema_of(ingot, *args):
    text = ingot.run("schema", *args, check=0).stdout
    if text not in CHECKED:
        jsonschema.Draft202012Validator.check_schema(json.loads(text))
    CHECKED.add(text)
    return jsonschema.Draft202012Validator(json.loads(text))


def mistake(schema, template):
    return jsonschema.exceptions.best_match(schema.iter_errors(template))


def test_example_templates_pass(ingot):
    schema = schema_of(ingot, "-legacy")
    paths = glob.glob(os.path.join(TOP, "examples", "*.json"))
    assert paths
    for path in paths:
        with open(path, encoding="utf-8") as f:
            assert mistake(schema, json.load(f)) is None, path


def test_broken_legacy_templates_fail(ingot):
    schema = schema_of(ingot, "-legacy")
    with open(os.path.join(TOP, "examples", "web.json"), encoding="utf-8") as f:
        good = json.load(f)
    for path, value, word in [
        (["bilders"], [], "bilders"),
        (["builders", 0, "type"], "amazon-ebz", "amazon-ebz"),
        (["builders", 0, "instance_tpye"], "t3.micro", "instance_tpye"),
        (["builders", 0, "tags"], ["a"], "a"),
        (["provisioners", 0, "inline"], {"a": "b"}, "a"),
        (["post-processors", 0, "outptu"], "x", "outptu"),
    ]:
        bad = json.loads(json.dumps(good))
        *way, last = path
        at = bad
        for step in way:
            at = at[step]
        at[last] = value
        error = mistake(schema, bad)
        assert error is not None and word in error.message, path


def test_hcl_in_json_passes(ingot, tmp_path):
    assert mistake(schema_of(ingot), HCL) is None
    # … and means something to the program.
    (tmp_path / "t.pkr.json").write_text(json.dumps(HCL))
    ingot.run("validate", "-syntax-only", tmp_path / "t.pkr.json", check=0)


@pytest.mark.parametrize("path, value", [
    (["bulid"], {}),
    (["source", "null", "a"], {"communicater": "none"}),
    (["source", "nul"], {"a": {}}),
    (["variable", "region"], {"typ": "string"}),
    (["build", "sorces"], []),
    (["build", "provisioner"], {"shell": {"inlien": ["true"]}}),
    (["build", "provisioner"], {"shell": {"inline": ["true"], "max_retries": []}}),
    (["build", "post-processors"], {"manifest": {}}),
    (["local", "secret"], {"sensitive": True}),
], ids=lambda v: ".".join(v) if isinstance(v, list) else "")
def test_broken_hcl_in_json_fails(ingot, path, value):
    assert mistake(schema_of(ingot), changed(path, value)) is not None


def test_options_of_a_component(ingot):
    schema = schema_of(ingot, "amazon-ebs")
    assert schema.schema["properties"]["instance_type"]["description"]
    assert mistake(schema_of(ingot, "provisioner.file"), {"source": "a", "destination": "b"}) is None
    assert "destination" in mistake(schema_of(ingot, "provisioner.file"), {"source": "a"}).message


def test_names_it_does_not_know(ingot):
    assert "say which" in ingot.run("schema", "file", check=1).stdout
    assert "did you mean 'amazon-ebs'" in ingot.run("schema", "amazon-ebz", check=1).stdout
    assert "-legacy" in ingot.run("schema", "-legacy", "amazon-ebs", check=1).stdout
