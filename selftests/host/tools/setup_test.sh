#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim setup install changes what it says, and uninstall puts every byte back: with each kind of boot loader, after an
# installation that was killed at any of its points, and after others changed things in between.
# Expected: no "not ok", exit 0. Needs root (chroot), a static busybox, strace.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
. "$(dirname "$0")/setup_host.sh"
PATH=$(realpath "$1"):$PATH
setup_sh=$(realpath "$(dirname "$0")/../../../tools/diglim_setup.sh")
golden=$(cd "$(dirname "$0")/golden" && pwd)
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
cd "$work" || exit 1
prepare_host || { echo "FAIL: cannot make a signed package: $(cat ./*.log)"; exit 1; }

make_grubby() {
	make_bls "$1"
	# As the real one: every entry that does not use the variable, and the variable; a word of the same name is replaced.
	program "$1/usr/sbin/grubby" <<<'shift
while [ $# -gt 0 ]; do case $1 in --args) add=$2 ;; --remove-args) remove=$2 ;; *) exit 1 ;; esac; shift 2; done
for e in /boot/loader/entries/*.conf /boot/grub2/grubenv; do
	[ -e "$e" ] && ! grep -q "^options .kernelopts" "$e" || continue
	cat "$e" >/tmp/e
	l="^options\|^kernelopts"
	for w in $remove; do sed -i "/$l/s| $w||" /tmp/e; done
	for w in $add; do
		if grep -q "\($l\).* ${w%%=*}=" /tmp/e; then sed -i "/$l/s| ${w%%=*}=[^ ]*| $w|" /tmp/e; else sed -i "/$l/s|\$| $w|" /tmp/e; fi
	done
	cat /tmp/e >"$e"
done
[ ! -e /tmp/grubby-fails ]'
}
# Entries as distributions before Fedora 33 have them.
make_kernelopts() {
	make_grubby "$1"
	mkdir -p "$1/boot/grub2" "$1/boot/efi"
	printf '# GRUB Environment Block\nsaved_entry=0123-6.1.0\nkernelopts=root=/dev/sda1 ro quiet\n' >"$1/boot/efi/grubenv"
	ln -s ../efi/grubenv "$1/boot/grub2/grubenv"
	sed -i 's/^options.*/options $kernelopts/' "$1"/boot/loader/entries/*.conf
}
install=(setup install --rpm-keys --seconds 0)
calls() { cat host/tmp/called 2>/dev/null; rm -f host/tmp/called; }

make_bls bls
make_grubby grubby
make_kernelopts kernelopts
make_grub grub update-grub
make_grub grub2 grub2-mkconfig && mv grub2/boot/grub grub2/boot/grub2 && sed -i 's|/boot/grub/|/boot/grub2/|' grub2/usr/sbin/grub2-mkconfig

# Each boot loader: what changes, a second run, another mode, and back.
for kind in bls grubby grub grub2; do
	fresh $kind
	expect 0 "${install[@]}"
	equal "$kind: key" "$(cat host/etc/diglim/keys/gpg-pubkey-*.asc | head -1)" '-----BEGIN PGP PUBLIC KEY BLOCK-----'
	equal "$kind: list" "$(ls host/etc/digest_lists)" 0-file_list-rpm-hello-1-1.noarch
	equal "$kind: unit" "$(readlink host/etc/systemd/system/multi-user.target.wants/diglim-repair.service)" \
		/usr/lib/systemd/system/diglim-repair.service
	equal "$kind: unit for the way down" "$(readlink host/etc/systemd/system/sysinit.target.wants/diglim-shutdown.service)" \
		/usr/lib/systemd/system/diglim-shutdown.service
	equal "$kind: timer of the state" "$(readlink host/etc/systemd/system/timers.target.wants/diglim-state.timer)" \
		/usr/lib/systemd/system/diglim-state.timer
	equal "$kind: dracut" "$(calls | grep -c -e '^dracut --force --kver 6.1.0$' -e '^lsinitrd --kver 6.1.0$')" 2
	case $kind in
	bls | grubby)
		equal "$kind: entry" "$(grep ^options host/boot/loader/entries/0123-6.1.0.conf)" \
			'options root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
		equal "$kind: permissive" "$(grep -h -e ^title -e ^options -e ^version host/boot/loader/entries/0123-0-diglim-permissive.conf)" \
			'title Test Linux (6.1.0) (DIGLIM permissive: denies nothing)
