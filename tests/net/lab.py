"""Hosts, cables, switches and NAT boxes out of network namespaces, and the real programs in them.

Everything that a Lab makes has the test run's process id in its name and is removed by
close(), also after a failure; what a killed run has left is removed by the next one.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

BUILD = os.environ.get("CARRIER_BUILD", "")
CLONE_NEWNET = 0x40000000
PREFIX, FOLDER = "cn", "carrier-net."


PROGRAMS = {"carrier": "cli", "carrier-broker": "broker", "carrierd": "carrierd"}    # and their folders
STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def program(name):
    return os.path.join(BUILD, "src", PROGRAMS[name], name)


def ran(what):
    """Notes a real program that took part, for the list at the end of a check."""
    path = os.environ.get("CARRIER_RAN")
    if path:
        with open(path, "a") as f:
            f.write(what + "\n")


def tool(argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert r.returncode == 0, f"{' '.join(argv)}: {r.stdout}"
    return r.stdout


def wait_until(what, seconds, test, every=0.05):
    end = time.monotonic() + seconds
    while True:
        got = test()
        if got:
            return got
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


class Result:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def __repr__(self):
        return f"exit {self.code} after {self.seconds:.1f} s\nstdout: {self.out[-2000:]}\nstderr: {self.err[-2000:]}"

    def ok(self):
        assert self.code == 0, repr(self)
        return self

    def json(self):
        return json.loads(self.out)

    def one_line(self):
        """The whole complaint is one line on standard error."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1 and lines[0], repr(self)
        return lines[0]


class Proc:
    """A program that goes on while the test does something else; its output goes to files."""

    def __init__(self, lab, argv, env, cwd, stdin=None):
        self.lab, self.began = lab, time.monotonic()
        self.files = [tempfile.TemporaryFile(dir=lab.folder) for _ in range(2)]
        self.popen = subprocess.Popen(argv, stdin=stdin if stdin is not None else subprocess.DEVNULL,
                                      stdout=self.files[0], stderr=self.files[1], env=env, cwd=cwd,
                                      start_new_session=True)
        lab.procs.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def text(self, n):
        size = os.fstat(self.files[n].fileno()).st_size
        return os.pread(self.files[n].fileno(), size, 0).decode(errors="replace")

    @property
    def out(self):
        return self.text(0)

    @property
    def err(self):
        return self.text(1)

    def both(self):
        return f"stdout: {self.out[-2000:]}\nstderr: {self.err[-2000:]}"

    def wait_for(self, text, seconds=15, times=1):
        end = time.monotonic() + seconds
        while (self.out + self.err).count(text) < times:
            alive = self.popen.poll() is None
            late = time.monotonic() > end
            assert (alive and not late) or (self.out + self.err).count(text) >= times, \
                f"{text!r} did not come ({'late' if alive else 'ended'}): {self.both()}"
            time.sleep(0.05)

    def write(self, text):
        self.popen.stdin.write(text.encode())
        self.popen.stdin.flush()

    def finish(self, seconds=30):
        try:
            code = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still runs after {seconds} s: {self.both()}") from None
        return Result(code, self.out, self.err, time.monotonic() - self.began)

    def signal(self, number):
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, number)

    def kill(self):
        """The whole group at once, as a power cut does."""
        self.signal(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self):
        if self.popen.poll() is None:
            os.kill(self.popen.pid, signal.SIGTERM)
        self.finish(10)


