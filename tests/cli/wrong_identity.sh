# a mistyped identity is told what is wrong with it
. "$(dirname "$0")/lib.sh"

setup alice
id=$(id_of alice)
secret=$(as alice carrier setup 2>/dev/null | sed -n 's/^shadow: //p')

wrong() {
	expect_status 2 alice carrier disco "$1"
	says "$2"
	says_one_line
}
wrong "${id%?}" "characters"
wrong "$secret" "an identity was expected"
wrong "${id%????}0000" "is not base32"
last=$(printf %s "$id" | cut -c10)
other=$([ "$last" = A ] && echo B || echo A)
wrong "$(printf %s "$id" | cut -c1-9)$other$(printf %s "$id" | cut -c11-)" "checksum"
wrong nosuchname "neither an identity nor a name"
wrong sysinfo "cannot be a name"
