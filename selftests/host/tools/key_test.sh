#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim key shows whose signatures count and whose do not, trusts a key by one command, and removes none without which the
# machine would not come up.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
cd "$work" || exit 1
{ prepare_host && make_signing_key other && make_package other other; } ||
	{ echo "FAIL: cannot make signed packages: $(cat ./*.log)"; exit 1; }
make_host host && install_package host other || fail "no host: $(cat install.log)"
mkdir -p host/etc/yum.repos.d host/etc/pki/rpm-gpg
cp other.asc host/etc/pki/rpm-gpg/RPM-GPG-KEY-other
printf '[vendor]\nname=Vendor\ngpgkey=https://example.invalid/key\n file:///etc/pki/rpm-gpg/RPM-GPG-KEY-other\n' \
	>host/etc/yum.repos.d/vendor.repo
key() { "$diglim" key "$1" --root host "${@:2}"; }
json() { "$top/selftests/lib/json" "$1" <<<"$out"; }
fingerprint() {
	gpg --homedir "$work/gnupg-$1" --with-colons --fingerprint 2>/dev/null | sed -n 's/^fpr:*\([0-9A-F]*\):.*/\1/p' | head -n 1
}

# Nobody is trusted yet: rpm knows one key, a repository another.
expect 0 key list
contains "rpm's key" "$out" "from rpm gpg-pubkey-"
contains "the repository's" "$out" "/etc/pki/rpm-gpg/RPM-GPG-KEY-other of repository vendor"
contains "what to do" "$out" "to trust it: diglim key add "
expect 0 key list --json
equal "none is trusted" "$(json 'keys.*.trusted' | tr '\n' ' ')" 'false false '
hello=$(fingerprint hello) other=$(fingerprint other)
equal "fingerprints" "$(json 'keys.*.fingerprint' | sort | tr '\n' ' ')" "$(printf '%s\n' "${hello,,}" "${other,,}" | sort | tr '\n' ' ')"

# By fingerprint (of rpm's keyring, of a repository), by file; again is no change.
expect 0 key add "$hello"
contains "whom it trusts" "$out" "trusted: openpgp ${hello,,}"
contains "from when on" "$out" "once the initramfs is made anew: /usr/libexec/diglim/remake-initramfs"
expect 0 key add "${other,,}"
[ -s host/etc/diglim/keys/RPM-GPG-KEY-other ] || fail "the repository's key is not there: $(ls host/etc/diglim/keys)"
expect 0 key add other.asc
rm host/etc/diglim/keys/other.asc
expect 0 key list --json
equal "both are trusted" "$(json 'keys.*.trusted' | tr '\n' ' ')" 'true true '
expect 1 key add /etc/passwd
contains "no key" "$err" "/etc/passwd: not a key"
cp hello.asc .hidden
expect 1 key add .hidden
contains "hidden" "$err" "begin with a dot do not count"
expect 1 key add 0123456789
contains "nowhere" "$err" "neither a file, nor a key of rpm or of a repository (see: diglim key list)"
cp hello.asc RPM-GPG-KEY-other
expect 1 key add RPM-GPG-KEY-other
contains "another of that name" "$err" "there is another host/etc/diglim/keys/RPM-GPG-KEY-other"
expect 2 "$diglim" key
expect 2 "$diglim" key add

# Removal names what would be denied.
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q
expect 1 key remove RPM-GPG-KEY-other
contains "the package" "$out" "no longer known: 0-file_list-rpm-other-1-1.noarch"
contains "how to go on" "$err" "nothing was changed. To go on: --yes"
[ -e host/etc/diglim/keys/RPM-GPG-KEY-other ] || fail "removed all the same"
expect 0 key remove --yes "$other"
[ ! -e host/etc/diglim/keys/RPM-GPG-KEY-other ] || fail "still there"
expect 1 key remove "${other,,}"
contains "not there" "$err" "no such key is trusted"
# What the init is signed with stays.
mkdir -p host/sbin
cp host/usr/bin/hello host/sbin/init
expect 1 key remove --yes "${hello,,}"
contains "it would not come up" "$err" "/sbin/init would be denied, and the machine would not come up; nothing was changed"
[ -n "$(ls host/etc/diglim/keys)" ] || fail "the last key is gone"

# A file that is no key, and a key that counts for nothing, are said.
echo text >host/etc/diglim/keys/README
expect 0 key list
contains "left out" "$out" "left out: /etc/diglim/keys/README: not a key"
finish
