#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: nothing that root can put on disk becomes code inside the loader, but for the loader's own file.
# Expected: no interpreter and no needed library in the program, and at run time no file opened but those it was asked to read: no
# shared object, no openssl.cnf, no locale or name service file.
# Usage: static_test.sh LOADER
. "$(dirname "$0")/../../lib/cli.sh"
loader=$1

for tool in readelf strace; do
    command -v "$tool" >/dev/null || { echo "SKIPPED: no $tool"; exit 77; }
done

readelf -lW "$loader" >"$work/program" || fail "readelf"
check "the program asks for no interpreter" fails grep INTERP "$work/program"
readelf -dW "$loader" >"$work/dynamic" || fail "readelf"
check "the program needs no shared libraries" fails grep NEEDED "$work/dynamic"

folder=$work
mkdir "$folder/keys"
# Whatever signature code runs must not load anything either: an RSA certificate and a CMS signature by it.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/dev.key" -out "$folder/keys/dev.pem" -subj /CN=dev \
    -days 30 -config /dev/null -addext subjectKeyIdentifier=hash >/dev/null 2>&1 || fail "openssl req"
printf '\001\000\001\000\000\000\004\000\001\000\000\000\040\000\000\00001234567890123456789012345678901' >"$folder/content"
openssl cms -sign -binary -noattr -nocerts -outform DER -md sha256 -in "$folder/content" \
    -signer "$folder/keys/dev.pem" -inkey "$folder/dev.key" -out "$folder/cms" 2>/dev/null || fail "openssl cms"
size=$(stat -c %s "$folder/cms")
{
    cat "$folder/content" "$folder/cms"
    printf '\000\000\002\000\000\000\000\000'
    printf '%08x' "$size" | xxd -r -p
    printf '~Module signature appended~\n'
} >"$folder/list"

# A hostile environment must change nothing: these three make an OpenSSL that listens to them load code.
OPENSSL_CONF="$folder/evil.cnf" OPENSSL_MODULES="$folder" OPENSSL_ENGINES="$folder" \
    strace -f -e trace=open,openat,openat2,execve,connect,socket -o "$folder/trace" \
    "$loader" verify --keys "$folder/keys" "$folder/list" >"$folder/out" 2>&1 || fail "verify: $(cat "$folder/out")"
grep -q ': OK, compact list, signed by CMS' "$folder/out" || fail "unexpected output: $(cat "$folder/out")"

opened=$(grep -E '^[0-9]+ +(open|openat|openat2)\(' "$folder/trace" | sed 's/[^"]*"\([^"]*\)".*/\1/' | sort -u)
# The kernel command line says what the kernel hashes with.
check "it opens the keys, the list and the kernel command line only" same "$opened" \
  "$(printf '%s\n' /proc/cmdline "$folder/keys" "$folder/keys/dev.pem" "$folder/list" | sort -u)"
check "it does not touch the network" fails grep -E '(connect|socket)\(' "$folder/trace"
check "it executes nothing else" same "$(grep -c 'execve(' "$folder/trace")" 1
finish
