#!/bin/bash
# Build one port, an unmodified Linux program of somebody else's: distro/port.sh NAME
#
# The recipe is userland/NAME/port, a piece of bash this script reads; docs/ports.md says what may stand in it.
# Results, all below build/ports/NAME:
#   root/     what goes into the image, stripped
#   dev/      headers and static libraries, for ports that need this one
#   log       what the build said
# The sources are copied before they are built, so build/src/NAME stays as it was unpacked.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
name=$1
out=$top/build/ports/$name

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600} TZ=UTC LC_ALL=C
export GIT_CEILING_DIRECTORIES=$top/build # a version is that of the archive, not of this tree
# Of our make only its job slots: its other flags are not meant for the makefiles of others.
slots=$(grep -oE -- '(^| )(-j[0-9]*|--jobserver-(auth|fds)=[^ ]+)' <<<"${MAKEFLAGS:-}" | tr -d '\n' || true)
for variable in MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES ISA CMD NX_CMD; do unset $variable; done
export MAKEFLAGS=$slots

# ---- what a recipe may set ----
needs=''     # other ports: their dev/ is searched for headers and libraries
host=''      # Debian packages the build machine must have for it
link=static  # or dynamic; or glibc: static, with the cross compiler's own C library, and with C++
flags=''     # for ./configure
targets=''   # for make
files=''     # lines "FROM TO": from the build folder to the image; a folder goes as a whole

# ---- what a recipe may use or define anew ----
host_triple=riscv64-linux-musl
configure_port() {
    # The compiler finds what is missing by compiling; nothing of the build machine may be run or searched for.
    ./configure --host=$host_triple --build="$(gcc -dumpmachine)" --prefix=/usr --sysconfdir=/etc \
        --localstatedir=/var $flags
}
build_port() { make $targets; }
install_port() { :; }

# A file or folder of the build as TO in the image.
put() {
    mkdir -p "$(dirname "$root$2")"
    cp -R "$1" "$root$2"
}

. "userland/$name/port"

src=$top/build/src/$name work=$out/work root=$out/root dev=$out/dev
say() { printf '  %-7s %s: %s\n' PORT "$name" "$1" >&2; }
step=fetch
failed() {
    trap - EXIT
    [ ! -f "$out/log" ] || tail -n 25 "$out/log" >&2
    echo "port $name: failed at $step; the whole story is in build/ports/$name/log" >&2
    exit 1
}
trap failed EXIT

mkdir -p build/ports
exec 8>"$out.lock"
flock 8 # another make may be at it
rm -rf "$out"
mkdir -p "$root" "$dev"
[ -z "$host" ] || distro/deps.sh $host
cp -a "$src" "$work"

# The compiler is one word, so that it passes through every configure script and libtool as it is.
mkdir "$out/bin"
paths="-ffile-prefix-map=$work=. -ffile-prefix-map=$top=."
case $link in
static) cc="$top/build/sysroot/bin/riscv64-nexus-musl-gcc -static" ;;
dynamic) cc=$top/build/sysroot/bin/riscv64-nexus-musl-gcc ;;
glibc) cc="riscv64-linux-gnu-gcc -static" ;;
esac
printf '#!/bin/sh\nexec %s %s "$@"\n' "$cc" "$paths" >"$out/bin/cc"
printf '#!/bin/sh\nexec %s %s "$@"\n' 'riscv64-linux-gnu-g++ -static' "$paths" >"$out/bin/c++"
chmod +x "$out/bin/cc" "$out/bin/c++"
export CC=$out/bin/cc AR=riscv64-linux-gnu-ar
export RANLIB=riscv64-linux-gnu-ranlib STRIP=riscv64-linux-gnu-strip NM=riscv64-linux-gnu-nm
export LD=riscv64-linux-gnu-ld OBJDUMP=riscv64-linux-gnu-objdump READELF=riscv64-linux-gnu-readelf
[ $link != glibc ] || export CXX=$out/bin/c++
export CC_FOR_BUILD=gcc BUILD_CC=gcc HOSTCC=gcc
export CFLAGS="-O2" CXXFLAGS="-O2" CPPFLAGS='' LDFLAGS='' PKG_CONFIG=false
for need in $needs; do
    CPPFLAGS+=" -I$top/build/ports/$need/dev/include"
    LDFLAGS+=" -L$top/build/ports/$need/dev/lib"
done

cd "$work"
for step in configure build install; do
    say $step
    # not `if step`: bash ignores errors inside of a condition
    (set -e; "${step}_port") >>"$out/log" 2>&1 </dev/null
done
while read -r from to; do
    [ -z "$from" ] || put "$from" "$to" >>"$out/log" 2>&1
done <<<"$files"
step=strip
find "$root" -type f ! -name '*.[oa]' -print0 | while IFS= read -r -d '' file; do
    if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
        $STRIP --strip-all "$file"
    fi
done 2>>"$out/log"
[ -n "$(ls "$root")" ] || { echo "nothing to install" >>"$out/log"; exit 1; }
trap - EXIT
cd "$top"
rm -rf "$work" "$out/bin"
say "$(du -sk --apparent-size "$root" | cut -f1) KiB"
