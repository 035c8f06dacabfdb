#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim setup install --uki says what is missing and changes nothing then; it makes configuration, command line and images, and
# uninstall takes all of it back. Images that boot are selftests/host/uki's.
# Expected: no "not ok", exit 0. Needs root (chroot) and a static busybox: the programs in the chroot are scripts.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
. "$(dirname "$0")/setup_host.sh"
PATH=$(realpath "$1"):$PATH
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
cd "$work" || exit 1
prepare_host || { echo "FAIL: cannot make a signed package: $(cat ./*.log)"; exit 1; }
for name in admin other; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 30 -subj /CN=$name 2>/dev/null
	chmod 600 $name.key
done

make_bls bls
for name in objcopy sbsign sbverify; do program bls/usr/bin/$name <<<'exit 0'; done
mkdir -p bls/efi/EFI/BOOT bls/usr/lib/systemd/boot/efi bls/etc/kernel
echo stub >bls/usr/lib/systemd/boot/efi/linuxx64.efi.stub
: >bls/boot/vmlinuz-6.1.0
# As tools/uki/make_uki leaves it.
program bls/usr/libexec/diglim/make-uki <<'SH'
esp=$(sed -n 's/^esp = //p' /etc/diglim/uki.conf)
[ ! -e /tmp/make-uki-fails ] || { echo 'make-uki: no room' >&2; exit 3; }
[ ! -e $esp/EFI/Linux/diglim-$1.efi ] || { cat $esp/EFI/Linux/diglim-$1.efi >$esp/EFI/diglim/$1-previous.efi
  echo title >$esp/loader/entries/diglim-$1-previous.conf; }
cat /etc/kernel/cmdline >$esp/EFI/Linux/diglim-$1.efi
SH
cp admin.key bls/etc/kernel/secure-boot-private-key.pem && chmod 600 bls/etc/kernel/secure-boot-private-key.pem
cp admin.pem bls/etc/kernel/secure-boot-certificate.pem
install=(setup install --rpm-keys --seconds 0 --uki)

