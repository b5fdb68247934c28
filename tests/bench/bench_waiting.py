"""The same build with the instance pending 20 s and the image 60 s: what is lost against the ideal."""
import measure
from aws import Stage


def main(program):
    with Stage() as s:
        t = s.template("one.json")
        ours, theirs = ([binary, "build", "-color=false", t] for binary in (program, "packer"))
        ideal = measure.succeeded(measure.run(ours, env=s.env, cwd=s.home), ours).wall + 80
        s.delay(20, 60)
        r = measure.succeeded(measure.run(ours, env=s.env, cwd=s.home, sample=False), ours)
        p = measure.succeeded(measure.run(theirs, env=s.env, cwd=s.home, sample=False), theirs)
        print(f"ideal {ideal:.1f} s, ours {r.wall:.1f} s, packer {p.wall:.1f} s")
        measure.row("lost waiting (instance 20 s, image 60 s)", r.wall - ideal, max(p.wall - ideal, 0.001), None, 2)
