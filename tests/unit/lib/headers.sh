# headers.sh INCLUDE CC CXX: every public header by itself, as strict C and C++ of four years.
set -eu
include=$1 cc=$2 cxx=$3
warnings="-pedantic-errors -Wall -Wextra -Werror -Wstrict-prototypes -Wconversion -Wundef"

one() { # one COMPILER LANGUAGE STANDARD WARNINGS
	for header in "$include"/carrier/*.h; do
		printf '#include <carrier/%s>\n#include <carrier/%s>\nint main(void);\nint main(void) { return 0; }\n' \
			"${header##*/}" "${header##*/}" |
			$1 -x "$2" -std="$3" $4 -I "$include" -fsyntax-only - || { echo "FAILED: ${header##*/} as $3"; exit 1; }
	done
}

ls "$include"/carrier/*.h | grep -q carrier.h
for std in c99 c11; do one "$cc" c $std "$warnings"; done
for std in c++11 c++17; do one "$cxx" c++ $std "${warnings/-Wstrict-prototypes/}"; done
