# an authorization for one path opens that path, and discovery shows no other
. "$(dirname "$0")/lib.sh"

claimed_device
setup bob
BOB=$(id_of bob)
expect bob carrier names add dev "$DEV"
expect alice carrier authorize dev "$BOB" /v2/carrier.sysinfo.v1/sysinfo
expect bob carrier sysinfo dev
expect bob carrier disco dev
prints '"/v2/carrier.sysinfo.v1/sysinfo",'
prints_not /v0/shell
expect_status 77 bob carrier shell dev -c true
says "carrier: dev has no /v0/shell for us"
expect_status 77 bob carrier config dev auth list

expect alice carrier config dev auth list
prints "$BOB /v2/carrier.sysinfo.v1/sysinfo"
expect alice carrier --json config dev auth list
prints '"resource":"/v2/carrier.sysinfo.v1/sysinfo"'
