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

times() { # times NAME RUNS COMMAND...: p50 in ms
	local name=$1 n=$2 wall rest; shift 2
	rm -f "$world/$name.ms"
	for _ in $(seq "$n"); do
		before
		measure run -- "$@" > "$world/one" 2> "$world/one.err" || { cat "$world/one.err" >&2; die "$name failed"; }
		read -r wall rest < "$world/one"
		calc "$wall / 1e6" >> "$world/$name.ms"; echo >> "$world/$name.ms"
	done
	percentile "$world/$name.ms" 50
}
state=$HOME/.devguard/state
before() { :; }
nothing_known() { before() { rm -rf "$state/tickets"; }; }
all_known() { before() { :; }; }

# shellcheck disable=SC2086
ssh_ms=$(times ssh "$runs" ssh $ssh_options -p "$ssh_port" "$user@127.0.0.1" true)
nothing_known
cold=$(times cold "$runs" carrier -q get disco "$device")
all_known
warm=$(times warm "$runs" carrier -q get disco "$device")
at=$(times at "$runs" carrier -q get disco "$device@127.0.0.1:$device_port")
shell=$(times shell "$runs" carrier -q shell "$device" -c true)

row() { measure row "connect.$1" "$2" ms "$3" "ssh HOST true" "$ssh_ms" "$(calc "$ssh_ms / $3")" "$4" 10 "p50 of $runs"; }
row cold "get disco through the broker, nothing known before" "$cold" ratio-min
row disco "get disco through the broker, as every day (tickets)" "$warm" ratio-min
row direct "get disco at a known address" "$at" -
row shell "shell TARGET -c true (a login shell starts)" "$shell" -

# The operator is 100 ms from the broker; the device is next to it.
proxy_port=$(free_port udp)
delay_proxy "127.0.0.1:$proxy_port" "127.0.0.1:$broker_port" --delay-ms 50 > "$world/proxy.out" &
started="$started $!"
wait_for "$world/proxy.out" listening
far=$(echo "$broker_line" | sed "s/@127.0.0.1:$broker_port/@127.0.0.1:$proxy_port/")
rounds() { calc "$1 / 100"; }
peer_unknown() { before() { find "$state/tickets" -type f 2>/dev/null | while read -r f; do case "$f" in *"$device"*) rm -f "$f" ;; esac; done; }; }
nothing_known; cold=$(times far_cold "$slow_runs" carrier -q --broker "$far" get disco "$device")
all_known; carrier -q --broker "$far" get disco "$device" > /dev/null || die "get disco"
peer_unknown; ticket=$(times far_ticket "$slow_runs" carrier -q --broker "$far" get disco "$device")
all_known; resumed=$(times far_resumed "$slow_runs" carrier -q --broker "$far" get disco "$device")
slow() { measure row "connect.rtt_$1" "command to answer at 100 ms: $2" "round trips" "$(rounds "$3")" - 0 0 "$4" "$5" \
	"p50 of $slow_runs; the program's start is in it"; }
slow cold "nothing known" "$cold" - 0
slow ticket "broker known (ticket)" "$ticket" ours-max 2.2
slow resumed "both known (0-RTT)" "$resumed" ours-max 1.2
