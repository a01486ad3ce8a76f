# symbols.sh LIBRARY MAP INCLUDE: what is exported, what the version script lists and what the
# headers declare is one and the same, and all of it is carrier_...
set -eu
lib=$1 map=$2 include=$3
T=$(mktemp -d) && trap 'rm -rf "$T"' EXIT

nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort > "$T/exported"
sed -n 's/^\t\([a-z_0-9]*\);$/\1/p' "$map" | sort > "$T/listed"
grep -ho 'CARRIER_API [^(]*(' "$include"/carrier/*.h | grep -v __attribute__ | sed 's/($//; s/.*[ *]//' | sort > "$T/declared"
[ "$(wc -l < "$T/exported")" -gt 30 ] || { echo "FAILED: nm found too little"; exit 1; }
diff "$T/listed" "$T/exported"
diff "$T/listed" "$T/declared"
! grep -v '^carrier_' "$T/exported"
readelf -d "$lib" | grep -q 'SONAME.*\[libcarrier.so.0\]'