# refused WHAT TEXT PREPARE...: with the host as the last words make it, which the installation then leaves as it was.
refused() {
	local what=$1 text=$2
	shift 2
	fresh bls
	(cd host && "$@")
	rm -rf once && cp -a host once
	expect 3 "${install[@]}" "${more[@]}"
	contains "$what" "$err" "$text"
	contains "$what: says so" "$err" "nothing was changed"
	same_trees once host "$what"
}
more=()
refused 'no system partition' 'no EFI system partition is mounted at /efi, /boot/efi or /boot' rm -r efi
refused 'no sbsign' 'sbsign is not installed: install the package sbsigntool' rm usr/bin/sbsign
refused 'no objcopy' 'objcopy is not installed: install the package binutils' rm usr/bin/objcopy
refused 'no stub' 'install the package systemd-boot-efi' rm usr/lib/systemd/boot/efi/linuxx64.efi.stub
refused 'no maker' 'install the package diglim-dracut' rm usr/libexec/diglim/make-uki
refused 'no dracut module' 'install the package diglim-dracut' rm -r usr/lib/dracut
refused 'no key' 'uki-key /etc/kernel/secure-boot-private-key.pem: ' rm etc/kernel/secure-boot-private-key.pem
refused 'a key that others may read' 'others than root may read --uki-key' chmod 644 etc/kernel/secure-boot-private-key.pem
refused 'a key of somebody else' 'others than root may read --uki-key' chown 1 etc/kernel/secure-boot-private-key.pem
refused 'another certificate' 'is not the certificate of --uki-key' cp ../other.pem etc/kernel/secure-boot-certificate.pem
refused 'no certificate' '--uki-cert' cp ../other.key etc/kernel/secure-boot-certificate.pem
refused 'no kernel' 'no kernel with its image is found' rm boot/vmlinuz-6.1.0
openssl pkey -in admin.key -aes128 -passout pass:x -out locked.key
refused 'a key with a pass phrase' 'no private key in PEM without a pass phrase' cp ../locked.key etc/kernel/secure-boot-private-key.pem
openssl ecparam -name prime256v1 -genkey -noout -out curve.key
refused 'a key that no firmware can verify' 'firmware wants an RSA key' cp ../curve.key etc/kernel/secure-boot-private-key.pem
openssl genrsa -out short.key 1024 2>/dev/null
refused 'a short one' 'firmware wants an RSA key of 2048 bits' cp ../short.key etc/kernel/secure-boot-private-key.pem
printf -- '-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n' >bent.key
refused 'a bent key of a TPM' 'uki-key /etc/kernel/secure-boot-private-key.pem: ' cp ../bent.key etc/kernel/secure-boot-private-key.pem
refuse_manager() {
	mkdir -p efi/EFI/systemd && : >efi/EFI/systemd/systemd-bootx64.efi && sed -i 's/^exit 0/exit 1/' usr/bin/sbverify
}
refused 'a boot manager that another key signed' 'is not signed by the key of' refuse_manager
layout() { mkdir -p "$1" && printf '# x\nlayout=bls\nlayout=uki\n' >"$1/install.conf"; }
refused 'images by kernel-install' 'layout=uki in /usr/lib/kernel/install.conf' layout usr/lib/kernel
refused 'the same by the admin' 'write layout=bls into /etc/kernel/install.conf' layout etc/kernel
blanks() { mkdir -p "$1" && printf ' layout = uki\n' >"$1/install.conf"; }
refused 'with blanks' 'layout=uki in /etc/kernel/install.conf' blanks etc/kernel
# drop_in DIRECTORY NAME LAYOUT, over what the admin wrote: layout=bls.
drop_in() { mkdir -p "$1/install.conf.d" && echo "layout=$3" >"$1/install.conf.d/$2" && echo layout=bls >etc/kernel/install.conf; }
zz='write layout=bls into /etc/kernel/install.conf.d/zz-diglim.conf'
refused 'in a drop-in' "$zz" drop_in usr/lib/kernel 50.conf uki
for folder in run/kernel usr/local/lib/kernel; do
	refused "in $folder" "layout=uki in /$folder/install.conf.d/50.conf" drop_in $folder 50.conf uki
done
by_name() { drop_in etc/kernel 10.conf bls && drop_in usr/lib/kernel 50.conf uki; }
refused 'the last by name' 'layout=uki in /usr/lib/kernel/install.conf.d/50.conf' by_name
# A line by which the kernel would not start DIGLIM, and the image would be signed.
line() { printf %b "$1" >etc/kernel/cmdline; }
refused 'a quote that does not end' 'a quote in it does not end' line 'root=x y="a\n'
refused 'a quoted word' 'begins with a quote' line 'root=x "--"\n'
refused 'a comment' 'the kernel knows no comments' line '# not yet -- mine\nroot=x\n'
refused 'a line that the kernel cuts' 'and the kernel takes 2047' line "root=x $(head -c 2000 /dev/zero | tr '\0' a)\n"
refused 'no text' 'it has control characters' line 'root=x\0\n'
more=(--esp /nowhere)
refused 'no such partition' '--esp /nowhere: there is no directory EFI' true
more=(--uki-key relative.key)
refused 'a path that is none later' 'a path from / on is wanted' true
fresh bls
expect 2 "${install[@]}" --no-boot-loader
expect 2 "${install[@]}" --enforce-when-clean 3
expect 2 setup install --rpm-keys --esp /efi
same_trees bls host 'a wrong command line'

