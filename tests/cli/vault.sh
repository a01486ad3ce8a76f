# a backup brings the identity back on another machine, and only with its passphrase
. "$(dirname "$0")/lib.sh"

setup alice
ALICE=$(id_of alice)
expect alice carrier names add me "$ALICE"
echo "correct horse" >"$T/pass"
echo "wrong horse" >"$T/wrong"
expect alice carrier vault export --passphrase-file "$T/pass" "$T/backup"
prints_exactly "$ALICE"
same "$(stat -c %a "$T/backup")" 600
expect_status 1 carol carrier vault restore --passphrase-file "$T/wrong" "$T/backup"
says "wrong passphrase"
expect carol carrier vault restore --passphrase-file "$T/pass" "$T/backup"
expect carol carrier identity
prints_exactly "$ALICE"
expect carol carrier names --complete
prints_exactly me
setup bob
expect_status 78 bob carrier vault restore --passphrase-file "$T/pass" "$T/backup"

expect carol carrier authorize "$(id_of bob)"
expect carol carrier reset --yes
prints_exactly "$ALICE"
expect carol carrier config self auth list
prints_exactly ""
expect carol carrier reset --yes --new-key
prints_not "$ALICE"
