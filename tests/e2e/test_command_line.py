"""Forms of the command line that scripts written for Packer use."""
import json

import pytest

NULL = {"type": "null", "communicator": "none"}


@pytest.fixture
def packer(packer_name, tmp_path):
    """The program under the name packer, in a directory with two templates."""
    (tmp_path / "t.json").write_text(json.dumps({"variables": {"a": "1"}, "builders": [NULL]}))
    (tmp_path / "h.pkr.hcl").write_text('variable "a" {\n  default = "1"\n}\n')
    return lambda *args, cwd=tmp_path, **options: packer_name.run(*args, cwd=cwd, **options)


@pytest.mark.parametrize("command", ["build", "validate", "inspect"])
def test_an_empty_path_is_the_default_template(packer, command):
    assert "null" in packer(command, "", check=0).stdout or command == "validate"


def test_console_with_two_templates(packer):
    assert packer("console", "t.json", "t.json", input="{{upper `a`}}\n", check=0).stdout == "A\n"


@pytest.mark.parametrize("template, text", [("t.json", "{{user `a`}}"), ("h.pkr.hcl", "var.a")])
def test_answers_of_the_console_are_messages(packer, template, text):
    out = packer("console", "-machine-readable", template, input=text + "\n", check=0).stdout
    assert out.split(",", 1)[1] == ",ui,message,1\n"


def test_version_before_commands_in_machine_readable(packer):
    assert ",,version,1.16.0\n" in packer("-machine-readable", "-v", check=0).stdout


@pytest.mark.parametrize("spelling", ["--machine-readable", "-machine-readable=true"])
def test_other_spellings_do_nothing(packer, spelling):
    assert "Build 'null' finished" in packer("build", spelling, "t.json", check=0).stdout.splitlines()[2]


@pytest.mark.parametrize("number", ["0x1", "0o1", "01", "0b1", "+1"])
def test_numbers_of_flags(packer, number):
    packer("build", f"-parallel-builds={number}", "t.json", check=0)


@pytest.mark.parametrize("number", ["0x", "0b2", "08", "1.0", "", "0x-1"])
def test_no_numbers(packer, number):
    packer("build", f"-parallel-builds={number}", "t.json", check=1)


def test_plugins_installed_ignores_its_arguments(packer):
    assert packer("plugins", "installed", "-nope", "t.json", check=0).stdout == ""


def test_plugins_of_a_json_template(packer):
    assert "Error: " in packer("plugins", "required", "t.json", check=1).stdout
    assert "Error: " in packer("init", "none.pkr.hcl", check=1).stdout


def test_shared_flags_of_plugins_install(packer):
    packer("plugins", "install", "-var", "a=1", "github.com/hashicorp/amazon", check=0)


@pytest.mark.parametrize("settings, code", [("[]", 1), ("null", 0), ("{}", 0), ("1", 1)])
def test_settings_are_an_object(packer, tmp_path, settings, code):
    (tmp_path / "settings").write_text(settings)
    packer("version", env={"PACKER_CONFIG": "settings"}, check=code)


def test_folders_keep_the_names_of_links(packer, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "t.json").write_text(json.dumps({"builders": [NULL], "provisioners": [
        {"type": "shell-local", "inline": ["echo {{template_dir}} {{pwd}}"]}]}))
    link = tmp_path / "link"
    assert f"==> null: {link} {tmp_path}\n" in packer("build", "link/t.json", check=0).stdout
    assert f"==> null: {link} {link}\n" in packer("build", "t.json", cwd=link, env={"PWD": str(link)}, check=0).stdout


def test_a_template_of_the_wrong_name(ingot, folder):
    d = folder({"main.hcl": 'source "null" "a" {}\n', "t.yaml": "builders:\n- type: null\n", "t.json": "hello\n"})
    for name in "main.hcl", "t.yaml":
        assert "names of HCL2 templates end in .pkr.hcl or .pkr.json" in ingot.run("validate", name, cwd=d, check=1).stdout
    assert ".pkr.hcl" not in ingot.run("validate", "t.json", cwd=d, check=1).stdout


def test_a_variable_with_spaces(ingot, folder):
    d = folder({"t.pkr.hcl": 'variable "x" {\n  default = ""\n}\nsource "null" "a" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.a"]\n}\n'})
    assert "without spaces: -var NAME=VALUE" in ingot.run("validate", "-var", "x = a", "t.pkr.hcl", cwd=d, check=1).stdout


def test_only_loopback_at_once(ingot, tmp_path):
    """Refused before anything is made, which may take minutes."""
    out = ingot.run("cloud", "up", "-data", tmp_path / "data", "-listen", "0.0.0.0:4599", check=1, timeout=10).stdout
    assert "0.0.0.0:4599" in out and "loopback" in out and not (tmp_path / "data").exists()
