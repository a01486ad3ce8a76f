"""Does every fault give one clear line and the right exit code, soon?"""
import os
import signal
import time

from lab import wait_until


def agents(proc):
    """The agent's own processes: publish and the children that are not workers."""
    with open(f"/proc/{proc.pid}/task/{proc.pid}/children") as f:
        return [proc.pid, *map(int, f.read().split())]


def pull_the_plug(proc):
    """All processes of an agent and its workers at once."""
    todo, every = [proc.pid], []
    while todo:
        pid = todo.pop()
        every.append(pid)
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                todo += map(int, f.read().split())
        except FileNotFoundError:
            pass
    for pid in every:
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            pass
    for pid in every:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    proc.popen.wait(10)


def test_does_a_shell_end_clearly_when_the_device_dies(world):
    w = world.natted().ready()
    p = w.operator.start("carrier", "shell", "door", "-T", "-c", "echo here; cat", stdin=-1)
    p.wait_for("here")
    pull_the_plug(w.publishing)
    died = time.monotonic()
    r = p.finish(20)
    assert r.code == 255 and time.monotonic() - died < 20, r
    assert "door" in r.one_line()


def test_does_a_shell_end_clearly_when_the_agent_alone_is_killed(world):
    """Its net process dies with the monitor; nobody is left to say goodbye."""
    w = world.natted().ready()
    p = w.operator.start("carrier", "shell", "door", "-T", "-c", "echo here; cat", stdin=-1)
    p.wait_for("here")
    halves = agents(w.publishing)
    os.kill(w.publishing.pid, signal.SIGKILL)
    r = p.finish(20)
    assert r.code == 255 and "door" in r.one_line(), r
    w.publishing.popen.wait(5)
    wait_until("net and keys are gone", 5, lambda: not [h for h in halves if os.path.exists(f"/proc/{h}")])


def test_does_the_agent_end_when_one_of_its_halves_is_killed(world):
    w = world.natted().ready()
    for half in agents(w.publishing)[1:2]:
        os.kill(half, signal.SIGKILL)
    r = w.publishing.finish(10)
    assert r.code == 1 and "[ERROR" in r.err, r


def test_does_a_dead_broker_give_one_line_and_69(world):
    w = world.natted().ready()
    w.brokering.kill()
    r = w.operator.carrier("disco", "door", timeout=20)
    assert r.code == 69 and "broker" in r.one_line(), r


def test_does_a_cut_to_the_broker_give_one_line_and_69(world):
    """No answer at all, not even that the port is closed."""
    w = world.natted().ready()
    w.broker.ip("link", "set", "eth0", "down")
    r = w.operator.carrier("disco", "door", timeout=20)
    assert r.code == 69 and "broker" in r.one_line(), r


def test_does_an_offline_device_give_one_line_and_69(world):
    w = world.natted().start_broker().setup()
    r = w.operator.carrier("disco", "door", timeout=20)
    assert r.code == 69 and "door" in r.one_line() and r.seconds < 20, r


def test_does_a_vanished_device_give_one_line_and_69_or_124(world):
    w = world.natted().ready()
    pull_the_plug(w.publishing)
    r = w.operator.carrier("disco", "door", timeout=20)
    assert r.code in (69, 124) and "door" in r.one_line(), r


def test_does_a_broker_on_a_taken_port_say_so(world):
    w = world.natted().start_broker()
    r = w.broker.carrier("broker", "--config", f"{w.broker.home}/second.toml", "--listen", "203.0.113.9:8443")
    assert r.code == 69 and "8443" in r.one_line(), r


def test_does_publish_on_a_taken_port_say_so(world):
    w = world.natted().start_broker().setup()
    p = w.device.start("carrier", "publish", "--listen", "10.1.0.2:4433")
    p.wait_for("status = 200")
    r = w.device.carrier("publish", "--config", f"{w.device.home}/second.toml", "--listen", "10.1.0.2:4433")
    assert r.code == 69 and "4433" in r.err, r


def test_does_tcp_on_a_taken_port_say_so(world):
    w = world.natted().ready()
    first = w.operator.start("carrier", "tcp", "door", "80", "8081")
    first.wait_for("127.0.0.1:8081")
    r = w.operator.carrier("tcp", "door", "80", "8081")
    assert r.code == 69 and "8081" in r.one_line() and "in use" in r.err, r
    first.stop()


def test_does_an_identity_that_is_published_twice_say_so_loudly(world):
    w = world.natted().ready(keepalive=5)       # the loser hears of it at its next one
    twin = w.lab.host("twin")
    w.lab.plug(w.switch, twin, "eth0")
    twin.addr("eth0", "203.0.113.60/24")
    twin.run("cp", "-a", f"{w.device.home}/.devguard", twin.home).ok()
    second = twin.start("carrier", "publish")
    second.wait_for("status = 200")
    w.publishing.wait_for("published from another place", 20)
    assert any(line.startswith(("[WARN", "[ERROR")) for line in w.publishing.err.splitlines()
               if "published from another place" in line), w.publishing.err
    assert "203.0.113.60" in w.shell("ip -o addr show dev eth0").ok().out
