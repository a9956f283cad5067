# Puts what membrane/hot.txt lists where a linker script (native/lib/cell.ld) has its marks.
function section(kind) { return " ." kind "." $2 }
NR == FNR {
    if ($1 == "text") {
        text = text "        *(" section("text") section("text") ".*)\n"
    } else if ($1 == "data") {
        data = data "        *(" section("data.rel.ro") section("data.rel.ro.local") section("data") section("sdata") \
            section("bss") section("sbss") section("rodata") ")\n"
    }
    next
}
/HOT: functions/ { printf "%s", text; next }
/HOT: data/ { printf "        QUAD(0) /* contents: variables of .bss may be the first */\n%s", data; next }
{ print }
