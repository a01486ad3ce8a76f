# push and pull, whole folders, and going on after a cut
. "$(dirname "$0")/lib.sh"

claimed_device
mkdir -p "$T/there" "$T/tree/sub"
head -c 3000000 /dev/urandom >"$T/file"
chmod 640 "$T/file"
expect alice carrier push dev "$T/file" "$T/there/file"
same_file "$T/file" "$T/there/file"
same "$(stat -c %a "$T/there/file")" 640
expect alice carrier pull dev "$T/there/file" "$T/back"
same_file "$T/file" "$T/back"
expect alice carrier fs push dev "$T/file" "$T/there/"
expect alice carrier --json push dev "$T/file" "$T/there/again"
prints '"bytes":3000000'

echo one >"$T/tree/one"
echo two >"$T/tree/sub/two"
expect alice carrier push -r dev "$T/tree" "$T/there/tree"
same "$(cat "$T/there/tree/sub/two")" two
expect alice carrier pull -r dev "$T/there/tree" "$T/tree2"
same "$(cat "$T/tree2/sub/two")" two

expect_status 1 alice carrier push dev "$T/nothing" "$T/there/x"
says_one_line
expect_status 1 alice carrier pull dev "$T/there/nothing" "$T/x"
says_one_line
[ ! -e "$T/x" ] || fail "a failed pull left a file"
