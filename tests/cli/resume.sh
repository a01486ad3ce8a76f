# a transfer that was cut goes on where it stopped
. "$(dirname "$0")/lib.sh"

claimed_device
head -c 300000000 /dev/zero | tr '\0' 'x' >"$T/big"
dd if=/dev/urandom of="$T/big" bs=1M count=8 conv=notrunc 2>/dev/null
HOME="$T/alice" background carrier push dev "$T/big" "$T/copy" 2>"$T/push.err"
for _ in $(seq 100); do
	part=$(find "$T" -maxdepth 1 -name '.copy*' -size +20000k | head -1)
	[ -n "$part" ] && break
	sleep 0.02
done
stop "$BG"
if [ -e "$T/copy" ]; then
	echo "the copy was faster than the cut; nothing to resume"
else
	expect alice carrier --json push dev "$T/big" "$T/copy"
	prints_not '"resumed_at":0'
fi
same_file "$T/big" "$T/copy"
