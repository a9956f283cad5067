#!/bin/bash
# Build a library of others with the SDK: native/libs/build.sh NAME SDK
#
# The recipe native/libs/NAME/lib is bash:
#     source='PACKAGE VERSION FILE SHA256 FOLDER'    where the sources are from: the columns of distro/sources.lock
#     files='...'          what is compiled, patterns below $src
#     flags='...'          for the compiler; $src is the sources' folder, $out that of the results
#     prepare() { ... }    what a configure script would write, below $out
# Results: build/libs/NAME/libNAME.a, and the file `flags`: what who uses it compiles with.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 cc=$2/bin/nexus-cc
src=build/src/$name out=build/libs/$name
rm -rf "$out"
mkdir -p "$out/obj"
prepare() { :; }
# shellcheck source=/dev/null
. "native/libs/$name/lib"
prepare
flags=$(eval echo $flags)
shopt -s nullglob
for file in $(cd "$src" && echo $files); do
    object=$out/obj/${file//\//_}
    # its warnings are not ours to act on
    "$cc" -c -w -ffile-prefix-map="$src"=. $flags "$src/$file" -o "${object%.c}.o"
done
riscv64-linux-gnu-ar rcsD "$out/lib$name.a" "$out"/obj/*.o
rm -rf "$out/obj"
echo "$flags" >"$out/flags"