options root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=permissive'
		equal "$kind: new kernels" "$(cat host/etc/kernel/cmdline)" \
			'root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce' ;;
	grub*)
		words='rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
		equal "$kind: menu" "$(cat host/boot/$kind/grub.cfg)" "menuentry Linux { linux /vmlinuz $words }
menuentry Linux (DIGLIM permissive: denies nothing) { linux /vmlinuz $words diglim.mode=permissive }"
		# grub-mkconfig executes it, while DIGLIM enforces too: it has to be a packaged file.
		equal "$kind: the script is packaged" "$(readlink host/etc/grub.d/42_diglim)" /usr/libexec/diglim/grub-permissive ;;
	esac
	rm -rf once && cp -a host once
	expect 0 "${install[@]}"
	same_trees once host "$kind: second run"
	expect 0 "${install[@]}" --mode permissive --lockdown
	grep -rqs -e 'diglim.mode=permissive lockdown=integrity' host/boot/loader/entries/0123-6.1.0.conf host/etc/default/grub ||
		fail "$kind: other mode"
	expect 0 setup uninstall
	# The initramfs is made anew, by a dracut without our configuration: here, an empty file.
	same_trees $kind host "$kind: uninstall"
	expect 0 setup uninstall
	contains "$kind: nothing left to undo" "$out" "nothing to undo"
done

# The plan, in words and as JSON; nothing is touched.
fresh bls
expect 0 setup install --rpm-keys --seconds 0 --dry-run
sed -E "s/gpg-pubkey-[0-9a-f]+-[0-9a-f]+/gpg-pubkey-KEY/" <"$work/out" >got
[ -z "${UPDATE:-}" ] || cp got "$golden/setup-plan.golden"
diff -u "$golden/setup-plan.golden" got || fail "plan"
expect 0 setup install --rpm-keys --seconds 0 --dry-run --json
equal "plan as JSON" "$("$top/selftests/lib/json" 'steps.*.id' <<<"$out" | xargs)" 'keys lists unit initramfs command_line'
same_trees bls host "dry run"
# The scan: what lies where packages put theirs stands against enforcing, what lies elsewhere is named.
expect 1 setup install --rpm-keys
contains "what would be denied" "$out" "What would be denied here while DIGLIM enforces:"
contains "grouped" "$out" "of no package, and on no list"
contains "against enforcing" "$err" "programs or libraries of the system would be denied"
contains "refused" "$err" "this machine would not work as before while DIGLIM enforces, for the reasons above; nothing was changed"
same_trees bls host "refused"
expect 0 setup install --rpm-keys --dry-run --mode permissive
contains "permissive: named" "$err" "programs or libraries of the system would be denied"
expect 1 setup install --rpm-keys --dry-run
expect 0 setup install --rpm-keys --dry-run --json
equal "as JSON" "$("$top/selftests/lib/json" 'scan.would_deny.*.cause' <<<"$out")" foreign
expect 0 setup install --rpm-keys --dry-run --skip-scan
[[ $out$err != *"would be denied"* ]] || fail "--skip-scan looks all the same"
cp -a host elsewhere && rm -rf elsewhere/{bin,usr/libexec} && chmod -x elsewhere/usr/bin/{dracut,lsinitrd}
mkdir elsewhere/opt && cp /bin/true elsewhere/opt/
rm -f elsewhere/boot/initramfs-6.1.0.img
expect 0 "$diglim" setup install --root "$work/elsewhere" --rpm-keys --dry-run
contains "elsewhere: named, not refused" "$out" "/opt/true"
rm -rf elsewhere
# The name of 2022.
expect 0 "$setup_sh" install --default --root "$work/host" --chroot --seconds 0
contains "2022" "$out" "Reboot to switch DIGLIM on (enforce)"
expect 0 "$setup_sh" uninstall --root "$work/host" --chroot --yes
same_trees bls host "diglim_setup.sh"

