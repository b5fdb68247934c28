"""`validate` of a generated HCL2 template of about 1,000 lines (200 variables, 100 locals, 50 builds), beside Debian's packer; and of
one ten times as long, which packer cannot read: the time must grow no faster than the template."""
import os
import tempfile

import measure


def template(size):
    """HCL2 that Packer 1.6 reads as well: a third of the variables each texts, numbers and lists; every local uses others."""
    lines = []
    for i in range(2 * size):
        kind, value = [("list(string)", f'["a{i}", "b{i}"]'), ("string", f'"value-{i}"'), ("number", str(i))][i % 3]
        lines += [f'variable "v{i}" {{', f"  type    = {kind}", f"  default = {value}", "}"]
    lines.append("locals {")
    for i in range(size):
        before = f"-${{length(local.l{i - 1})}}" if i else ""
        lines.append(f'  l{i} = "${{var.v{i // 3 * 3 + 2}}}-${{upper(var.v{7 * i % size // 3 * 3 + 1})}}{before}"')
    lines.append("}")
    for i in range(size // 2):
        lines += [f'source "null" "s{i}" {{', '  communicator = "none"', "}", "build {", f'  sources = ["source.null.s{i}"]', '  provisioner "shell-local" {',
                  f'    inline = ["echo ${{local.l{i}}} ${{var.v{i // 3 * 3 + 1}}}"]', "  }", "}"]
    return "\n".join(lines) + "\n"


def main(program):
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "CHECKPOINT_DISABLE": "1", "TMPDIR": home}
        short, long = (os.path.join(home, f"{n}.pkr.hcl") for n in ("short", "long"))
        for path, size in ((short, 100), (long, 1000)):
            with open(path, "w") as f:
                f.write(template(size))
        ours, theirs = measure.pairs(([program, "validate", short], env), (["packer", "validate", short], env), 5, sample=False)
        measure.row("validate, 1,350 lines of HCL2 (50 builds)", measure.median(ours, "wall"), measure.median(theirs, "wall"), 1 / 20, 0.030)
        longer, again = measure.pairs(([program, "validate", long], env), ([program, "validate", short], env), 5, sample=False)
        measure.row("validate, ten times as long, beside the short one", measure.median(longer, "wall"), measure.median(again, "wall"), 12)
