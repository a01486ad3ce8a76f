# disco and sysinfo in both spellings
. "$(dirname "$0")/lib.sh"

claimed_device
expect alice carrier disco dev
prints "DiscoveryResponse {"
prints '    carrier_revision: '
prints '        "/v0/shell",'
expect alice carrier get disco dev
prints '  "paths": ['
expect alice carrier --json disco dev
prints '{"schema":1,'

expect alice carrier sysinfo dev
same "$(head -2 "$T/out")" "[:status = 200, ]
Sysinfo {"
prints "    mem: Mem {"
expect alice carrier get sysinfo dev
prints "    mem: Some("
prints "        Mem {"
prints_not "[:status"

expect alice carrier get dev /v2/carrier.discovery.v1/discover
prints '{"paths":['
says "[:status = 200, ]"
expect alice carrier get /v3/carrier.discovery.v1/discover dev --raw
expect alice carrier get dev disco -x
prints "00000000  "
expect_status 77 alice carrier get dev /v2/no/such/path
says_one_line
