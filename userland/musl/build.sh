#!/bin/bash
# Build musl, unmodified, into a sysroot for riscv64 Linux programs: build.sh SOURCE SYSROOT
#
# The sysroot gets musl's libraries and headers, the Linux ABI headers of the build machine's
# package linux-libc-dev-riscv64-cross, and bin/riscv64-nexus-musl-gcc, the compiler to use with it.
set -euo pipefail
source=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2"
sysroot=$(realpath "$2")
cross=riscv64-linux-gnu-
target="-march=rv64gc -mabi=lp64d"
jobs=$(nproc)

work=$sysroot/obj
mkdir -p "$work"
cd "$work"
{
    # musl is built outside its source tree, which stays as it was unpacked
    CC="${cross}gcc $target" CFLAGS="-O2 -ffile-prefix-map=$source=. -ffile-prefix-map=$work=." \
        "$source/configure" --target=riscv64-linux-gnu --prefix=/ --disable-gcc-wrapper \
        CROSS_COMPILE="$cross"
    make -j"$jobs" MAKEFLAGS=
    make install MAKEFLAGS= DESTDIR="$sysroot"
} >"$sysroot/build.log" 2>&1 || {
    tail -n 30 "$sysroot/build.log" >&2
    exit 1
}
cd "$sysroot"
rm -rf obj
${cross}strip lib/libc.so # it goes into the image as /lib/ld-musl-riscv64.so.1

# Linux's headers beside musl's: the folders musl does not have itself.
from=$(dpkg-query -L linux-libc-dev-riscv64-cross | sed -n 's,/linux/errno\.h$,,p')
for part in linux asm asm-generic mtd misc rdma sound video drm; do
    if [ -d "$from/$part" ]; then
        cp -r "$from/$part" include/
    fi
done

# The wrapper names nothing of the build machine: it finds the sysroot from where it lies itself.
mkdir -p bin
cat >bin/riscv64-nexus-musl-gcc <<'WRAPPER'
#!/bin/bash
# gcc for riscv64 Linux programs against the musl of this sysroot: as always, dynamic and position independent
# without flags that say otherwise; -static, -static-pie, -no-pie, -shared and -nostdlib mean what they always do.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
gcc=riscv64-linux-gnu-gcc
args=(-march=rv64gc -mabi=lp64d -nostdinc -isystem "$root/include"
    -isystem "$($gcc -print-file-name=include)")
link=yes kind=pie libs=yes
[ $# -gt 0 ] || link=no
for arg; do
    case $arg in
    -c | -S | -E | -M | -MM | -r | -fsyntax-only) link=no ;;
    -print-* | -dump* | --version) link=no ;;
    -static) kind=static ;;
    -static-pie) kind=static-pie ;;
    -shared) kind=shared ;;
    -no-pie | -nopie) [ $kind != pie ] || kind=dynamic ;;
    -nostdlib) libs=no ;;
    esac
done
if [ $link = no ]; then
    exec $gcc "${args[@]}" "$@"
fi
own=(-nostdlib -L"$root/lib" -Wl,--build-id=none)
loader=-Wl,-dynamic-linker,/lib/ld-musl-riscv64.so.1
case $kind in
static) own+=(-static -no-pie) start=crt1.o ;;
static-pie) # this gcc's -static-pie still asks for a dynamic linker
    own+=(-Wl,-static -Wl,--no-dynamic-linker -Wl,-z,text) start=rcrt1.o ;;
pie) own+=(-pie $loader) start=Scrt1.o ;;
dynamic) own+=(-no-pie $loader) start=crt1.o ;;
shared) start= ;;
esac
before=() after=()
if [ $libs = yes ]; then
    before=(${start:+"$root/lib/$start"} "$root/lib/crti.o")
    after=(-Wl,--start-group -lc "$($gcc -print-libgcc-file-name)" -Wl,--end-group "$root/lib/crtn.o")
fi
exec $gcc "${args[@]}" "${own[@]}" "${before[@]}" "$@" "${after[@]}"
WRAPPER
chmod +x bin/riscv64-nexus-musl-gcc
