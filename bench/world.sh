# A broker, a device and an operator as real programs on loopback, each with its own home;
# and an sshd of our own beside them. Sourced by the measuring scripts. Needs BENCH_BUILD,
# the build folder; everything it makes is gone afterwards.
set -u
: "${BENCH_BUILD:?the build folder}"
PATH=$BENCH_BUILD/src/cli:$BENCH_BUILD/src/broker:$BENCH_BUILD/src/carrierd:$BENCH_BUILD/bench:/usr/sbin:$PATH
export NO_COLOR=1
unset CARRIER_BROKERS CARRIER_CONFIG
world=$(mktemp -d "${TMPDIR:-/tmp}/carrier-bench.XXXXXX")
fast=$world                             # where big files go: memory, if there is any
if [ -w /dev/shm ]; then fast=$(mktemp -d /dev/shm/carrier-bench.XXXXXX); fi
started=

world_end() {
	trap - EXIT INT TERM
	for p in $started; do disown "$p" 2>/dev/null; kill "$p" 2>/dev/null; done     # no word about those killed
	sleep 0.3
	for p in $started; do kill -9 "$p" 2>/dev/null; done
	rm -rf "$world" "$fast"
}
trap world_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ran() { [ -z "${CARRIER_RAN:-}" ] || printf '%s\n' "$@" >> "$CARRIER_RAN"; }    # for ./check's list
die() { echo "$(basename "$0"): $*" >&2; exit 1; }
wait_for() { # wait_for FILE TEXT
	for _ in $(seq 100); do grep -q -- "$2" "$1" 2>/dev/null && return 0; sleep 0.1; done
	cat "$1" >&2; die "'$2' did not come"
}
free_port() { # free_port TYPE (udp or tcp)
	while :; do
		local p=$((20000 + RANDOM % 20000))
		ss -Hln --"$1" "sport = :$p" | grep -q . || { echo $p; return; }
	done
}
as() { local who=$1; shift; HOME=$world/$who "$@"; }
operator() { HOME=$world/operator "$@"; }

start_broker() {
	mkdir -p "$world/broker"
	broker_port=$(free_port udp)
	HOME=$world/broker carrier-broker --listen "127.0.0.1:$broker_port" > "$world/broker.out" 2> "$world/broker.err" &
	broker_pid=$!; started="$started $!"
	wait_for "$world/broker.out" 'broker ='
	broker_line=$(sed -n 's/^broker = \["\(.*\)"\]/\1/p' "$world/broker.out")
}
make_home() { # make_home WHO: with an identity and the broker
	mkdir -p "$world/$1"
	as "$1" carrier setup > "$world/$1.setup" 2>&1 || { cat "$world/$1.setup" >&2; die "setup"; }
	local toml=$world/$1/.devguard/carrier.toml
	[ -z "${broker_line:-}" ] || { printf 'broker = ["%s"]\n' "$broker_line" | cat - "$toml" > "$toml.new" && mv "$toml.new" "$toml" && chmod 600 "$toml"; }
}
start_device() { # sets device (identity), device_port, device_pid
	device_port=$(free_port udp)
	HOME=$world/device carrierd --config "$world/device/.devguard/carrier.toml" --listen "127.0.0.1:$device_port" > "$world/device.out" 2> "$world/device.err" &
	device_pid=$!; started="$started $!"
	wait_for "$world/device.err" 'status = 200'
	device=$(as device carrier identity)
	# claimed by the operator, who may do everything
	operator carrier config "$device" auth add self '*' > "$world/claim.out" 2>&1 || { cat "$world/claim.out" >&2; die "claim"; }
}
start_world() { ran carrier carrierd carrier-broker; start_broker; make_home device; make_home operator; start_device; }

start_sshd() { # sets ssh_port, sshd_pid, ssh_options (for ssh and scp)
	ssh_port=$(free_port tcp)
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$world/hostkey"
	ssh-keygen -q -t ed25519 -N '' -f "$world/key"
	cp "$world/key.pub" "$world/authorized"
	chmod 700 "$world"; chmod 600 "$world/authorized"
	cat > "$world/sshd.conf" <<-E
		ListenAddress 127.0.0.1:$ssh_port
		HostKey $world/hostkey
		AuthorizedKeysFile $world/authorized
		PidFile $world/sshd.pid
		PasswordAuthentication no
		StrictModes no
		UsePAM no
		Subsystem sftp internal-sftp
	E
	/usr/sbin/sshd -f "$world/sshd.conf" -D -E "$world/sshd.log" &
	sshd_pid=$!; started="$started $!"
	ran sshd ssh scp
	ssh_options="-F none -o UserKnownHostsFile=$world/known -o StrictHostKeyChecking=accept-new -o IdentitiesOnly=yes -o BatchMode=yes -i $world/key"
	for _ in $(seq 50); do
		# shellcheck disable=SC2086
		ssh $ssh_options -p "$ssh_port" 127.0.0.1 true 2> "$world/ssh.err" && return 0
		sleep 0.1
	done
	cat "$world/ssh.err" "$world/sshd.log" >&2; die "sshd does not answer"
}

# percentile FILE P: of one number a line
percentile() { sort -g "$1" | awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100) + 1; if (i > NR) i = NR; print v[i] }'; }
calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }
