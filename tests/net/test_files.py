"""Do push and pull come to an end, whatever is killed, cut or full in the middle?"""
import os
import time

import pytest

from lab import random_file, same_file, tool, wait_until
from test_faults import pull_the_plug

SIZE = 48 << 20
RATE = "100mbit"        # so that there is a middle: some 4 s


@pytest.fixture
def slow(world):
    w = world.flat().ready()
    for host in (w.operator, w.device, w.broker):
        host.ip("link", "set", "eth0", "gso_max_segs", "1")
    for host in (w.operator, w.device):
        tool(["tc", "-n", host.ns, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", RATE, "burst", "64kb", "latency", "50ms"])
    w.near = f"{w.operator.home}/file"
    w.far = f"{w.device.home}/files/file"
    os.mkdir(f"{w.device.home}/files")
    return w


def arrived(folder):
    """Bytes on disk of what is not there yet."""
    total = 0
    for entry in os.scandir(folder):
        try:
            total += entry.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


def start(w, verb):
    args = [w.near, w.far] if verb == "push" else [w.far, w.near]
    return w.operator.start("carrier", verb, "--json", "door", *args)


def source_of(w, verb):
    folder = {"push": w.operator.home, "pull": os.path.dirname(w.far)}[verb]
    return random_file(os.path.join(folder, "file"), SIZE)


def folder_of(w, verb):
    """Where the copy is made, and its name."""
    if verb == "push":
        return os.path.dirname(w.far)
    folder = f"{w.operator.home}/in"
    os.mkdir(folder)
    w.near = f"{folder}/file"
    return folder


def middle(p, folder):
    wait_until("a third has arrived", 15, lambda: arrived(folder) > SIZE // 3)
    assert p.popen.poll() is None, "too fast to be cut"


def again(w, verb, folder, source):
    r = start(w, verb).finish(60).ok()
    resumed = r.json()["resumed_at"]
    assert SIZE // 8 < resumed <= SIZE, f"began again at {resumed}"
    assert same_file(source, f"{folder}/file")
    assert os.listdir(folder) == ["file"], "something was left behind"
    return r


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_does_a_copy_go_on_after_the_operator_was_killed(slow, verb):
    w, source, folder = slow, source_of(slow, verb), folder_of(slow, verb)
    p = start(w, verb)
    middle(p, folder)
    p.kill()
    assert not os.path.exists(f"{folder}/file")
    again(w, verb, folder, source)


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_does_a_copy_go_on_after_the_device_was_killed(slow, verb):
    w, source, folder = slow, source_of(slow, verb), folder_of(slow, verb)
    p = start(w, verb)
    middle(p, folder)
    pull_the_plug(w.publishing)
    assert not os.path.exists(f"{folder}/file")
    r = p.finish(20)
    assert r.code in (69, 124) and "door" in r.one_line(), r
    w.publish()
    again(w, verb, folder, source)


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_does_a_copy_go_on_by_itself_after_a_cut_of_ten_seconds(slow, verb):
    w, source, folder = slow, source_of(slow, verb), folder_of(slow, verb)
    p = start(w, verb)
    middle(p, folder)
    w.switch.ip("link", "set", w.operator.port, "down")
    time.sleep(10)
    w.switch.ip("link", "set", w.operator.port, "up")
    p.finish(40).ok()
    assert same_file(source, f"{folder}/file")
    assert os.listdir(folder) == ["file"]


def test_does_a_full_disk_of_the_device_leave_what_was_there(world):
    w = world.natted()
    small = w.lab.tmpfs("small", "2m")          # first: a running agent may not see it
    w.ready()
    with open(f"{small}/file", "w") as f:
        f.write("what was there")
    source = random_file(f"{w.operator.home}/file", 5 << 20)
    r = w.operator.carrier("push", "door", source, f"{small}/file", timeout=20)
    assert r.code != 0 and "space" in r.one_line().lower(), r
    with open(f"{small}/file") as f:
        assert f.read() == "what was there"
    assert os.listdir(small) == ["file"]
    # a smaller one fits still
    source = random_file(f"{w.operator.home}/file", 1 << 20)
    w.operator.carrier("push", "door", source, f"{small}/file").ok()
    assert same_file(source, f"{small}/file")


def test_does_a_full_disk_of_the_operator_leave_what_was_there(world):
    w = world.natted()
    small = w.lab.tmpfs("small", "2m")          # first: a running agent may not see it
    w.ready()
    with open(f"{small}/file", "w") as f:
        f.write("what was there")
    source = random_file(f"{w.device.home}/file", 5 << 20)
    r = w.operator.carrier("pull", "door", source, f"{small}/file", timeout=20)
    assert r.code != 0 and "space" in r.one_line().lower(), r
    with open(f"{small}/file") as f:
        assert f.read() == "what was there"
    assert os.listdir(small) == ["file"]
