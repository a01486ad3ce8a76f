# the handbook's walk with two homes: whoever comes first claims, nobody after him
. "$(dirname "$0")/lib.sh"

setup alice bob dev
broker_up
publish dev
grep -qF "nobody has claimed this device yet" "$T/dev.err" || fail "no warning while unclaimed"
DEV=$(id_of dev)

expect_status 77 alice carrier get disco "$DEV"
expect alice carrier config "$DEV" auth add self '*'
expect alice carrier get disco "$DEV"
prints '"paths"'
prints '"/v0/shell"'

expect_status 77 bob carrier authorize "$DEV" self
says_one_line
expect_status 77 bob carrier get disco "$DEV"
says "refused us: ask its owner for 'carrier authorize"
