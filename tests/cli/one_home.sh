# the quickstart's walk with one home: authorize yourself, publish, shell to yourself
. "$(dirname "$0")/lib.sh"

setup alice
broker_up
ALICE=$(id_of alice)
expect alice carrier authorize "$ALICE"
publish alice
prints_nothing=$(cat "$T/alice.out")
same "$prints_nothing" "my identity:
$ALICE"
grep -qF "[INFO endpoint] identity: $ALICE" "$T/alice.err" || fail "no identity line"
grep -qF "[INFO endpoint] via udp" "$T/alice.err" || fail "no line about the way"

expect alice carrier shell "$ALICE" -c 'echo hello from here'
prints_exactly "hello from here"
expect alice carrier get sysinfo self
prints "Sysinfo {"
