#!/bin/bash
# One file from memory to memory over loopback: carrier push at a known address against
# scp as it comes and scp with its fastest cipher, in turns. CPU is that of both sides.
#   push_bench.sh [--quick]            BENCH_BUILD: the build folder
cd "$(dirname "$0")" || exit 1
. ./world.sh
size=1073741824 rounds=3
case "${1:-}" in
--quick) size=134217728 rounds=1 ;;
--smoke) size=1048576 rounds=1 ;;
esac

start_world
start_sshd
head -c $size /dev/urandom > "$fast/source"
to="$device@127.0.0.1:$device_port"
user=$(id -un)

one() { # one NAME PIDS -- COMMAND...: MB/s and CPU seconds per GB, a line in NAME.mbs and NAME.cpu
	local name=$1 trees= wall own far rest; shift
	while [ "$1" != -- ]; do trees="$trees --tree $1"; shift; done
	rm -f "$fast/target"
	# shellcheck disable=SC2086
	measure run $trees "$@" > "$world/one" 2> "$world/one.err" || { cat "$world/one.err" >&2; die "$name failed"; }
	read -r wall own far rest < "$world/one"
	cmp -s "$fast/source" "$fast/target" || die "$name: the copy differs"
	calc "$size / ($wall / 1e9) / 1e6" >> "$world/$name.mbs"; echo >> "$world/$name.mbs"
	calc "($own + $far) / $size" >> "$world/$name.cpu"; echo >> "$world/$name.cpu"
	echo "$name: $(tail -n 1 "$world/$name.mbs") MB/s, $(tail -n 1 "$world/$name.cpu") CPU s/GB (own $(calc "$own / $size"))" >&2
}
scp_to() { local name=$1; shift
	# shellcheck disable=SC2086
	one "$name" "$sshd_pid" -- scp -q $ssh_options -P "$ssh_port" "$@" "$fast/source" "$user@127.0.0.1:$fast/target"; }

export HOME=$world/operator
for _ in $(seq $rounds); do
	one carrier "$device_pid" -- carrier -q push "$to" "$fast/source" "$fast/target"
	scp_to scp
	scp_to scp_aes -c aes128-gcm@openssh.com
	one relayed "$device_pid" "$broker_pid" -- carrier -q push "$device" "$fast/source" "$fast/target"
done

mid() { percentile "$world/$1" 50; }
range() { echo "$(sort -g "$world/$1.mbs" | head -n 1)..$(sort -g "$world/$1.mbs" | tail -n 1)"; }
mib=$((size / 1048576))
note="median of $rounds; $(range carrier) against $(range scp)"
measure row push.scp "push of $mib MiB, memory to memory" MB/s "$(mid carrier.mbs)" scp "$(mid scp.mbs)" \
	"$(calc "$(mid carrier.mbs) / $(mid scp.mbs)")" ratio-min 2.5 "$note"
note="median of $rounds; $(range carrier) against $(range scp_aes)"
measure row push.scp_aes "push of $mib MiB, memory to memory" MB/s "$(mid carrier.mbs)" "scp -c aes128-gcm" "$(mid scp_aes.mbs)" \
	"$(calc "$(mid carrier.mbs) / $(mid scp_aes.mbs)")" ratio-min 1.4 "$note"
measure row push.cpu "CPU of a push, both sides" s/GB "$(mid carrier.cpu)" scp "$(mid scp.cpu)" \
	"$(calc "$(mid carrier.cpu) / $(mid scp.cpu)")" ratio-max 0.45 -
measure row push.cpu_aes "CPU of a push, both sides" s/GB "$(mid carrier.cpu)" "scp -c aes128-gcm" "$(mid scp_aes.cpu)" \
	"$(calc "$(mid carrier.cpu) / $(mid scp_aes.cpu)")" - 0 -
measure row push.relayed "the same push through the broker's relay" MB/s "$(mid relayed.mbs)" - 0 0 - 0 \
	"CPU with the broker's $(mid relayed.cpu) s/GB; the broker's default rate of a route is 100 MB/s after the first 100 MB"
