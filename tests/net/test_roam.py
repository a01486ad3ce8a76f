"""Does what runs go on when addresses, mappings and brokers change below it?"""
import time

import pytest

from lab import wait_until

# none that a program has of itself
OTHER_PORTS = """flush chain ip nat post
add rule ip nat post oifname "wan" ip protocol udp masquerade to :20000-30000
"""

def cat(w):
    """A shell that gives back what is typed."""
    p = w.operator.start("carrier", "shell", "door", "-T", "-c", "echo here; cat", stdin=-1)
    p.wait_for("here")
    return p


def answers(p, word, seconds=10):
    began = time.monotonic()
    p.write(word + "\n")
    p.wait_for(word, seconds)
    return time.monotonic() - began


def end(p):
    p.popen.stdin.close()
    p.finish(10).ok()


def silent(w, seconds):
    p = cat(w)
    assert answers(p, "before") < 2
    time.sleep(seconds)
    assert answers(p, "after") < 10
    end(p)


# the mappings of both NAT boxes live for 10 s, as on the worst of home routers
def test_does_a_shell_survive_40_seconds_of_silence(world):
    silent(world.natted(udp_timeout=10).ready(), 40)


@pytest.mark.nightly
def test_does_a_shell_survive_300_seconds_of_silence(world):
    silent(world.natted(udp_timeout=10).ready(), 300)


def test_does_a_shell_survive_another_address_of_the_operator(shared):
    w = shared
    p = cat(w)
    answers(p, "before")
    w.operator.ip("addr", "del", "10.2.0.2/24", "dev", "eth0")
    w.operator.addr("eth0", "10.2.0.7/24", via="10.2.0.1")
    assert answers(p, "moved") < 10
    time.sleep(6)
    assert answers(p, "later") < 2
    end(p)


def test_does_a_shell_survive_lost_mappings_of_the_operators_nat(shared):
    w = shared
    p = cat(w)
    answers(p, "before")
    w.operator_nat.flush_conntrack()
    # a mapping that is really another one: the old port is taken now
    w.operator_nat.nft(OTHER_PORTS)
    w.operator_nat.flush_conntrack()
    assert answers(p, "remapped") < 10
    end(p)


def test_does_a_shell_survive_lost_mappings_of_the_devices_nat(world):
    w = world.natted().ready()
    p = cat(w)
    answers(p, "before")
    w.device_nat.flush_conntrack()
    assert answers(p, "remapped") < 10
    end(p)


def move_device(w):
    """Another address inside, another port outside: from now on nothing gets through on the old way."""
    w.device.ip("addr", "del", "10.1.0.2/24", "dev", "eth0")
    w.device_nat.nft(OTHER_PORTS)
    w.device_nat.flush_conntrack()
    w.device.addr("eth0", "10.1.0.9/24", via="10.1.0.1")


def test_is_a_device_that_moves_reachable_again_within_its_keep_alive(world):
    keepalive = 5
    w = world.natted().ready(keepalive=keepalive)
    move_device(w)
    moved = time.monotonic()
    wait_until("a new connection", keepalive + 7,
               lambda: w.operator.carrier("disco", "door", "--timeout", "1").code == 0, every=0.1)
    assert time.monotonic() - moved < keepalive + 5


def test_does_a_shell_survive_another_address_of_the_device(world):
    w = world.natted().ready()          # whose keep-alive comes much too late for that
    p = cat(w)
    answers(p, "before")
    move_device(w)
    assert answers(p, "moved", 15) < 15
    end(p)


def test_does_a_restarted_broker_carry_on_with_what_runs(world):
    w = world.natted().ready()
    p = cat(w)
    answers(p, "before")
    line = w.line
    w.brokering.kill()
    time.sleep(1)
    w.start_broker()
    assert w.line == line                       # the same identity, port and token
    assert answers(p, "after", 15) < 15
    wait_until("a new connection", 15, lambda: w.operator.carrier("disco", "door", "--timeout", "5").code == 0, every=0.5)
    end(p)


def test_do_idle_devices_find_a_broker_that_was_restarted(world):
    keepalive = 5
    w = world.natted().ready(keepalive=keepalive)
    w.brokering.kill()
    time.sleep(1)
    w.start_broker()
    wait_until("a new connection", keepalive + 5,
               lambda: w.operator.carrier("disco", "door", "--timeout", "5").code == 0, every=0.2)
