"""Bad input of every kind: a clear message that names the thing and its place, the right exit code, never a crash."""
import json
import os
import re
import subprocess

import pytest

NULL = {"type": "null", "communicator": "none"}
FILE = {"type": "file", "target": "out.txt", "content": "x"}
EBS = {"type": "amazon-ebs", "region": "us-east-1", "source_ami": "ami-12345678", "instance_type": "t3.micro", "ssh_username": "u", "ami_name": "image"}


def t(builder=None, **rest):
    return json.dumps({"builders": [builder or NULL], **rest}, indent=2)


def ebs(**more):
    return t({**EBS, **more})


# name: (template text, what the message must say)
TEMPLATES = {
    "empty file": ("", ["t.json", "The file is empty"]),
    "a byte order mark": ("\ufeff" + t(), ["byte order mark"]),
    "not JSON at all": ("hello\n", ["line 1"]),
    "missing comma": ('{\n  "builders": [\n    {"type": "null"\n     "communicator": "none"}\n  ]\n}\n', ["line 4", "column 7"]),
    "trailing comma": ('{"builders": [{"type": "null", "communicator": "none"},]}', ["line 1"]),
    "brace never closed": ('{"builders": [', ["t.json"]),
    "a list at the top": ("[]", ["t.json"]),
    "a string that never ends": ('{"builders": [{"type": "null}]}\n', ["line"]),
    "a bad escape": (r'{"builders": [{"type": "nu\ll"}]}', ["line 1"]),
    "text after the end": (t() + "\nx\n", ["line"]),
    "not UTF-8": (b'{"builders": [{"type": "null", "communicator": "\xff\xfe"}]}', ["t.json"]),
    "too deep": ('{"builders": ' + "[" * 20000 + "]" * 20000 + "}", ["t.json"]),
    "a key twice": ('{"builders": [{"type": "null", "communicator": "none"}], "builders": []}', ["builders"]),
    "an unknown key at the top": (t(buidlers=[]), ["buidlers", "builders"]),
    "no builders": ("{}", ["builder"]),
    "builders that are no list": ('{"builders": "null"}', ["builders"]),
    "a builder without a type": ('{"builders": [{"communicator": "none"}]}', ["type"]),
    "an unknown builder": (t({"type": "nul"}), ["nul", "null", "line 4"]),
    "a builder of a later release": (t({"type": "vmware-iso"}), ["vmware-iso"]),
    "two builders of one name": (json.dumps({"builders": [NULL, NULL]}), ["null"]),
    "an unknown option": (t({**NULL, "comunicator": "x"}), ["comunicator", "communicator"]),
    "an option of the wrong type": (t({**FILE, "target": {"a": 1}}), ["target"]),
    "an endpoint that is no URL": (ebs(custom_endpoint_ec2="localhost:4599"), ["http://HOST"]),
    "a number that is none": (ebs(snapshot_copy_duration_minutes="soon"), ["snapshot_copy_duration_minutes"]),
    "a boolean that is none": (ebs(ebs_optimized="perhaps"), ["ebs_optimized"]),
    "a duration without a unit": (ebs(ssh_timeout="5"), ["ssh_timeout"]),
    "a required option missing": (t({"type": "file", "content": "x"}), ["target"]),
    "options that exclude each other": (t({**FILE, "source": "s"}), ["content", "source"]),
    "an unknown provisioner": (t(provisioners=[{"type": "shel"}]), ["shel", "shell"]),
    "a provisioner without a script": (t(provisioners=[{"type": "shell-local"}]), ["shell-local", "script"]),
    "a script that is not there": (t(provisioners=[{"type": "shell-local", "script": "none.sh"}]), ["none.sh"]),
    "a bad environment variable": (t(provisioners=[{"type": "shell-local", "inline": ["x"], "environment_vars": ["nope"]}]), ["nope"]),
    "an operating system of nobody": (t(provisioners=[{"type": "shell-local", "inline": ["x"], "only_on": ["amiga"]}]), ["amiga"]),
    "only of an unknown build": (t(provisioners=[{"type": "shell-local", "inline": ["x"], "only": ["nobody"]}]), ["nobody"]),
    "override of an unknown build": (t(provisioners=[{"type": "shell-local", "inline": ["x"], "override": {"nobody": {}}}]), ["nobody"]),
    "an unknown post-processor": (t(**{"post-processors": ["manifset"]}), ["manifset", "manifest"]),
    "an unknown checksum": (t(**{"post-processors": [{"type": "checksum", "checksum_types": ["crc32"]}]}), ["crc32"]),
    "a variable that is no string": (json.dumps({"variables": {"v": 5}, "builders": [NULL]}), ["v"]),
    "a required variable not set": (json.dumps({"variables": {"v": None}, "builders": [NULL]}), ["v"]),
    "variables in a circle": (json.dumps({"variables": {"a": "{{user `b`}}", "b": "{{user `a`}}"}, "builders": [NULL]}), ["b"]),
    "an unknown function": (t({**FILE, "content": "{{nofunc}}"}), ["nofunc", "content"]),
    "an action never closed": (t({**FILE, "content": "{{user `x`"}), ["content"]),
    "a newer version wanted": (t(min_packer_version="99.0.0"), ["99.0.0"]),
    "a feature of a later release": (ebs(spot_price="auto"), ["spot_price", "not yet supported"]),
    "a name that AWS refuses": (ebs(ami_name="a/\u00e9!"), ["ami_name"]),
    "a key type of nobody": (ebs(temporary_key_pair_type="dsa"), ["temporary_key_pair_type", "dsa"]),
}

