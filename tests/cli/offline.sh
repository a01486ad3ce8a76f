# a device that is not there, a broker that is not there, a broker that does not want us
. "$(dirname "$0")/lib.sh"

setup alice bob
broker_up
BOB=$(id_of bob)
expect alice carrier status
prints "reachable, rtt"
expect_status 69 alice carrier disco "$BOB"
says "is 'carrier publish' running there?"
says_one_line

line=${CARRIER_BROKERS%%#*}
expect_status 77 alice carrier --broker "$line" disco "$BOB"
says_one_line
expect_status 69 alice carrier --broker "$line" status
prints "refused"

stop "$BROKER"
start=$(date +%s)
expect_status 69 alice carrier disco "$BOB"
says "no broker is reachable"
says_one_line
[ $(($(date +%s) - start)) -le 20 ] || fail "took more than 20 s"
expect_status 124 alice carrier --timeout 1 disco "$BOB"

unset CARRIER_BROKERS
expect_status 78 alice carrier disco "$BOB"
says "no broker is configured"
