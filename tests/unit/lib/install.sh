# install.sh BUILD EXAMPLES CC: a user's way: an installed library, pkg-config, plain cc.
set -eu
build=$1 examples=$2 cc=$3
T=$(mktemp -d) && trap 'rm -rf "$T"' EXIT

meson install -C "$build" --no-rebuild --quiet --tags runtime,devel --destdir "$T/root" >/dev/null
PKG_CONFIG_LIBDIR=$(dirname "$(find "$T/root" -name libcarrier.pc)")
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR="$T/root"
flags=$(pkg-config --cflags --libs libcarrier)
[ "$(pkg-config --modversion libcarrier)" ]
for example in publisher whodis; do
	$cc -std=c99 -pedantic-errors -Wall -Wextra -Werror "$examples/$example.c" $flags -o "$T/$example"
done
# one header folder and nothing of src/
[ "$(find "$T/root" -name '*.h' | sed 's|.*/include/||' | grep -vc '^carrier/')" = 0 ]

export LD_LIBRARY_PATH=$(dirname "$(find "$T/root" -name libcarrier.so.0)")
ldd "$T/publisher" | grep -q "libcarrier.so.0 => $T/root"
# it runs: there is no identity here, and it says so
HOME=$T CARRIER_CONFIG=$T/carrier.toml "$T/publisher" 2> "$T/err" && exit 1
grep -q 'carrier setup' "$T/err"
