"""Each API call of an amazon-ebs build breaks once, in each way: afterwards the build has ended well with its one image, or failed,
and the account holds what it held before."""
import pytest

from awsproxy import AwsProxy
from ebs import LOCAL, Account, template

BUILD = dict(LOCAL, tags={"a": "b"}, ami_regions=["us-west-2"], ami_users=["111122223333"])


@pytest.fixture(scope="module")
def proxy(quick_cloud):
    with AwsProxy(int(quick_cloud.url.rsplit(":", 1)[1]), for_moto=False) as p:
        yield p


@pytest.fixture
def once(ingot, proxy, quick_cloud, sshd, tmp_path):
    account = Account(quick_cloud, ("us-east-1", "us-west-2"))
    env = {**quick_cloud.env, "AWS_ENDPOINT_URL": proxy.url}

    def run(fault):
        account.forget()
        before = account.state()
        proxy.calls.clear()
        proxy.fault = fault
        r = ingot.run("build", template(tmp_path, sshd, **BUILD), env=env, cwd=tmp_path, timeout=300)
        proxy.fault = None
        calls = list(proxy.calls)
        after = account.state()
        images = {region: {i["ImageId"] for i in account.images(region).values()} for region in account.clients}
        snapshots = {(region, m["Ebs"]["SnapshotId"]) for region in account.clients for i in account.images(region).values() for m in i["BlockDeviceMappings"]}
        if r.returncode == 0:
            assert len(images["us-east-1"]) == len(images["us-west-2"]) == 1, r.stdout
            left = after - before - snapshots - {(region, i) for region, ids in images.items() for i in ids}
        else:
            left = after - before
        assert not left, f"left behind: {left}\n{[(c.n, c.action, c.status, c.fault) for c in calls]}\n{r.stdout}"
        assert before <= after
        return r, calls
    return run


@pytest.mark.parametrize("kind", ["refuse", "throttle", "cut", "cut-after", "fail", "delay"])
def test_every_call_in_turn(once, kind):
    r, calls = once(None)
    assert r.returncode == 0, r.stdout
    total = len(calls)
    for nth in range(1, total + 1):
        fault = ("delay", 0.3) if kind == "delay" else kind
        r, seen = once(lambda n, call: fault if n == nth else None)
        action = next((c.action for c in seen if c.n == nth), "?")
        print(f"{kind} of call {nth}/{total} ({action}): exit {r.returncode}")
        if kind != "refuse":
            assert r.returncode == 0, f"call {nth} ({action}) broke by {kind}: a later try would have passed\n{r.stdout}"
