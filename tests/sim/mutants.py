#!/usr/bin/env python3
"""Does the simulator notice? Each mutant breaks one idea of path, stream, endpoint or
broker in a copy of the tree; some seed of some scenario must fail.

    mutants.py [--source DIR] [--seeds N] [--only TEXT] [--skip N] [--jobs N]
"""
import argparse, os, shutil, subprocess, sys, tempfile, time

# (idea, file, text, replacement)
MUTANTS = [
    ("a control datagram's MAC is checked (device)", "src/endpoint/publication.c",
     "if (control_verify(datagram, &p->registration.key))", "if (1)"),
    ("a control datagram's MAC is checked (broker)", "src/broker/registry.c",
     "if (!control_verify(datagram, &r->key))\n\t\treturn;", ""),
    ("a route keep-alive's MAC is checked", "src/broker/relay.c",
     "if (!control_verify(datagram, &r->key) || c->seq <= r->seq)", "if (c->seq <= r->seq)"),
    ("an old keep-alive moves no record", "src/broker/registry.c",
     "if (c->seq <= r->seq)\n\t\treturn;\n\tr->seq = c->seq;\n\tr->addr", "r->seq = c->seq;\n\tr->addr"),
    ("a good-bye ends the record at once", "src/broker/registry.c",
     "if (c->seq > r->seq)\n\t\t\tregistry_remove(b, r);", ";"),
    ("only the caller that was knocked for comes in", "src/endpoint/accept.c",
     "ret->expect_peer = true;", "ret->expect_peer = false;"),
    ("packets of a route come from its ends only", "src/broker/relay.c",
     "if (!addr_equal(from, to_device ? &r->caller : &r->device) || via", "if (via"),
    ("a knock is good for seconds", "src/endpoint/accept.c",
     "if (k->until < loop_now(e->config.loop))", "if (0)"),
    ("an Initial without a knock is not answered", "src/endpoint/accept.c",
     "\treturn ERR_UNKNOWN;\n}\n\n/* The first agreement",
     "\tret->alpn = TRANSPORT_ALPN_PEER;\n\treturn 0;\n}\n\n/* The first agreement"),
    ("whom the rules do not admit is refused at the knock", "src/endpoint/publication.c",
     "if (endpoint_admits(p->e, &c->caller)) {", "if (1) {"),
    ("whom the rules do not admit is refused in the handshake", "src/endpoint/peer.c",
     "return endpoint_admits(p->e, who);", "return true;"),
    ("a withdrawn rule ends the connection", "src/endpoint/peer.c",
     "conn_close(p->conn, 0, \"authorization withdrawn\");", ";"),
    ("a withdrawn rule ends a connection with early data", "src/endpoint/peer.c",
     "(p->ready || p->early) && !endpoint_admits", "p->ready && !endpoint_admits"),
    ("a record ends when its device is silent", "src/broker/registry.c",
     "if (end <= now || heap_set(&b->timers, &r->timer, end) < 0)",
     "if (heap_set(&b->timers, &r->timer, now + SECONDS(1000)) < 0)"),
    ("a route ends when nothing uses it", "src/broker/relay.c",
     "if (idle_end(r) <= now || heap_set(&b->route_timers, n, idle_end(r)) < 0)",
     "if (heap_set(&b->route_timers, n, now + SECONDS(1000)) < 0)"),
    ("subscribers are told who joins", "src/broker/network.c",
     "\ttell(n, \"join\", &m->who);\n", "\t;\n"),
    ("subscribers are told who leaves", "src/broker/network.c",
     "if (announce)", "if (0)"),
    ("memberships that are not proved anew end", "src/broker/network.c",
     "if (m->stale)\n\t\t\tleave(b, m, true);", ";"),
    ("a message that packets cut in pieces is put together", "src/stream/receive.c",
     "size_t n = MIN(to - rx->part_len, in->len);", "size_t n = MIN(to - rx->part_len, in->len); if (rx->want > 70000 && n > 1) n--, *in = span_from(*in, 1);"),
    ("a length that packets cut in two is put together", "src/stream/receive.c",
     "\tif (rx->prefix_len < need)\n\t\treturn false;\n", "\tif (rx->prefix_len < need) {\n\t\trx->prefix_len = 0;\n\t\treturn false;\n\t}\n"),
    ("what was read is given back to the window", "src/stream/receive.c",
     "transport_stream_consume(s->ts, n);", ";"),
    ("a paused stream's bytes are kept", "src/stream/receive.c",
     "buf_add_span(&s->rx.held, data);", ";"),
    ("closed comes once", "src/stream/stream.c",
     "\t\ts->handler->closed(s->userdata, s, s->err);\n", "\t\ts->handler->closed(s->userdata, s, s->err), s->handler->closed(s->userdata, s, s->err);\n"),
    ("closed comes at all when the connection is lost", "src/stream/stream.c",
     "\twhile ((s = list_first(&ss->open, struct stream, link))) {\n", "\twhile ((s = list_first(&ss->open, struct stream, link))) {\n\t\ts->handler = NULL;\n"),
    ("a stream that wants to write again is told", "src/stream/stream.c",
     "s->handler->writable(s->userdata, s);", ";"),
    ("a failed registration is tried again", "src/endpoint/publication.c",
     "\tretry(p, MIN(wait, (unsigned)RETRY_MAX));", "\t(void)wait;"),
    ("a forgotten registration is made anew", "src/endpoint/publication.c",
     "\"it has forgotten us\");\n\t\tlink_renew(p->link);\n\t\tretry(p, RETRY_MIN);", "\"it has forgotten us\");"),
    ("a lost subscription is tried again", "src/endpoint/subscription.c",
     "if (source_arm(f->timer, loop_now(f->sub->e->config.loop) + SECONDS(RETRY_WAIT)) < 0)", "if (0)"),
    ("members of a broker that is gone are forgotten", "src/endpoint/subscription.c",
     "\tforget_broker(f->sub, f->index);\n", "\t;\n"),
    ("a second broker is tried", "src/endpoint/peer.c",
     "if (p->broker < p->e->config.brokers_len)\n\t\ttry_broker(p);", "if (0)\n\t\t;"),
    ("keep-alives are sent", "src/endpoint/publication.c",
     "\tif (n)\n\t\tswitchboard_send(p->e->sb, &p->broker_addr, SPAN(out, n));\n\tif (ev", "\tif (ev"),
    ("a silent broker is found out", "src/path/registration.c",
     "r->asked++ >= ASKED_MAX", "0"),
    ("a caller that moved tells its relay", "src/endpoint/peer.c",
     "\telse if (!p->direct)\n\t\tsend_route_keepalive(p);", "\telse if (!p->direct)\n\t\t;"),
    ("a device that moved tells its broker", "src/endpoint/peer.c",
     "\t\t\tpublications_beat(p->e, &to);", "\t\t\t;"),
    ("a forgotten route is asked for again", "src/endpoint/peer.c",
     "\t\t\ttry_broker(p);\n\t\t}\n\t\treturn;", "\t\t}\n\t\treturn;"),
    ("a coalesced keep-alive is seen", "src/endpoint/switchboard.c",
     "while (n < data.len && !((data.data[0] ^ data.data[n]) & QUIC_FIXED_BIT))", "while (n < data.len)"),
    ("a batch that the socket did not take is sent later", "src/endpoint/switchboard.c",
     "== ERR_AGAIN)\n\t\treturn false;", "== ERR_AGAIN)\n\t\tsb->held.len = 0;"),
    ("an interrupted flush goes on", "src/endpoint/switchboard.c",
     "\tsource_trigger(sb->flush);\n}\n\nvoid switchboard_send", "}\n\nvoid switchboard_send"),
    ("a published-twice identity is reported", "src/broker/registry.c",
     "no.verdict = CONTROL_SUPERSEDED;", ";"),
    ("the broker says where the device is to nobody else", "src/broker/serve.c",
     "\tcbor_map_bytes(&m, \"key\", SPAN_OF(r->key.b));\n\tif (answer_send(s, &m, &out) < 0)\n\t\tstream_reset(s, STREAM_CODE_INTERNAL);\n\twipe(out.data, out.len);\n}\n\n/* ---- subscribe",
     "\tcbor_map_bytes(&m, \"key\", SPAN_OF(r->key.b));\n\tcbor_map_bytes(&m, \"where\", SPAN_OF(record->addr.ip));\n\tif (answer_send(s, &m, &out) < 0)\n\t\tstream_reset(s, STREAM_CODE_INTERNAL);\n\twipe(out.data, out.len);\n}\n\n/* ---- subscribe"),
]


