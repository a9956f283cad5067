#!/bin/sh
# Link the nucleus with its own symbol table: link-nucleus.sh CC NM OUT WORKDIR LINK-ARGUMENTS...
#
# The table changes the image it describes, so link until a table comes out twice the same.
set -eu
cc=$1 nm=$2 out=$3 work=$4
shift 4
tools=$(dirname "$0")
python3 "$tools/mksyms.py" "$nm" - "$work/symtab.S"
for pass in 1 2 3 4 5; do
    "$cc" -march=rv64imac_zicsr_zifencei -mabi=lp64 -c "$work/symtab.S" -o "$work/symtab.o"
    "$cc" "$@" "$work/symtab.o" -o "$out.tmp"
    python3 "$tools/mksyms.py" "$nm" "$out.tmp" "$work/symtab.new"
    if cmp -s "$work/symtab.S" "$work/symtab.new"; then
        mv "$out.tmp" "$out"
        exit 0
    fi
    mv "$work/symtab.new" "$work/symtab.S"
done
echo "link-nucleus: the symbol table does not settle" >&2
exit 1