# The admin's file counts.
layout bls/usr/lib/kernel
(cd bls && drop_in usr/lib/kernel 50.conf uki && drop_in usr/lib/kernel 60.conf uki && drop_in etc/kernel 60.conf bls)
ln -s /dev/null bls/etc/kernel/install.conf.d/50.conf
(cd bls && drop_in run/kernel 10.conf uki && drop_in etc/kernel zz-diglim.conf bls)
# What it makes; another mode; what booted before stays.
fresh bls
rm -f host/tmp/called
expect 0 "${install[@]}" --mode permissive
equal 'dracut does nothing but for the image' "$(grep -c ^dracut host/tmp/called)" 0
equal 'configuration' "$(grep -v '^#' host/etc/diglim/uki.conf)" 'esp = /efi
key = /etc/kernel/secure-boot-private-key.pem
certificate = /etc/kernel/secure-boot-certificate.pem'
line='root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode='
equal 'the command line' "$(cat host/efi/EFI/Linux/diglim-6.1.0.efi)" "${line}permissive"
equal 'entries of before stay' "$(cat host/boot/loader/entries/0123-6.1.0.conf)" "$(cat bls/boot/loader/entries/0123-6.1.0.conf)"
contains 'what is left to do' "$out" 'enrol /etc/kernel/secure-boot-certificate.pem in the firmware'
contains 'no boot manager' "$out" 'efibootmgr --create'
expect 0 "${install[@]}"
equal 'another mode' "$(cat host/efi/EFI/Linux/diglim-6.1.0.efi)" "${line}enforce"
equal 'the way back' "$(cat host/efi/EFI/diglim/6.1.0-previous.efi)" "${line}permissive"
contains 'and its name' "$out" 'choose "DIGLIM: the previous image" in the boot menu'
expect 0 "${install[@]}" --esp /efi//
contains 'a slash at the end' "$(cat host/etc/diglim/uki.conf)" $'\nesp = /efi\n'
# Another key; and images that are not ours.
touch host/efi/EFI/Linux/0123-6.1.0.efi
sed -i 's/^exit 0/case $2,$3 in *cert*,*previous*) exit 1 ;; esac/' host/usr/bin/sbverify
expect 0 "${install[@]}"
contains 'the way back has the key of before' "$out" '/efi/EFI/diglim/6.1.0-previous.efi was signed with another key'
contains 'an image of others' "$out" 'look at /efi/EFI/Linux/0123-6.1.0.efi'
rm host/efi/EFI/Linux/0123-6.1.0.efi
cp -a bls/usr/bin/sbverify host/usr/bin/
expect 3 setup install --rpm-keys --seconds 0
contains 'the other way' "$err" 'this host boots signed images'
expect 0 "${install[@]}" --uki-cmdline 'root=/dev/vda rw' --lockdown
equal 'another line' "$(cat host/efi/EFI/Linux/diglim-6.1.0.efi)" \
	'root=/dev/vda rw rdinit=/usr/sbin/diglim-loader diglim.mode=enforce lockdown=integrity'
expect 0 "${install[@]}" --uki-cmdline 'root=x y="a  -- b" ro'
equal 'dashes in quotes' "$(cat host/efi/EFI/Linux/diglim-6.1.0.efi)" \
	'root=x y="a  -- b" ro rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
mv host/efi host/away && mkdir host/efi
expect 3 setup uninstall
contains 'what holds the images is away' "$err" 'is the EFI system partition mounted'
rmdir host/efi && mv host/away host/efi
expect 0 setup uninstall
contains 'before the reboot' "$out" 'the firmware accepts the boot loader of before'
same_trees bls host 'uninstall'

# No image, no change of what boots; and back from there.
fresh bls
touch host/tmp/make-uki-fails
expect 3 "${install[@]}"
contains 'the reason' "$err" 'make-uki: no room'
equal 'no image' "$(find host/efi -type f)" ''
rm host/tmp/make-uki-fails
expect 0 setup uninstall
same_trees bls host 'uninstall of half'

# Without chroot the command is named.
fresh bls
expect 0 "$diglim" setup install --root "$work/host" --yes --rpm-keys --seconds 0 --uki
contains 'to do' "$out" 'run in that system: /usr/libexec/diglim/make-uki 6.1.0'
finish
