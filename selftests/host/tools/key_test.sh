#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim key shows whose signatures count and whose do not, trusts a key by one command, and removes none without which the
# machine would not come up.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
loader=$(realpath "$1")/../loader/diglim-loader
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
contains "what it would sign" "$out" "signs packages of rpm, with "
expect 0 key list --json
equal "in JSON, too" "$(json 'keys.*.uses.0.signs' | sort -u)" 'packages of rpm'
equal "none is trusted" "$(json 'keys.*.trusted' | tr '\n' ' ')" 'false false '
hello=$(fingerprint hello) other=$(fingerprint other)
equal "fingerprints" "$(json 'keys.*.fingerprint' | sort | tr '\n' ' ')" "$(printf '%s\n' "${hello,,}" "${other,,}" | sort | tr '\n' ' ')"

# For a script: one object, and nothing else on stdout.
expect 0 key add --json "$other"
equal "done" "$(json changed)" true
equal "whom it trusts" "$(json 'trusted.*.kind') $(json 'trusted.*.fingerprint')" "openpgp ${other,,}"
equal "as which file" "$(json 'trusted.*.file')" host/etc/diglim/keys/RPM-GPG-KEY-other
equal "nothing is denied" "$(json denied)$(json complaints)" '[][]'
expect 1 key add --json /etc/passwd
equal "not done" "$(json changed)" false
contains "and why" "$(json 'complaints.*')" '/etc/passwd: not a key'
rm host/etc/diglim/keys/*
expect 2 key import --json
contains "asks nothing" "$(json 'complaints.*')" 'nobody to ask; --yes goes on without a question'
expect 0 key import --json --yes vendor
equal "imported" "$(json 'trusted.*.fingerprint')" "${other,,}"
contains "what is not fetched" "$(json 'complaints.*')" 'https://example.invalid/key, which is not fetched here'
expect 0 key import --json --yes vendor
equal "nothing to import" "$(json changed)$(json trusted)" 'false[]'
rm host/etc/diglim/keys/*

# Several of one name at once: one of them is trusted, and the others are told so.
mkdir same
for i in 1 2 3 4 5 6 7 8; do
	mkdir same/$i
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout same/key -out same/$i/same.pem -days 30 \
		-subj "/CN=$i" 2>/dev/null
done
adding=()
for i in 1 2 3 4 5 6 7 8; do
	key add same/$i/same.pem >same/$i/said 2>&1 &
	adding+=($!)
done
succeeded=0
for pid in "${adding[@]}"; do ! wait "$pid" || succeeded=$((succeeded + 1)); done
equal "of several of one name at once" "$succeeded $(grep -l 'there is another host/etc/diglim/keys/same.pem' same/*/said | wc -l)" "1 7"
rm host/etc/diglim/keys/*

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
# What names a key is no file, whatever lies in the directory that root is in; nor is a repository for import.
cp hello.asc "${other,,}" && cp hello.asc 0123456789 && cp hello.asc gpg-pubkey-1-2 && cp hello.asc vendor && cp hello.asc nosuch
rm host/etc/diglim/keys/*
expect 0 key add "${other,,}"
contains "not the file of that name" "$out" "trusted: openpgp ${other,,}"
for word in 0123456789 gpg-pubkey-1-2; do
	expect 1 key add "$word"
	contains "a file of that name is no key" "$err" "(see: diglim key list); for the file of that name: ./$word"
done
expect 1 key import --yes nosuch
contains "nor a repository" "$err" "for the file of that name: ./nosuch"
expect 0 key import --yes vendor
contains "the repository's" "$out" "nothing to import: all of these keys are trusted"
expect 0 key add ./0123456789
contains "said to be a file" "$out" "trusted: openpgp ${hello,,}"
rm host/etc/diglim/keys/0123456789
expect 0 key add "$hello"
rm "${other,,}" 0123456789 gpg-pubkey-1-2 vendor nosuch

cp hello.asc RPM-GPG-KEY-other
expect 1 key add RPM-GPG-KEY-other
contains "another of that name" "$err" "there is another host/etc/diglim/keys/RPM-GPG-KEY-other"
expect 2 "$diglim" key
expect 2 "$diglim" key add

# Removal names what would be denied.
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q
expect 1 key remove --json RPM-GPG-KEY-other
equal "refused" "$(json changed)" false
equal "nothing is done" "$(json removed)$(json trusted)$(json revoked)" '[][][]'
equal "what would be denied" "$(json 'denied.*.list') $(json 'denied.*.package')" '0-file_list-rpm-other-1-1.noarch other-1-1.noarch'
contains "and why not" "$(json 'complaints.*')" "nothing was changed. To go on: --yes"
contains "on stderr, too" "$err" "nothing was changed. To go on: --yes"
cp -r host/etc/diglim/keys keys-before
expect 0 key remove --json --yes RPM-GPG-KEY-other
equal "done" "$(json changed)" true
equal "from when on" "$(json counts_from), $(json initramfs): $(json command)" 'next-boot, to-be-made: /usr/libexec/diglim/remake-initramfs'
equal "the file" "$(json 'removed.*.file')" host/etc/diglim/keys/RPM-GPG-KEY-other
equal "the fingerprint" "$(json 'removed.*.keys.*.fingerprint')" "${other,,}"
equal "what is denied now" "$(json 'denied.*.package')" other-1-1.noarch
expect 1 key remove --json RPM-GPG-KEY-other
equal "there is none" "$(json changed) $(json denied)" 'false []'
rm -r host/etc/diglim/keys && mv keys-before host/etc/diglim/keys
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

# --- import: as dnf and rpm have them ---

# dnf's releasever is that of the release package, else of VERSION_ID what is before the dot; a variable's name counts as a whole.
rm -f host/etc/diglim/keys/*
printf 'ID=rhel\nVERSION_ID="9.4"\n' >host/etc/os-release
for version in 8 9; do cp other.asc "host/etc/pki/rpm-gpg/KEY-$version-$version"; done
cat >host/etc/yum.repos.d/release.repo <<'R'
[release]
gpgkey=file:///etc/pki/rpm-gpg/KEY-$releasever-${releasever_major}
[gone]
gpgkey=file:///etc/pki/rpm-gpg/KEY-gone-$nosuch
R
expect 0 key import --yes release
equal "of os-release" "$(ls host/etc/diglim/keys)" KEY-9-9
cat >package.spec <<-SPEC
	Name: release
	Version: 8.9
	Release: 1
	Summary: test
	License: none
	BuildArch: noarch
	Provides: system-release(releasever) = 8
	%description
	test
	%files
SPEC
{ rpm_build "$work/rpms" package.spec && rpm --root "$work/host" --dbpath /var/lib/rpm --nodeps --noplugins \
	-i rpms/release-8.9-1.noarch.rpm; } >install.log 2>&1 || fail "no release package: $(cat install.log)"
rm host/etc/diglim/keys/*
expect 0 key import --yes release
equal "of the release package" "$(ls host/etc/diglim/keys)" KEY-8-8
# A file that is not there is said.
unread="/etc/pki/rpm-gpg/KEY-gone-\$nosuch of repository gone: open host/etc/pki/rpm-gpg/KEY-gone-\$nosuch: No such file or directory"
expect 1 key import --yes gone
contains "import" "$err" "$unread"
expect 0 key list
contains "list" "$err" "$unread"
rm host/etc/yum.repos.d/release.repo host/etc/diglim/keys/* host/etc/pki/rpm-gpg/KEY-*

# A repository's variables are expanded; what is on the net is named.
rm -f host/etc/diglim/keys/* host/sbin/init
make_signing_key third || fail "no third key"
mkdir -p host/etc/dnf/vars
echo 7 >host/etc/dnf/vars/releasever
cp third.asc host/etc/pki/rpm-gpg/RPM-GPG-KEY-third-7
cat >host/etc/yum.repos.d/third.repo <<'R'
[third]
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-third-$releasever, https://example.invalid/other
R
third=$(fingerprint third)
expect 0 key import --yes third
contains "whom it trusts" "$out" "trusted: openpgp ${third,,}"
contains "what is on the net" "$err" "repository third has a key at https://example.invalid/other, which is not fetched here"
equal "and nobody else" "$(ls host/etc/diglim/keys)" RPM-GPG-KEY-third-7
expect 0 key import --yes third
contains "again" "$out" "nothing to import: all of these keys are trusted"
expect 1 key import --yes https://example.invalid/key
contains "fetches nothing" "$err" "fetch it (curl -fO), look at it, and import the file"
expect 1 key import --yes nosuch
contains "no such" "$err" "nosuch: neither a file, nor a key of rpm or of a repository"
expect 2 key import third
contains "asks" "$err" "nobody to ask; --yes goes on without a question"
# On a terminal it asks for each; no is no.
on_terminal() { # ANSWER COMMAND...
	python3 -c 'import os, pty, sys
def read(fd): return os.read(fd, 1024)
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
os.write(fd, (sys.argv[1] + "\n").encode() * 9)
try:
    while data := os.read(fd, 1024): sys.stdout.buffer.write(data)
except OSError: pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@"
}
expect 1 on_terminal n "$diglim" key import --root host
contains "shows it" "$out" "from rpm gpg-pubkey-"
contains "and asks" "$out" "Trust what it signs, from the next boot on? [y/N]"
contains "and goes no further" "$out" "nothing was imported"
equal "nothing changed" "$(ls host/etc/diglim/keys)" RPM-GPG-KEY-third-7
expect 0 on_terminal y "$diglim" key import --root host
contains "of rpm" "$out" "trusted: openpgp ${hello,,}"
contains "of a repository" "$out" "trusted: openpgp ${other,,}"
equal "three files" "$(find host/etc/diglim/keys -type f | wc -l)" 3
# One that cannot be trusted stops no other, and what was trusted is said to count.
expect 0 key remove --yes "$hello"
{ cat other.asc && echo; } >.hidden
expect 1 key import --yes ./.hidden ./hello.asc
contains "the one" "$err" ".hidden: files whose names begin with a dot do not count"
contains "the other" "$out" "trusted: openpgp ${hello,,}"
contains "and what follows" "$out" "It counts from the next boot on"
# By a file:// URL, and by the id that the plugin names.
expect 0 key remove --yes "$hello"
expect 0 key import --yes "file://$work/hello.asc"
expect 0 key remove --yes hello.asc
id=${hello: -16}
expect 0 key add "${id,,}"
contains "by id" "$out" "trusted: openpgp ${hello,,}"

# --- revocation ---

# gpg's own certificate, which has no key in it.
sed 's/^:---/---/' "$work/gnupg-other/openpgp-revocs.d/$other.rev" >other.rev
cp other.rev host/etc/diglim/keys/
expect 0 key list
contains "alone it is left out" "$out" "left out: /etc/diglim/keys/other.rev: "
contains "and why" "$out" "a signature without its key (a revocation? diglim key add joins the two)"
rm host/etc/diglim/keys/other.rev
expect 0 "$loader" verify --keys host/etc/diglim/keys rpms/other-1-1.noarch.rpm
expect 1 key add other.rev
contains "what it would deny" "$out" "no longer known: 0-file_list-rpm-other-1-1.noarch"
contains "how to go on" "$err" "nothing was changed. To go on: --yes"
cp -r host/etc/diglim/keys keys-before
expect 0 key add --yes --json other.rev
equal "revoked" "$(json 'revoked.*.fingerprint') $(json 'revoked.*.all_it_signed')" "${other,,} true"
equal "as which file" "$(json 'revoked.*.file')" "host/etc/diglim/keys/revoked-${other,,}.pgp"
equal "what is denied now" "$(json 'denied.*.package')" other-1-1.noarch
rm -r host/etc/diglim/keys && mv keys-before host/etc/diglim/keys
expect 0 key add --yes other.rev
contains "it says so" "$out" "revoked: openpgp ${other,,}, and all that it ever signed"
expect 1 "$loader" verify --keys host/etc/diglim/keys rpms/other-1-1.noarch.rpm
contains "nothing of it counts" "$out$err" "the key was revoked as compromised, or without a reason"
expect 0 key list
contains "list says so" "$out" "does not count: revoked"
# An old copy brings nothing back.
cp other.asc old-copy
expect 0 key add old-copy
expect 1 "$loader" verify --keys host/etc/diglim/keys rpms/other-1-1.noarch.rpm
rm host/etc/diglim/keys/old-copy
# With the key goes what takes it back.
expect 0 key remove "${other,,}"
equal "both are gone" "$(find host/etc/diglim/keys -name '*other*' -o -name 'revoked-*')" ""
expect 1 key add other.rev
contains "of a key that is not trusted" "$err" "it revokes no trusted key"
# Not that of the init.
cp host/usr/bin/hello host/sbin/init
sed 's/^:---/---/' "$work/gnupg-hello/openpgp-revocs.d/$hello.rev" >hello.rev
expect 1 key add --yes hello.rev
contains "it would not come up" "$err" "/sbin/init would be denied, and the machine would not come up; nothing was changed"
# rpm has a copy that is revoked.
sed 's/^:---/---/' "$work/gnupg-third/openpgp-revocs.d/$third.rev" | gpg --homedir "$work/gnupg-third" --batch --quiet --import 2>/dev/null
gpg --homedir "$work/gnupg-third" --armor --export >third-revoked.asc
cp third-revoked.asc host/etc/pki/rpm-gpg/RPM-GPG-KEY-third-7
expect 0 key list
contains "it is shown" "$out" "trusted, but others have a copy that no longer counts:"
contains "and what to do" "$out" "to take that over: diglim key add ${third,,}"
# By its repository: the copy counts, though the key is there already.
cp -r host/etc/diglim/keys keys-before
expect 0 key import --yes third
contains "import" "$out" "but it does not count: revoked"
rm -r host/etc/diglim/keys && mv keys-before host/etc/diglim/keys
expect 0 key add "${third,,}"
expect 0 key list --json
equal "taken over, beside the old copy" "$(find host/etc/diglim/keys -name 'RPM-GPG-KEY-third-7*' | wc -l)" 2
contains "and counts no longer" "$out" '"unusable":"revoked"' 

# A trusted X.509 key grants one: a statement beside the key, which goes with it. The kernel of another root is not told.
for name in admin stranger; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.pem" -days 9 -subj "/CN=$name" 2>/dev/null
done
rm -rf host/etc/diglim/keys/* host/etc/diglim/granted
cp hello.asc admin.pem host/etc/diglim/keys/
expect 1 key add -k stranger.key -c stranger.pem other.asc
contains "not by a stranger" "$err" "only a key that is trusted grants another"
contains "not by a stranger" "$err" "nothing was changed"
equal "nothing was changed" "$(find host/etc/diglim -name '*other*')" ""
expect 0 key add -k admin.key -c admin.pem --json other.asc
equal "granted" "$(json 'granted.*.file') $(json 'granted.*.in_force') $(json counts_from)" \
	"host/etc/diglim/granted/other.asc.grant false next-boot"
contains "by whom" "$(json 'granted.*.signer')" "CN=admin"
equal "and trusted" "$(json 'trusted.*.file')" host/etc/diglim/keys/other.asc
expect 0 key remove --yes --json other.asc
equal "both go" "$(json 'taken_back.*') $(json 'removed.*.file')" "host/etc/diglim/granted/other.asc.grant host/etc/diglim/keys/other.asc"
equal "nothing is left" "$(find host/etc/diglim -name '*other*')" ""
# The environment names who signs allows and lists; it grants nothing unasked.
expect 0 env DIGLIM_KEY=admin.key DIGLIM_CERTIFICATE=admin.pem "$diglim" key add --root host other.asc
equal "no grant" "$(find host/etc/diglim/granted -name '*other*')" ""
rm host/etc/diglim/keys/other.asc
# Made elsewhere.
expect 0 "$diglim" key grant -k admin.key -c admin.pem -o vendor.grant other.asc
contains "for whom" "$out" "a grant of openpgp ${other,,}"
contains "and how" "$out" "by: diglim key add vendor.grant"
expect 0 "$diglim" key grant -k stranger.key -c stranger.pem -o foreign.grant other.asc
expect 1 key add foreign.grant
contains "of a stranger" "$err" "foreign.grant: "
equal "nothing was changed" "$(find host/etc/diglim -name '*foreign*')" ""
expect 0 key add vendor.grant
contains "it says so" "$out" "granted by CMS"
cmp vendor.grant host/etc/diglim/granted/vendor.grant || fail "not the statement that was given"
cmp other.asc host/etc/diglim/keys/vendor || fail "not the key in it"
# A statement alone is shown, and goes by a fingerprint.
rm host/etc/diglim/keys/vendor
expect 0 key list
contains "a statement alone" "$out" "granted by a statement alone, so not from the boot on:"
contains "and how to keep it" "$out" "to trust it: diglim key add host/etc/diglim/granted/vendor.grant"
expect 0 key add host/etc/diglim/granted/vendor.grant
equal "it is trusted" "$(find host/etc/diglim -name 'vendor*' -type f | sort | tr '\n' ' ')" \
	"host/etc/diglim/granted/vendor.grant host/etc/diglim/keys/vendor "
rm host/etc/diglim/keys/vendor
expect 0 key remove "${other,,}"
contains "gone" "$out" "no longer granted: host/etc/diglim/granted/vendor.grant"
equal "gone" "$(find host/etc/diglim/granted -type f)" ""
expect 1 key remove "${other,,}"
finish
