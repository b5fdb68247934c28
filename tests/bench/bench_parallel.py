"""10 and 50 builds side by side: one process, little private memory."""
import measure
from aws import Stage


def main(program):
    with Stage() as s:
        for n in (10, 50):
            t = s.template(f"{n}.json", n)
            r = measure.run([program, "build", "-color=false", t], env=s.env, cwd=s.home)
            if r.status:
                raise RuntimeError(r.output[-3000:])
            p = measure.run(["packer", "build", "-color=false", t], env=s.env, cwd=s.home)
            measure.row(f"{n} parallel builds, private memory", r.private, p.private, 1 / 20, None, "MiB")
            measure.row("the same, processes", r.processes, p.processes, None, 1, "")
            measure.row("the same, wall", r.wall, p.wall)
            measure.row("the same, user+sys", r.cpu, p.cpu)