def run(cmd, **kw):
    return subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def limit():
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def verdict(exe, seeds):
    """The scenario that noticed, or None."""
    for kind, n in (("plain", 1), ("hostile", 4), ("chaos", seeds)):
        try:
            r = run([exe, "--stop", "--kind", kind, "--seeds", "1-%d" % n], timeout=90, preexec_fn=limit)
        except subprocess.TimeoutExpired:
            return kind + ": never ends"
        if r.returncode:
            failed = [l for l in r.stdout.splitlines() if l.startswith("FAILED")]
            return failed[0][7:150] if failed else "%s: crashes (%d)" % (kind, r.returncode)
    return None


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--source", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    ap.add_argument("--seeds", type=int, default=40)
    ap.add_argument("--only", default="")
    ap.add_argument("--skip", type=int, default=0)
    ap.add_argument("--jobs", default="2")
    a = ap.parse_args()
    escaped = 0
    with tempfile.TemporaryDirectory() as tmp:
        tree, build = os.path.join(tmp, "tree"), os.path.join(tmp, "build")
        shutil.copytree(a.source, tree, ignore=shutil.ignore_patterns(".git", "build*"))
        r = run(["meson", "setup", "-Dwerror=false", build, tree])
        if r.returncode:
            sys.exit(r.stdout)

        def compile():
            return run(["ninja", "-C", build, "-j", a.jobs, "tests/sim/sim_test"])

        exe = os.path.join(build, "tests", "sim", "sim_test")
        r = compile()
        if r.returncode:
            sys.exit(r.stdout)
        if not a.only and not a.skip:
            clean = verdict(exe, a.seeds)
            if clean:
                sys.exit("the tree itself fails: " + clean)
        for idea, file, text, replacement in MUTANTS[a.skip:]:
            if a.only not in idea:
                continue
            path = os.path.join(tree, file)
            source = open(path).read()
            if source.count(text) != 1:
                print("STALE    %s: its text is %d times in %s" % (idea, source.count(text), file))
                escaped += 1
                continue
            open(path, "w").write(source.replace(text, replacement))
            r, began = compile(), time.time()
            if r.returncode:
                print("BROKEN   %s\n%s" % (idea, r.stdout[-2000:]))
                escaped += 1
            else:
                by = verdict(exe, a.seeds)
                escaped += not by
                print("%s %s (%.0f s)%s" % ("caught  " if by else "ESCAPED ", idea, time.time() - began,
                                            ": " + by if by else ""), flush=True)
            open(path, "w").write(source)
    print("%d escaped" % escaped)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
