"""100 parallel null builds with a manifest: one process, little memory, and a manifest with every entry."""
import json
import os
import tempfile

import measure
from bench_startup import environment

BUILDS = 100


def main(program):
    with tempfile.TemporaryDirectory() as home:
        template = os.path.join(home, "t.json")
        with open(template, "w") as f:
            json.dump({"builders": [{"type": "null", "name": f"n{i}", "communicator": "none"} for i in range(BUILDS)],
                       "provisioners": [{"type": "shell-local", "inline": ["true"]}], "post-processors": [{"type": "manifest", "output": "m.json"}]}, f)
        env = environment(home)

        def once(binary, only_ours):
            path = os.path.join(home, "m.json")
            if os.path.exists(path):
                os.remove(path)
            r = measure.run([binary, "build", "-color=false", template], env=env, cwd=home, ignore=("sh", "true", "packer-shell"))
            try:
                with open(path) as f:
                    entries = len(json.load(f)["builds"])
            except (OSError, ValueError):
                entries = 0  # packer's builds write over each other
            if r.status or (only_ours and entries != BUILDS):
                raise RuntimeError(f"status {r.status}, {entries} entries:\n{r.output[-2000:]}")
            return r, entries
        ours = [once(program, True)[0] for _ in range(3)]
        theirs = once("packer", False)
        print(f"manifest entries: ours {BUILDS} of {BUILDS}, packer {theirs[1]} of {BUILDS}")
        measure.row("100 null builds with manifest, wall", measure.median(ours, "wall"), theirs[0].wall, 1 / 20)
        measure.row("the same, memory", measure.median(ours, "rss"), theirs[0].rss, None, 100, "MiB")
        measure.row("the same, processes of its own", measure.median(ours, "processes"), theirs[0].processes, None, 1, "")