FLAGS = {
    "an unknown flag": (["validate", "-nope", "t.json"], 1, ["-nope"]),
    "a flag without its value": (["validate", "-var"], 1, ["-var"]),
    "a bad boolean": (["build", "-color=purple", "t.json"], 1, ["purple", "color"]),
    "a bad number": (["build", "-parallel-builds=many", "t.json"], 1, ["many", "parallel-builds"]),
    "an on-error of nobody": (["build", "-on-error=cry", "t.json"], 1, ["cry", "on-error"]),
    "a variable without =": (["validate", "-var", "x", "t.json"], 1, ["x"]),
    "a variable file that is not there": (["validate", "-var-file=none.json", "t.json"], 1, ["none.json"]),
    "a template that is not there": (["validate", "none.json"], 1, ["none.json"]),
    "no template": (["validate"], 1, ["validate"]),
    "two templates": (["validate", "t.json", "t.json"], 1, ["validate"]),
    "an unknown command": (["biuld", "t.json"], 127, ["build"]),
    "only an unknown build": (["build", "-only=nobody", "t.json"], 1, ["nobody"]),
    "sweep of an unknown run": (["sweep", "-run", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], 1, ["01ARZ3NDEKTSV4RRFFQ69G5FAV"]),
    "a cloud command of nobody": (["cloud", "upp"], 1, ["upp", "up"]),
}


