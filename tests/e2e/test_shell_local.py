"""shell-local, as provisioner: what its scripts are, how they are named, and what it refuses."""
import json

import pytest

NULL = {"type": "null", "communicator": "none"}


def build(ingot, folder, check=0, **options):
    template = {"builders": [NULL], "provisioners": [{"type": "shell-local", **options}]}
    (folder / "t.json").write_text(json.dumps(template))
    return ingot.run("build", "t.json", cwd=folder, env={"TMPDIR": str(folder)}, check=check).stdout


@pytest.mark.parametrize("ending", ["foo", ".foo"])
def test_ending_of_the_temporary_script(ingot, tmp_path, ending):
    assert "==> null: foo\n" in build(ingot, tmp_path, inline=["echo ${0##*.}"], tempfile_extension=ending)
    assert not list(tmp_path.glob("packer-*"))


def test_an_empty_shebang_is_the_default(ingot, tmp_path):
    out = build(ingot, tmp_path, check=1, inline=["false", "echo on"], inline_shebang="")
    assert "==> null: on\n" not in out


def test_a_script_sees_the_link_it_was_called_by(ingot, tmp_path):
    (tmp_path / "real.sh").write_text("echo ${0##*/}\n")
    (tmp_path / "real.sh").chmod(0o755)
    (tmp_path / "link.sh").symlink_to("real.sh")
    (tmp_path / "no").mkdir()
    assert "==> null: link.sh\n" in build(ingot, tmp_path, script="./no/../link.sh")


def test_paths_of_windows_are_refused(ingot, tmp_path):
    assert "use_linux_pathing" in build(ingot, tmp_path, check=1, inline=["x"], use_linux_pathing=True)


def test_a_timeout_that_is_over_at_once(ingot, tmp_path):
    assert "Setting a -1s timeout" in build(ingot, tmp_path, check=1, inline=["sleep 5"], timeout="-1s")


def test_what_the_build_does_not_tell_is_no_value(ingot, tmp_path):
    """Also where it comes from a variable, and so is rendered when the script is written."""
    template = {"variables": {"v": "{{.Foo}}"}, "builders": [NULL], "provisioners": [{"type": "shell-local", "inline": ["echo '{{user `v`}}'"]}]}
    (tmp_path / "t.json").write_text(json.dumps(template))
    assert "==> null: <no value>\n" in ingot.run("build", "t.json", cwd=tmp_path, check=0).stdout
