#!/usr/bin/env python3
"""Decodes what our writer made and encodes it again canonically: the bytes must be the same.

usage: cbor2_check.py TREE_DUMP
"""
import subprocess
import sys

try:
    import cbor2
except ImportError:
    sys.exit(77)

lines = subprocess.run([sys.argv[1], "500"], check=True, capture_output=True, text=True).stdout.split()
assert len(lines) == 500
for seed, line in enumerate(lines):
    ours = bytes.fromhex(line)
    theirs = cbor2.dumps(cbor2.loads(ours), canonical=True)
    if ours != theirs:
        sys.exit("seed %d: ours %s, cbor2 %s" % (seed, line, theirs.hex()))
