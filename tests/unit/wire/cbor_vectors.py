#!/usr/bin/env python3
"""RFC 8949 appendix A as a C table.

usage: cbor_vectors.py VECTORS.json OUT.h

json is the value as JSON text where JSON has it and our profile takes it, else NULL.
"""
import json
import sys


def is_ours(v):
    if isinstance(v, float):
        return False
    if isinstance(v, int) and not isinstance(v, bool):
        return -2**63 <= v < 2**64
    if isinstance(v, list):
        return all(map(is_ours, v))
    return all(map(is_ours, v.values())) if isinstance(v, dict) else True


with open(sys.argv[1]) as f, open(sys.argv[2], "w") as out:
    out.write("#include <stddef.h>\n\nstatic const struct vector {\n\tconst char *hex, *json;\n\tint roundtrip;\n} vectors[] = {\n")
    for v in json.load(f):
        text = "NULL"
        if "decoded" in v and is_ours(v["decoded"]):
            text = json.dumps(json.dumps(v["decoded"]))
        out.write('\t{ "%s", %s, %d },\n' % (v["hex"], text, v["roundtrip"]))
    out.write("};\n")
