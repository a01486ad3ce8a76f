"""Who runs what on the device, and what may it touch?"""
import hashlib
import os
import shlex
import shutil
import stat
import textwrap

from lab import PROGRAMS, STANDARD_PATH, program as built, ran, version

USER, UID = "gardener", 61234


def add_user(host, home):
    """An ordinary account that this host alone knows."""
    folder = f"/etc/netns/{host.ns}"
    os.makedirs(folder)                 # 'ip netns exec' puts these in the place of the real ones
    for name, line in (("passwd", f"{USER}:x:{UID}:{UID}::{home}:/bin/sh"), ("group", f"{USER}:x:{UID}:")):
        with open(f"/etc/{name}") as f, open(f"{folder}/{name}", "w") as g:
            g.write(f.read().rstrip("\n") + "\n" + line + "\n")
    os.makedirs(home, exist_ok=True)
    os.chown(home, UID, UID)


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(c) for c in f.read().split()]


# ---- users ----

def test_does_an_ordinary_user_do_as_an_agent(world):
    w = world.natted()
    add_user(w.device, w.device.home)
    w.start_broker()
    ran("setpriv " + version(["setpriv", "--version"]))
    # the checkout may stand where this user may not look
    programs = f"{w.device.home}.programs"
    os.mkdir(programs, 0o755)
    for p in PROGRAMS:
        shutil.copy(built(p), programs)
    drop = ["setpriv", "--reuid", str(UID), "--regid", str(UID), "--clear-groups", "env",
            f"PATH={programs}:{STANDARD_PATH}"]
    plain = w.device.start

    def as_user(*argv, **more):
        return plain(*drop, *argv, **more)

    w.device.start = as_user
    w.setup()
    w.publish()
    w.claim()
    assert w.shell("id -un; id -u").ok().out.split() == [USER, str(UID)]
    source = f"{w.operator.home}/file"
    with open(source, "w") as f:
        f.write("grown here")
    w.operator.carrier("push", "door", source, f"{w.device.home}/file").ok()
    assert os.stat(f"{w.device.home}/file").st_uid == UID
    r = w.operator.carrier("push", "door", source, "/etc/carrier-net-test")
    assert r.code != 0 and r.one_line() and not os.path.exists("/etc/carrier-net-test"), r
    assert os.stat(w.device.config()).st_uid == UID         # the claim was written by the same user


