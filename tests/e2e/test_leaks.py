"""No memory is lost at the exit of validate and build, and none is misused on the way: valgrind over the program without sanitizers."""
import os
import shutil

import pytest

from conftest import TOP, Program
from ebs import LOCAL, template

NULL = '{"builders": [{"type": "null", "communicator": "none"}], "provisioners": [{"type": "shell-local", "inline": ["echo {{build_name}}"]}], "post-processors": ["manifest"]}'
MISSPELT = '{"builders": [{"type": "null", "communicator": "none", "ssh_hots": "x"}]}'
TALK = """{"variables": {"n": "{{env `N`}}", "kind": null}, "builders": [{"type": "amazon-ebs", "region": "ap-northeast-2", "instance_type": "{{user `kind`}}",
    "source_ami_filter": {"filters": {"name": "amzn-ami-hvm-*"}, "owners": ["amazon"], "most_recent": true}, "ssh_username": "u", "ami_name": "p-{{timestamp}}"}],
    "provisioners": [{"type": "shell", "inline": ["sudo cowsay `uname -a`"]}]}"""
LOST = "--errors-for-leak-kinds=definite,indirect,possible"


def valgrinds(program):
    """Whether valgrind runs it: the sanitizers' programs it does not."""
    if not os.path.exists(program):
        return False
    with open(program, "rb") as f:
        return b"__asan_init" not in f.read()


@pytest.fixture
def checked(ingot, tmp_path):
    """checked(arguments…): the program under valgrind; exit status 9 and its report where something is lost."""
    if not shutil.which("valgrind"):
        pytest.skip("no valgrind: install it")
    binary = os.environ.get("INGOT_RELEASE_BIN", ingot.path if valgrinds(ingot.path) else os.path.join(TOP, "build", "ingot"))
    if not valgrinds(binary):
        pytest.skip("no build without sanitizers: name one in INGOT_RELEASE_BIN")
    program = Program("valgrind", ingot.home)

    def run(*args, check=0, **kw):
        return program.run("-q", "--leak-check=full", LOST, "--error-exitcode=9", "--child-silent-after-fork=yes", binary, *args, cwd=tmp_path, check=check, timeout=100, **kw)
    return run


@pytest.mark.parametrize("text, args, code", [(TALK, ["-var", "kind=t2.nano"], 0), (TALK, [], 1), (MISSPELT, [], 1), (TALK.replace('",', '"'), [], 1)],
                         ids=["valid", "variable missing", "misspelt option", "comma missing"])
def test_validate(checked, tmp_path, text, args, code):
    (tmp_path / "t.json").write_text(text)
    assert "==" not in checked("validate", *args, "t.json", check=code).stdout.replace("==> ", "")


def test_build_with_a_local_script_and_a_manifest(checked, tmp_path):
    (tmp_path / "t.json").write_text(NULL)
    checked("build", "t.json")
    assert (tmp_path / "packer-manifest.json").exists()


@pytest.fixture(scope="module")
def stateonly(make_cloud):
    return make_cloud("-backend", "none", "-state-delay", "0s")


def steps(folder):
    return [{"type": "shell", "inline": ["echo provisioned"]}, {"type": "file", "source": "t.json", "destination": str(folder / "uploaded")}]


def test_build_of_an_image(checked, stateonly, sshd, tmp_path):
    """Over SSH, with a copy to another region; then one that fails in its provisioner and undoes all."""
    # Without -local, which has no use for an ssh_host: the address is the instance's there, and here it has none.
    ssh = dict(communicator="ssh", ssh_host="127.0.0.1", ssh_port=sshd.port, ssh_private_key_file=sshd.key)
    path = template(tmp_path, sshd, provisioners=steps(tmp_path), post=["manifest"], **{**LOCAL, **ssh, "ami_name": "leaks", "ami_regions": ["us-west-2"], "tags": {"a": "b"}})
    r = checked("build", path, env=stateonly.env)
    assert "provisioned" in r.stdout and "us-west-2: ami-" in r.stdout
    path = template(tmp_path, sshd, provisioners=[{"type": "shell", "inline": ["exit 3"]}], **{**LOCAL, **ssh, "ami_name": "fails"})
    checked("build", path, env=stateonly.env, check=1)
