"""100 parallel null builds with a manifest: one process, little memory, and a manifest with every entry."""
import json
import os
import re
import tempfile

import measure
from bench_startup import environment

BUILDS = 100
# The peer reads the manifest while another of its builds writes it: entries are lost, and a build that meets half a file fails.
RACE = re.compile(r"^\* Post-processor failed: Unable to parse content from m\.json: ")


def entries(path):
    """How many the manifest has; none if it is no JSON."""
    try:
        with open(path) as f:
            return len(json.load(f)["builds"])
    except (OSError, ValueError):
        return 0


def lost_to_race(r):
    """Builds that failed by the peer's race on the manifest; 0 if anything else failed too."""
    errors = [line for line in r.output.splitlines() if line.startswith("* ")]
    if not r.status or not all(map(RACE.match, errors)):
        return 0
    return len(set(re.findall(r"^Build '(\w+)' errored", r.output, re.M)))


def main(program):
    with tempfile.TemporaryDirectory() as home:
        template, manifest = os.path.join(home, "t.json"), os.path.join(home, "m.json")
        with open(template, "w") as f:
            json.dump({"builders": [{"type": "null", "name": f"n{i}", "communicator": "none"} for i in range(BUILDS)],
                       "provisioners": [{"type": "shell-local", "inline": ["true"]}], "post-processors": [{"type": "manifest", "output": "m.json"}]}, f)

        def once(binary):
            if os.path.exists(manifest):
                os.remove(manifest)
            command = [binary, "build", "-color=false", template]
            r = measure.run(command, env=environment(home), cwd=home, ignore=("sh", "true", "packer-shell"))
            r.entries = entries(manifest)
            r.lost = lost_to_race(r) if binary == "packer" else 0
            return r if r.lost else measure.succeeded(r, command)
        ours, theirs = [once(program) for _ in range(3)], once("packer")
        kept = min(r.entries for r in ours)
        if kept != BUILDS:
            raise RuntimeError(f"the manifest has {kept} of {BUILDS} entries")
        print(f"manifest entries: ours {kept} of {BUILDS}, packer {theirs.entries} of {BUILDS}" +
              (f"; {theirs.lost} of packer's builds failed by its race on the manifest" if theirs.lost else ""))
        measure.row(f"{BUILDS} null builds with manifest, wall", measure.median(ours, "wall"), theirs.wall, 1 / 20)
        measure.row("the same, memory", measure.median(ours, "rss"), theirs.rss, None, 100, "MiB")
        measure.row("the same, processes of its own", measure.median(ours, "processes"), theirs.processes, None, 1, "")
