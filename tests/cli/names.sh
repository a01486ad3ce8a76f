# names stand wherever an identity may, and are nobody else's
. "$(dirname "$0")/lib.sh"

setup alice bob
BOB=$(id_of bob)
expect alice carrier names add office "$BOB"
expect alice carrier names
prints_exactly "office $BOB"
expect alice carrier names --complete
prints_exactly office
expect alice carrier names --json
prints "{\"schema\":1,\"name\":\"office\",\"identity\":\"$BOB\"}"
expect alice carrier authorize office
expect alice carrier config self auth list
prints_exactly "$BOB *"
expect_status 2 alice carrier names add self "$BOB"
expect_status 2 alice carrier names add disco "$BOB"
printf 'cellar="%s"\n' "$BOB" >"$T/alice/.devguard/named.toml"
expect alice carrier names --complete
prints cellar
expect alice carrier names rm office
expect alice carrier names --complete
prints_exactly cellar
expect_status 1 alice carrier names rm office
