# JSON values go out as messages, messages come back as JSON lines
. "$(dirname "$0")/lib.sh"

claimed_device
printf '{"a":1}\n{"b":\n [1,2]}\n"x"\n' >"$T/in"
as alice carrier stream dev ping <"$T/in" >"$T/out" 2>"$T/err" || fail "status $?"
prints_exactly '{"a":1}
{"b":[1,2]}
"x"'
printf '{"error":{"code":4}}' | as alice carrier stream dev ping >/dev/null 2>&1
same "$?" 4
printf 'no json\n' | as alice carrier stream dev ping >/dev/null 2>&1
same "$?" 2
expect alice carrier stream dev ping -a name=value
prints_exactly '{"name":"value"}'
expect_status 77 alice carrier stream dev /no/such

expect alice carrier ping -c 2 -i 10 dev
prints "dev: seq=2 "
prints "relayed by 127.0.0.1:"
expect alice carrier --json ping -c 1 dev
prints '"route":"relayed"'
