#!/bin/bash
# Install what this machine lacks to build, run and test Nexus.
#
# Asks dpkg first and does nothing, as nobody in particular, when all is present. Otherwise it says
# what is missing and why it is wanted, and installs that through apt-get, as root or through sudo.
# The packages come from wherever this machine's own apt configuration points.
#
# deps.sh PACKAGE...: these as well, for a port.
set -euo pipefail

# package : what it is for
wanted='
gcc-riscv64-linux-gnu        : compiles the nucleus, the cells and the userland
linux-libc-dev-riscv64-cross : the Linux system call ABI headers the personality answers to
gcc                          : compiles the unit tests and the build tools of BusyBox
libc6-dev                    : C library headers for the unit tests
python3                      : image tools, test driver, generators
bzip2                        : unpacks source archives
xz-utils                     : unpacks source archives
qemu-system-misc             : the machine Nexus runs on
opensbi                      : the firmware it boots through
libc6-dev-riscv64-cross      : a C library of another kind, for a program of the tests
qemu-user                    : runs the POSIX tests on Linux semantics for comparison
libcmocka-dev                : unit tests
python3-pexpect              : drives the serial console in system tests
spin                         : checks the protocol models
cppcheck                     : lint
clang-format                 : lint
clang-tidy                   : lint
'
for package; do
    wanted+="$package : builds a port
"
done

if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is not a Debian machine; make sure it has what these packages hold:$wanted" >&2
    exit 0
fi

names=$(awk -F: 'NF > 1 { print $1 }' <<<"$wanted")
present=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null |
    awk '$2 == "installed" { print $1 }' || true)
missing=$(comm -23 <(printf '%s\n' $names | sort -u) <(printf '%s\n' $present | sort))
[ -z "$missing" ] && exit 0

# Nothing but messages may go to standard output's place: `make run CMD=...` owns it.
exec >&2
echo "deps: this machine lacks the following Debian packages:"
for name in $missing; do
    printf '  %-30s %s\n' "$name" "$(awk -F' *: *' -v n="$name" '$1 == n { print $2 }' <<<"$wanted")"
done

if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
    echo "deps: installing them needs root; asking through sudo"
else
    echo "deps: installing them needs root and there is no sudo here; as root, run:" >&2
    echo "    apt-get install --no-install-recommends" $missing >&2
    exit 1
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# A mirror may be busy or half-way through an update: try a few times before giving up.
for try in 1 2 3 4; do
    if apt update && apt install --no-install-recommends $missing; then
        echo "deps: installed"
        exit 0
    fi
    echo "deps: attempt $try failed, trying again in $((try * 5)) s"
    sleep $((try * 5))
done
echo "deps: could not install: "$missing
exit 1
