# howto.sh SOURCE BUILD CC: does what docs/howto/library.md says. Its `sh` blocks are run in one
# shell, in order; its `c` blocks stand word for word in the examples. Only building and
# installing are played: the library comes from BUILD, and goes to a folder of the test.
set -u
source=$1 build=$2 cc=$3
T=$(mktemp -d "${TMPDIR:-/tmp}/carrier-howto.XXXXXX")
unset CARRIER_CONFIG CARRIER_BROKERS CARRIER_SECRET CARRIER_SECRETKIT
export HOME=$T

finish() {
	jobs=$(jobs -p)
	[ -z "$jobs" ] || kill $jobs 2>/dev/null
	wait
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 1' INT TERM
fail() { echo "FAILED: $*"; sed 's/^/    /' "$T/out" "$T"/whodis-demo/*.txt 2>/dev/null; exit 1; }

# ---- the blocks ----
awk -v to="$T" '/^```/ { if (in_) in_ = ""; else { in_ = substr($0, 4); n[in_]++ } next }
	in_ == "sh" { print > (to "/commands") }
	in_ == "c" { print > (to "/piece" n["c"]) }' "$source/docs/howto/library.md"
[ "$(ls "$T"/piece* | wc -l)" = 3 ] || fail "the page has other pieces of C than this test knows"
for piece in "$T"/piece*; do
	python3 - "$piece" "$source"/examples/*.c <<'PY' || fail "a piece of C is not in the examples: $(cat "$piece")"
import sys
piece = open(sys.argv[1]).read()
sys.exit(not any(piece in open(name).read() for name in sys.argv[2:]))
PY
done

# ---- what is played ----
meson() {
	[ "$1" = install ] || return 0
	command meson install -C "$build" --no-rebuild --quiet --tags runtime,devel --destdir "$T/root" >/dev/null || return
	export PKG_CONFIG_SYSROOT_DIR=$T/root PKG_CONFIG_LIBDIR LD_LIBRARY_PATH
	PKG_CONFIG_LIBDIR=$(dirname "$(find "$T/root" -name libcarrier.pc)")
	LD_LIBRARY_PATH=$(dirname "$(find "$T/root" -name libcarrier.so.0)")
}
ninja() { :; }
ldconfig() { :; }
sudo() { "$@"; }
cc() { command $cc "$@"; }

# ---- the walk ----
set -m
cd "$T" && ln -s "$source/examples" examples
grep -v '^kill ' commands > walk
set -e
trap 'fail "a command of the page"' ERR
. ./walk > out
trap - ERR
set +e

lines() { grep -cF -- "$1" out; }
[ "$(lines "you are $OPERATOR")" = 2 ] || fail "the device does not know who asks"
[ "$(lines "i am $DEVICE")" = 2 ] || fail "the device does not know itself"
[ "$(lines '"/v2/myorg.mything.v1/whodis"')" = 1 ] || fail "disco does not list the route"
[ "$(lines mything)" -ge 2 ] || fail "disco does not show the application"
grep -q '^kill ' commands || fail "the page leaves its programs running"

# a stranger is refused, and the operator gets nothing but what the rule says
carrier --config stranger.toml setup >/dev/null
carrier --config stranger.toml get "$DEVICE" /v2/myorg.mything.v1/whodis >/dev/null 2>&1 && fail "a stranger got an answer"
carrier --config whodis-demo/operator.toml get "$DEVICE" /v2/carrier.sysinfo.v1/sysinfo >/dev/null 2>&1 && fail "more than the rule says"
exit 0
