"""A shell provisioner that prints a million lines, beside `ssh host seq 1 1000000 | cat`; none of them may be lost."""
import measure
from ssh import bench, lines

LINES = 1000000


def main(program):
    with bench(program) as b:
        for name, port, n in lines(b):
            ours = ["sh", "-c", " ".join(b.build(port, {"type": "shell", "inline": [f"seq 1 {LINES}"]})) + " | cat"]
            theirs = ["sh", "-c", b.ssh(port, f"seq 1 {LINES}") + " | cat"]
            a, p = measure.pairs((ours, b.env), (theirs, b.env), n, sample=False)
            got = [line for line in a[0].output.split("\n") if line.startswith("==> null: ") and line[10:].isdigit()]
            if got != [f"==> null: {i}" for i in range(1, LINES + 1)]:
                raise RuntimeError(f"lines were lost: {len(got)} of {LINES} came in order")
            measure.row(f"relay of {LINES} lines, wall, {name}", measure.median(a, "wall"), measure.median(p, "wall"), limit=0.6)
            measure.row(f"relay of {LINES} lines, CPU, {name}", measure.median(a, "cpu"), measure.median(p, "cpu"))


if __name__ == "__main__":
    import sys
    main(sys.argv[1])
