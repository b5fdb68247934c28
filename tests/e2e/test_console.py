"""console: piped as scripts use it, and typed on a terminal."""
import json
import os
import pty
import re
import select
import signal
import stat
import termios
import time

import pytest

TEMPLATE = """
variable "region" { default = "eu-west-1" }
variable "password" {
  default   = "s3cr3t!"
  sensitive = true
}
variable "needed" { type = string }
locals {
  zones = [for z in ["a", "b"] : "${var.region}${z}"]
  login = { user = "admin", password = var.password }
}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.pkr.hcl").write_text(TEMPLATE)
    (tmp_path / "a.json").write_text('{"variables": {"name": "web"}, "builders": [{"type": "null", "communicator": "none"}]}')
    return tmp_path


# JSON template, arguments: what {{user `a`}} is, and `variables`
LEGACY = [
    ({"variables": {"a": "xyz", "b": "-xyz-"}, "sensitive-variables": ["a"]}, [], "<sensitive>", "\na: <sensitive>,\nb: -<sensitive>-,\n\n"),
    ({"variables": {"a": "x", "b": "axb"}, "sensitive-variables": ["a"]}, [], "<sensitive>", "\na: <sensitive>,\nb: a<sensitive>b,\n\n"),
    ({"variables": {"a": "A", "n": None}}, [], "", "\n\n"),
    ({"variables": {"a": "A", "n": None}}, ["-var", "n=1"], "A", "\na: A,\nn: 1,\n\n"),
    ({"variables": {"a": "A"}, "builders": []}, [], "", "\n\n"),
    ({"variables": {"a": "A", "b": "B"}, "builders": []}, ["-var", "a=Z"], "Z", "\na: Z,\n\n"),
    ({"variables": {"a": "A"}, "min_packer_version": "99"}, [], "", "\n\n"),
    ({"variables": {"a": "A", "b": "{{nope}}"}}, [], "A", "\na: A,\n\n"),
    ({"variables": {"a": "A"}, "builders": [{"type": "nope"}]}, [], "A", "\na: A,\n\n"),
]


@pytest.mark.parametrize("template, args, value, variables", LEGACY)
def test_variables_of_a_json_template(ingot, folder, template, args, value, variables):
    """A template that could not be built has none."""
    (folder / "t.json").write_text(json.dumps({"builders": [{"type": "null", "communicator": "none"}], **template}))
    assert ask(ingot, folder, "{{user `a`}}\n", *args, "t.json") == value + "\n"
    assert ask(ingot, folder, "variables\n", *args, "t.json") == variables


def ask(ingot, folder, text, *args, check=0):
    return ingot.run("console", *args, input=text, cwd=folder, check=check).stdout


def test_text_with_a_nul(ingot, folder):
    """A NUL in an answer ends nothing."""
    assert ask(ingot, folder, '"a\\u0000b"\n', "-config-type=hcl2") == "a\0b\n"


def test_answers(ingot, folder):
    hcl = ("-var", "needed=x", "a.pkr.hcl")
    assert ask(ingot, folder, "upper(var.region)\n", *hcl) == "EU-WEST-1\n"
    assert ask(ingot, folder, "local.zones", *hcl) == '[\n  "eu-west-1a",\n  "eu-west-1b",\n]\n'
    assert ask(ingot, folder, "1 + 1\n2 + 2\n", *hcl) == "4\n"  # the last one counts
    assert ask(ingot, folder, "", *hcl) == "\n"
    assert ask(ingot, folder, "1\nexit\n", *hcl) == "\n"
    assert ask(ingot, folder, "2 * 21\n", "-config-type=hcl2") == "42\n"
    assert ask(ingot, folder, "{{user `name`}}-{{upper `x`}}\n", "a.json") == "web-X\n"


def test_what_is_sensitive_is_hidden_whatever_is_done_with_it(ingot, folder):
    for x in ("var.password", "upper(var.password)", '"a${var.password}"', "local.login", "[var.password][0]", "{ (var.password) = 1 }", "var.password == \"s3cr3t!\"",
              "true ? var.password : 1", "local.login[*].password", "jsonencode(local.login)", "var.password + 1", "local.login[var.password]", "convert([var.password], set(string))",
              'length(regexall("3", var.password)) > 0 ? "yes" : "no"', "{ for x in [var.password] : x => 1 }", "format(\"%s\", var.password)", "split(\"3\", var.password)[0]"):
        out = ingot.run("console", "-var", "needed=x", "a.pkr.hcl", input=x, cwd=folder).stdout
        shown = "\n".join(line for line in out.split("\n") if x not in line)
        assert "sensitive" in out, x
        assert "s3cr3t" not in shown.lower() and "cr" not in re.findall(r"[a-z]+", shown.lower()), x


def test_errors(ingot, folder):
    out = ask(ingot, folder, "var.regoin\n1\n", "-var", "needed=x", "a.pkr.hcl", check=1)
    assert out.startswith("Error: ") and 'Did you mean "region"?' in out and out.endswith("\n1\n")
    assert "line 1, column 5" in out
    assert ask(ingot, folder, "{{nosuch}}\n", "a.json", check=0).startswith("???????: ")
    assert ask(ingot, folder, "var.needed\n", "a.pkr.hcl") == "<unknown>\n"
    assert "nowhere" in ask(ingot, folder, "1\n", "nowhere.pkr.hcl", check=1)


def test_help_and_variables(ingot, folder):
    assert "variables" in ask(ingot, folder, "help\n", "-config-type=hcl2")
    assert "{{" in ask(ingot, folder, "help\n", "a.json")
    out = ask(ingot, folder, "variables\n", "-var", "needed=x", "a.pkr.hcl")
    assert 'var.needed: "x"' in out and "s3cr3t" not in out


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, ingot, folder, state, *args):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execve(ingot.path, [ingot.path, "console", *args], ingot.environment(TERM="xterm", INGOT_STATE_DIR=str(state)))
        self.seen = ""
        self.prompt()

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        try:
            data = os.read(self.fd, 65536) if ready else None
        except OSError:
            data = b""
        if data:
            self.seen += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode(errors="replace"))
        return data

    def wait(self, what, seconds=20):
        """Until the text was shown since the last wait."""
        end = time.monotonic() + seconds
        while what not in self.seen:
            assert time.monotonic() < end, f"no {what!r} in {self.seen!r}"
            assert self.read(0.5) != b"", f"it ended: {self.seen!r}"
        before, _, self.seen = self.seen.partition(what)
        return before

    def prompt(self, what="> "):
        """Until the prompt is there and keys are read one by one: the line editor shows it a moment earlier."""
        self.wait(what)
        end = time.monotonic() + 20
        while termios.tcgetattr(self.fd)[3] & termios.ICANON:
            assert time.monotonic() < end
            time.sleep(0.001)

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        while self.read(20):
            pass
        if not select.select([self.fd], [], [], 0)[0]:  # it still waits
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_on_a_terminal(ingot, folder, tmp_path):
    state = tmp_path / "state"
    t = Terminal(ingot, folder, state, "-var", "needed=x", "a.pkr.hcl")
    t.type("upper(var.reg\t)\r")
    t.wait("EU-WEST-1")
    t.prompt()
    t.type("[1,\r")
    t.prompt(". ")
    t.type("2][1]\r")
    t.wait("2\r\n")
    t.prompt()
    t.type("some words")
    t.wait("some words")
    t.type("\x03")  # Control-C drops them
    t.wait("^C")
    t.prompt()
    t.type("var.nope\r")
    t.wait("Error: ")
    t.prompt()
    t.type("\x04")
    assert t.end() == 0
    history = state / "console_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    t = Terminal(ingot, folder, state, "-var", "needed=x", "a.pkr.hcl")
    t.type("\x1b[A\x1b[A\x1b[A\x1b[A\r")  # four lines back: upper(var.region)
    t.wait("EU-WEST-1")
    t.prompt()
    t.type("\x03")  # on an empty line: leaves
    assert t.end() == 0
