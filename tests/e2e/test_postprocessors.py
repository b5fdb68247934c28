"""Post-processors after the file builder: which files they take, make, keep and refuse."""
import json
import os
import signal
import tarfile

import pytest

FILE = {"type": "file", "target": "out.txt", "content": "hello\n"}


def build(ingot, folder, *chain, check=0, args=(), **builder):
    (folder / "t.json").write_text(json.dumps({"builders": [{**FILE, **builder}], "post-processors": [list(chain)]}))
    return ingot.run("build", *args, "t.json", cwd=folder, check=check).stdout


@pytest.mark.parametrize("kind", ["manifest", "checksum", "shell-local"])
def test_some_keep_their_input_whatever_is_said(ingot, tmp_path, kind):
    more = {"inline": ["true"]} if kind == "shell-local" else {}
    out = build(ingot, tmp_path, {"type": kind, "keep_input_artifact": False, **more})
    assert (tmp_path / "out.txt").exists() and out.count("--> file: ") == 2


def test_others_do_not(ingot, tmp_path):
    build(ingot, tmp_path, {"type": "compress", "output": "o.tar"})
    assert not (tmp_path / "out.txt").exists() and (tmp_path / "o.tar").exists()


@pytest.mark.parametrize("kind, made", [("manifest", "packer-manifest.json"), ("checksum", "packer_file_file_md5.checksum"), ("compress", "packer_file_file")])
def test_an_empty_output_is_the_default(ingot, tmp_path, kind, made):
    build(ingot, tmp_path, {"type": kind, "output": ""})
    assert (tmp_path / made).exists()


def test_an_archive_over_its_own_file(ingot, tmp_path):
    (tmp_path / "keep").write_text("x")
    out = build(ingot, tmp_path, {"type": "artifice", "files": ["keep"]}, {"type": "compress", "output": "./keep"}, check=1)
    assert "is one of the files to compress" in out and (tmp_path / "keep").read_text() == "x"


def test_the_format_is_in_the_text_of_output(ingot, tmp_path):
    """…and not in what is rendered into it."""
    build(ingot, tmp_path, {"type": "compress", "output": "{{.BuildName}}"}, name="x.zip")
    assert (tmp_path / "x.zip").read_bytes()[:2] == b"\x1f\x8b"


def test_levels(ingot, tmp_path):
    assert "-5" in build(ingot, tmp_path, {"type": "compress", "output": "o.gz", "compression_level": -5}, check=1)
    build(ingot, tmp_path, {"type": "compress", "output": "o.xz", "compression_level": -5})


def test_a_manifest_keeps_its_mode_and_old_entries(ingot, tmp_path):
    path = tmp_path / "packer-manifest.json"
    path.write_text('{"builds": [{"name": "old", "files": null}]}')
    os.chmod(path, 0o600)
    build(ingot, tmp_path, {"type": "manifest"})
    assert path.stat().st_mode & 0o777 == 0o600
    old = json.loads(path.read_text())["builds"][0]
    assert old == {"name": "old", "builder_type": "", "files": None, "artifact_id": "", "packer_run_uuid": "", "custom_data": None}


# Patterns of artifice, and the files they find.
PATTERNS = {
    "d/*": ["d/!", "d/.h", "d/b", "d/c"],
    "d/[!b]": ["d/!", "d/b"],
    "d/[^!b]": ["d/c"],
    "d/\\!": ["d/!"],
    "none*": [],
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_artifice(ingot, tmp_path, pattern):
    (tmp_path / "d").mkdir()
    for name in ("!", ".h", "b", "c"):
        (tmp_path / "d" / name).write_text("")
    out = build(ingot, tmp_path, {"type": "artifice", "files": [pattern]})
    assert f"Using these artifact files: {', '.join(PATTERNS[pattern])}".strip() in out.replace(": \n", ":\n")


@pytest.mark.parametrize("pattern", ["[", "x\\", "[]a]"])
def test_no_pattern(ingot, tmp_path, pattern):
    assert "is no pattern" in build(ingot, tmp_path, {"type": "artifice", "files": [pattern]}, check=1)


@pytest.mark.parametrize("form", ["file", 1, {}, [1]])
def test_names_of_builds_are_a_list_of_texts(ingot, tmp_path, form):
    assert "Template error: " in build(ingot, tmp_path, {"type": "manifest", "only": form}, check=1)


def test_a_copy_gets_the_usual_mode(ingot, tmp_path):
    (tmp_path / "src").write_text("x")
    (tmp_path / "t.json").write_text(json.dumps({"builders": [{"type": "file", "source": "src", "target": "copy"}, {**FILE, "name": "text"}]}))
    ingot.run("build", "t.json", cwd=tmp_path, check=0)
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o600


def test_a_tar_file_holds_long_names(ingot, tmp_path):
    name = "n" * 200
    (tmp_path / name).write_text("x")
    build(ingot, tmp_path, {"type": "artifice", "files": [name]}, {"type": "compress", "output": "o.tar"})
    with tarfile.open(tmp_path / "o.tar") as tar:
        assert tar.getnames() == [name]


def test_a_checksum_can_be_interrupted(ingot, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps({"builders": [FILE], "post-processors": [[{"type": "artifice", "files": ["/dev/zero"]}, "checksum"]]}))
    p = ingot.start("build", "t.json", cwd=tmp_path)
    while "Running post-processor: checksum" not in p.stdout.readline():
        pass
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert p.returncode == 1
