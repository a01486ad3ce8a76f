# what is mistyped is told, with the way to go on
. "$(dirname "$0")/lib.sh"

expect_status 2 alice carrier
says "usage: carrier"
expect_status 2 alice carrier sysnfo x
says "did you mean 'sysinfo'?"
expect_status 2 alice carrier disco
says "usage: carrier disco TARGET"
expect_status 2 alice carrier disco --nonsense x
says "no option --nonsense"
expect alice carrier help shell
prints "usage: carrier shell TARGET [COMMAND...]"
expect alice carrier shell --help
prints "--force-pty"
expect alice carrier --version
prints "carrier "
for shell in bash zsh fish; do
	expect alice carrier completion $shell
	prints sysinfo
done
bash -n <(as alice carrier completion bash) || fail "the completion is no bash"

mkdir "$T/bin"
printf '#!/bin/sh\necho "mine: $*"\n' >"$T/bin/carrier-mine"
chmod +x "$T/bin/carrier-mine"
PATH="$T/bin:$PATH"
expect alice carrier mine a b
prints_exactly "mine: a b"
expect alice carrier ik convert id32to58 "$(as bob carrier -q setup | sed -n 's/^identity: //p')"
prints o
