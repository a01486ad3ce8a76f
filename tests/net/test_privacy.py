"""What do a stranger, a caller who was not admitted, and the broker learn?"""
import socket
import time

from lab import wait_until

MARKER = "PLOVER-EGGS-SEVENTEEN-QUARTERS"


def bytes_of(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def payloads_with(capture, needle, **where):
    return [p for s, d, p in capture.udp()
            if needle in p and where.get("src", s) == s and where.get("dst", d) == d]


def test_does_a_device_keep_silent_to_a_stranger_at_its_known_address(world):
    w = world.flat()
    w.id = w.device.setup()
    w.operator.setup()
    w.broker.setup()                    # the third host is the stranger
    w.device.start("carrier", "publish", "--listen", "0.0.0.0:4433").wait_for(w.id)
    at = f"{w.id}@10.9.0.2:4433"
    w.operator.carrier("config", at, "auth", "add", "self", "*").ok()

    wire = w.broker.capture("eth0")
    r = w.broker.carrier("disco", at, timeout=20)
    assert r.code != 0
    w.broker.carrier("ping", "-c", "1", at, timeout=20)
    for junk in (b"", b"\0", b"hello", b"\xc0" + bytes(1199), bytes(range(256)) * 4):
        w.broker.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(junk, ("10.9.0.2", 4433)))
    time.sleep(0.5)
    seen = wire.udp()
    sent = sum(len(p) for _, dst, p in seen if dst == "10.9.0.2")
    answered = sum(len(p) for src, _, p in seen if src == "10.9.0.2")
    assert sent > 1000 and answered == 0, f"{sent} bytes to the device, {answered} back"
    # the capture would have seen an answer, and the device is alive
    again = w.operator.capture("eth0")
    w.operator.carrier("disco", at).ok()
    assert any(src == "10.9.0.2" for src, _, _ in again.udp())


def test_does_a_relayed_connection_never_show_the_devices_addresses(world):
    w = world.natted().start_broker().setup()
    stranger = w.lab.host("stranger")
    w.lab.plug(w.switch, stranger, "eth0")
    stranger.addr("eth0", "203.0.113.77/24")
    stranger.setup(w.line)
    wires = [w.operator.capture("eth0"), stranger.capture("eth0")]
    at_device, at_broker = w.device.capture("eth0"), w.broker.capture("eth0")
    w.publish().claim()
    w.shell("echo done").ok()
    w.operator.carrier("ping", "-c", "2", "-i", "100", "door").ok()
    assert stranger.carrier("disco", w.id, timeout=25).code == 77

    secret = {name: bytes_of(name) for name in ("10.1.0.2", "203.0.113.1")}
    for wire in wires:
        seen = wire.udp()       # hosts of one switch ask for each other's hardware address besides
        assert len(seen) > 10 and {src for src, dst, _ in seen} & {dst for src, dst, _ in seen}
        for name, raw in secret.items():
            found = [(s, d, p) for s, d, p in seen if raw in p or name in (s, d) or name.encode() in p]
            assert not found, f"{name} at a caller"
    # the broker knows where the device's NAT is, for it sends there, but not what is behind it
    packets = at_broker.stop()
    assert any(secret["203.0.113.1"] in p for _, p in packets)
    assert not [p for _, p in packets if secret["10.1.0.2"] in p or b"10.1.0.2" in p]
    # and the search would have found it
    assert any(secret["10.1.0.2"] in p for _, p in at_device.stop())


def test_does_a_refused_caller_learn_no_address_before_the_device_has_admitted_it(world):
    """The operator is refused, then admitted; only the broker ever talks to it."""
    w = world.natted().start_broker().setup().publish()
    w.device.carrier("authorize", w.device.carrier("identity").out.strip()).ok()
    wire = w.operator.capture("eth0")
    wait_until("the device refuses", 10, lambda: w.operator.carrier("disco", "door").code == 77, every=0.3)
    w.device.carrier("authorize", w.operator_id).ok()
    wait_until("the device admits", 10, lambda: w.operator.carrier("disco", "door").code == 0, every=0.3)
    packets = wire.udp()
    assert {src for src, _, _ in packets} == {"10.2.0.2", "203.0.113.9"}
    for address in ("10.1.0.2", "203.0.113.1"):
        assert not [p for _, _, p in packets if bytes_of(address) in p or address.encode() in p]


def test_does_the_broker_see_ciphertext_alone(world):
    w = world.natted().ready()
    wire = w.broker.capture("eth0")
    command = f"for i in 1 2 3 4 5; do echo {MARKER}; done; cat > /dev/null"
    p = w.operator.start("carrier", "shell", "door", "-c", command, stdin=-1)
    p.wait_for(MARKER, times=5)
    p.write(MARKER * 10)
    p.popen.stdin.close()
    p.finish().ok()
    seen = wire.udp()
    assert sum(len(p) for _, _, p in seen) > 2000
    for clear in (MARKER, MARKER[:8], "shell", "echo", "/v0/"):
        assert not [p for _, _, p in seen if clear.encode() in p], clear
    # nor does what it forwards change on the way: out comes what came in
    into = {p for src, _, p in seen if src == "203.0.113.2"}
    out = {p for _, dst, p in seen if dst == "203.0.113.1"}
    assert into & out

    # it is on the wire where there is no carrier
    plain = w.broker.capture("eth0")
    w.broker.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(MARKER.encode(), ("203.0.113.1", 9)))
    time.sleep(0.3)
    assert payloads_with(plain, MARKER.encode())