def one_clear_message(out):
    assert out.strip(), "said nothing"
    assert "Sanitizer" not in out and "assert" not in out.lower() and "(null)" not in out, out


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name, ingot, folder):
    text, says = TEMPLATES[name]
    d = folder({})
    with open(os.path.join(d, "t.json"), "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    r = ingot.run("validate", "t.json", cwd=d, check=1)
    one_clear_message(r.stdout)
    for word in says:
        assert word in r.stdout, f"no word of {word!r}:\n{r.stdout}"
    built = ingot.run("build", "-color=false", "t.json", cwd=d, check=1)
    one_clear_message(built.stdout)


@pytest.mark.parametrize("name", FLAGS)
def test_flag(name, ingot, folder):
    args, code, says = FLAGS[name]
    r = ingot.run(*args, cwd=folder({"t.json": t()}), check=code)
    one_clear_message(r.stdout)
    for word in says:
        assert word in r.stdout, f"no word of {word!r}:\n{r.stdout}"


def test_all_mistakes_at_once(ingot, folder):
    d = folder({"t.json": json.dumps({"builders": [{"type": "file"}, {"type": "nul", "name": "b"}], "provisioners": [{"type": "shell-local"}, {"type": "shel"}]}, indent=1)})
    out = ingot.run("validate", "t.json", cwd=d, check=1).stdout
    assert len(re.findall("(?m)^Error: ", out)) >= 4, out


KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wrong"}


def test_no_credentials(ingot, folder):
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": ebs()}), check=1, env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).stdout
    assert "credentials" in out and "AWS_ACCESS_KEY_ID" in out, out


def test_no_network(ingot, folder):
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": ebs()}), check=1, env={**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "2"}).stdout
    assert "127.0.0.1:9" in out, out


def test_wrong_credentials(ingot, folder, api_cloud):
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": ebs()}), check=1, env={**KEYS, "AWS_ENDPOINT_URL": api_cloud.url}).stdout
    assert "AuthFailure" in out or "InvalidClientTokenId" in out, out


def test_no_place_for_the_journal(ingot, folder, tmp_path, api_cloud):
    (tmp_path / "file").write_text("")
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": ebs(region=api_cloud.env["AWS_DEFAULT_REGION"], source_ami="ami-dac312b4")}), check=1, env={**api_cloud.env, "INGOT_STATE_DIR": str(tmp_path / "file" / "x")}).stdout
    assert str(tmp_path / "file") in out, out


def test_full_disk(ingot, folder):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    out = ingot.run("build", "-color=false", "t.json", cwd=folder({"t.json": t({**FILE, "target": "/dev/full"})}), check=1).stdout
    assert "/dev/full" in out and "space" in out, out


def test_output_that_nobody_reads(ingot, folder):
    d = folder({"t.json": t(provisioners=[{"type": "shell-local", "inline": ["seq 1 100000"]}])})
    p = ingot.start("build", "-color=false", "t.json", cwd=d)
    p.stdout.close()
    assert p.wait(60) in (0, 1, -13, 141)


def test_port_taken(ingot, make_cloud, api_cloud):
    port = api_cloud.url.rsplit(":", 1)[1].strip("/")
    r = ingot.run("cloud", "up", "-data", ingot.home + "/d", "-backend", "none", "-listen", f"127.0.0.1:{port}")
    try:
        assert r.returncode == 1 and port in r.stdout, r.stdout
    finally:
        ingot.run("cloud", "down", "-data", ingot.home + "/d")


def test_no_root(ingot_bin, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody")
    home = tmp_path / "h"
    home.mkdir()
    for p in [home, *home.parents]:  # pytest keeps its directories to itself
        if p.stat().st_uid == 0 and not p.stat().st_mode & 0o001:
            p.chmod(p.stat().st_mode | 0o011)
    os.chown(home, 65534, 65534)
    copy = home / "ingot"
    copy.write_bytes(open(ingot_bin, "rb").read())
    copy.chmod(0o755)
    r = subprocess.run([str(copy), "cloud", "up", "-backend", "container", "-data", str(home / "d")], user=65534, group=65534, extra_groups=[], cwd=str(home),
                       env={"PATH": os.environ["PATH"], "HOME": str(home)}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    out = r.stdout + r.stderr
    assert r.returncode == 1 and "root" in out and "qemu" in out, out


def test_missing_program(ingot):
    if os.geteuid() != 0:
        pytest.skip("the container backend needs root")
    hide = 'mount --bind /dev/null "$(command -v mmdebstrap)" && exec "$@"'
    r = subprocess.run(["unshare", "--mount", "sh", "-c", hide, "sh", ingot.path, "cloud", "up", "-backend", "container", "-data", ingot.home + "/d"], capture_output=True, text=True,
                       env=ingot.environment(XDG_CACHE_HOME=ingot.home + "/cache"), cwd=ingot.home, stdin=subprocess.DEVNULL, timeout=60)
    ingot.run("cloud", "down", "-data", ingot.home + "/d")
    assert r.returncode == 1 and "mmdebstrap" in r.stdout + r.stderr, r.stdout + r.stderr


def test_memory_of_many_builds_and_variables(ingot_bin, tmp_path):
    """No build has a copy of all variables: their product would be hundreds of megabytes."""
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"variables": {f"v{i}": "x" for i in range(20000)}, "builders": [{**NULL, "name": f"b{i}"} for i in range(2000)]}))
    p = subprocess.Popen([ingot_bin, "validate", str(path)], stdout=subprocess.PIPE, env={**os.environ, "HOME": str(tmp_path)})
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    assert p.returncode == 0 and b"valid" in out
    assert usage.ru_maxrss < 150000
