"""Start-up: `version`, and `validate` of an amazon-ebs template, beside Debian's packer."""
import os
import tempfile

import measure

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "example2.json")


def environment(home):
    return {"PATH": os.environ["PATH"], "HOME": home, "CHECKPOINT_DISABLE": "1", "TMPDIR": home, "AWS_EC2_METADATA_DISABLED": "true"}


def main(program):
    with tempfile.TemporaryDirectory() as home:
        env = environment(home)
        for what, args, limit, limit_abs in (("version, wall", ["version"], 1 / 30, 0.003), ("validate example2.json, wall", ["validate", TEMPLATE], 1 / 25, 0.008)):
            ours, theirs = measure.pairs(([program, *args], env), (["packer", *args], env), 11, sample=False, capture=False)
            measure.row(what, measure.median(ours, "wall"), measure.median(theirs, "wall"), limit, limit_abs)
