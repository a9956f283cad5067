#!/bin/bash
# Fetch one third-party part, check it and unpack it: distro/fetch.sh NAME
#
# The archive comes from the Debian source package named in distro/sources.lock, or in the line `source=` of the
# recipe userland/NAME/port or native/libs/NAME/lib, which has the same columns without the first, through apt-get with
# a private configuration under build/apt: the machine's own package sources are read, their `deb`
# entries for the Debian archive are asked for sources too, and nothing of the machine is changed.
# The archive is kept in build/dl, checked against its SHA-256, and unpacked, unmodified, to
# build/src/NAME; of several folders, by commas, what is in each. A file put into build/dl by hand serves as well as a fetched one.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
read -r _ package version file sha256 folder < <(awk -v n="$name" '$1 == n' distro/sources.lock
    sed -n "s/^source='\(.*\)'.*/$name \1/p" "userland/$name/port" "native/libs/$name/lib" 2>/dev/null) || {
    echo "fetch: no part '$name' in distro/sources.lock" >&2
    exit 1
}
top=$PWD
apt=$top/build/apt
dl=$top/build/dl
mkdir -p "$apt" "$dl" build/src
exec 9>"$apt/lock"
flock 9 # parts are fetched one at a time, whatever -j says

matches() {
    [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = "$sha256" ]
}

# The machine's Debian entries, both formats, as deb-src entries of the same suites and keys.
write_sources() {
    awk '
        # one-line format: deb [options] uri suite component...
        FNR == 1 { flush() }
        FILENAME ~ /\.list$/ {
            line = $0; sub(/[ \t]*#.*/, "", line)
            if (line ~ /^[ \t]*deb(-src)?[ \t]/ && line ~ /debian/ && line ~ /[ \t]main([ \t]|$)/) {
                sub(/^[ \t]*deb(-src)?/, "deb-src", line)
                print line > list
            }
            next
        }
        # deb822 format: stanzas of fields, continuation lines begin with a blank
        /^[ \t]*#/ { next }
        /^[ \t]*$/ { flush(); next }
        { stanza = stanza $0 "\n"
          low = tolower($0)
          if (low ~ /^uris:.*debian/) debian = 1
          if (low ~ /^components:.*main/) has_main = 1
          if (low ~ /^enabled:[ \t]*(no|false|0)/) off = 1 }
        END { flush() }
        function flush() {
            if (debian && has_main && !off) {
                sub(/(^|\n)[Tt]ypes:[^\n]*/, "\nTypes: deb-src", stanza)
                sub(/^\n/, "", stanza)
                print stanza > deb822
            }
            stanza = ""; debian = has_main = off = 0
        }
    ' list="$apt/sources/debian.list" deb822="$apt/sources/debian.sources" "$@"
}

configure() {
    rm -rf "$apt/sources" "$apt/get"
    mkdir -p "$apt"/{sources,state,lists/partial,cache/archives/partial,get}
    local etc=/etc/apt files=() f
    eval "$(apt-config shell etc Dir::Etc/d)"
    for f in "${etc%/}"/sources.list "${etc%/}"/sources.list.d/*.{list,sources}; do
        [ -f "$f" ] && files+=("$f")
    done
    [ ${#files[@]} -gt 0 ] && write_sources "${files[@]}"
    if [ -z "$(ls "$apt/sources")" ]; then
        echo "fetch: no Debian archive among this machine's package sources" >&2
        exit 1
    fi
    cat >"$apt/apt.conf" <<CONF
Dir::State "$apt/state";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$apt/sources";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
}

get() {
    ask() { apt-get -q -c "$apt/apt.conf" "$@" >>"$apt/log" 2>&1; }
    # The lists serve all parts of one build; ask for them again only when they may be stale.
    if [ -z "$(find "$apt/lists" -name '*Sources*' -mmin -60 2>/dev/null | head -1)" ]; then
        ask update || return 1
    fi
    # Debian may have a newer revision of the same upstream archive by now: any that lists it will do.
    local v
    for v in "$version" $(apt-cache -c "$apt/apt.conf" showsrc "$package" 2>/dev/null |
        awk -v f="$file" '/^Version:/ { v = $2 } $NF == f { print v }' | sort -u); do
        if (cd "$apt/get" && ask source --download-only --tar-only "$package=$v") &&
            [ -f "$apt/get/$file" ]; then
            return 0
        fi
    done
    return 1
}

if ! matches "$dl/$file"; then
    echo "  FETCH   $file" >&2
    rm -f "$dl/$file"
    configure
    for try in 1 2 3; do
        if get; then
            break
        fi
        [ $try = 3 ] || sleep $((try * 4))
    done
    if [ ! -f "$apt/get/$file" ]; then
        tail -n 5 "$apt/log" >&2 || true
        cat >&2 <<MSG
fetch: the package mirror did not give $file
fetch:   wanted: upstream archive of Debian source package $package $version
fetch:   sha256: $sha256
fetch: if you have the file from elsewhere, put it into build/dl and run make again
MSG
        exit 1
    fi
    if ! matches "$apt/get/$file"; then
        echo "fetch: $file is not the file that is wanted" >&2
        echo "fetch:   wanted sha256 $sha256" >&2
        echo "fetch:   got    sha256 $(sha256sum <"$apt/get/$file" | cut -d' ' -f1)" >&2
        exit 1
    fi
    mv "$apt/get/$file" "$dl/$file"
fi

echo "  UNPACK  $file" >&2
rm -rf "build/src/$name" "build/src/$name.tmp"
mkdir -p "build/src/$name.tmp"
head=$(tar -tf "$dl/$file" 2>/dev/null | head -1 || true)
head=${head#./}
head=${head%%/*}
if [ "$folder" = . ]; then
    tar -xf "$dl/$file" -C "build/src/$name.tmp" --strip-components=1
elif [ "$folder" = / ]; then
    tar -xf "$dl/$file" -C "build/src/$name.tmp"
else
    for part in ${folder//,/ }; do
        depth=$(($(tr -dc / <<<"$part" | wc -c) + 2))
        tar -xf "$dl/$file" -C "build/src/$name.tmp" --strip-components=$depth "$head/$part"
    done
fi
mv "build/src/$name.tmp" "build/src/$name"
echo "$sha256" >"build/src/$name/.fetched"
