"""Can an operator use a device, however the two are connected?"""
import hashlib
import os
import re

from lab import random_file, ran, same_file, version


def relayed(host, target):
    r = host.carrier("ping", "-c", "2", "-i", "100", "--json", target).ok()
    assert '"route":"relayed"' in r.out.replace(" ", ""), r
    return r


# ---- behind two NATs; the broker is in public ----

def test_is_the_way_through_the_broker_when_both_are_behind_nats(shared):
    assert shared.broker_address in relayed(shared.operator, "door").out


def test_do_disco_and_sysinfo_answer_behind_nats(shared):
    assert "/v0/shell" in shared.operator.carrier("disco", "door", "--json").ok().json()["paths"]
    assert shared.operator.carrier("sysinfo", "door", "--json").ok().json()["fs"]


def test_does_a_shell_give_output_errors_and_status_apart(shared):
    r = shared.shell("echo to-out; echo to-err >&2; exit 37")
    assert (r.code, r.out, r.err) == (37, "to-out\n", "to-err\n")


def test_do_pushed_and_pulled_files_arrive_unchanged(shared):
    w = shared
    source = random_file(f"{w.operator.home}/source", 5_000_001)
    os.chmod(source, 0o640)
    w.operator.carrier("push", "door", source, f"{w.device.home}/there").ok()
    w.operator.carrier("pull", "door", f"{w.device.home}/there", f"{w.operator.home}/back").ok()
    with open(source, "rb") as f:
        want = hashlib.sha256(f.read()).hexdigest()
    assert w.shell(f"sha256sum < {w.device.home}/there").ok().out.split()[0] == want
    assert same_file(source, f"{w.operator.home}/back")
    assert os.stat(f"{w.device.home}/there").st_mode & 0o777 == 0o640


def test_does_a_forwarded_port_reach_the_devices_loopback(shared):
    w = shared
    ran("python3 http.server " + version(["/usr/bin/python3", "--version"]))
    page = os.urandom(300_000)
    os.mkdir(f"{w.device.home}/www")
    with open(f"{w.device.home}/www/page", "wb") as f:
        f.write(page)
    web = w.device.start("/usr/bin/python3", "-u", "-m", "http.server", "8080", "--bind", "127.0.0.1", "--directory",
                         f"{w.device.home}/www")
    web.wait_for("Serving")
    tcp = w.operator.start("carrier", "tcp", "door", "8080", "8081")
    tcp.wait_for("127.0.0.1:8081")
    code = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen('http://127.0.0.1:8081/page').read())"
    got = w.operator.start("/usr/bin/python3", "-c", code)
    assert got.finish().code == 0, got.both()
    got.files[0].seek(0)
    assert got.files[0].read() == page
    tcp.stop()
    web.kill()


# ---- other networks ----

def test_does_a_known_address_do_without_any_broker(world):
    w = world.flat()
    w.id = w.device.setup()
    w.operator.setup()
    publishing = w.device.start("carrier", "publish", "--listen", "0.0.0.0:4433")
    publishing.wait_for(w.id)
    at = f"{w.id}@10.9.0.2:4433"
    w.operator.carrier("config", at, "auth", "add", "self", "*").ok()
    assert "/v0/shell" in w.operator.carrier("disco", at, "--json").ok().json()["paths"]
    assert '"direct"' in w.operator.carrier("ping", "-c", "1", "--json", at).ok().out
    assert w.operator.carrier("shell", at, "-c", "exit 5").code == 5


def test_does_a_network_of_ipv6_alone_do(world):
    w = world.flat("fd00:9::1/64", "fd00:9::2/64", "fd00:9::3/64").ready()
    assert w.shell("echo six").ok().out == "six\n"
    assert "fd00:9::1" in relayed(w.operator, "door").out
    source = random_file(f"{w.operator.home}/source", 300_000)
    w.operator.carrier("push", "door", source, f"{w.device.home}/there").ok()
    assert same_file(source, f"{w.device.home}/there")


def test_does_a_direct_address_of_ipv6_do(world):
    w = world.flat("fd00:9::1/64", "fd00:9::2/64", "fd00:9::3/64")
    w.id = w.device.setup()
    w.operator.setup()
    w.device.start("carrier", "publish", "--listen", "[::]:4433").wait_for(w.id)
    at = f"{w.id}@[fd00:9::2]:4433"
    w.operator.carrier("config", at, "auth", "add", "self", "*").ok()
    assert "/v0/shell" in w.operator.carrier("disco", at, "--json").ok().json()["paths"]


def lossy(w, percent):
    # packet by packet, not a whole batch that was handed down at once
    for host in (w.broker, w.device, w.operator):
        host.ip("link", "set", "eth0", "gso_max_segs", "1")
    w.device_nat.lose(percent, "wan")
    w.operator_nat.lose(percent, "lan")
    return random_file(f"{w.operator.home}/source", 2 << 20)


def lost(w):
    rules = w.operator_nat.run("nft", "list", "ruleset").ok().out
    return sum(int(n) for n in re.findall(r"counter packets (\d+)", rules))


def test_is_a_loss_of_one_packet_in_twenty_hardly_noticed(world):
    w = world.natted().ready()
    source = lossy(w, 5)
    for _ in range(5):
        assert w.shell("echo through", timeout=20).ok().out == "through\n"
    w.operator.carrier("push", "door", source, f"{w.device.home}/there", timeout=30).ok()
    assert same_file(source, f"{w.device.home}/there")
    assert lost(w) > 0


def test_does_a_loss_of_one_packet_in_five_leave_something_that_works(world):
    """Each way; so one answer in three is lost. A connection may fail, cleanly; the next one does."""
    w = world.natted().ready()
    source = lossy(w, 20)
    codes = []
    for _ in range(5):
        r = w.shell("echo through", timeout=20)
        assert r.code == 0 and r.out == "through\n" or r.code in (69, 124, 255) and r.one_line(), r
        codes.append(r.code)
    assert codes.count(0) >= 3, codes
    for attempt in range(4):
        r = w.operator.carrier("push", "door", source, f"{w.device.home}/there", timeout=60)
        if r.code == 0:
            break
        assert r.one_line()
    assert r.code == 0 and same_file(source, f"{w.device.home}/there"), r
    assert lost(w) > 0