# Without chroot, commands are named.
rm -f host/tmp/called
expect 0 "$diglim" setup install --root "$work/host" --yes --rpm-keys --seconds 0
contains "commands are named" "$out" "to do: run in that system: dracut --force --kver 6.1.0"
equal "nothing was run" "$(calls)" ""
expect 0 setup uninstall
same_trees bls host "without chroot"

# Reasons not to enforce.
fresh bls
make_package unsigned && install_package host unsigned || fail "unsigned: $(cat ./*.log)"
cp -a host before
expect 1 "${install[@]}"
contains "refusal" "$err" "unsigned-1-1.noarch"
contains "refusal names the override" "$err" "--enforce-anyway"
same_trees before host "refusal"
expect 0 "${install[@]}" --mode permissive
expect 0 setup uninstall
same_trees before host "permissive in spite of an unsigned package"
fresh bls
echo changed >>host/usr/bin/hello
expect 1 setup install --rpm-keys
contains "changed file" "$out" "/usr/bin/hello"
expect 0 setup install --rpm-keys --enforce-anyway
fresh bls
expect 3 setup install
contains "no keys" "$err" "no key is trusted"
echo rubbish >rubbish.asc
expect 3 setup install --keys rubbish.asc --seconds 0
contains "not a key" "$err" "rubbish.asc: not a key"
rm -r host/usr/lib/dracut/modules.d/90diglim
expect 3 "${install[@]}"
contains "no dracut module" "$err" "install the package diglim-dracut"
expect 0 "${install[@]}" --no-initramfs --no-boot-loader
contains "yours to change" "$out" "DIGLIM starts when the kernel command line has: rdinit=/usr/sbin/diglim-loader diglim.mode=enforce"
rm host/usr/sbin/diglim-loader
expect 3 "${install[@]}"
expect 2 "$diglim" setup
expect 2 "$diglim" setup install --mode off
expect 2 "$diglim" setup install --chroot
fresh bls
expect 2 "$diglim" setup install --root "$work/host" --rpm-keys --seconds 0
contains "nobody to ask" "$err" "--yes"

# An initramfs without the loader: the command line stays.
fresh bls
program host/usr/bin/lsinitrd <<<'echo nothing'
expect 3 "${install[@]}"
contains "initramfs" "$err" "would not boot"
same_trees bls/boot/loader host/boot/loader "command line after a bad initramfs"
expect 0 setup uninstall
fresh grubby
touch host/tmp/grubby-fails
expect 3 "${install[@]}"
rm host/tmp/grubby-fails
expect 0 setup uninstall
same_trees grubby host "grubby that fails half-way"
program host/usr/sbin/grubby <<<''
expect 3 "${install[@]}"
contains "grubby that does nothing" "$err" "left /boot/loader/entries/0123-6.1.0.conf without rdinit=/usr/sbin/diglim-loader"
expect 0 setup uninstall
# Lines by which the kernel would not start DIGLIM: grubby would add behind the dashes; what new kernels get; quotes around a word.
refused() { # WHAT TEXT
	rm -rf before && cp -a host before
	expect 3 "${install[@]}"
	contains "$1" "$err" "$2"
	same_trees before host "$1"
}
fresh grubby
sed -i 's/^options.*/& -- single/' host/boot/loader/entries/0123-6.0.9.conf
refused "dashes and grubby" "/boot/loader/entries/0123-6.0.9.conf has \"--\", and grubby would put DIGLIM's words behind it"
fresh kernelopts
sed -i 's/^kernelopts.*/& -- single/' host/boot/efi/grubenv
refused "dashes in kernelopts" '/boot/grub2/grubenv: the command line of'
fresh bls
echo 'root=x y="a' >host/etc/kernel/cmdline
refused "an open quote for new kernels" '/etc/kernel/cmdline: with the kernel command line'
fresh bls
echo 'root=x "--"' >host/etc/kernel/cmdline
refused "a quoted word for new kernels" 'begins with a quote'
fresh bls
echo "GRUB_CMDLINE_LINUX='y=\"a'" >host/etc/default/grub
refused "an open quote for GRUB" '/etc/default/grub: with the kernel command line'
fresh grub
printf 'GRUB_CMDLINE_LINUX=quiet # -- note\n' >host/etc/default/grub
rm -rf before && cp -a host before
expect 0 "${install[@]}"
equal "a bare value and a comment" "$(cat host/etc/default/grub)" \
	'GRUB_CMDLINE_LINUX="quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce" # -- note'
