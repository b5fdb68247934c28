"""HCL2 templates as text: each case of hcl_*.test is a directory of files, the commands run in it, and what they print.

    === what it shows
    --- main.pkr.hcl
    variable "x" {}
    $ validate -var x=1 .
    The configuration is valid.
    exit 0

A line `$ NAME=VALUE validate .` sets an environment variable. An exit status other than 0 is written after the output. With
TEST_UPDATE set the files are written anew: read the difference before committing it."""
import glob
import os
import re
import shlex

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def load(path):
    with open(path, encoding="utf-8") as f:
        parts = re.split(r"(?m)^=== (.*)\n", f.read())
    return parts[0], list(zip(parts[1::2], parts[2::2]))


CASES = [pytest.param(path, title, body, id=f"{os.path.basename(path)[:-5]}-{title}")
         for path in sorted(glob.glob(os.path.join(HERE, "hcl_*.test"))) for title, body in load(path)[1]]


def run(ingot, body, folder):
    """Writes the files and runs the commands; the body as it should be."""
    head, *commands = re.split(r"(?m)^\$ (.*)\n", body)
    for name, text in zip(*[iter(re.split(r"(?m)^--- (.*)\n", head)[1:])] * 2):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
            f.write(text)
    out = head
    for line in commands[::2]:
        words = shlex.split(line)
        env = {}
        while re.match(r"\w+=", words[0]):
            name, value = words.pop(0).split("=", 1)
            env[name] = value
        stdin = None
        if "<<<" in words:
            at = words.index("<<<")
            stdin = words[at + 1] + "\n"
            del words[at:]
        r = ingot.run(*words, cwd=folder, env=env, input=stdin)
        assert not r.stderr, r.stderr
        text = re.sub(r"[ \t]+$", "", r.stdout.replace(str(folder), "<CWD>"), flags=re.M).rstrip("\n")
        text = re.sub(r"after \d+ ms", "after 0 ms", text)  # curl's, on a busy machine
        out += f"$ {line}\n" + (text + "\n" if text else "") + (f"exit {r.returncode}\n" if r.returncode else "")
    return out.rstrip("\n") + "\n"


@pytest.mark.parametrize("path,title,body", CASES)
def test_case(ingot, tmp_path, path, title, body):
    got = run(ingot, body, tmp_path)
    if os.environ.get("TEST_UPDATE"):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(f"=== {title}\n{body}", f"=== {title}\n{got}"))
    else:
        assert got == body.rstrip("\n") + "\n"


def test_titles_are_unique():
    ids = [c.id for c in CASES]
    assert len(set(ids)) == len(ids)
