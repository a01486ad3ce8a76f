#!/bin/bash
# What an idle agent needs: memory of all its processes, CPU, size of the program.
#   idle_agent.sh [--quick]            BENCH_BUILD: the build folder
cd "$(dirname "$0")" || exit 1
. ./world.sh
settle=30
case "${1:-}" in --quick|--smoke) settle=2 ;; esac

start_world
operator carrier -q get disco "$device" > /dev/null || die "get disco"  # it has served somebody
cpu() { measure run --tree "$device_pid" -- sleep "$settle" | cut -d' ' -f3; }
used=$(cpu)
read -r rss pss <<< "$(measure memory "$device_pid")"
read -r _ broker_pss <<< "$(measure memory "$broker_pid")"
for p in carrierd/carrierd cli/carrier broker/carrier-broker; do
	cp "$BENCH_BUILD/src/$p" "$world/bin" && strip "$world/bin"
	eval "size_$(basename $p | tr -d -)=$(stat -c %s "$world/bin")"
done

measure row agent.memory "carrierd idle, all its processes (PSS)" MB "$(calc "$pss / 1e6")" - 0 0 ours-max 10 \
	"monitor, net and keys; RSS summed $(calc "$rss / 1e6") MB (shared libraries counted three times); CPU in ${settle} s: $(calc "$used / 1e6") ms"
measure row agent.size "carrierd, stripped" kB "$(calc "$size_carrierd / 1e3")" - 0 0 - 0 \
	"carrier $(calc "$size_carrier / 1e3") kB, carrier-broker $(calc "$size_carrierbroker / 1e3") kB; libraries are the distribution's"
measure row broker.memory "carrier-broker idle (PSS)" MB "$(calc "$broker_pss / 1e6")" - 0 0 - 0 "one registered device"
