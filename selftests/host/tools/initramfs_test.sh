#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: what users see of `diglim initramfs`: which lists it takes, what it says of the rest, exit statuses.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
top=$(realpath "$(dirname "$0")/../../..")
diglim=$tools/diglim
gen=$tools/compact_gen
cd "$work" || exit 1

for name in trusted other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.pem -subj /CN=$name \
		-days 30 -config /dev/null 2>/dev/null || fail "no openssl"
done
mkdir -p root/usr/bin root/etc/diglim/keys root/usr/lib/dracut/hooks/cmdline lists
cp trusted.pem root/etc/diglim/keys/
printf '#!/bin/sh\necho one\n' >root/usr/bin/one
printf '#!/bin/sh\necho two\n' >root/usr/bin/two
printf '#!/bin/sh\n# made by dracut\n' >root/usr/lib/dracut/hooks/cmdline/10.sh
chmod 755 root/usr/bin/* root/usr/lib/dracut/hooks/cmdline/10.sh
make() { "$gen" -q -d lists --name "$1" -i "$2" -k "$3.key" -c "$3.pem"; }
echo unneeded >unneeded
make one root/usr/bin/one trusted
make two root/usr/bin/two trusted
make unneeded unneeded trusted
prefix=0-file_list-compact

# What covers is taken, nothing else is.
expect 0 "$diglim" initramfs --root root --lists lists
equal lists "$(grep -v '^#' <<<"$out")" "$prefix-one
$prefix-two"
contains sum "$out" "# 2 lists for 2 files; DIGLIM adds "
equal stderr "$err" ""
[ ! -e root/etc/digest_lists ] || fail "copied without --copy"

expect 0 "$diglim" initramfs --root root --lists lists --copy --json
contains json "$out" "{\"lists\":[\"$prefix-one\",\"$prefix-two\"],\"files\":2,\"uncovered\":[],\"rejected\":[],\"bytes\":"
equal copied "$(ls root/etc/digest_lists)" "$prefix-one
$prefix-two"
cmp -s lists/$prefix-one root/etc/digest_lists/$prefix-one || fail "not the same bytes"

# Within an rpm transaction: of two lists that cover, the one that stays is taken.
mkdir -p host/etc host/var/lib/diglim
cp -r lists host/etc/digest_lists
cp lists/$prefix-one host/etc/digest_lists/$prefix-one-new
expect 0 "$diglim" initramfs --root root --lists host/etc/digest_lists
contains "the first" "$out" "$prefix-one"$'\n'
printf 'diglim transaction 1\nold %s\n' $prefix-one >host/var/lib/diglim/transaction
expect 0 "$diglim" initramfs --root root --lists host/etc/digest_lists
equal "the one that stays" "$(grep -v '^#' <<<"$out" | sort)" "$prefix-one-new
$prefix-two"

# A stripped program is another program; a list by a key that the initramfs does not trust covers nothing.
printf x >>root/usr/bin/one
expect 1 "$diglim" initramfs --root root --lists lists
equal stderr "$err" "diglim initramfs: no digest list has /usr/bin/one: it will be denied"
make one root/usr/bin/one other
expect 1 "$diglim" initramfs --root root --lists lists
contains stderr "$err" "diglim initramfs: left out: $prefix-one: "
contains stderr "$err" "no digest list has /usr/bin/one: it will be denied"
mkdir both && cp trusted.pem other.pem both/
expect 0 "$diglim" initramfs --root root --lists lists --keys both

# dracut's module is only where it is asked for (dracut.modules(7): 255), and nowhere without the loader.
module() { bash -c "require_binaries() { $1; }; moddir=x initdir=x; . '$top/dracut/90diglim/module-setup.sh'; check"; }
expect 255 module true
expect 1 module false

# dracut ends where the lists could not be chosen, or where there is none; a file that is on no list is a warning.
dracut() { # EXIT STATUS OF diglim, FILE WRITTEN: prints what was reached
  rm -rf image && mkdir -p image/etc/digest_lists
  bash -c "set -o pipefail
    inst_binary() { :; }; inst_simple() { :; }; inst_dir() { :; }; inst_hook() { :; }
    dinfo() { cat; }; dwarn() { cat >&2; }; derror() { echo \"\$*\" >&2; }
    diglim() { [ -z '$2' ] || for n in {1..5000}; do echo list >'image/$2'\$n; done; return $1; }
    build_ld_cache() { echo cache; }
    initdir=image; moddir=x; . '$top/dracut/90diglim/module-setup.sh'; install; build_ld_cache; echo packed" 2>said
}
equal "dracut goes on" "$(dracut 0 etc/digest_lists/a)" "cache
packed"
equal "a file on no list" "$(dracut 1 etc/digest_lists/a)" "cache
packed"
equal "dracut ends: diglim failed" "$(dracut 3 etc/digest_lists/a)" cache
contains "and says so" "$(cat said)" "no initramfs was made"
equal "dracut ends: no list" "$(dracut 1 '')" cache

# A stray file among the keys is left out, and named.
echo 'nothing here' >root/etc/diglim/keys/README
expect 1 "$diglim" initramfs --root root --lists lists
contains stderr "$err" "left out, so no key of it counts: README: not a key"
rm root/etc/diglim/keys/README

# Wrong calls and places.
expect 2 "$diglim" initramfs
expect 2 "$diglim" initramfs --root root -a md17
expect 3 "$diglim" initramfs --root none
expect 3 "$diglim" initramfs --root root --lists none
contains stderr "$err" "none"
finish
