# a device that asks for a code is claimed with it, and only with it
. "$(dirname "$0")/lib.sh"

setup alice
broker_up
publish dev --claim code
CODE=$(sed -n 's/^claim code: //p' "$T/dev.out")
DEV=$(id_of dev)

expect_status 77 alice carrier authorize "$DEV" self
says "claim code"
expect_status 77 alice carrier authorize "$DEV" self --claim babab-babab-babab-babab
sleep 1.2
expect alice carrier authorize "$DEV" self --claim "$CODE"
expect alice carrier disco "$DEV"
