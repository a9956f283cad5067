#!/bin/bash
# Verify one Spin model: spin.sh FILE.pml; prints one TAP line, and Spin's words when it is not ok.
#
# The model's first comment may hold lines that say how it is checked:
#     expect: fail       a mutant: the checker must find the fault in it (also by name *_mutant.pml)
#     cc: -DSAFETY ...   options for compiling the verifier
#     pan: -m100000 ...  options for running it
# Models with LTL or progress claims are searched for acceptance cycles as well (-a).
set -uo pipefail
cd "$(dirname "$0")/../.."
model=$1
head=$(sed -n '1,30p' "$model")
option() { sed -n "s,^[ */]*$1: *\(.*[^ */]\)[ */]*\$,\1,p" <<<"$head" | head -1; }
expect=$(option expect)
[[ $model == *_mutant.pml ]] && expect=fail
cc=$(option cc)
pan=$(option pan)
if grep -qE '^[[:space:]]*ltl\b|\baccept[a-zA-Z0-9_]*:' "$model"; then
    pan="-a $pan"
fi

work=build/spin/${model%.pml}
mkdir -p "$work"
log=$work/log
path=$PWD/$model
say() {
    [ "$1" = "not ok" ] && sed 's/^/# /' "$log" | tail -n 40
    echo "$1 - spin: $model${expect:+ (must fail)}${2:+: $2}"
    [ "$1" = ok ]
    exit
}
cd "$work" || exit 1
log=log
rm -f pan* ./*.trail
spin -a "$path" >log 2>&1 || say "not ok" "Spin does not accept it"
gcc -O2 -w $cc -o pan pan.c >>log 2>&1 || say "not ok" "the verifier does not compile"
timeout "${SPIN_TIMEOUT:-600}" ./pan -m1000000 $pan >>log 2>&1 || say "not ok" "the verifier stopped"
if grep -qE 'out of memory|max search depth too small|search was not completed' log; then
    grep -qE 'errors: [1-9]' log && [ "$expect" = fail ] && say ok
    say "not ok" "the search is not complete"
fi
errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' log | head -1)
if [ "$expect" = fail ]; then
    [ "${errors:-0}" -gt 0 ] && say ok
    say "not ok" "the fault in it is not found"
fi
[ "$errors" = 0 ] && say ok
say "not ok" "${errors:-?} errors"
