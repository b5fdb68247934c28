"""Kill test: SIGKILL after each API call of an amazon-ebs build, then `ingot sweep`: the account holds what it held before."""
import json
import os
import signal
import threading

import pytest

from awsproxy import AwsProxy
from ebs import LOCAL, Account, template

OPTIONS = dict(LOCAL, tags={"Name": "killed"}, run_tags={"Team": "infra"},
               launch_block_device_mappings=[{"device_name": "/dev/xvdf", "volume_size": 1}])


class Rig:
    def __init__(self, cloud, ingot, sshd, folder):
        self.cloud, self.ingot, self.folder = cloud, ingot, folder
        self.account = Account(cloud, [cloud.env["AWS_DEFAULT_REGION"]])
        self.proxy = AwsProxy(int(cloud.url.rsplit(":", 1)[1]), for_moto=False)
        self.template = template(folder, sshd, **{**OPTIONS, "region": cloud.env["AWS_DEFAULT_REGION"]})
        self.env = {**cloud.env, "AWS_ENDPOINT_URL": self.proxy.url}

    def faults(self, *rules):
        plan = self.folder / "faults.json"
        plan.write_text(json.dumps({"faults": list(rules)}))
        self.cloud.program.run("cloud", "faults", "-data", self.cloud.data, plan, check=0)

    def build(self, kill_at=None):
        self.proxy.calls.clear()
        process = None

        def after(call):
            if kill_at and call.n == kill_at:
                os.kill(process.pid, signal.SIGKILL)
        self.proxy.after = None
        if kill_at:
            ready = threading.Event()  # the process is known before its first call is answered

            def guarded(call):
                ready.wait(10)
                after(call)
            self.proxy.after = guarded
        process = self.ingot.start("build", self.template, env=self.env, cwd=str(self.folder))
        if kill_at:
            ready.set()
        out, _ = process.communicate(timeout=300)
        self.proxy.after = None
        return process.returncode, out, [c.action for c in self.proxy.calls]

    def sweep(self):
        return self.ingot.run("sweep", env=self.env, cwd=str(self.folder), timeout=600)

    def remove_products(self, before):
        """Takes away what a build that ended well has left on purpose."""
        c = self.cloud.client()
        for i in c.describe_images(Owners=["self"])["Images"]:
            if i["ImageId"] not in before:
                c.deregister_image(ImageId=i["ImageId"])
                for m in i["BlockDeviceMappings"]:
                    c.delete_snapshot(SnapshotId=m["Ebs"]["SnapshotId"])
        for v in c.describe_volumes()["Volumes"]:
            if v["VolumeId"] not in before:
                c.delete_volume(VolumeId=v["VolumeId"])


@pytest.fixture
def rig(quick_cloud, ingot, sshd, tmp_path):
    r = Rig(quick_cloud, ingot, sshd, tmp_path)
    yield r
    r.faults()
    r.proxy.close()


@pytest.mark.parametrize("reads", [0, 3], ids=["seen-at-once", "newest-unseen-for-three-reads"])
def test_sigkill_after_each_call(rig, reads):
    before = rig.account.state()
    code, out, calls = rig.build()
    assert code == 0, out
    total = len(calls)
    rig.remove_products(before)
    assert rig.account.state() == before
    for nth in range(1, total + 1):
        if reads:
            rig.faults({"action": "*", "fault": "invisible", "reads": reads})
        code, out, seen = rig.build(kill_at=nth)
        if code == 0 and len(seen) < nth:  # one poll fewer than the first time: it was through
            rig.faults()
            rig.remove_products(before)
            continue
        assert code == -signal.SIGKILL, f"call {nth}: {code}\n{out}"
        s = rig.sweep()
        rig.faults()
        left = rig.account.state() ^ before
        print(f"killed after call {nth}/{total} ({seen[nth - 1]}): sweep {s.returncode}, left {sorted(left)}")
        assert s.returncode == 0 and not left, f"{out}\n{s.stdout}"
    print(f"{total} of {total} points")
