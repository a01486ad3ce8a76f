# setup makes an identity and a network, once
. "$(dirname "$0")/lib.sh"

expect alice carrier setup
first=$(cat "$T/out")
prints "identity: c"
prints "shadow: c"
prints "shadow-secret: c"
same "$(stat -c %a "$T/alice/.devguard/carrier.toml")" 600
same "$(stat -c %a "$T/alice/.devguard/carrier.secret")" 600

expect alice carrier setup
prints_exactly "$first"

expect alice carrier identity
same "identity: $(cat "$T/out")" "$(echo "$first" | head -1)"
expect alice carrier identity --gen1
prints o
expect alice carrier identity --json
prints '{"schema":1,"identity":"c'

expect_status 78 bob carrier identity
says "'carrier setup' makes one"