def test_do_the_processes_that_strangers_reach_have_no_powers(world):
    w = world.natted().ready()
    halves = children(w.publishing.pid)
    assert len(halves) == 2
    for pid in halves:
        s = status_of(pid)
        assert s["Seccomp"] == "2" and s["NoNewPrivs"] == "1", s
        assert all(int(s[c], 16) == 0 for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")), s
        assert "0" not in s["Uid"].split() and "0" not in s["Gid"].split(), s
        assert os.listdir(f"/proc/{pid}/root") == []
    monitor = status_of(w.publishing.pid)
    assert monitor["Uid"].split()[0] == "0"


def test_does_a_rule_with_a_user_and_a_root_hold_them(world):
    w = world.natted()
    yard = f"{w.lab.folder}/yard"
    add_user(w.device, yard)
    w.start_broker().setup().publish().claim("--user", USER, "--root", yard)
    assert w.shell("id -un; id -G; echo $HOME").ok().out.split() == [USER, str(UID), yard]
    assert w.shell("cat /proc/self/status | grep CapEff").ok().out.split()[1].strip("0") == ""
    source = f"{w.operator.home}/file"
    with open(source, "w") as f:
        f.write("grown here")
    w.operator.carrier("push", "door", source, "file").ok()
    st = os.stat(f"{yard}/file")
    assert (st.st_uid, st.st_gid) == (UID, UID) and stat.S_ISREG(st.st_mode)

    # a folder that everybody may write, but not this rule
    outside = f"{w.lab.folder}/outside"
    os.mkdir(outside)
    os.chmod(outside, 0o777)
    os.symlink(outside, f"{yard}/way")
    for there in (f"{outside}/file", "../outside/file", "way/file", "/../outside/file"):
        r = w.operator.carrier("push", "door", source, there)
        assert os.listdir(outside) == [], f"{there}: {r}"
        assert r.code != 0 and r.one_line(), f"{there}: {r}"
    with open(f"{outside}/secret", "w") as f:
        f.write("not for you")
    for there in (f"{outside}/secret", "../outside/secret", "way/secret"):
        r = w.operator.carrier("pull", "door", there, f"{w.operator.home}/got")
        assert r.code != 0 and not os.path.exists(f"{w.operator.home}/got"), f"{there}: {r}"


# ---- custom programs ----

SERVICE = """
    import os, sys
    asked = sys.stdin.buffer.read()
    sys.stdout.write("%s %s %s" % (os.environ["CARRIER_IDENTITY"], os.environ["CARRIER_PATH"], os.getuid()))
"""

SOCKET_SERVICE = """
    import os, socket, sys
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[1])
    s.listen()
    print("listening", flush=True)
    while True:
        c, _ = s.accept()
        told = c.makefile("rb").readline()
        c.sendall(b"told " + told)
        c.close()
"""


def script(w, name, text):
    path = f"{w.device.home}/{name}"
    with open(path, "w") as f:
        f.write(textwrap.dedent(text))
    return path


def test_is_a_program_of_ones_own_called_and_told_who_calls(world):
    w = world.natted().start_broker().setup()
    program = script(w, "service.py", SERVICE)
    w.device.append_config(f'[[service]]\npath = "/v2/myorg.mything.v1/whodis"\nexec = ["/usr/bin/python3", "{program}"]')
    w.publish().claim()
    out = w.operator.carrier("get", "--raw", "door", "/v2/myorg.mything.v1/whodis").ok().out
    assert out.split()[:2] == [w.operator_id, "/v2/myorg.mything.v1/whodis"], out
    assert "/v2/myorg.mything.v1/whodis" in w.operator.carrier("disco", "door", "--json").ok().json()["paths"]


def test_is_a_listening_program_called_and_told_who_calls(world):
    w = world.natted().start_broker().setup()
    at = f"{w.lab.folder}/service.sock"
    w.device.start("/usr/bin/python3", script(w, "listen.py", SOCKET_SERVICE), at).wait_for("listening")
    w.device.append_config(f'[[service]]\npath = "/v2/myorg.mything.v1/listen"\nsocket = "{at}"')
    w.publish().claim()
    out = w.operator.carrier("get", "--raw", "door", "/v2/myorg.mything.v1/listen").ok().out
    assert out.startswith("told ") and w.operator_id in out, out


# ---- real programs through the tunnel ----

def test_does_ssh_go_through_nc(world):
    w = world.natted().ready()
    ran("sshd " + version(["ssh", "-V"]))
    home = w.device.home
    for name in ("host", "user"):
        w.device.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{home}/{name}").ok()
    os.makedirs("/run/sshd", exist_ok=True)
    os.chmod(home, 0o755)
    with open(f"{home}/sshd_config", "w") as f:
        f.write(f"Port 2222\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
                f"AuthorizedKeysFile {home}/user.pub\nPermitRootLogin yes\nPasswordAuthentication no\n")
    server = w.device.start("/usr/sbin/sshd", "-D", "-e", "-f", f"{home}/sshd_config")
    server.wait_for("listening")
    ssh = ["ssh", "-F", "none", "-i", f"{home}/user", "-o", f"ProxyCommand={shlex.quote(built('carrier'))} nc %h 2222",
           "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={w.operator.home}/known", "-o", "BatchMode=yes"]
    r = w.operator.run(*ssh, "root@door", "echo over $SSH_CONNECTION; exit 9")
    assert r.code == 9 and r.out.startswith("over 127.0.0.1"), r
    # many bytes, both ways
    r = w.operator.run("bash", "-c", "head -c 3000000 /dev/zero | " + shlex.join(ssh) + " root@door cat | md5sum; "
                       "head -c 3000000 /dev/zero | md5sum")
    a, b = r.ok().out.splitlines()
    assert a == b


FIFTY = """
    import hashlib, sys, threading, urllib.request
    found = []
    def one(i):
        page = urllib.request.urlopen("http://127.0.0.1:8081/page%d" % (i % 5), timeout=20).read()
        found.append((i % 5, hashlib.sha256(page).hexdigest()))
    threads = [threading.Thread(target=one, args=(i,)) for i in range(50)]
    for t in threads: t.start()
    for t in threads: t.join()
    for n, digest in sorted(found): print(n, digest)
"""


def test_do_fifty_requests_at_once_go_through_one_connection(world):
    w = world.natted().ready()
    ran("python3 http.server " + version(["/usr/bin/python3", "--version"]))
    www = f"{w.device.home}/www"
    os.mkdir(www)
    want = []
    for n in range(5):
        page = os.urandom(40_000 * (n + 1))
        with open(f"{www}/page{n}", "wb") as f:
            f.write(page)
        want += [f"{n} {hashlib.sha256(page).hexdigest()}"] * 10
    w.device.start("/usr/bin/python3", "-u", "-m", "http.server", "8080", "--bind", "127.0.0.1", "--directory", www).wait_for("Serving")
    tcp = w.operator.start("carrier", "tcp", "door", "8080", "8081")
    tcp.wait_for("127.0.0.1:8081")
    wire = w.operator.capture("eth0")
    fetch = f"{w.operator.home}/fifty.py"
    with open(fetch, "w") as f:
        f.write(textwrap.dedent(FIFTY))
    r = w.operator.run("/usr/bin/python3", fetch, timeout=60)
    assert r.ok().out.splitlines() == want
    # one carrier connection: no long header is sent, and one destination token is used
    sent = [p for src, _, p in wire.udp() if src == "10.2.0.2"]
    assert sent and not [p for p in sent if p[0] & 0xc0 == 0xc0], "a handshake"
    assert len({p[1:9] for p in sent if p[0] & 0xc0 == 0x40}) <= 2
