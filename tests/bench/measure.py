"""Measuring whole programs: wall and CPU of a process tree by wait4, memory and number of processes by sampling /proc."""
import os
import statistics
import subprocess
import threading
import time

ROWS = []


def children(pid):
    """Its processes below it; whatever ends meanwhile has none."""
    kids = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                kids += [int(k) for k in f.read().split()]
    except OSError:
        pass
    return [q for k in kids for q in [k, *children(k)]]


def memory(pid):
    """(resident, private) KiB of a process now."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            fields = dict(line.split(":", 1) for line in f if ":" in line)
        return int(fields["Rss"].split()[0]), sum(int(fields[k].split()[0]) for k in ("Private_Clean", "Private_Dirty")) - int(fields.get("Private_Clean", "0").split()[0])
    except (OSError, KeyError, ValueError):
        return 0, 0


class Result:
    """wall and cpu in seconds; rss and private in MiB (peak of the tree's sum); processes at once; status; output."""


def run(command, env=None, cwd=None, sample=True, capture=True, ignore=(), stdin=os.devnull):
    """Runs it, with the file `stdin` as its input, and measures its whole tree. `ignore`: names of programs that do not count as its processes."""
    r = Result()
    r.rss = r.private = 0
    counts = []
    out = subprocess.PIPE if capture else subprocess.DEVNULL
    start = time.monotonic()
    with open(stdin) as given:
        p = subprocess.Popen(command, env=env, cwd=cwd, stdin=given, stdout=out, stderr=subprocess.STDOUT)
    done = threading.Event()

    def watch():
        while not done.wait(0.04):
            tree = [q for q in [p.pid, *children(p.pid)] if not name(q).startswith(ignore or ('\0',))]
            sums = [memory(q) for q in tree]
            counts.append(len(tree))
            r.rss = max(r.rss, sum(s[0] for s in sums) / 1024)
            r.private = max(r.private, sum(s[1] for s in sums) / 1024)
    t = threading.Thread(target=watch) if sample else None
    if t:
        t.start()
    r.output = p.stdout.read().decode(errors="replace") if capture else ""
    _, status, usage = os.wait4(p.pid, 0)
    r.wall = time.monotonic() - start
    p.returncode = r.status = os.waitstatus_to_exitcode(status)
    done.set()
    if t:
        t.join()
    r.cpu = usage.ru_utime + usage.ru_stime
    if not r.rss:  # ru_maxrss counts this Python's pages too, until the child's exec
        r.rss = usage.ru_maxrss / 1024
    r.processes = statistics.median_high(counts or [1])  # not the peak: a script is a copy of its parent for a moment
    return r


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def succeeded(r, command):
    """Raises with the whole output of a run that failed: which of many builds it was, and why, may stand anywhere in it."""
    if r.status:
        raise RuntimeError(f"{os.path.basename(command[0])} ended with status {r.status}; it said:\n{r.output}")
    return r


def median(results, what):
    return statistics.median(getattr(r, what) for r in results)


def pairs(ours, theirs, n, **kw):
    """n runs of each, in turn, so that a machine whose speed drifts is fair to both. Lists of results."""
    a, b = [], []
    run(ours[0], env=ours[1], cwd=ours[2] if len(ours) > 2 else None, sample=False)
    run(theirs[0], env=theirs[1], cwd=theirs[2] if len(theirs) > 2 else None, sample=False)
    for _ in range(n):
        a.append(succeeded(run(ours[0], env=ours[1], cwd=ours[2] if len(ours) > 2 else None, **kw), ours[0]))
        b.append(succeeded(run(theirs[0], env=theirs[1], cwd=theirs[2] if len(theirs) > 2 else None, **kw), theirs[0]))
    return a, b


def row(what, ours, theirs=None, limit=None, limit_abs=None, unit="s"):
    """Prints one figure: ours, the peer's, the ratio, and whether the goal is met (lower is better)."""
    ratio = ours / theirs if theirs else None
    met = all([limit is None or (ratio is not None and ratio <= limit), limit_abs is None or ours <= limit_abs])
    goal = " and ".join(x for x in (f"ratio <= {limit:.3g}" if limit is not None else "", f"<= {limit_abs:.4g} {unit}" if limit_abs is not None else "") if x)
    ROWS.append((what, met if goal else None))
    print(f"{what:58} {ours:10.4g} {unit:4}" + (f" peer {theirs:10.4g}  ratio {ratio:7.4f}" if theirs else " " * 31) +
          (f"  goal {goal}: {'met' if met else 'MISSED'}" if goal else ""), flush=True)
