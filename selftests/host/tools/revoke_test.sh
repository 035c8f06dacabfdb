#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim revoke makes a signed deny list of ever higher serials; what it revokes counts nowhere; it does not lock the host out by
# accident; mistakes change nothing.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
loader=$(realpath "$1")/../loader/diglim-loader
compact_gen=$(realpath "$1")/compact_gen
cd "$work" || exit 1
{ prepare_host && make_signing_key other && make_package other other; } ||
	{ echo "FAIL: cannot make signed packages: $(cat ./*.log)"; exit 1; }
make_host host && install_package host other || fail "no host: $(cat install.log)"
for name in mine second; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.pem" -days 30 -subj "/CN=$name" 2>/dev/null || fail "no key"
done
root=$work/host
mkdir -p host/etc/{digest_lists,diglim/keys} host/sbin host/bin
cp mine.pem second.pem other.asc host/etc/diglim/keys/
cp /bin/true host/sbin/init && cp /bin/false program
export DIGLIM_KEY=$work/mine.key DIGLIM_CERTIFICATE=$work/mine.pem
"$compact_gen" -d host/etc/digest_lists -i host/sbin/init -i program -k mine.key -c mine.pem >/dev/null || fail "no list"
cp rpms/other-1-1.noarch.rpm host/etc/digest_lists/
revoke() { "$diglim" revoke "$@" --root "$root"; }
verify() { "$loader" verify --keys "$root/etc/diglim/keys" --revoked "$root/etc/diglim/revoked" "$@"; }
json() { "$top/selftests/lib/json" "$1" <<<"$out"; }
file=$root/etc/diglim/revoked/local
serial() { sed -n 's/^serial //p' "$file"; }

