# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Hosts for the tests of `diglim setup`, which need no boot. Sourced after fake_host.sh; $diglim is the program.
: "${diglim:?}" "${work:?}" "${top:?}"
grub_permissive=$top/tools/grub_permissive

program() { # PATH: a script for the chroot on standard input, which also writes what it was called with
	mkdir -p "$(dirname "$1")"
	{ echo '#!/bin/sh'; echo 'echo "${0##*/} $*" >>/tmp/called'; cat; } >"$1"
	chmod 755 "$1"
}
# A host with dracut and a kernel; the image of the "initramfs" holds the configuration it was made with.
make_dracut_host() {
	make_host "$1" || fail "no host: $(cat install.log)"
	mkdir -p "$1/bin" "$1/usr/lib/modules/6.1.0" "$1/usr/lib/dracut/modules.d/90diglim" "$1/etc/dracut.conf.d" "$1/usr/lib/systemd/system"
	cp /bin/busybox "$1/bin/" && ln -s busybox "$1/bin/sh" && ln -s busybox "$1/bin/cat" && ln -s busybox "$1/bin/sed" &&
		ln -s busybox "$1/bin/grep"
	mkdir -p "$1/usr/libexec/diglim" && cp "$grub_permissive" "$1/usr/libexec/diglim/grub-permissive"
	touch "$1/usr/lib/modules/6.1.0/modules.dep" "$1"/usr/lib/systemd/system/diglim-{repair.service,shutdown.service,state.timer}
	program "$1/usr/bin/dracut" <<<'{ for c in /etc/dracut.conf.d/*.conf; do [ ! -e "$c" ] || cat "$c"; done; } >/boot/initramfs-6.1.0.img'
	program "$1/usr/bin/lsinitrd" <<'SH'
case $(cat /boot/initramfs-6.1.0.img) in *diglim*) echo "-rwxr-xr-x 1 root root 8000 usr/sbin/diglim-loader";; esac
SH
	: >"$1/boot/initramfs-6.1.0.img"
}
entry() { # RELEASE WORDS
	printf 'title Test Linux (%s)\nversion %s\nlinux /vmlinuz-%s\n' "$1" "$1" "$1"
	printf 'initrd /initramfs-%s.img\noptions root=/dev/sda1 ro %s\ngrub_class fedora\n' "$1" "$2"
}
make_bls() {
	make_dracut_host "$1"
	mkdir -p "$1/boot/loader/entries" "$1/etc/kernel" "$1/etc/default"
	entry 6.1.0 quiet >"$1/boot/loader/entries/0123-6.1.0.conf"
	entry 6.0.9 '' >"$1/boot/loader/entries/0123-6.0.9.conf"
	entry 0-rescue '' >"$1/boot/loader/entries/0123-0-rescue.conf"
	echo 'root=/dev/sda1 ro quiet' >"$1/etc/kernel/cmdline"
	printf 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="ro quiet"\n' >"$1/etc/default/grub"
	chmod 600 "$1/etc/kernel/cmdline"
}
make_grub() { # ROOT PROGRAM
	make_dracut_host "$1"
	mkdir -p "$1/etc/default" "$1/etc/grub.d" "$1/boot/grub"
	printf 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n' >"$1/etc/default/grub"
	program "$1/usr/sbin/$2" <<<'{ . /etc/default/grub; export GRUB_CMDLINE_LINUX; for s in /etc/grub.d/*; do $s; done; } >/boot/grub/grub.cfg'
	printf '#!/bin/sh\necho "menuentry ${GRUB_DISTRIBUTOR:-Linux} { linux /vmlinuz $GRUB_CMDLINE_LINUX }"\n' >"$1/etc/grub.d/10_linux"
	chmod 755 "$1/etc/grub.d/10_linux"
	echo 'menuentry as it was, by hand' >"$1/boot/grub/grub.cfg"
}
# same_trees A B: but for what rpm itself leaves when its database is read, and what the commands here write.
same_trees() {
	diff -r --no-dereference -x 'rpmdb.*' -x .rpm.lock -x called -x e "$1" "$2" || fail "$3: the tree is not as before"
	diff <(cd "$1" && find . -path ./var/lib/rpm -prune -o -printf '%p %M %U %G\n' | grep -v ./tmp | sort) \
		<(cd "$2" && find . -path ./var/lib/rpm -prune -o -printf '%p %M %U %G\n' | grep -v ./tmp | sort) || fail "$3: modes differ"
}
setup() { local verb=$1; shift; "$diglim" setup "$verb" --root "$work/host" --chroot --yes "$@"; }
fresh() { rm -rf host && cp -a "$1" host; }
