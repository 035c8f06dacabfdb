#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: of make-uki twice at once both make their image, one after the other; what one left that was killed goes with the next, and with
# the kernel. Images that boot are selftests/host/uki's.
# Expected: no "not ok", exit 0. Needs root, as whose leftovers count. dracut, lsinitrd and pack-uki are scripts.
. "$(dirname "$0")/../../lib/cli.sh"
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
cd "$work" || exit 1
mkdir -p bin libexec esp/EFI/Linux esp/EFI/diglim etc tmp
sed "s#^PATH=.*#PATH=$work/bin:/usr/sbin:/usr/bin:/sbin:/bin#
	s#/etc/diglim/uki.conf#$work/etc/uki.conf#; s#/etc/kernel/cmdline#$work/etc/cmdline#g
	s#/run/diglim-uki.lock#$work/lock#; s#/var/tmp#$work/tmp#" "$top/tools/uki/make_uki" >libexec/make-uki
cat >bin/dracut <<'SH'
#!/bin/bash
for word; do [[ $word != */initrd ]] || echo initramfs >"$word"; done
SH
printf '#!/bin/sh\necho x/bin/diglim-loader\n' >bin/lsinitrd
# It says when it runs, so that two at once would be seen; and may be made to wait.
cat >libexec/pack-uki <<'SH'
#!/bin/bash
here=${0%/*}/..
while [ $# -gt 0 ]; do [ "$1" != --output ] || output=$2; shift; done
mkdir "$here/running" || { echo 'two at once' >>"$here/failures"; exit 1; }
echo $$ >"$here/packing"
while [ -e "$here/hold" ]; do sleep 0.05; done
head -c 1000000 /dev/urandom >"$output"
rmdir "$here/running"
SH
chmod +x bin/* libexec/*
echo root=x >etc/cmdline
(umask 077 && echo key >etc/key)
printf 'esp = %s/esp\nkey = %s/etc/key\ncertificate = %s/etc/key\n' "$work" "$work" "$work" >etc/uki.conf
touch vmlinuz
make_uki() { "$work/libexec/make-uki" "$@"; }
wait_until() { # COMMAND...
	local try
	for ((try = 0; try < 400; try++)); do ! "$@" || return 0; sleep 0.05; done
	fail "never: $*"
}

touch hold
make_uki 6.1 vmlinuz >first.out 2>&1 &
first=$!
wait_until test -s packing
make_uki 6.1 vmlinuz >second.out 2>&1 &
second=$!
wait_until grep -q 'waiting until another one has ended' second.out
rm hold
wait $first
equal 'the first' "$? $(cat first.out)" "0 make-uki: $work/esp/EFI/Linux/diglim-6.1.efi"
wait $second
equal 'the second' "$? $(tail -n 1 second.out)" "0 make-uki: $work/esp/EFI/Linux/diglim-6.1.efi"
[ ! -e failures ] || fail "$(cat failures)"
equal 'the image' "$(ls esp/EFI/Linux)" diglim-6.1.efi
empty tmp

# One that is killed, with all that it runs.
touch hold
: >packing
setsid "$work/libexec/make-uki" 6.1 vmlinuz >killed.out 2>&1 &
killed=$!
wait_until test -s packing
kill -9 -- "-$killed"
wait $killed 2>/dev/null
rm -r hold running
equal 'it left something' "$(find tmp -name 'diglim-uki.*' | wc -l)" 1
mkdir tmp/diglim-uki.others && chown 65534 tmp/diglim-uki.others
touch esp/EFI/Linux/diglim-6.1.new esp/EFI/diglim/6.1-previous.new
expect 0 make_uki 6.1 vmlinuz
equal 'the next one cleans up, but nothing of others' "$(ls tmp)" diglim-uki.others
rmdir tmp/diglim-uki.others

touch esp/EFI/Linux/diglim-6.1.new esp/EFI/diglim/6.1-previous.new
expect 0 make_uki --remove 6.1
equal 'nothing is left of a kernel that goes' "$(find esp -type f)" ''
finish
