"""init and plugins: what is built in needs nothing, what is not gets one clear error; plugin programs on the machine are found and removed."""
import hashlib
import platform

import pytest

AMAZON = 'packer {\n  required_plugins {\n    amazon = {\n      source  = "github.com/hashicorp/amazon"\n      version = ">= 1.2.0, < 2"\n    }\n  }\n}\n'
DOCKER = AMAZON.replace("amazon", "docker")
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.fixture
def folder(tmp_path):
    """Plugin programs as Packer installs them, and some files that are none."""
    top = tmp_path / "plugins"
    for source, version, good in (("github.com/hashicorp/docker", "1.0.9", True), ("github.com/hashicorp/docker", "1.10.0", True), ("github.com/hashicorp/docker", "2.0.0", False),
                                  ("example.com/ns/other", "0.1.0", True)):
        name = source.rsplit("/", 1)[1]
        path = top / source / f"packer-plugin-{name}_v{version}_x5.0_linux_{ARCH}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(version)
        path.with_name(path.name + "_SHA256SUM").write_text(hashlib.sha256((version if good else "x").encode()).hexdigest())
    (top / "github.com/hashicorp/docker" / f"packer-plugin-docker_v1.2.0_x5.0_plan9_{ARCH}").write_text("")
    (top / "README").write_text("")
    return top


def run(ingot, folder, *args, check=0):
    return ingot.run(*args, env={"PACKER_PLUGIN_PATH": str(folder)}, cwd=folder.parent, check=check).stdout


def program(folder, version, source="github.com/hashicorp/docker"):
    return str(folder / source / f"packer-plugin-{source.rsplit('/', 1)[1]}_v{version}_x5.0_linux_{ARCH}")


def test_init_of_what_is_built_in(ingot, tmp_path):
    (tmp_path / "t.pkr.hcl").write_text(AMAZON)
    out = ingot.run("init", "t.pkr.hcl", cwd=tmp_path, check=0).stdout
    assert "github.com/hashicorp/amazon is built in" in out and "newer" not in out
    for flag in ("-upgrade", "-force"):
        out = ingot.run("init", flag, ".", cwd=tmp_path, check=0).stdout
        assert "built in" in out and ("newer" in out) == (flag == "-upgrade")


def test_init_of_others(ingot, tmp_path):
    (tmp_path / "t.pkr.hcl").write_text(DOCKER + AMAZON)
    out = ingot.run("init", "t.pkr.hcl", cwd=tmp_path, check=1).stdout
    assert "docker: the plugin github.com/hashicorp/docker" in out and out.count("docker:") == 1 and "amazon is built in" in out


def test_init_of_nothing(ingot, tmp_path):
    (tmp_path / "t.pkr.hcl").write_text('variable "v" {}\n')
    assert "requires no plugins" in ingot.run("init", ".", cwd=tmp_path, check=0).stdout


# name: (file, its text, what is said)
MISTAKES = {
    "a JSON template": ("t.json", '{"builders": [{"type": "null"}]}', ["Error: ", "t.json"]),
    "a missing one": ("none.pkr.hcl", None, ["none.pkr.hcl", "no such file"]),
    "a broken one": ("t.pkr.hcl", "packer {\n", ["Error: ", "t.pkr.hcl line 1"]),
    "a bad source": ("t.pkr.hcl", AMAZON.replace("github.com/hashicorp/amazon", "amazon"), ["Error: ", "t.pkr.hcl line", "host"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_init_mistakes(ingot, tmp_path, name):
    path, text, says = MISTAKES[name]
    if text is not None:
        (tmp_path / path).write_text(text)
    out = ingot.run("init", path, cwd=tmp_path, check=1).stdout
    assert all(s in out for s in says), out


def test_required(ingot, folder):
    (folder.parent / "t.pkr.hcl").write_text(AMAZON + DOCKER)
    out = run(ingot, folder, "plugins", "required", "t.pkr.hcl")
    assert out == (f'amazon github.com/hashicorp/amazon ">= 1.2.0, < 2" (built in)\n'
                   f'docker github.com/hashicorp/docker ">= 1.2.0, < 2" {program(folder, "1.10.0")}\n')
    (folder.parent / "t.pkr.hcl").write_text(DOCKER.replace(">= 1.2.0", ">= 1.0"))
    assert run(ingot, folder, "plugins", "required", ".") == f'docker github.com/hashicorp/docker ">= 1.0, < 2" {program(folder, "1.10.0")} {program(folder, "1.0.9")}\n'


def test_installed(ingot, folder):
    every = [program(folder, "0.1.0", "example.com/ns/other"), program(folder, "1.0.9"), program(folder, "1.10.0")]
    assert run(ingot, folder, "plugins", "installed").split() == every
    assert run(ingot, folder / "none", "plugins", "installed") == ""


def test_the_default_folder(ingot, tmp_path, folder):
    for env, path in (({"XDG_CONFIG_HOME": str(tmp_path / "x")}, tmp_path / "x/packer"), ({"PACKER_CONFIG_DIR": str(tmp_path / "y")}, tmp_path / "y/.packer.d"), ({}, tmp_path / "home/.config/packer")):
        path.mkdir(parents=True)
        (path / "plugins").symlink_to(folder)
        assert len(ingot.run("plugins", "installed", env=env, check=0).stdout.split()) == 3, path


def test_remove(ingot, folder):
    gone = program(folder, "1.10.0")
    assert run(ingot, folder, "plugins", "remove", "github.com/hashicorp/docker", "> 1.0.9") == gone + "\n"
    assert run(ingot, folder, "plugins", "remove", program(folder, "0.1.0", "example.com/ns/other")) == program(folder, "0.1.0", "example.com/ns/other") + "\n"
    assert run(ingot, folder, "plugins", "installed") == program(folder, "1.0.9") + "\n"
    assert not list(folder.rglob("*1.10.0*")) and not list(folder.rglob("*0.1.0*"))


def test_remove_nothing(ingot, folder):
    assert "no plugin github.com/hashicorp/docker > 5" in run(ingot, folder, "plugins", "remove", "github.com/hashicorp/docker", "> 5", check=1)
    assert "built-in one cannot be removed" in run(ingot, folder, "plugins", "remove", "github.com/hashicorp/amazon", check=1)
    outside = folder.parent / "precious"
    outside.write_text("")
    for path in (outside, f"{folder}/../precious"):
        assert "was not removed" in run(ingot, folder, "plugins", "remove", path, check=1)
    assert outside.exists()


def test_install(ingot, folder):
    assert "is built in" in run(ingot, folder, "plugins", "install", "github.com/hashicorp/amazon", ">= 1")
    assert "is built in" in run(ingot, folder, "plugins", "install", "-force", "github.com/hashicorp/amazon")
    out = run(ingot, folder, "plugins", "install", "github.com/hashicorp/docker", check=1)
    assert "github.com/hashicorp/docker" in out and out.count("\n") == 1
    assert "not-a-version" in run(ingot, folder, "plugins", "install", "github.com/acme/acme", "not-a-version", check=1)
    assert '"notasource"' in run(ingot, folder, "plugins", "install", "notasource", check=1)
    assert "Usage: " in run(ingot, folder, "plugins", "install", check=1)
    assert "1.0" in run(ingot, folder, "plugins", "install", "-path=p", "github.com/acme/acme", "1.0", check=1)


def test_one_folder_only(ingot, tmp_path):
    out = ingot.run("plugins", "installed", env={"PACKER_PLUGIN_PATH": "/a:/b"}, check=1).stdout
    assert "PACKER_PLUGIN_PATH" in out and "/a:/b" in out
