"""The file builder and its provisioners, which run without a machine."""
import json

import pytest

FILE = {"type": "file", "target": "out.txt", "content": "hello\n"}


def build(ingot, folder, *provisioners, args=(), check=0, **more):
    (folder / "t.json").write_text(json.dumps({"builders": [FILE], "provisioners": list(provisioners), **more}))
    return ingot.run("build", *args, "t.json", cwd=folder, check=check).stdout


def local(line):
    return {"type": "shell-local", "inline": [line]}


def test_local_scripts_see_the_file(ingot, tmp_path):
    assert "==> file: hello\n" in build(ingot, tmp_path, local("cat out.txt"))


def test_remote_ones_have_no_machine(ingot, tmp_path):
    (tmp_path / "src").write_text("x")
    (tmp_path / "d").mkdir()
    out = build(ingot, tmp_path, {"type": "shell", "inline": ["echo remote"]}, {"type": "file", "source": "src", "destination": "/none"},
                {"type": "file", "source": "d", "destination": "/none"}, {"type": "file", "direction": "download", "source": "/x", "destination": "got"},
                {"type": "file", "direction": "download", "source": "/x/", "destination": "more/"})
    assert "remote" not in out and "Uploading src => /none" in out and "--> file: Stored file: out.txt" in out
    assert (tmp_path / "got").read_bytes() == b""


@pytest.mark.parametrize("on_error", ["cleanup", "abort", "ask", "run-cleanup-provisioner"])
def test_nothing_is_undone(ingot, tmp_path, on_error):
    out = build(ingot, tmp_path, local("exit 3"), args=[f"-on-error={on_error}"], check=1, **{"error-cleanup-provisioner": local("echo cleaned"), "post-processors": ["manifest"]})
    assert "Build 'file' errored" in out and "cleaned" not in out and "cleanup provisioner" not in out
    assert (tmp_path / "out.txt").exists() and not (tmp_path / "packer-manifest.json").exists()


def test_a_file_that_is_there_keeps_its_mode(ingot, tmp_path):
    (tmp_path / "out.txt").write_text("something longer")
    (tmp_path / "out.txt").chmod(0o755)
    build(ingot, tmp_path)
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o755 and (tmp_path / "out.txt").read_text() == "hello\n"
