"""The AWS client against the local cloud: ours and ours meet, after each was judged by others."""
from test_moto_aws import probe  # noqa: F401: fixture


def test_a_build_of_calls_on_the_local_cloud(api_cloud, probe):  # noqa: F811
    image = api_cloud.client().describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    r = probe("cycle", image, "cycle-cloud", env=api_cloud.env, timeout=120)
    assert r.returncode == 0 and r.stdout.endswith("clean\n"), r.stdout
    ec2 = api_cloud.client()
    assert not ec2.describe_key_pairs()["KeyPairs"] and not ec2.describe_images(Owners=["self"])["Images"]
    assert not ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]


def test_a_wrong_key_is_refused_there(api_cloud, probe):  # noqa: F811
    r = probe("whoami", env={**api_cloud.env, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert r.returncode == 1 and "SignatureDoesNotMatch" in r.stdout and "the secret key does not belong to the access key" in r.stdout
