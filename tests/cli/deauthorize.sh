# what was given can be taken back, but not one's own last way in
. "$(dirname "$0")/lib.sh"

claimed_device
setup bob
BOB=$(id_of bob)
expect bob carrier names add dev "$DEV"
expect alice carrier authorize dev "$BOB"
expect bob carrier disco dev
expect alice carrier deauthorize dev "$BOB"
expect_status 77 bob carrier disco dev
expect_status 77 alice carrier deauthorize dev self
says_one_line
expect alice carrier disco dev

# on the device itself
expect dev carrier config self auth list
prints "$(id_of alice) *"
expect dev carrier authorize "$BOB" /v0/shell
expect dev carrier config self auth list
prints "$BOB /v0/shell"
expect dev carrier config self auth del "$BOB" /v0/shell
expect dev carrier config self auth list
prints_not "$BOB"
expect_status 1 dev carrier deauthorize "$BOB"
