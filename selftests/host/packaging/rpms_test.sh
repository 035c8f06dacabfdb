#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the RPMs build from the tree, hold what they should, as it was built, and rpmlint has nothing to say.
# Expected: no "not ok", exit 0. The programs come from the build tree (./check has built them): the spec's own %build is the same two
# commands, tried with --full, which takes minutes.
# Usage: rpms_test.sh BUILD [--full]
top=$(cd "$(dirname "$0")/../../.." && pwd)
build=$(realpath "$1") full=${2:-}
. "$top/selftests/lib/cli.sh"
cd "$work" || exit 1
options=(--build "$build")
[ "$full" != --full ] || options=()
expect 0 "$top/packaging/build-rpms" "${options[@]}" --worktree rpms
[ "$failed" = 0 ] || { echo "$err"; finish; }
ls rpms
version=$(sed -n 's/^Version: *//p' "$top/packaging/diglim.spec")

# files PACKAGE: its files, one a line; a man page without .gz, folders with a slash.
files() { rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' rpms/"$1"-"$version"-*.{x86_64,noarch}.rpm 2>/dev/null |
  sed 's/^d[^ ]* \(.*\)/\1\//; s/^[^ ]* //; s/\.gz$//' | sort; }
rpm -qp rpms/*.rpm >/dev/null 2>log || fail "rpm -qp: $(cat log)"
{
	printf '%s\n' /etc/diglim/ /etc/diglim/{keys,ssh}/ /etc/diglim/{events,loader}.conf /etc/digest_lists/ /var/lib/diglim/ \
		/usr/libexec/diglim/ /usr/lib/systemd/catalog/diglim.catalog /usr/libexec/diglim/{grub-permissive,pcrlock,remake-initramfs} \
		/usr/sbin/diglim-loader \
		/usr/bin/{compact_gen,diglim,diglim_setup.sh,diglim_user_client,rpm_gen} /usr/sbin/diglim-events
	(cd "$top/packaging" && printf '/usr/share/bash-completion/completions/%s\n' completion/* | sed 's|completion/\([^/]*\)$|\1|' &&
		for page in man/*; do [[ $page != man/diglim-@(rpm-plugin|tpm).* ]] && echo "/usr/share/man/man${page##*.}/${page#man/}"; done &&
		printf '/usr/lib/systemd/system/%s\n' systemd/* | sed 's|systemd/\([^/]*\.service\)$|\1|')
} | sed 's|system/systemd/|system/|; s|completions/completion/|completions/|' | sort >wanted
files diglim | grep -v -e ^/usr/share/doc/ -e ^/usr/share/licenses/ >got
diff -u wanted got || fail "files of diglim"
while read -r program; do
	grep -qE "^/usr/share/man/man[18]/$program\.[18]$" got || fail "no man page of $program"
done < <(sed -n 's|^/usr/s\?bin/||p' got)
equal "plugin" "$(files diglim-rpm-plugin | tr '\n' ' ')" \
	"/usr/lib/rpm/macros.d/macros.transaction_diglim $(rpm --eval %__plugindir)/diglim.so /usr/share/man/man8/diglim-rpm-plugin.8 "
equal "tls" "$(files diglim-tls | tr '\n' ' ')" \
	"/etc/diglim/openssl-tpm.cnf $(pkg-config --variable=modulesdir libcrypto)/diglim-tpm.so /usr/share/man/man7/diglim-tpm.7 "
equal "dracut" "$(files diglim-dracut | grep -v -e '/$' -e ^/usr/share/doc/ | tr '\n' ' ')" \
	"$(cd "$top/dracut" && find 90diglim -type f -printf '/usr/lib/dracut/modules.d/%p\n' | sort | tr '\n' ' '
		printf '%s ' /usr/lib/kernel/install.d/95-diglim-uki.install /usr/libexec/diglim/{make,pack}-uki)"
equal "scap" "$(files diglim-scap | grep -v '/$' | tr '\n' ' ')" \
	"/usr/share/xml/scap/diglim/diglim-oval.xml /usr/share/xml/scap/diglim/diglim-xccdf.xml "

# SELinux: the module, and a main package that wants it only where there is a policy.
if [ -e /usr/share/selinux/devel/Makefile ]; then
	equal "selinux" "$(files diglim-selinux | tr '\n' ' ')" "/usr/share/selinux/packages/diglim.pp.bz2 "
	contains "the main package" "$(rpm -qp --requires rpms/diglim-"$version"-*.x86_64.rpm 2>/dev/null)" \
		"(diglim-selinux = $version-1 if (selinux-policy or selinux-policy-default))"
	mkdir selinux && mv rpms/diglim-selinux-*.rpm selinux/
	expect 0 "$top/packaging/build-rpms" --build "$build" --worktree without --define 'diglim_selinux 0'
	equal "without development files" \
		"$(find without -name '*selinux*'; rpm -qp --requires without/diglim-"$version"-*.x86_64.rpm 2>/dev/null | grep selinux)" ""
else
	fail "selinux-policy-dev is missing"
fi

# Installed, the loader is what was built: a stripped or compressed one would have another digest.
shopt -s nullglob
mkdir root && rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --noplugins -i rpms/*.{x86_64,noarch}.rpm >log 2>&1 ||
  fail "install: $(cat log)"
[ "$full" = --full ] || cmp "$build/loader/diglim-loader" root/usr/sbin/diglim-loader || fail "the loader was changed"
equal "configuration" "$(rpm -qpc rpms/diglim-"$version"-*.x86_64.rpm 2>/dev/null | tr '\n' ' ')" \
	'/etc/diglim/events.conf /etc/diglim/loader.conf '
# A machine that is set up would not boot without loader or dracut module.
equal "scriptlets, in Lua" \
  "$(rpm -qp --scripts rpms/*.rpm 2>/dev/null | grep -v '^preuninstall scriptlet (using <lua>):$' | grep scriptlet)" ""
# A new loader gets into the initramfs, where setup has put one.
mkdir -p root/bin root/boot root/dev root/usr/bin root/usr/lib/modules/{6.1.0,6.12.0} root/etc/dracut.conf.d
cp "$(command -v busybox)" root/bin/sh
cp root/bin/sh root/bin/busybox
touch root/dev/null
for applet in grep mv rm sync; do ln -s busybox root/bin/$applet; done
# The kernel that sorts last has no room for an image: dracut leaves half of it.
printf '#!/bin/sh\necho "$@" >>/dracut-calls\necho new >"$3"\n[ "$4" != 6.12.0 ]\n' >root/usr/bin/dracut
printf '#!/bin/sh\necho usr/sbin/diglim-loader\n' >root/usr/bin/lsinitrd
chmod 755 root/usr/bin/{dracut,lsinitrd}
mkdir -p root/usr/lib/modules/6.11.0
touch root/usr/lib/modules/{6.1.0,6.11.0,6.12.0}/modules.dep
echo old | tee root/boot/initramfs-6.1.0.img >root/boot/initramfs-6.12.0.img
again() {
	rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --noplugins -U --replacepkgs rpms/diglim-"$version"-*.x86_64.rpm >log 2>&1
}
again || fail "reinstall: $(cat log)"
[ ! -e root/dracut-calls ] || fail "dracut runs on a host that is not set up"
# The module comes and goes with its package; labels where SELinux runs.
for program in semodule restorecon selinuxenabled; do
	printf '#!/bin/sh\necho %s "$@" >>/selinux-calls\n' $program >root/usr/bin/$program
	chmod 755 root/usr/bin/$program
done
labels='selinuxenabled;restorecon -iRF /usr/sbin/diglim-loader /etc/diglim /etc/digest_lists /var/lib/diglim /run/diglim;'
rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --noplugins -i selinux/*.rpm >log 2>&1 || fail "install: $(cat log)"
rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --noplugins -e diglim-selinux >log 2>&1 || fail "remove: $(cat log)"
equal "scriptlets of the module" "$(tr '\n' ';' <root/selinux-calls)" \
	"semodule -X 200 -i /usr/share/selinux/packages/diglim.pp.bz2;${labels}semodule -X 200 -r diglim;$labels"
echo '{}' >root/var/lib/diglim/setup.json
touch root/etc/dracut.conf.d/90-diglim.conf
again || fail "reinstall: $(cat log)"
equal "initramfs" "$(tr '\n' ' ' <root/dracut-calls)" \
  '--force --quiet /boot/initramfs-6.1.0.img.new 6.1.0 --force --quiet /boot/initramfs-6.12.0.img.new 6.12.0 '
equal "the images" "$(tail -n 1 root/boot/* | tr '\n' ' ')" \
  '==> root/boot/initramfs-6.1.0.img <== new  ==> root/boot/initramfs-6.12.0.img <== old '
contains "one that fails" "$(cat log)" "/boot/initramfs-6.12.0.img was not made anew: it boots as before"
# What does not hold the loader takes no place.
echo 'true' >root/usr/bin/lsinitrd
echo old >root/boot/initramfs-6.1.0.img
again || fail "reinstall: $(cat log)"
equal "an image without the loader" "$(cat root/boot/initramfs-6.1.0.img)" old
rm root/var/lib/diglim/setup.json
remove() { rpm --root "$work/root" --dbpath /var/lib/rpm --noplugins -e "$@"; }
echo '{}' >root/var/lib/diglim/setup.json
for packages in diglim-dracut 'diglim diglim-dracut diglim-rpm-plugin diglim-tls'; do
	# shellcheck disable=SC2086 # words
	remove $packages >log 2>&1 && fail "$packages is removed from a machine that is set up"
	contains "the reason" "$(cat log)" "run diglim setup uninstall first"
	rpm --root "$work/root" --dbpath /var/lib/rpm -q diglim diglim-dracut >log 2>&1 || fail "$packages is gone: $(cat log)"
done
[ -e root/usr/sbin/diglim-loader ] && [ -e root/usr/lib/dracut/modules.d/90diglim/module-setup.sh ] || fail "files are gone"
expect 0 root/usr/bin/diglim --version
equal "version" "$out" "DIGLIM $version"
rm root/var/lib/diglim/setup.json
remove diglim diglim-dracut >log 2>&1 || fail "remove: $(cat log)"
[ ! -e root/usr/sbin/diglim-loader ] || fail "the loader stays"
mkdir units
for unit in "$top"/packaging/systemd/*; do
	# The program is not installed here.
	sed 's|^ExecStart=.*|ExecStart=/bin/true|; /^ExecStartPre=/d; /^ExecStop=/d' "$unit" >"units/${unit##*/}"
done
for unit in units/*; do
	expect 0 systemd-analyze verify --man=no "$unit"
	equal "systemd-analyze of $unit" "$err" ""
done
expect 0 rpmlint --config "$top/packaging/rpmlintrc.toml" rpms/*.rpm selinux/*.rpm
contains "rpmlint" "$out" "0 errors, 0 warnings"
finish
