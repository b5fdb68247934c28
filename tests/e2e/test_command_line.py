"""What the program says to a command line that it cannot use: the help, and as its last line what is wrong."""
import re

import pytest

LAST_LINES = {
    "an unknown command": (["biuld", "t.json"], 127, 'There is no command "biuld"; did you mean "build"?'),
    "a command like no other": (["xyzzy"], 127, 'There is no command "xyzzy".'),
    "an unknown command of a group": (["cloud", "upp"], 1, 'There is no command "cloud upp"; did you mean "cloud up"?'),
    "no template": (["build"], 1, "Missing argument: TEMPLATE"),
    "no plugin": (["plugins", "install"], 1, "Missing argument: <plugin>"),
    "two templates": (["validate", "a.json", "b.json"], 1, "Unexpected argument: b.json"),
    "a flag behind the template": (["build", "t.json", "-var", "a=b"], 1, "Flags come before the arguments: move -var before t.json."),
    "help of nothing": (["help", "biuld"], 127, 'There is no command "biuld"; did you mean "build"?'),
}


@pytest.mark.parametrize("name", LAST_LINES)
def test_last_line(name, ingot):
    args, code, last = LAST_LINES[name]
    out = ingot.run(*args, check=code).stdout
    assert out.startswith("Usage: ingot ") and out.rstrip("\n").rpartition("\n")[2] == last


def test_help_is_a_command(ingot):
    assert ingot.run("help", check=0).stdout == ingot.run("-h", check=0).stdout
    assert ingot.run("help", "build", check=0).stdout == ingot.run("build", "-h", check=0).stdout
    assert ingot.run("help", "cloud", "up", check=0).stdout == ingot.run("cloud", "up", "-h", check=0).stdout


def test_help_fits_and_shows_only_what_has_an_effect(ingot):
    for c in "build", "validate", "inspect", "console", "fmt", "fix", "hcl2_upgrade", "init", "sweep", "cloud", "cloud up", "cloud log", "plugins required", "docs", "schema":
        text = ingot.run(*c.split(), "-h", check=0).stdout
        assert all(len(line) <= 80 for line in text.splitlines()), c
        assert ("-var-file=" in text) == (c in ("build", "validate", "inspect", "console")), c
    text = ingot.run("cloud", "up", "-h", check=0).stdout
    assert re.search(r"Default:\s+127\.0\.0\.1:4599\.", text)
    ingot.run("fmt", "-var", "a=b", "-only=x", "-check", "/dev/null", check=1)  # known all the same
    assert "flag provided" not in ingot.run("fix", "-var", "a=b", "none.json", check=1).stdout