expect 0 revoke list
contains "nothing yet" "$out" "nothing is revoked"
expect 0 verify host/etc/digest_lists/*
expect 2 revoke program
contains "why" "$err" "say why: --reason TEXT"
expect 2 revoke --package bash --reason x
expect 2 revoke --digest 1234 --reason x
expect 2 revoke --after 2020-01-01 --digest x --reason x
expect 2 revoke --reason $'two\nlines' program
[ ! -e "$root/etc/diglim/revoked" ] || fail "a mistake made something"

# A content.
expect 0 revoke program --reason 'a backdoor'
contains "what it did" "$out" "deny list local, serial 1; its kernel is not told"
expect 0 verify host/etc/digest_lists/*
contains "one digest less" "$out" "1 of its digests are revoked"
# A package by name and version; of another name or a higher version it counts.
expect 0 revoke --package other --below 1-1 --reason 'older ones'
expect 0 verify host/etc/digest_lists/*
expect 0 revoke --package other --below 99 --reason CVE-2026-0001
contains "what goes" "$out" "installed, and denied from now on: other-"
equal "serial" "$(serial)" 3
expect 0 revoke list --json
day=$(date -u -d "@$(json 'deny_lists.0.revoked.*.since' | tail -n 1)" +%F)
expect 1 verify host/etc/digest_lists/*
contains "why" "$out" "REJECTED, revoked since $day, because CVE-2026-0001 (packages other below 99)"
expect 0 revoke list
contains "all of it" "$out" "packages other below 99"
contains "signer" "$out" "local, serial 3, signed by CMS RSA/SHA256 CN=mine"
expect 0 revoke list --json
equal "as JSON" "$(json 'deny_lists.0.serial') $(json 'deny_lists.0.revoked.*.reason' | wc -l)" "3 2"
# What says why a file is denied says so, too: of the package, and of the content.
expect 1 "$diglim" scan --no-cache --json host
contains "why: the package" "$out" "revoked since $day, because CVE-2026-0001"
expect 0 revoke remove other
equal "a new serial" "$(serial)" 4
expect 0 verify host/etc/digest_lists/*
expect 1 revoke remove other
contains "none" "$err" "nothing that this list revokes"
# What a key signed: ever, or in a time.
fingerprint=$(gpg --homedir "$work/gnupg-other" --with-colons --fingerprint 2>/dev/null |
	sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1)
expect 0 revoke --signed-by "$fingerprint" --after 2001-01-01 --before 2001-02-01 --reason 'not ours then'
expect 0 verify host/etc/digest_lists/*
expect 0 revoke --signed-by "$fingerprint" --after 2020-01-01 --reason 'not ours'
expect 1 verify host/etc/digest_lists/*
contains "when" "$out" "and a deny list revokes what the key signed then"
expect 0 revoke remove "${fingerprint,,}"
expect 1 revoke --signed-by 0123456789abcdef0 --reason x
contains "no such key" "$err" "no trusted key has this fingerprint"
# What can match nothing is no revocation, unless one insists.
expect 1 revoke --signed-by "x509:$(printf '%064d' 0)" --reason x
contains "no such key, by its whole name" "$err" "no trusted key has this fingerprint"
expect 1 revoke --digest "sha512:$(printf '%0128d' 1)" --reason x
contains "another algorithm" "$err" "is a digest by sha512, and the kernel compares sha256, so nothing would be denied"
expect 0 revoke --force --digest "sha512:$(printf '%0128d' 1)" --reason x

# What would lock the host out needs --force.
before=$(serial)
expect 1 revoke host/sbin/init --reason oops
contains "init" "$err" "/sbin/init would be denied"
contains "nothing" "$err" "; nothing was changed"
mine=$("$diglim" key list --root "$root" --json | "$top/selftests/lib/json" 'keys.*.fingerprint' |
	grep -x "$(openssl x509 -in mine.pem -outform DER | sha256sum | cut -d ' ' -f 1)")
expect 1 revoke --signed-by "$mine" --reason lost
contains "its own key" "$err" "sign with another trusted key"
expect 2 revoke --signed-by "x509:$mine" --after 2020-01-01 --reason lost
equal "nothing changed" "$(serial)" "$before"
# A link of that system leads nowhere else, and its C library is as vital as its init.
mkdir -p host/lib64 host/usr/bin && cp /bin/ls host/lib64/libc-2.so && ln -s /lib64/libc-2.so host/lib64/libc.so.6
"$compact_gen" -d host/etc/digest_lists -i host/lib64/libc-2.so -k mine.key -c mine.pem >/dev/null || fail "no list"
expect 1 revoke host/lib64/libc-2.so --reason oops
contains "libc" "$err" "/lib64/libc.so.6 would be denied"
equal "nothing changed" "$(serial)" "$before"
expect 0 revoke host/sbin/init --reason 'on purpose' --force
# A list that is damaged, or of a stranger, is neither extended nor passed over in silence.
openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.pem -days 30 -subj /CN=stranger 2>/dev/null
expect 1 revoke program --reason x -k stranger.key -c stranger.pem
contains "a stranger" "$err" "first trust that key"
cp "$file" kept && head -c 90 kept >"$file"
expect 1 revoke program --reason x
contains "damaged" "$err" "local does not count, so it is not extended"
expect 1 revoke list
contains "said" "$err" "does not count, so what it revokes is trusted"
expect 0 verify host/etc/digest_lists/*
contains "said" "$err" "left out: $root/etc/diglim/revoked/local: deny list: "
cp kept "$file"
# Another name is another list, and both count.
expect 0 revoke --name vendor --package nothing --below 1 --reason x
expect 0 revoke list --json
equal "two" "$(json 'deny_lists.*.name' | tr '\n' ' ')" "local vendor "
# Of two at once each is in the list.
for name in a b c d; do
	revoke --name crowd --package "$name" --below 1 --reason x >/dev/null &
done
wait
crowd=$root/etc/diglim/revoked/crowd
equal "none is lost" "$(sed -n 's/^serial //p' "$crowd") $(grep -ac '^package ' "$crowd")" "4 4"
expect 2 revoke --name ../x program --reason x
# A key whose deny lists would count no more stays, until another one has signed them.
expect 0 revoke --name theirs --package nothing --below 1 --reason x -k second.key -c second.pem
second=$(openssl x509 -in second.pem -outform DER | sha256sum | cut -d ' ' -f 1)
before=$(serial)
expect 1 revoke --signed-by "x509:$second" --reason lost
contains "which list" "$err" "the deny list theirs is signed by the key that this would revoke"
equal "nothing changed" "$(serial)" "$before"
expect 0 revoke --name theirs --package nothing --below 2 --reason x
expect 0 revoke --signed-by "x509:$second" --reason lost
expect 0 revoke list --json
contains "both count" "$(json 'deny_lists.*.name' | tr '\n' ' ')" "local theirs "
# Each host has a series of its own.
echo 0123456789abcdef0123456789abcdef >host/etc/machine-id
expect 0 revoke --package nothing --below 3 --reason x
contains "its name" "$out" "deny list local-0123456789ab, serial 1"
# What is taken back is taken from the list that has it: one of before that, too, and of several only from one that is named.
expect 0 revoke remove nothing
contains "ours first" "$out" "deny list local-0123456789ab, serial 2"
expect 0 revoke remove "x509:$second"
contains "an old name" "$out" "deny list local, serial "
expect 0 revoke remove a b
contains "another name" "$out" "deny list crowd, serial 5"
expect 1 revoke remove nothing
contains "in two" "$err" "it is in 2 deny lists (theirs, vendor): say of which to take it, --name NAME; nothing was changed"
expect 0 revoke remove nothing --name vendor
contains "the one that was named" "$out" "deny list vendor, serial 2"
expect 1 revoke remove never

finish
