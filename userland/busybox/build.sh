#!/bin/bash
# Build BusyBox, unmodified, static, against the sysroot's musl: build.sh SOURCE SYSROOT OUTDIR
#
# The configuration is BusyBox's defconfig with config.fragment on top. OUTDIR gets `busybox` and
# `busybox.links`, the path of every applet.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
source=$(realpath "$1")
sysroot=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")

# BusyBox puts the build's date in its banner: make it the date of the sources we fix for all builds.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600} TZ=UTC LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL KCONFIG_NOTIMESTAMP

work=$out/busybox-obj
rm -rf "$work"
mkdir -p "$work"
bb() {
    make -C "$source" O="$work" ARCH=riscv64 CROSS_COMPILE=riscv64-linux-gnu- \
        CC="$sysroot/bin/riscv64-nexus-musl-gcc" HOSTCC=gcc \
        CONFIG_EXTRA_CFLAGS="-ffile-prefix-map=$work=. -ffile-prefix-map=$source=." "$@"
}
{
    bb defconfig
    # Later lines of a configuration do not win over earlier ones: take the earlier ones out.
    sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p; s/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' \
        "$here/config.fragment" | while read -r option; do
        sed -i "/^$option=/d; /^# $option is not set$/d" "$work/.config"
    done
    grep -E '^(CONFIG_|# CONFIG_)' "$here/config.fragment" >>"$work/.config"
    yes '' | bb oldconfig || true
    bb -j"$(nproc)" busybox
    bb busybox.links
} >"$out/busybox.log" 2>&1 || {
    tail -n 40 "$out/busybox.log" >&2
    exit 1
}

# oldconfig drops what it does not know: a fragment line that had no effect is a mistake.
grep -E '^(CONFIG_|# CONFIG_)' "$here/config.fragment" | while read -r line; do
    option=$(sed 's/^# //; s/[ =].*//' <<<"$line")
    if [[ $line == *" is not set" ]]; then
        ! grep -q "^$option=" "$work/.config"
    else
        grep -qxF "$line" "$work/.config"
    fi || {
        echo "busybox: config.fragment: no effect: $line" >&2
        exit 1
    }
done
cp "$work/busybox.links" "$out/busybox.links"
cp "$work/busybox" "$out/busybox.tmp"
mv "$out/busybox.tmp" "$out/busybox"
