"""The recorded command line of the reference (../shared/vectors/cli), one test a case, run under the name packer."""
import importlib
import json
import os
import shutil
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

ROOT = os.path.realpath(os.path.join(os.environ.get("INGOT_SHARED", os.path.join(TOP, "..", "shared")), "vectors"))
CASES = sorted(d for d in os.listdir(os.path.join(ROOT, "cli")) if os.path.exists(os.path.join(ROOT, "cli", d, "case.json"))) if os.path.isdir(os.path.join(ROOT, "cli")) else []

# Cases that are not for this version, one by one: (names, why).
LATER = {
    "the command execute comes with the plugin host": "cli-h-execute",
    "a component of a later release": "amazon-spot amazon-ssh",
}
SKIP = {name: why for why, names in LATER.items() for name in names.split()}


@pytest.fixture(scope="module")
def judge():
    if not CASES:
        pytest.skip("no ../shared: the recorded vectors are not part of a checkout")
    sys.path.insert(0, ROOT)
    return importlib.import_module("check_cli")


@pytest.fixture(scope="module")
def packer(tmp_path_factory, ingot_bin):
    link = tmp_path_factory.mktemp("bin") / "packer"
    link.symlink_to(ingot_bin)
    return str(link)


@pytest.fixture(scope="module")
def places(sshd):
    return {"<SSH_PORT>": str(sshd.port), "<SSH_WRONG_KEY>": sshd.wrong_key, "<SSH_KEY>": sshd.key, "<SSH_USER>": sshd.user}


@pytest.mark.parametrize("case", CASES or ["none"])
def test_case(case, judge, packer, places, tmp_path):
    if case in SKIP:
        pytest.skip(SKIP[case])
    with open(os.path.join(ROOT, "cli", "DIFFERENT")) as f:
        if case in f.read().split():
            pytest.skip("better on purpose: docs/compatibility.md")
    with open(os.path.join(ROOT, "cli", case, "case.json")) as f:
        commands = json.load(f)
    commands = commands if isinstance(commands, list) else [commands]
    if any(c["reference"] != "1.16.0" for c in commands):
        pytest.skip("recorded from Packer 1.6.6, to show what scripts of its time saw")
    source = tmp_path / case
    shutil.copytree(os.path.join(ROOT, "cli", case), source)
    for top, folders, files in os.walk(source):  # the recorded facts may lie on a read-only disk; modes are part of some cases
        for name in [*folders, *files]:
            path = os.path.join(top, name)
            os.chmod(path, os.stat(path).st_mode | 0o200)
    os.chmod(source, 0o755)
    why = judge.run_case(packer, str(source), commands, places)
    assert not why, "\n".join(why)
