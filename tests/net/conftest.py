import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import lab  # noqa: E402
from world import World  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: takes minutes; runs with CARRIER_NIGHTLY=1 only")


def pytest_collection_modifyitems(config, items):
    want = bool(os.environ.get("CARRIER_NIGHTLY"))
    drop = [i for i in items if bool(i.get_closest_marker("nightly")) != want]
    items[:] = [i for i in items if i not in drop]
    config.hook.pytest_deselected(items=drop)


def pytest_sessionstart(session):
    # the runner's timeout ends us by SIGTERM: fixtures clean up all the same
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    if os.geteuid() != 0:
        pytest.exit("network namespaces need root", 1)
    if not os.access(lab.program("carrier"), os.X_OK):
        pytest.exit("CARRIER_BUILD names no build folder", 1)
    lab.sweep()


@pytest.fixture
def world():
    w = World()
    yield w
    w.close()


@pytest.fixture(scope="module")
def shared():
    """One world for a whole file, behind NATs and claimed; tests leave it as they found it."""
    w = World()
    try:
        yield w.natted().ready()
    finally:
        w.close()
