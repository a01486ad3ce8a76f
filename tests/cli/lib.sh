# Words for scenarios: a broker, people with homes of their own, and what to expect.
# A scenario runs with the programs in PATH and leaves nothing behind.

set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/carrier-cli.XXXXXX")
PIDS=
FAILED=0
unset CARRIER_CONFIG CARRIER_BROKERS CARRIER_SECRET CARRIER_SECRETKIT CARRIER_PASSPHRASE_FILE
export HOME="$T/nobody" LC_ALL=C.UTF-8

finish() {
	status=$?
	trap - EXIT INT TERM
	for pid in $PIDS; do kill "$pid" 2>/dev/null; done
	for pid in $PIDS; do wait "$pid" 2>/dev/null; done
	rm -rf "$T"
	[ "$FAILED" = 0 ] || exit 1
	exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
	FAILED=1
	echo "FAILED: $*"
	[ -s "$T/out" ] && sed 's/^/    out: /' "$T/out"
	[ -s "$T/err" ] && sed 's/^/    err: /' "$T/err"
	return 0
}

# as NAME COMMAND...: with this person's home
as() {
	who=$1
	shift
	HOME="$T/$who" "$@"
}

# wait_for FILE TEXT: until the file has it, ten seconds at most
wait_for() {
	for _ in $(seq 200); do
		grep -qF -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.05
	done
	fail "$1 never said: $2"
	[ -f "$1" ] && sed 's/^/    /' "$1"
	return 1
}

# run NAME COMMAND...: keeps output, talk and status for the words below
run() {
	as "$@" >"$T/out" 2>"$T/err" </dev/null
	STATUS=$?
}

# expect NAME COMMAND...: it succeeds
expect() {
	run "$@"
	[ "$STATUS" = 0 ] || fail "status $STATUS: $*"
}

# expect_status N NAME COMMAND...
expect_status() {
	want=$1
	shift
	run "$@"
	[ "$STATUS" = "$want" ] || fail "status $STATUS instead of $want: $*"
}

# what the last command printed, and what it said
prints() { grep -qF -- "$1" "$T/out" || fail "did not print: $1"; }
prints_exactly() { [ "$(cat "$T/out")" = "$1" ] || fail "did not print exactly: $1"; }
prints_not() { ! grep -qF -- "$1" "$T/out" || fail "printed: $1"; }
says() { grep -qF -- "$1" "$T/err" || fail "did not say: $1"; }
says_one_line() { [ "$(wc -l <"$T/err")" = 1 ] || fail "said not exactly one line"; }
same() { [ "$1" = "$2" ] || fail "\"$1\" is not \"$2\""; }
same_file() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }

# background COMMAND...: BG is its process
background() {
	"$@" &
	BG=$!
	PIDS="$PIDS $BG"
}

# broker_up [OPTIONS]: one on loopback, and everybody knows its line
broker_up() {
	HOME="$T/broker" background carrier broker --listen 127.0.0.1:0 "$@" >"$T/broker.out" 2>"$T/broker.err"
	BROKER=$BG
	wait_for "$T/broker.out" 'broker = ["'
	CARRIER_BROKERS=$(sed -n 's/^broker = \["\(.*\)"\]$/\1/p' "$T/broker.out")
	export CARRIER_BROKERS
}

# publish NAME [OPTIONS]: the agent runs and has registered
publish() {
	who=$1
	shift
	HOME="$T/$who" background carrier publish "$@" >"$T/$who.out" 2>"$T/$who.err"
	AGENT=$BG
	wait_for "$T/$who.err" '[:status = 200, ]'
}

stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

id_of() { as "$1" carrier identity; }

# setup NAME...: homes
setup() {
	for who; do as "$who" carrier -q setup >/dev/null || fail "setup of $who"; done
}

# claimed_device: broker, a device DEV that alice has claimed and calls dev
claimed_device() {
	setup alice dev
	broker_up
	publish dev
	DEV=$(id_of dev)
	expect alice carrier authorize "$DEV" self
	expect alice carrier names add dev "$DEV"
}
