"""Fixtures of the fault tests."""
import pytest


@pytest.fixture(scope="module")
def quick_cloud(make_cloud):
    """A local cloud whose instances only have states, and change them at once."""
    return make_cloud("-backend", "none", "-state-delay", "0s")