expect 0 setup uninstall
equal "and back" "$(cat host/etc/default/grub)" 'GRUB_CMDLINE_LINUX=quiet # -- note'
fresh kernelopts
expect 0 "${install[@]}"
equal "kernelopts" "$(grep ^kernelopts host/boot/efi/grubenv)" \
	'kernelopts=root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
equal "kernelopts: entry" "$(grep ^options host/boot/loader/entries/0123-6.1.0.conf)" 'options $kernelopts'
equal "kernelopts: permissive" "$(grep ^options host/boot/loader/entries/0123-0-diglim-permissive.conf)" \
	'options $kernelopts rdinit=/usr/sbin/diglim-loader diglim.mode=permissive'
echo boot_success=1 >>host/boot/efi/grubenv # as each boot does
expect 0 setup uninstall
equal "kernelopts: uninstall" "$(cat host/boot/efi/grubenv)" "$(cat kernelopts/boot/efi/grubenv; echo boot_success=1)"
cp kernelopts/boot/efi/grubenv host/boot/efi/grubenv
same_trees kernelopts host "kernelopts"

# A /usr/sbin that is a link; a setting of grub's that overrules ours; a /boot without room, where dracut would leave nothing at all.
fresh bls
program host/usr/bin/lsinitrd <<<'echo "-rwxr-xr-x 1 root root 8000 usr/bin/diglim-loader"'
expect 0 "${install[@]}"
fresh grub
sed -i 's|; for s in|; GRUB_CMDLINE_LINUX=other; for s in|' host/usr/sbin/update-grub
expect 3 "${install[@]}"
contains "overruled" "$err" "update-grub left /boot/grub/grub.cfg without rdinit=/usr/sbin/diglim-loader"
expect 0 setup uninstall
fresh bls
cp -a host/boot kept && mount -t tmpfs -o size=8m,mode=755 tmpfs host/boot && cp -a kept/. host/boot || fail "no small /boot"
expect 3 "${install[@]}"
contains "no room" "$err" "the initramfs of 1 kernels may grow by 12"
same_trees kept host/boot "no room"
umount host/boot

# No file that says what new kernels get: they would get the running one's, without our words before the reboot.
fresh bls
rm host/etc/kernel/cmdline && rm -rf before && cp -a host before
expect 0 "${install[@]}"
equal "new kernels" "$(cat host/etc/kernel/cmdline)" 'root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce'
expect 0 "${install[@]}" --mode permissive
equal "new kernels, permissive" "$(cat host/etc/kernel/cmdline)" \
	'root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=permissive'
expect 0 setup uninstall
same_trees before host "a file for new kernels"

