"""One amazon-ebs build on moto: own sshd, own key, own security group, every state change immediate."""
import measure
from aws import Stage


def main(program):
    with Stage() as s:
        t = s.template("one.json")
        ours, theirs = measure.pairs(([program, "build", "-color=false", t], s.env, s.home), (["packer", "build", "-color=false", t], s.env, s.home), 5)
        measure.row("amazon-ebs build, user+sys", measure.median(ours, "cpu"), measure.median(theirs, "cpu"), 1 / 6)
        measure.row("the same, wall", measure.median(ours, "wall"), measure.median(theirs, "wall"), 0.75)
        measure.row("the same, memory", measure.median(ours, "rss"), measure.median(theirs, "rss"), None, 40, "MiB")
        measure.row("the same, processes", measure.median(ours, "processes"), measure.median(theirs, "processes"), None, 1, "")
