#!/bin/sh
# Expose the Linux system call headers for riscv64, and nothing else beside them: uapi.sh DIR
#
# Debian installs them in one folder with glibc's; DIR gets links to the folders that are Linux's.
set -eu
dir=$1
from=$(dpkg-query -L linux-libc-dev-riscv64-cross | sed -n 's,/linux/errno\.h$,,p')
rm -rf "$dir"
mkdir -p "$dir"
for part in linux asm asm-generic; do
    ln -s "$from/$part" "$dir/$part"
done
