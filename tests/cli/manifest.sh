# a factory makes identities with claim codes; each home is ready to be put on a device
. "$(dirname "$0")/lib.sh"

expect factory carrier identity --new 3 --manifest "$T/batch.csv"
same "$(wc -l <"$T/batch.csv")" 4
same "$(head -1 "$T/batch.csv")" "identity,claim_code,fingerprint,secret_file"
LINE=$(sed -n 2p "$T/batch.csv")
DEV=${LINE%%,*}
CODE=$(echo "$LINE" | cut -d, -f2)
same "$(stat -c %a "$(echo "$LINE" | cut -d, -f4)")" 600
expect factory carrier --config "$T/batch.homes/$DEV/carrier.toml" identity
prints_exactly "$DEV"
expect_status 1 factory carrier identity --new 3 --manifest "$T/batch.csv"

setup alice
broker_up
publish dev -c "$T/batch.homes/$DEV/carrier.toml"
expect_status 77 alice carrier authorize "$DEV" self
expect alice carrier authorize "$DEV" self --claim "$CODE"
expect alice carrier disco "$DEV"
