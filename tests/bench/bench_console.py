"""`console`: the answer to an expression, without a template and with one, beside Debian's packer."""
import os
import tempfile

import measure

TEMPLATE = "".join(f'variable "v{i}" {{ default = "x{i}" }}\nlocals {{ l{i} = upper(var.v{i}) }}\n' for i in range(50))


def main(program):
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "CHECKPOINT_DISABLE": "1", "TMPDIR": home}
        template, line = os.path.join(home, "a.pkr.hcl"), os.path.join(home, "line")
        with open(template, "w") as f:
            f.write(TEMPLATE)
        with open(line, "w") as f:
            f.write("[for x in range(20) : upper(\"a${x}\")]\n")
        for what, args in (("console, one expression, best of 15, wall", ["-config-type=hcl2"]), ("console with 50 variables and locals, best of 15, wall", [template])):
            runs = [measure.run([program, "console", *args], env=env, sample=False, capture=False, stdin=line) for _ in range(15)]
            if any(r.status for r in runs):
                raise RuntimeError("console failed")
            measure.row(what, min(r.wall for r in runs), limit_abs=0.005)
