# whoever knows the secret of a network sees who joins and leaves it
. "$(dirname "$0")/lib.sh"

setup alice dev
broker_up
SECRET=$(as alice carrier setup 2>/dev/null | sed -n 's/^shadow-secret: //p')
ADDRESS=$(as alice carrier net address)
expect dev carrier net join "$SECRET"
prints_exactly "$ADDRESS"
DEV=$(id_of dev)

HOME="$T/alice" background carrier net subscribe >"$T/sub.out" 2>"$T/sub.err"
HOME="$T/alice" background carrier --json subscribe "$ADDRESS" >"$T/sub2.out" 2>"$T/sub2.err"
sleep 0.3
publish dev
wait_for "$T/sub.out" "+ $DEV"
stop "$AGENT"
wait_for "$T/sub.out" "- $DEV"
wait_for "$T/sub2.out" "{\"schema\":1,\"event\":\"leave\",\"identity\":\"$DEV\"}"

expect alice carrier mkshadow
prints "address: c"
prints "secret: c"
other=$(sed -n 's/^address: //p' "$T/out")
expect_status 77 alice carrier subscribe "$other"
says "its address alone lists nothing"

# a running device follows, whoever changes its network
DEV2=$(as dev2 carrier -q setup | sed -n 's/^identity: //p')
publish dev2
expect alice carrier authorize "$DEV2" self
expect alice carrier config "$DEV2" net join "$SECRET"
prints_exactly "$ADDRESS"
wait_for "$T/sub.out" "+ $DEV2"
expect alice carrier config "$DEV2" net leave
wait_for "$T/sub.out" "- $DEV2"
: >"$T/sub.out"
expect dev2 carrier net join "$SECRET"
wait_for "$T/sub.out" "+ $DEV2"

expect dev carrier net leave
expect_status 78 dev carrier net address
