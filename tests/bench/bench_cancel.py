"""From Ctrl-C to an empty account, on moto: at most 5 s, since EC2's own waits are none there."""
import signal
import subprocess
import time

import measure
from aws import Stage


def main(program):
    with Stage() as s:
        t = s.template("slow.json", 1, [{"type": "shell", "inline": ["echo started", "sleep 300"]}])
        p = subprocess.Popen([program, "build", "-color=false", t], env=s.env, cwd=s.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        for line in p.stdout:
            if line.rstrip().endswith(": started"):
                break
        start = time.monotonic()
        p.send_signal(signal.SIGINT)
        out = p.stdout.read()
        code = p.wait()
        took = time.monotonic() - start
        running = [i for r in s.moto.client().describe_instances()["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"]
        if code != 1 or running:
            raise RuntimeError(f"status {code}, instances left: {running}\n{out}")
        measure.row("Ctrl-C to an empty account", took, None, None, 5)
