#!/bin/bash
# From the command typed to its answer: a question to the device against `ssh HOST true`;
# then the same at an imposed round trip of 100 ms.
#   connect_bench.sh [--quick]         BENCH_BUILD: the build folder
cd "$(dirname "$0")" || exit 1
. ./world.sh
runs=20 slow_runs=5
case "${1:-}" in
--quick) runs=5 slow_runs=2 ;;
--smoke) runs=1 slow_runs=1 ;;
esac

start_world
start_sshd
export HOME=$world/operator
user=$(id -un)

times() { # times NAME RUNS COMMAND...: NAME.ms, until the command has ended; NAME.first, until its first output
	local name=$1 n=$2 wall rest first; shift 2
	for _ in $(seq "$n"); do
		$before
		measure run -- "$@" > "$world/one" 2> "$world/one.err" || { cat "$world/one.err" >&2; die "$name failed"; }
		read -r wall rest rest first < "$world/one"
		echo "$(calc "$wall / 1e6")" >> "$world/$name.ms"
		echo "$(calc "$first / 1e6")" >> "$world/$name.first"
	done
}
p50() { percentile "$world/$1" 50; }
tickets=$HOME/.devguard/state/tickets
forget_all() { rm -rf "$tickets"; }
forget_device() { for t in "$tickets"/*; do [ "$t" = "$broker_ticket" ] || rm -f "$t"; done; }

# shellcheck disable=SC2086
before=:; times ssh "$runs" ssh $ssh_options -p "$ssh_port" "$user@127.0.0.1" true
before=forget_all; times cold "$runs" carrier -q get disco "$device"
before=:; times warm "$runs" carrier -q get disco "$device"
before=:; times at "$runs" carrier -q get disco "$device@127.0.0.1:$device_port"
before=:; times shell "$runs" carrier -q shell "$device" -c true
ssh_ms=$(p50 ssh.ms)
row() { measure row "connect.$1" "$2" ms "$(p50 "$3.ms")" "ssh HOST true" "$ssh_ms" "$(calc "$ssh_ms / $(p50 "$3.ms")")" "$4" 10 "p50 of $runs"; }
row cold "get disco through the broker, nothing known before" cold ratio-min
row disco "get disco through the broker, as every day (tickets)" warm ratio-min
row direct "get disco at a known address" at -
row shell "shell TARGET -c true (a login shell starts)" shell -

# The operator is 100 ms from the broker; the device is next to it.
proxy_port=$(free_port udp)
delay_proxy "127.0.0.1:$proxy_port" "127.0.0.1:$broker_port" --delay-ms 50 > "$world/proxy.out" &
started="$started $!"
wait_for "$world/proxy.out" listening
far=$(echo "$broker_line" | sed "s/@127.0.0.1:$broker_port/@127.0.0.1:$proxy_port/")
ask="carrier -q --broker $far get disco $device"

before=forget_all; times far_cold "$slow_runs" $ask
# asking for somebody who is not there leaves the broker's ticket alone
forget_all
make_home nobody; nobody=$(as nobody carrier identity)
carrier -q --broker "$far" ping -c 1 "$nobody" > /dev/null 2>&1
broker_ticket=$(ls -d "$tickets"/*)
[ -f "$broker_ticket" ] || die "one ticket should be there: $broker_ticket"
before=forget_device; times far_ticket "$slow_runs" $ask
$ask > /dev/null || die "get disco"
before=:; times far_resumed "$slow_runs" $ask
slow() { measure row "connect.rtt_$1" "command to its first output at 100 ms: $2" "round trips" "$(calc "$(p50 "far_$1.first") / 100")" - 0 0 "$3" "$4" \
	"p50 of $slow_runs, the program's start included; it ends after $(calc "$(p50 "far_$1.ms") / 100")"; }
slow cold "nothing known" - 0
slow ticket "broker known (ticket)" ours-max 2.2
slow resumed "both known (0-RTT)" ours-max 1.2