class Host:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.ns = f"{lab.tag}-{name}"
        self.home = os.path.join(lab.folder, name)
        os.mkdir(self.home, 0o755)
        tool(["ip", "netns", "add", self.ns])
        lab.spaces.append(self.ns)
        self.ip("link", "set", "lo", "up")

    def ip(self, *args):
        return tool(["ip", "-n", self.ns, *args])

    def addr(self, dev, *addresses, via=None):
        for a in addresses:
            self.ip("addr", "add", a, "dev", dev, *(["nodad"] if ":" in a else []))
        self.ip("link", "set", dev, "up")
        if via:
            self.ip("route", "add", "default", "via", via)

    def environment(self, extra):
        env = {"HOME": self.home, "PATH": ":".join([*(os.path.dirname(program(p)) for p in PROGRAMS), STANDARD_PATH]),
               "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
            if key in os.environ:
                env[key] = os.environ[key]
        env.update(extra or {})
        return env

    def start(self, *argv, stdin=None, env=None, cwd=None):
        argv = [program(argv[0]) if argv[0] in PROGRAMS else argv[0], *argv[1:]]
        return Proc(self.lab, ["ip", "netns", "exec", self.ns, *argv], self.environment(env), cwd or self.home, stdin)

    def run(self, *argv, timeout=30, env=None, cwd=None):
        return self.start(*argv, env=env, cwd=cwd).finish(timeout)

    def carrier(self, *args, **more):
        return self.run("carrier", *args, **more)

    def nft(self, rules):
        ran("nft " + version(["nft", "--version"]))
        r = subprocess.run(["ip", "netns", "exec", self.ns, "nft", "-f", "-"], input=rules, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        assert r.returncode == 0, r.stdout

    def sysctl(self, key, value):
        # /proc/sys/net shows the network namespace of whoever opens it
        tool(["ip", "netns", "exec", self.ns, "sh", "-c", f"echo {value} > /proc/sys/{key.replace('.', '/')}"])

    def flush_conntrack(self):
        ran("conntrack " + version(["conntrack", "--version"]))
        subprocess.run(["ip", "netns", "exec", self.ns, "conntrack", "-F"], capture_output=True, timeout=20, check=True)

    def lose(self, percent, dev):
        """Loses that share of what comes in for this host or is passed on by it, packet by packet."""
        drop = f"iifname \"{dev}\" meta l4proto udp numgen random mod 100 < {percent} counter drop" if percent else ""
        self.nft("table inet loss\ndelete table inet loss\n" + (f"""table inet loss {{
 chain inp {{
  type filter hook input priority -10
  {drop}
 }}
 chain fw {{
  type filter hook forward priority -10
  {drop}
 }}
}}
""" if percent else ""))

    def config(self):
        return os.path.join(self.home, ".devguard", "carrier.toml")

    def prepend_config(self, lines):
        with open(self.config()) as f:
            rest = f.read()
        fd = os.open(self.config() + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(lines + "\n" + rest)
        st = os.stat(self.config())
        os.chown(self.config() + ".new", st.st_uid, st.st_gid)
        os.rename(self.config() + ".new", self.config())

    def append_config(self, lines):
        with open(self.config(), "a") as f:
            f.write("\n" + lines + "\n")

    def setup(self, line=None, **keys):
        self.carrier("setup").ok()
        more = "".join(f"{k} = {json.dumps(v)}\n" for k, v in keys.items())
        if line or more:
            self.prepend_config((f"broker = {line}\n" if line else "") + more)
        return self.carrier("identity").ok().out.strip()

    def inside(self, fn):
        """Calls fn in a thread that has gone into this host's network; its result."""
        box = {}

        def work():
            try:
                with open(f"/run/netns/{self.ns}") as f:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(f.fileno(), CLONE_NEWNET) < 0:
                        raise OSError(ctypes.get_errno(), "setns")
                box["value"] = fn()
            except Exception as e:  # noqa: BLE001 - raised again by the caller's thread
                box["error"] = e

        t = threading.Thread(target=work)
        t.start()
        t.join()
        if "error" in box:
            raise box["error"]
        return box["value"]

    def capture(self, dev):
        return Capture(self, dev)


class Capture:
    """What passes a host's network device, both directions, from now on."""

    OUTGOING = 4

    def __init__(self, host, dev):
        def open_socket():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
            s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)       # SO_RCVBUFFORCE
            s.bind((dev, 0x0003))
            return s

        self.socket = host.inside(open_socket)
        self.packets = []               # (outgoing, the packet from its IP header on)
        self.ended = False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        host.lab.captures.append(self)
        ran("AF_PACKET")

    def read(self):
        self.socket.settimeout(0.1)
        while True:
            try:
                data, where = self.socket.recvfrom(1 << 17)
            except socket.timeout:
                if self.ended:
                    return
                continue
            except OSError:
                return
            self.packets.append((where[2] == self.OUTGOING, data))

    def stop(self):
        """Ends it and returns the packets; none was lost on the way to us."""
        if not self.ended:
            self.ended = True
            self.thread.join()
            stat = self.socket.getsockopt(263, 6, 8)            # PACKET_STATISTICS
            self.socket.close()
            assert struct.unpack("II", stat)[1] == 0, "the capture lost packets"
        return self.packets

    def udp(self):
        """(source, destination, payload) of the UDP packets."""
        found = []
        for _, p in self.stop():
            if p[0] >> 4 == 4 and p[9] == 17:
                at, src, dst = (p[0] & 15) * 4, socket.inet_ntoa(p[12:16]), socket.inet_ntoa(p[16:20])
            elif p[0] >> 4 == 6 and p[6] == 17:
                at, src = 40, socket.inet_ntop(socket.AF_INET6, p[8:24])
                dst = socket.inet_ntop(socket.AF_INET6, p[24:40])
            else:
                continue
            found.append((src, dst, p[at + 8:]))
        return found


class Lab:
    count = 0

    def __init__(self):
        Lab.count += 1
        self.tag = f"{PREFIX}{os.getpid()}x{Lab.count}"
        self.folder = tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}.")
        os.chmod(self.folder, 0o755)
        self.procs, self.spaces, self.captures = [], [], []
        self.bridged = 0
        ran("iproute2 " + version(["ip", "-V"]))

    def host(self, name):
        return Host(self, name)

    def cable(self, a, dev_a, b, dev_b):
        tool(["ip", "link", "add", dev_a, "netns", a.ns, "type", "veth", "peer", "name", dev_b, "netns", b.ns])

    def switch(self, name):
        h = self.host(name)
        h.ip("link", "add", "br0", "type", "bridge")
        h.ip("link", "set", "br0", "up")
        return h

    def plug(self, switch, host, dev):
        self.bridged += 1
        port = f"p{self.bridged}"
        self.cable(host, dev, switch, port)
        switch.ip("link", "set", port, "master", "br0", "up")
        return port

    def nat_box(self, name, wan, wan_address, lan_address, udp_timeout=None):
        """A masquerading router with `wan` and `lan`, which passes on nothing that was not asked for."""
        box = self.host(name)
        self.plug(wan, box, "wan")
        box.addr("wan", wan_address)
        box.lan_address = lan_address
        box.sysctl("net.ipv4.ip_forward", 1)
        # without `inp`, an early packet from outside would take the port of our own mapping
        box.nft("""table ip nat {
 chain post {
  type nat hook postrouting priority 100
  oifname "wan" masquerade
 }
 chain pre {
  type nat hook prerouting priority -100
 }
}
table ip f {
 chain inp {
  type filter hook input priority 0
  iifname "wan" drop
 }
 chain fw {
  type filter hook forward priority 0
  policy drop
  iifname != "wan" accept
  ct state established,related accept
 }
}
""")
        if udp_timeout:
            box.sysctl("net.netfilter.nf_conntrack_udp_timeout", udp_timeout)
            box.sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", udp_timeout)
        return box

    def behind(self, box, host, address):
        self.cable(box, "lan", host, "eth0")
        box.addr("lan", box.lan_address)
        host.addr("eth0", address, via=box.lan_address.split("/")[0])

    def tmpfs(self, name, size):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        tool(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path])
        return path

    def close(self):
        for c in self.captures:
            c.ended = True
        for p in self.procs:
            p.signal(signal.SIGKILL)
        for ns in self.spaces:
            remove_space(ns)
        for p in self.procs:
            p.popen.wait(10)
        remove_folder(self.folder)


def remove_space(ns):
    """And whatever still runs in it: workers lead sessions of their own."""
    r = subprocess.run(["ip", "netns", "pids", ns], capture_output=True, text=True, timeout=20)
    for pid in r.stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(["ip", "netns", "del", ns], capture_output=True, timeout=20)
    shutil.rmtree(f"/etc/netns/{ns}", ignore_errors=True)
    try:
        os.rmdir("/etc/netns")
    except OSError:
        pass                            # somebody else's


def remove_folder(folder):
    with open("/proc/mounts") as f:
        mounted = [line.split()[1] for line in f]
    for m in mounted:
        if m.startswith(folder + "/"):
            subprocess.run(["umount", "-l", m], capture_output=True, timeout=20)
    shutil.rmtree(folder, ignore_errors=True)


def sweep():
    """Removes what a killed run has left."""
    tmp = tempfile.gettempdir()
    for name in os.listdir(tmp):
        m = re.match(re.escape(FOLDER) + r"(\d+)\.", name)
        if m and not os.path.exists(f"/proc/{m[1]}"):
            remove_folder(os.path.join(tmp, name))
    for ns in os.listdir("/run/netns") if os.path.isdir("/run/netns") else []:
        m = re.match(PREFIX + r"(\d+)x\d+-", ns)
        if m and not os.path.exists(f"/proc/{m[1]}"):
            remove_space(ns)


versions = {}


def version(argv):
    if argv[0] not in versions:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=20)
        m = re.search(r"(?:^|[ _v-])(\d+\.[\w.]*)", r.stdout + r.stderr)
        versions[argv[0]] = m[1] if m else ""
    return versions[argv[0]]


def random_file(path, size):
    with open("/dev/urandom", "rb") as r, open(path, "wb") as w:
        while size:
            block = r.read(min(size, 1 << 20))
            w.write(block)
            size -= len(block)
    return path


def same_file(a, b):
    return subprocess.run(["cmp", a, b], capture_output=True, timeout=60).returncode == 0
