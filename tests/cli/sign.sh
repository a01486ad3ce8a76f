# a signature belongs to its purpose, its text and its signer
. "$(dirname "$0")/lib.sh"

setup alice bob
ALICE=$(id_of alice)
echo "the text" >"$T/text"
expect alice carrier sign receipt "$T/text"
SIG=$(cat "$T/out")
expect bob carrier verify receipt "$ALICE" "$SIG" "$T/text"
expect_status 1 bob carrier verify invoice "$ALICE" "$SIG" "$T/text"
expect_status 1 bob carrier verify receipt "$(id_of bob)" "$SIG" "$T/text"
echo "another" >"$T/other"
expect_status 1 bob carrier verify receipt "$ALICE" "$SIG" "$T/other"
same "$(printf 'the text\n' | as alice carrier sign receipt)" "$SIG"
expect_status 2 bob carrier verify receipt "$ALICE" "${SIG%?}" "$T/text"
expect_status 2 alice carrier sign "carrier fake" "$T/text"
