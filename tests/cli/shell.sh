# a command's three streams stay apart, its status comes back
. "$(dirname "$0")/lib.sh"

claimed_device
expect_status 7 alice carrier shell dev -c 'echo out; echo err >&2; exit 7'
prints_exactly out
same "$(cat "$T/err")" err
expect alice carrier shell dev echo one '  two'
prints_exactly "one two"
expect_status 143 alice carrier shell dev -c 'kill -TERM $$'
same "$(printf 'a\nb\n' | as alice carrier shell dev -c 'wc -l')" 2
same "$(printf 'echo from a login shell\n' | as alice carrier shell dev -T 2>/dev/null | tail -1)" "from a login shell"
expect alice carrier shell -e LC_TIME=POSIX -e LANG C dev -c 'echo $LC_TIME $LANG'
prints_exactly "POSIX C"
expect alice carrier shell dev -t -c 'test -t 0 && stty size'
prints "24 80"

# the device goes away under a running shell: one line, 255
HOME="$T/alice" background carrier shell dev -c 'echo up; sleep 60' >"$T/sh.out" 2>"$T/sh.err"
wait_for "$T/sh.out" up
stop "$AGENT"
wait "$BG"
same "$?" 255
same "$(wc -l <"$T/sh.err")" 1