# Two at once.
fresh bls
touch hold
(flock 9 && touch locked && while [ -e hold ]; do sleep 0.1; done) 9>host/var/lib/diglim/setup.lock &
until [ -e locked ]; do sleep 0.1; done
expect 3 "${install[@]}"
contains "two at once" "$err" "another diglim setup is at work"
expect 3 setup uninstall
expect 0 "${install[@]}" --dry-run
rm hold
wait
expect 0 "${install[@]}"
[ ! -e host/var/lib/diglim/setup.lock ] || fail "the lock stays"

# Things change in between: a new kernel's entry, one removed, a file edited, lists of the plugin.
fresh bls
expect 0 "${install[@]}"
entry 6.2.0 "$(tail -n 1 host/etc/kernel/cmdline | cut -d' ' -f3-)" >host/boot/loader/entries/0123-6.2.0.conf
chmod 600 host/boot/loader/entries/0123-6.2.0.conf
rm host/boot/loader/entries/0123-6.0.9.conf
sed -i 's/quiet/verbose/' host/etc/kernel/cmdline
echo 'add_drivers+=" x "' >>host/etc/dracut.conf.d/90-diglim.conf
echo list >host/etc/digest_lists/0-file_list-rpm-new-1-1.noarch
echo mine >host/etc/digest_lists/0-file_list-compact-mine
expect 0 setup uninstall
equal "new entry is freed" "$(grep ^options host/boot/loader/entries/0123-6.2.0.conf)" 'options root=/dev/sda1 ro quiet'
equal "its mode" "$(stat -c %a host/boot/loader/entries/0123-6.2.0.conf)" 600
[ ! -e host/boot/loader/entries/0123-6.0.9.conf ] || fail "a removed kernel's entry came back"
equal "edited command line" "$(cat host/etc/kernel/cmdline)" 'root=/dev/sda1 ro verbose'
contains "edited file is named" "$out" "90-diglim.conf was changed by somebody since"
contains "and not called as before" "$out" "All else is as before"
equal "lists" "$(ls host/etc/digest_lists)" 0-file_list-compact-mine
# A list that was there before, with other bytes.
fresh bls
echo old >host/etc/digest_lists/0-file_list-rpm-hello-1-1.noarch
rm -rf before && cp -a host before
expect 0 "${install[@]}"
expect 0 setup uninstall
same_trees before host "an old list"

# Killed at each rename, then undone, or done again. Its grub.cfg is as update-grub makes it: after some of these points only that can
# bring it back.
chroot grub /usr/sbin/update-grub && rm -f grub/tmp/called
fresh grub
for point in $(seq 1 100); do
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e trace=rename,renameat2,symlink \
		-e inject=rename,renameat2,symlink:signal=KILL:when="$point" \
		"$diglim" setup install --root "$work/host" --chroot --yes --rpm-keys --seconds 0 >/dev/null 2>&1
	status=$?
	[ $status != 0 ] || break
	[ $status = 137 ] || fail "point $point: exit $status"
	rm -rf half && cp -a host half
	expect 0 setup uninstall
	same_trees grub host "killed at point $point, then uninstalled"
	rm -rf host && mv half host
	expect 0 "${install[@]}"
	expect 0 setup uninstall
	same_trees grub host "killed at point $point, installed again, uninstalled"
done
[ "$point" -gt 12 ] && [ "$status" = 0 ] || fail "only $point points, exit $status"
rm -rf installed && cp -a host installed
for point in $(seq 1 100); do
	rm -rf host && cp -a installed host
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o trace -e trace=rename,renameat2,unlink,rmdir \
		-e inject=rename,renameat2,unlink,rmdir:signal=KILL:when="$point" \
		"$diglim" setup uninstall --root "$work/host" --chroot --yes >/dev/null 2>&1
	status=$?
	[ $status != 0 ] || break
	[ $status = 137 ] || fail "uninstall, point $point: exit $status"
	expect 0 setup uninstall
	same_trees grub host "uninstall killed at point $point, and again"
done
[ "$point" -gt 7 ] && [ "$status" = 0 ] || fail "uninstall: only $point points, exit $status"
finish
