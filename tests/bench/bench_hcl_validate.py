"""`validate` of a generated HCL2 template of about 1,000 lines (200 variables, 100 locals, 50 builds), and of one ten times as long,
beside Debian's packer."""
import os
import tempfile

import measure


def template(size):
    """HCL2 that Packer 1.6 reads as well."""
    lines = []
    for i in range(2 * size):
        kind = ("string", f'"value-{i}"') if i % 3 else ("number", str(i)) if i % 2 else ("list(string)", f'["a{i}", "b{i}"]')
        lines += [f'variable "v{i}" {{', f"  type    = {kind[0]}", f"  default = {kind[1]}", "}"]
    lines.append("locals {")
    for i in range(size):
        lines.append(f'  l{i} = "${{var.v{i}}}-${{upper(var.v{(7 * i) % size * 2 | 1})}}' + (f'-${{length(local.l{i - 1})}}"' if i else '"'))
    lines.append("}")
    for i in range(size // 2):
        lines += [f'source "null" "s{i}" {{', '  communicator = "none"', "}"]
        lines += ["build {", f'  sources = ["source.null.s{i}"]', '  provisioner "shell-local" {', f'    inline = ["echo ${{local.l{i}}} ${{var.v{i}}}"]', "  }", "}"]
    return "\n".join(lines).replace("${var.v", "${var.v") + "\n"


def scalar(text):
    """Lists cannot stand in texts: only names of the other variables do."""
    import re
    return re.sub(r"\$\{(upper\()?var\.v(\d+)(\))?\}", lambda m: "${" + (m[1] or "") + f"var.v{int(m[2]) // 3 * 3 + 1}" + (m[3] or "") + "}", text)


def main(program):
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "CHECKPOINT_DISABLE": "1", "TMPDIR": home}
        for size, limit in ((100, 0.030), (1000, None)):
            text = scalar(template(size))
            path = os.path.join(home, f"t{size}.pkr.hcl")
            with open(path, "w") as f:
                f.write(text)
            ours, theirs = measure.pairs(([program, "validate", path], env), (["packer", "validate", path], env), 7 if limit else 1, sample=False)
            bad = [r.output for r in [*ours, *theirs] if r.status]
            if bad:
                raise RuntimeError(bad[0][:500])
            what = f"validate, {text.count(chr(10))} lines: {2 * size} variables, {size} locals, {size // 2} builds"
            measure.row(what, measure.median(ours, "wall"), measure.median(theirs, "wall"), 1 / 20, limit)
