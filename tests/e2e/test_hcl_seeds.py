"""The templates that people brought, turned into HCL2 by hcl2_upgrade: each is valid, and builds on the local cloud what its JSON builds."""
import os
import re
import shutil

import pytest

from ebs import Account
from test_seeds import BUILDS


@pytest.fixture(scope="module")
def seeds(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    shutil.copytree(os.path.join(shared, "templates", "seeds"), folder, dirs_exist_ok=True)
    return str(folder)


@pytest.mark.parametrize("template", BUILDS)
def test_the_upgraded_template_builds_the_same(template, ingot, cloud, seeds):
    args, region, regions, _ = BUILDS[template]
    env = {"INGOT_CLOUD_DATA": cloud.data, "AWS_DEFAULT_REGION": region}
    hcl = template.replace(".json", ".pkr.hcl")
    ingot.run("hcl2_upgrade", f"-output-file={hcl}", template, cwd=seeds, env=env, check=0)
    assert ingot.run("validate", *args, hcl, cwd=seeds, env=env, check=0).stdout.endswith("The configuration is valid.\n")
    out = ingot.run("build", "-local", *args, hcl, cwd=seeds, env=env, timeout=400, check=0).stdout
    made = dict(re.findall(r"(?m)^([\w-]+-\d): (ami-\w+)$", out))
    assert sorted(made) == sorted(regions), out
    for where, image in made.items():
        assert image in {i["ImageId"] for i in Account(cloud, [where]).images(where).values()}
