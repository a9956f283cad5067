#!/bin/bash
# Build our own code twice, in two folders of different names, and compare every image byte by byte.
#
# Third-party parts are slow to build and do not change: they are built once more only with
# `reproducible.sh --all`. Prints one TAP line for each image.
set -euo pipefail
cd "$(dirname "$0")/../.."
all=no
[ "${1:-}" = --all ] && all=yes
images="nucleus.bin boot.bundle rootfs.cpio"
status=0

# A copy of the tree under another path, so that a path that leaks into an image shows.
copy=build/reproducible/a-folder-of-another-name
rm -rf build/reproducible
mkdir -p "$copy/build"
tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$copy"
for part in dl src; do
    if [ -d "build/$part" ]; then
        cp -a "build/$part" "$copy/build/$part"
    fi
done
if [ $all = no ]; then
    cp -a build/sysroot "$copy/build/sysroot"
    mkdir -p "$copy/build/userland"
    cp -a build/userland/busybox build/userland/busybox.links "$copy/build/userland/"
fi
make -C "$copy" -j"$(nproc)" image >build/reproducible/log 2>&1 || {
    tail -n 20 build/reproducible/log | sed 's/^/# /'
    echo "not ok - reproducible: the second build failed"
    exit 1
}
for image in $images; do
    if cmp "build/$image" "$copy/build/$image"; then
        echo "ok - reproducible: $image"
    else
        echo "not ok - reproducible: $image"
        status=1
    fi
done
[ $status != 0 ] || rm -rf build/reproducible
exit $status
