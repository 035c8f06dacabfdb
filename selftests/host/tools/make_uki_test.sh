#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: of make-uki twice at once both make their image, one after the other; what one left that was killed goes with the next, and with
# the kernel. It signs nothing that boots without DIGLIM or that others may write, and says why. It
# writes down what it made, and nothing that others put there; systemd-pcrlock is told. Images that boot are
# selftests/host/uki's.
# Expected: no "not ok", exit 0. Needs root, as whose leftovers count. dracut, lsinitrd, pack-uki and systemctl are scripts.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
[ -n "${own_mounts:-}" ] || { rm -rf "$work"; own_mounts=1 exec unshare -m "$0" "$@"; }
cd "$work" || exit 1
mkdir esp && mount -t tmpfs none esp || exit 1
mkdir -p bin libexec esp/EFI/Linux esp/EFI/diglim etc tmp run/systemd/system var/lib/systemd modules
known=$work/var/lib/diglim/images policy=$work/var/lib/systemd/pcrlock.json
sed "s#^PATH=.*#PATH=$work/bin:$tools:/usr/sbin:/usr/bin:/sbin:/bin#
	s#/etc/diglim/uki.conf#$work/etc/uki.conf#; s#/etc/kernel/cmdline#$work/etc/cmdline#g
	s#/run/diglim-uki.lock#$work/lock#; s#/var/tmp#$work/tmp#; s#/run/systemd/#$work&#; s#/var/lib/#$work&#
	s#/usr/lib/modules#$work/modules#g; s#/proc/sys/kernel/random/boot_id#$work/boot#" "$top/tools/uki/make_uki" >libexec/make-uki
cat >bin/dracut <<'SH'
#!/bin/bash
for word; do [[ $word != */initrd ]] || echo initramfs >"$word"; done
here=${0%/*}/..
! readlink /proc/$$/fd/* | grep -q '/lock$' || echo 'dracut has the lock' >>"$here/failures"
[ ! -e "$here/change" ] || for file in cmdline certificate vmlinuz; do echo changed >"$here/etc/$file"; done
SH
printf '#!/bin/sh\necho x/bin/diglim-loader\n' >bin/lsinitrd
# It says when it runs, so that two at once would be seen; and may be made to wait.
cat >libexec/pack-uki <<'SH'
#!/bin/bash
here=$(realpath "${0%/*}/..")
while [ $# -gt 0 ]; do
	case $1 in --output) output=$2 ;; --cmdline | --linux | --certificate) packed+=$(cat "$2")$'\n' ;; esac
	shift
done
[[ $TMPDIR = "$here"/tmp/diglim-uki.* ]] || echo "its TMPDIR is $TMPDIR" >>"$here/failures"
mkdir "$here/running" || { echo 'two at once' >>"$here/failures"; exit 1; }
echo $$ >"$here/packing"
echo -n "$packed" >"$here/packed"
! readlink /proc/$$/fd/* | grep -q '/lock$' || echo 'pack-uki has the lock' >>"$here/failures"
while [ -e "$here/hold" ]; do sleep 0.05; done
head -c 1000000 /dev/urandom >"$output"
rmdir "$here/running"
SH
# Whoever is told may need the lock, and writes down what it knows, unless it did not run.
cat >bin/systemctl <<'SH'
#!/bin/bash
here=${0%/*}/..
here=$(realpath "$here")
case $* in
'--quiet is-enabled diglim-pcrlock.service') [ -e "$here/enabled" ] || exit 1 ;;
'start diglim-pcrlock-next.service')
	echo start >>"$here/started"
	flock -n "$here/lock" true || echo 'the lock is held' >>"$here/failures"
	! readlink /proc/$$/fd/* | grep -q '/lock$' || echo 'systemctl has the lock' >>"$here/failures"
	[ ! -e "$here/start-fails" ] || exit 1
	mkdir -p "$here/var/lib/diglim"
	[ -e "$here/condition" ] || stat -c '%Y %s %n' "$here"/esp/EFI/*/*.efi >"$here/var/lib/diglim/pcrlock"
	;;
esac
SH
chmod +x bin/* libexec/*
line='root=x rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
echo "$line" >etc/cmdline
(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -keyout etc/key -out etc/certificate -subj /CN=Boot 2>/dev/null)
cp -p etc/certificate .
printf 'esp = %s/esp\nkey = %s/etc/key\ncertificate = %s/etc/certificate\n' "$work" "$work" "$work" >etc/uki.conf
echo kernel >etc/vmlinuz
echo boot1 >boot
make_uki() { "$work/libexec/make-uki" "$@"; }
wait_until() { # COMMAND...
	local try
	for ((try = 0; try < 400; try++)); do ! "$@" || return 0; sleep 0.05; done
	fail "never: $*"
}

# The first at work until hold goes, the second waiting for it.
two_at_once() {
	touch hold
	: >packing
	make_uki 6.1 etc/vmlinuz >first.out 2>&1 &
	first=$!
	wait_until test -s packing
	make_uki 6.1 etc/vmlinuz >second.out 2>&1 &
	second=$!
	wait_until grep -q 'waiting until another one has ended' second.out
}
two_at_once
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
setsid "$work/libexec/make-uki" 6.1 etc/vmlinuz >killed.out 2>&1 &
killed=$!
wait_until test -s packing
kill -9 -- "-$killed"
wait $killed 2>/dev/null
rm -r hold running
equal 'it left something' "$(find tmp -name 'diglim-uki.*' | wc -l)" 1
mkdir tmp/diglim-uki.others && chown 65534 tmp/diglim-uki.others
# On a partition that has room for what an update needs, and not for that, too.
mount -o remount,size=5m esp
head -c 1000000 /dev/zero | tee esp/EFI/Linux/diglim-6.0.new >esp/EFI/diglim/6.0-previous.new
head -c 600000 /dev/zero >esp/others
expect 0 make_uki 6.1 etc/vmlinuz
rm esp/others
mount -o remount,size=100m esp
equal 'the next one cleans up, but nothing of others' "$(ls tmp)" diglim-uki.others
rmdir tmp/diglim-uki.others

touch esp/EFI/Linux/diglim-6.1.new esp/EFI/diglim/6.1-previous.new
expect 0 make_uki --remove 6.1
equal 'nothing is left of a kernel that goes' "$(find esp -type f)" ''
equal 'and nobody was told, who is not there' "$(ls started 2>/dev/null)" ''

# What would boot without DIGLIM is not signed, and what boots stays.
expect 0 make_uki 6.1 etc/vmlinuz
before=$(sha256sum esp/EFI/*/*)
refused() { # WHAT TEXT
	expect 3 make_uki 6.1 etc/vmlinuz
	contains "$1" "$err" "$2"
	contains "$1: says so" "$err" 'what boots was not changed'
	equal "$1: so it is" "$(sha256sum esp/EFI/*/*)" "$before"
}
for text in 'root=x' "root=x -- $line" "root=x y=\"a $line\"" "$line rdinit=/bin/sh" "x${line#* }"; do
	echo "$text" >etc/cmdline
	refused "the line $text" 'the kernel finds no rdinit=/usr/sbin/diglim-loader in it'
done
echo "root=x y=\"a $line" >etc/cmdline
refused 'an open quote' 'a quote in it does not end'
# The kernel takes quotes around a whole word away, and divides words at 0xA0, too.
for text in "root=x \"--\" $line" "$line \"rdinit=/bin/sh\""; do
	echo "$text" >etc/cmdline
	refused "the line $text" 'begins with a quote: write name="value"'
done
printf 'root=x\xa0--\xa0%s\n' "$line" >etc/cmdline
refused 'a blank of the kernel' 'it has a byte 0xA0'
{ head -c 2000 /dev/zero | tr '\0' a; echo " $line"; } >etc/cmdline
refused 'a line that the kernel cuts' 'bytes, and the kernel takes 2047'
printf 'root=x\0 %s\n' "${line#* }" >etc/cmdline
refused 'no text' 'it has control characters'
for text in "$line -- rdinit=/bin/sh" "y=\"a -- b\" $line" "rdinit=/bin/sh $line" "$(tr ' ' '\n' <<<"$line")"; do
	echo "$text" >etc/cmdline
	expect 0 make_uki 6.1 etc/vmlinuz
done
before=$(sha256sum esp/EFI/*/*)
echo "$line" >etc/cmdline
# Nor what others may write.
for file in etc/cmdline etc/uki.conf etc/certificate etc/vmlinuz; do
	chmod 666 $file
	refused "$file, which others may write" "others than root may write"
	chmod 644 $file
	chown 65534 $file
	refused "$file of somebody else" "others than root may write"
	chown 0 $file
done
chmod 640 etc/key
refused 'a key that others may read' 'others than root may read --uki-key'
chmod 600 etc/key
# Another key may lie there since. sbsign takes it, and the firmware does not.
cp -p etc/key .
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout etc/key -out etc/certificate -subj /CN=Boot 2>/dev/null
refused 'a key that no firmware can verify' 'firmware wants an RSA key'
cp -p key etc/key
refused "another key's certificate" "--uki-cert $work/etc/certificate is not the certificate of --uki-key"
cp -p certificate etc/certificate
# What was looked at is what is packed: it changes while dracut runs.
touch change
expect 0 make_uki 6.1 etc/vmlinuz
rm change
equal 'they changed' "$(cat etc/cmdline etc/certificate etc/vmlinuz | paste -sd ' ')" 'changed changed changed'
equal 'what was looked at is packed' "$(sort packed)" "$(printf '%s\n' "$line" "$(cat certificate)" kernel | sort)"
cp -p certificate etc/certificate
echo "$line" >etc/cmdline
# And what is there when its turn comes is looked at.
two_at_once
echo root=x >etc/cmdline
rm hold
wait $first
wait $second
equal 'what came while it waited' "$? $(grep -c 'the kernel finds no rdinit=' second.out)" '3 1'
echo "$line" >etc/cmdline
# Nor does anything come of a partition that is not there.
mkdir elsewhere && mount --move esp elsewhere && mkdir esp/EFI
before=''
expect 3 make_uki 6.1 etc/vmlinuz
contains 'the directory below the partition' "$err" "nothing is mounted at $work/esp"
equal 'nothing was written there' "$(find esp -type f)" ''
rmdir esp/EFI && mount --move elsewhere esp
mount -o remount,ro esp
expect 3 make_uki --remove 6.1
contains 'what to do' "$err" 'cannot be removed: is'
mount -o remount,rw esp
expect 0 make_uki --remove 6.1
expect 3 make_uki --all
contains 'none is there' "$err" 'there is no image in'
expect 3 make_uki 6.1+3-1 etc/vmlinuz
contains 'a release that systemd-boot would count down' "$err" 'ends as a count of tries does'
expect 0 make_uki 6.1+deb12-amd64 etc/vmlinuz
expect 0 make_uki --remove 6.1+deb12-amd64
# FAT takes two names for one that differ in case only.
expect 0 make_uki 6.1-Test etc/vmlinuz
before=$(sha256sum esp/EFI/*/*)
expect 3 make_uki 6.1-test etc/vmlinuz
contains 'a name that differs in case only' "$err" "$work/esp/EFI/Linux/diglim-6.1-Test.efi differs from this kernel's name in case only"
expect 0 make_uki --remove 6.1-test
contains 'nothing of the other kernel goes' "$err" "is another kernel's"
equal "the other kernel's image stays" "$(sha256sum esp/EFI/*/*)" "$before"
expect 0 make_uki --remove 6.1-Test

# What this host made: the new image, and the one that is the way back.
sum() { sha256sum <"esp/EFI/$1" | cut -d ' ' -f 1; } # FILE
is_known() { # WHAT SUM...
	equal "$1" "$(cut -d ' ' -f 1 "$known" | sort | paste -sd ' ')" "$(printf '%s\n' "${@:2}" | sort | paste -sd ' ')"
}
equal 'none of that kernel' "$(cat "$known")" ''
expect 0 make_uki 6.1 etc/vmlinuz
equal 'the new image' "$(cat "$known")" "$(sum Linux/diglim-6.1.efi) 6.1 boot1"
equal 'for root alone, as the lock is' "$(stat -c %a "$known" lock | paste -sd ' ')" '600 600'
cp esp/EFI/Linux/diglim-6.1.efi oldest
boots=1
booted() { touch -d '2001-01-01' esp/EFI/Linux/diglim-6.1.efi && echo boot$((++boots)) >boot; }
booted
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'the new one and the previous one' "$(sum Linux/diglim-6.1.efi)" "$(sum diglim/6.1-previous.efi)"
equal 'that is the one of before' "$(sum diglim/6.1-previous.efi)" "$(sha256sum <oldest | cut -d ' ' -f 1)"
booted
second=$(sum Linux/diglim-6.1.efi)
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'never a third' "$(sum Linux/diglim-6.1.efi)" "$second"
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'once more in the same boot: the way back stays' "$(sum Linux/diglim-6.1.efi)" "$second"
# Whoever has the disk makes the previous one stay, by the time of the new one, or by putting it into its place.
booted
touch -d '2099-01-01' esp/EFI/Linux/diglim-6.1.efi
expect 0 make_uki 6.1 etc/vmlinuz
equal 'it is still there' "$(sum diglim/6.1-previous.efi)" "$second"
is_known 'but not written down' "$(sum Linux/diglim-6.1.efi)"
booted
expect 0 make_uki 6.1 etc/vmlinuz
booted
cp esp/EFI/diglim/6.1-previous.efi esp/EFI/Linux/diglim-6.1.efi
touch -d '2001-01-01' esp/EFI/Linux/diglim-6.1.efi
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'nor one that took the place of the new one' "$(sum Linux/diglim-6.1.efi)"
# Whoever has the disk puts an older one in the place of what boots, and of the previous one.
cp oldest esp/EFI/Linux/diglim-6.1.efi
booted
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'an older one, which became the previous one, is not written down' "$(sum Linux/diglim-6.1.efi)"
expect 0 make_uki 6.1 etc/vmlinuz
cp oldest esp/EFI/diglim/6.1-previous.efi
expect 0 make_uki 6.1 etc/vmlinuz
is_known 'nor one in the place of that' "$(sum Linux/diglim-6.1.efi)"
expect 0 make_uki 6.2 etc/vmlinuz
is_known 'each kernel has its own' "$(sum Linux/diglim-6.1.efi)" "$(sum Linux/diglim-6.2.efi)"
expect 0 make_uki --remove 6.1
is_known 'what goes is not written down any more' "$(sum Linux/diglim-6.2.efi)"
chmod 644 lock
expect 0 make_uki 6.1 etc/vmlinuz
equal 'the lock of before becomes root'"'s" "$(stat -c %a lock)" 600

# systemd-pcrlock is told.
touch enabled "$policy"
told() { equal "$1" "$(grep -c start started 2>/dev/null)" "$2"; : >started; } # WHAT TIMES
expect 0 make_uki 6.1 etc/vmlinuz
told 'of an image' 1
equal 'which is no news' "$err" ''
mkdir -p modules/6.1 modules/6.2
touch modules/6.{1,2}/{modules.dep,vmlinuz} # the name is all that counts
expect 0 make_uki --all
told 'of all at once' 1
equal 'both were made' "$(wc -l <<<"$out")" 2
rm modules/6.2/vmlinuz
expect 3 make_uki --all
told 'of the one that was made' 1
rm modules/6.1/vmlinuz
expect 3 make_uki --all
told 'of none' 0
touch start-fails
expect 0 make_uki 6.1 etc/vmlinuz
contains 'that it was not told is no error' "$err" 'systemd-pcrlock does not know the images of this host'
rm start-fails
told 'it was tried' 1
echo '{}' >"$policy"
expect 0 make_uki 6.1 etc/vmlinuz
equal 'it knows' "$err" ''
touch condition
rm "$work/var/lib/diglim/pcrlock"
expect 0 make_uki 6.1 etc/vmlinuz
contains 'a unit that did not run' "$err" "systemd-pcrlock does not know $work/esp/EFI/Linux/diglim-6.1.efi"
rm condition
: >started
expect 0 make_uki --remove 6.1
told 'of an image that goes' 1
[ ! -e failures ] || fail "$(sort -u failures)"
empty tmp

# Where nothing can be written down, the new image boots, and the status says it.
rm -r "$work/var/lib/diglim"
(umask 0 && make_uki 6.1 etc/vmlinuz >/dev/null)
equal 'nobody else writes there, whatever the umask is' "$(find "$work/var/lib/diglim" esp/* lock -perm /022)" ''
rm -r "$work/var/lib/diglim"
touch "$work/var/lib/diglim"
expect 3 make_uki 6.1 etc/vmlinuz
contains 'it says so' "$err" 'cannot be written: systemd-pcrlock will not be told of it'
equal 'it is there' "$(ls esp/EFI/Linux)" "$(printf '%s\n' diglim-6.1.efi diglim-6.2.efi)"
umount esp
finish
