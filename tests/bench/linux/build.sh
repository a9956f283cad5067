#!/bin/bash
# Build the Linux kernel that benchmarks and POSIX tests are compared with: tests/bench/linux/build.sh
#
# Sources: Debian's package linux-source-6.1, fetched with the machine's own apt, checked by it, built
# unmodified with `config` (by `make olddefconfig`). Result: build/linux/Image, and the package's version
# in build/linux/version. Takes about half an hour on two cores; done once.
set -euo pipefail
case "${1:-}" in
--help | -h)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | head -n -1
    exit 0
    ;;
esac
cd "$(dirname "$0")/../../.."
here=tests/bench/linux
out=build/linux
mkdir -p "$out" build/dl
[ -f "$out/Image" ] && [ "$out/Image" -nt "$here/config" ] && exit 0

missing=()
for p in flex bison bc; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "linux: installing ${missing[*]}, which a kernel build needs" >&2
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y update >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >&2
fi

deb=$(ls build/dl/linux-source-6.1_*.deb 2>/dev/null | tail -1 || true)
if [ -z "$deb" ]; then
    echo "  FETCH   linux-source-6.1" >&2
    (cd build/dl && apt-get -q -o APT::Sandbox::User= download linux-source-6.1 >&2)
    deb=$(ls build/dl/linux-source-6.1_*.deb | tail -1)
fi
if [ ! -f "$out/src/Makefile" ]; then
    echo "  UNPACK  $deb" >&2
    rm -rf "$out/deb" "$out/src"
    mkdir -p "$out/deb" "$out/src"
    dpkg-deb -x "$deb" "$out/deb"
    tar -xf "$out"/deb/usr/src/linux-source-6.1.tar.* -C "$out/src" --strip-components=1
    rm -rf "$out/deb"
fi
dpkg-deb -f "$deb" Version >"$out/version"
kernel_make() {
    # This project's make must not leak into the kernel's.
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$out/src" O="$PWD/$out/obj" ARCH=riscv \
        CROSS_COMPILE=riscv64-linux-gnu- KBUILD_BUILD_TIMESTAMP=@1735689600 KBUILD_BUILD_USER=nexus \
        KBUILD_BUILD_HOST=nexus "$@"
}
mkdir -p "$out/obj"
cp "$here/config" "$out/obj/.config"
echo "  BUILD   linux $(cat "$out/version") (log: $out/build.log)" >&2
kernel_make olddefconfig >"$out/build.log" 2>&1
kernel_make -j"$(nproc)" Image >>"$out/build.log" 2>&1 || {
    tail -n 30 "$out/build.log" >&2
    exit 1
}
cp "$out/obj/arch/riscv/boot/Image" "$out/Image"
rm -rf "$out/obj" "$out/src"
