"""10 and 50 builds side by side: one process, little private memory."""
import measure
from aws import Stage


def main(program):
    with Stage() as s:
        for n in (10, 50):
            t = s.template(f"{n}.json", n)
            ours, theirs = ([binary, "build", "-color=false", t] for binary in (program, "packer"))
            r = measure.succeeded(measure.run(ours, env=s.env, cwd=s.home), ours)
            p = measure.succeeded(measure.run(theirs, env=s.env, cwd=s.home), theirs)
            measure.row(f"{n} parallel builds, private memory", r.private, p.private, 1 / 20, None, "MiB")
            measure.row("the same, processes", r.processes, p.processes, None, 1, "")
            measure.row("the same, wall", r.wall, p.wall)
            measure.row("the same, user+sys", r.cpu, p.cpu)
