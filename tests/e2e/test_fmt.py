"""fmt: what it prints, what it writes, what it leaves alone; formatting twice changes nothing."""
import glob
import os
import shutil
import stat
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

MESSY = 'variable "a" {\n  default="x"\n   type = string\n}\n'
NEAT = 'variable "a" {\n  default = "x"\n  type    = string\n}\n'
DIFF = '--- old/{0}\n+++ new/{0}\n@@ -1,4 +1,4 @@\n variable "a" {{\n-  default="x"\n-   type = string\n+  default = "x"\n+  type    = string\n }}\n'


@pytest.fixture
def folder(tmp_path):
    for path, text in {"a.pkr.hcl": MESSY, "neat.pkr.hcl": NEAT, "z.pkrvars.hcl": "x=1\n", "sub/b.pkr.hcl": MESSY, ".hidden.pkr.hcl": MESSY,
                       "a.pkr.hcl~": MESSY, "#a.pkr.hcl#": MESSY, "notes.txt": MESSY, "c.hcl": MESSY}.items():
        (tmp_path / "t" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / path).write_text(text)
    return tmp_path / "t"


def texts(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def changed(before, folder):
    return {k for k, v in texts(folder).items() if before.get(k) != v}


def test_a_file(ingot, folder):
    assert ingot.run("fmt", "a.pkr.hcl", cwd=folder, check=0).stdout == "a.pkr.hcl\n"
    assert (folder / "a.pkr.hcl").read_text() == NEAT
    assert ingot.run("fmt", "a.pkr.hcl", cwd=folder, check=0).stdout == ""


def test_a_folder_and_its_folders(ingot, folder):
    before = texts(folder)
    assert ingot.run("fmt", ".", cwd=folder, check=0).stdout == "a.pkr.hcl\nz.pkrvars.hcl\n"
    assert changed(before, folder) == {"a.pkr.hcl", "z.pkrvars.hcl"}
    assert ingot.run("fmt", "-recursive", "./", cwd=folder, check=0).stdout == "sub/b.pkr.hcl\n"
    assert changed(before, folder) == {"a.pkr.hcl", "z.pkrvars.hcl", "sub/b.pkr.hcl"}


def test_check_and_diff_change_nothing(ingot, folder):
    before = texts(folder)
    assert ingot.run("fmt", "-check", ".", cwd=folder, check=3).stdout == "a.pkr.hcl\nz.pkrvars.hcl\n"
    assert ingot.run("fmt", "-check", "-diff", "a.pkr.hcl", cwd=folder, check=3).stdout == "a.pkr.hcl\n" + DIFF.format("a.pkr.hcl")
    assert ingot.run("fmt", "-write=false", "a.pkr.hcl", cwd=folder, check=0).stdout == "a.pkr.hcl\n"
    assert ingot.run("fmt", "-check", "neat.pkr.hcl", cwd=folder, check=0).stdout == ""
    assert changed(before, folder) == set()


def test_diff_writes_too(ingot, folder):
    assert ingot.run("fmt", "-diff", "sub", cwd=folder, check=0).stdout == "sub/b.pkr.hcl\n" + DIFF.format("sub/b.pkr.hcl")
    assert (folder / "sub/b.pkr.hcl").read_text() == NEAT


def test_standard_input(ingot):
    assert ingot.run("fmt", "-", input="a=1\n", check=0).stdout == "a = 1\n"
    assert ingot.run("fmt", "-check", "-", input="a=1\n", check=3).stdout == ""
    assert ingot.run("fmt", "-check", "-", input="a = 1\n", check=0).stdout == "a = 1\n"
    assert "Error: " in ingot.run("fmt", "-", input="a = [\n", check=1).stdout


def test_mode_and_links_stay(ingot, folder):
    os.chmod(folder / "a.pkr.hcl", 0o640)
    (folder / "link.pkr.hcl").symlink_to("a.pkr.hcl")
    ingot.run("fmt", "link.pkr.hcl", cwd=folder, check=0)
    assert (folder / "link.pkr.hcl").is_symlink() and (folder / "a.pkr.hcl").read_text() == NEAT
    assert stat.S_IMODE(os.stat(folder / "a.pkr.hcl").st_mode) == 0o640
    assert not glob.glob(str(folder / "a.pkr.hcl.*"))


# name: (arguments, what is said)
MISTAKES = {
    "a syntax error": (["bad.pkr.hcl"], ["Error: ", "bad.pkr.hcl line 1", "locals {"]),
    "no HCL file": (["notes.txt"], ["Error: ", "notes.txt", "*.pkr.hcl"]),
    "a missing file": (["none.pkr.hcl"], ["Error: ", "none.pkr.hcl", "no such file"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(ingot, folder, name):
    args, says = MISTAKES[name]
    (folder / "bad.pkr.hcl").write_text("locals {\n a=1\n")
    before = texts(folder)
    out = ingot.run("fmt", *args, cwd=folder, check=1).stdout
    assert all(s in out for s in says), out
    assert changed(before, folder) == set()


def test_mistakes_come_last_and_hold_nobody_up(ingot, folder):
    (folder / "bad.pkr.hcl").write_text("locals {\n a=1\n")
    out = ingot.run("fmt", ".", cwd=folder, check=1).stdout
    assert out.startswith("a.pkr.hcl\nz.pkrvars.hcl\nError: ") and (folder / "bad.pkr.hcl").read_text() == "locals {\n a=1\n"


def test_a_folder_that_cannot_be_written(ingot, folder):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    os.chmod(folder, 0o555)
    try:
        out = ingot.run("fmt", "a.pkr.hcl", cwd=folder, check=1).stdout
    finally:
        os.chmod(folder, 0o755)
    assert "a.pkr.hcl" in out and "Permission denied" in out and (folder / "a.pkr.hcl").read_text() == MESSY


def hcl_files():
    tracked = subprocess.run(["git", "ls-files", "-z", "*.hcl"], cwd=TOP, capture_output=True, text=True).stdout.split("\0")
    shared = os.environ.get("INGOT_SHARED", os.path.join(TOP, "..", "shared"))
    return [os.path.join(TOP, p) for p in tracked if p] + sorted(glob.glob(os.path.join(shared, "**", "*.hcl"), recursive=True))


def test_twice_is_once(ingot, tmp_path):
    """Every HCL file at hand: laid out once, a second time changes nothing, and white space alone was changed."""
    files = hcl_files()
    if not files:
        pytest.skip("no HCL files here")
    folder = tmp_path / "all"
    folder.mkdir()
    for i, path in enumerate(files):
        shutil.copyfile(path, folder / f"{i}.pkr.hcl")
    before = texts(folder)
    ingot.run("fmt", ".", cwd=folder)
    once = texts(folder)
    ingot.run("fmt", ".", cwd=folder)
    assert texts(folder) == once
    for name, text in before.items():
        assert "".join(text.lstrip("\ufeff").split()) == "".join(once[name].split()), name


def diff_program():
    return shutil.which("diff")


@pytest.mark.skipif(not diff_program(), reason="no diff program to compare with")
def test_diff_is_that_of_diff(ingot, tmp_path):
    """Blocks that move by a level, where lines of the one text equal other lines of the other."""
    text = "".join("a {\n      b {\n        c {\n      x=%d\n        }\n      }\n    }\n" % i for i in range(30))
    (tmp_path / "a.pkr.hcl").write_text(text)
    ours = ingot.run("fmt", "-diff", "a.pkr.hcl", cwd=tmp_path, check=0).stdout
    (tmp_path / "old").write_text(text)
    theirs = subprocess.run(["diff", "-u", "--label=old/a.pkr.hcl", "--label=new/a.pkr.hcl", "old", "a.pkr.hcl"], cwd=tmp_path, capture_output=True, text=True).stdout
    assert ours == "a.pkr.hcl\n" + theirs
