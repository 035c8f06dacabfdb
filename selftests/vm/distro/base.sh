# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # of build, which sources this and whose variables it uses
#
# The part of the test distribution that is Debian's: packages, the system installed from them, a repository. A change here makes the
# system anew; a change of the project does not.

kMasked=(serial-getty@ttyS0.service systemd-hwdb-update.service e2scrub_reap.service systemd-pstore.service
  systemd-firstboot.service e2scrub_all.timer dpkg-db-backup.timer dnf-makecache.timer fstrim.timer systemd-tmpfiles-clean.timer)

# --- Packages -------------------------------------------------------------------------------------------------------

# "[RELEASE...] NAME" is of these releases only.
packages() {
  sed -E -e '/^#/d' -e "s/^\\[([a-z ]+ )?$release_name( [a-z ]+)?\\] //" -e '/^\[/d' "${package_lists[@]}"
}

# The .debs of the packages and of all that they need, whatever is installed here. apt verifies them.
download() {
  local wanted apt
  mapfile -t wanted < <(packages)
  mkdir -p "$cache/debs/partial" "$cache/apt"
  : >"$cache/apt/status"
  [ "$release_name" = bookworm ] || "$top/selftests/vm/in_release" --lists "$release_name"
  apt=(within apt-get -q -o APT::Sandbox::User=root -o "Dir::State::status=$cache/apt/status" -o "Dir::Cache=$cache/apt"
    -o "Dir::Cache::archives=$cache/debs" --no-install-recommends)
  local series release version
  for series in "${kSeries[@]}"; do
    # The image and the kernel that QEMU is given have to be of one version.
    release=$(cat "${kernels[$series]}/release")
    version=$(basename "${kernels[$series]}")
    wanted+=("linux-image-$release=${version%.layout*}")
  done
  "${apt[@]}" -y --download-only install "${wanted[@]}" >"$work/apt.log" 2>&1 ||
    { tail -n 5 "$work/apt.log" >&2; die 'apt cannot get the packages: run apt-get update, and selftests/vm/kernels --update'; }
  "${apt[@]}" -y -s install "${wanted[@]}" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*\[\(.*\)\]).*/\1_\2_\3.deb/p' | sed 's/:/%3a/g' |
    LC_ALL=C sort >"$work/debs"
  [ -s "$work/debs" ] || die 'apt resolved no packages'
}

convert() { # DEB OUT: called by xargs
  local part
  part=$(mktemp -d -t diglim-convert.XXXXXX)
  mkdir "$part/root"
  if ! "$here/deb2spec" "$1" "$part/root" "$part/spec" ||
    ! "$top/selftests/lib/packages/build-rpm" "$part/spec" "$part/root" "$part/out"; then
    rm -rf "$part"
    echo "distro: cannot convert $1" >&2
    return 255 # ends xargs
  fi
  mkdir -p "${2%/*}"
  mv "$part/out" "$2"
  rm -rf "$part"
}

# One RPM for each .deb, in a directory of its own, kept as long as the converter is the same.
convert_all() {
  local deb
  rpms=$cache/rpms-$(hash_of selftests/vm/distro/deb2spec selftests/lib/packages/build-rpm selftests/lib/rpm.sh)
  while read -r deb; do
    [ -d "$rpms/$deb" ] || printf '%s\0%s\0' "$cache/debs/$deb" "$rpms/$deb"
  done <"$work/debs" >"$work/todo"
  say "$(wc -l <"$work/debs") packages, $(($(tr -dc '\0' <"$work/todo" | wc -c) / 2)) to be converted"
  "$top/selftests/lib/packages/build-rpm" --print-key >/dev/null
  within xargs -0 -r -n 2 -P 2 "$here/build" --convert <"$work/todo" || die 'conversion failed'
  sed "s|.*|$rpms/&|" "$work/debs" | xargs -I{} find {} -name '*.rpm' >"$work/rpms"
  [ "$(wc -l <"$work/rpms")" = "$(wc -l <"$work/debs")" ] || die 'not one RPM for each package'
}

# --- What the project adds to them ---------------------------------------------------------------------------------

configuration_package() {
  local root=$work/configuration unit name
  mkdir -p "$root"/{boot,dev,home,mnt,opt,proc,root,run,srv,sys,tmp,vm,usr/bin}
  cp -a "$here/root/." "$root"
  chmod 755 "$root/usr/libexec/vm-command"
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  ln -s gawk "$root/usr/bin/awk"
  # As Fedora has it.
  [ "$release_name" != sid ] || ln -s dnf5 "$root/usr/bin/dnf"
  mkdir -p "$root"/etc/systemd/system/multi-user.target.wants "$root/etc/pki/rpm-gpg" "$root/etc/dnf/vars" "$root/etc/diglim/keys"
  ln -s /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  for unit in "${kMasked[@]}"; do ln -s /dev/null "$root/etc/systemd/system/$unit"; done
  ln -s /usr/lib/systemd/system/vm-command.service "$root/etc/systemd/system/multi-user.target.wants/"
  cp "$key" "$root/etc/pki/rpm-gpg/RPM-GPG-KEY-test-distribution"
  cp "$key" "$root/etc/diglim/keys/distribution.asc"
  echo 12 >"$root/etc/dnf/vars/releasever"
  echo diglim >"$root/etc/hostname"
  within "$top/selftests/lib/packages/build-rpm" "$here/test-distribution.spec" "$root" "$work/own"
}

# Two versions of a package that a test can install, upgrade and remove.
repository() { # OUT
  local number root=$work/greeter
  for number in 1 2; do
    rm -rf "$root"
    mkdir -p "$root"/{etc,usr/bin,usr/lib/x86_64-linux-gnu,usr/share/greeter}
    printf 'const char *greeter_version(void) { return "%s"; }\n' "$number" >"$work/lib.c"
    cat >"$work/greeter.c" <<C
#include <stdio.h>
const char *greeter_version(void);
int main(void) { printf("greeter $number, library %s\\n", greeter_version()); return 0; }
C
    printf 'int main(void) { return 0; }\n' >"$work/shared.c"
    cc -shared -fPIC -Wl,-soname,libgreeter.so.1 -o "$root/usr/lib/x86_64-linux-gnu/libgreeter.so.1" "$work/lib.c"
    cc -o "$root/usr/bin/greeter" "$work/greeter.c" "$root/usr/lib/x86_64-linux-gnu/libgreeter.so.1"
    cc -o "$root/usr/bin/greeter-shared" "$work/shared.c"
    printf '#!/bin/sh\nexec /usr/bin/greeter\n' >"$root/usr/bin/greeter-script"
    printf 'version = %s\n' "$number" >"$root/etc/greeter.conf"
    printf 'text\n' >"$root/usr/share/greeter/text"
    chmod 755 "$root"/usr/bin/*
    find "$root" -exec touch -h -d @1700000000 {} +
    within "$top/selftests/lib/packages/build-rpm" "$here/greeter.spec" "$root" "$1" --define "number $number"
  done
  within createrepo_c --quiet --no-database "$1"
}

# --- Systems --------------------------------------------------------------------------------------------------------

rpm_in() { # TREE ARGUMENT...
  within rpm --root "$1" --define '_dbpath /var/lib/rpm' --define '__plugindir /nonexistent' --noplugins "${@:2}" 2>&1 |
    { grep -v 'hould not be used directly\|However assuming' || true; } >&2
  return "${PIPESTATUS[0]}"
}

# With the pseudo file systems that the tools within expect, gone with the namespace.
in_tree() { # TREE COMMAND...
  unshare --mount --pid --fork --kill-child sh -euc 'tree=$1; shift
    mount -t proc proc "$tree/proc"
    mount --bind /dev "$tree/dev"
    mount -t sysfs sysfs "$tree/sys"
    mount -t tmpfs tmpfs "$tree/run"
    exec chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 "$@"' sh "$@" </dev/null
}

# Debian's packages, installed in one transaction, and what else a system has before its first boot.
base_tree() {
  local tree=$work/tree
  mkdir -p "$tree"/{etc,var/lib/rpm}
  # The names that files belong to.
  dpkg-deb --fsys-tarfile "$cache/debs/$(grep '^base-passwd_' "$work/debs")" | tar -x -C "$tree" ./usr/share/base-passwd
  cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
  cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
  sed -i 's/:\*:/:x:/' "$tree/etc/passwd" "$tree/etc/group"
  rpm_in "$tree" --import "$key"
  within xargs rpm --root "$tree" --define '_dbpath /var/lib/rpm' --noplugins -i <"$work/transaction" >"$work/rpm.log" 2>&1 ||
    { tail -n 20 "$work/rpm.log" >&2; die 'rpm cannot install the packages'; }
  in_tree "$tree" sh -ec '
    ldconfig
    # A kernel may be split into packages, of which one says what is built in.
    for modules in /usr/lib/modules/*; do depmod "${modules##*/}"; done
    systemd-sysusers
    pwconv; grpconv
    passwd -q -d root
    pam-auth-update --package --force
    cp /usr/share/base-files/profile /etc/profile
    cp /usr/share/base-files/dot.bashrc /root/.bashrc
    cp /usr/share/base-files/dot.profile /root/.profile
    cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
    ssh-keygen -q -A
    mkdir -p /var/log /var/mail /var/opt /media
    rmdir /var/run /var/lock
    ln -s /run /var/run
    ln -s /run/lock /var/lock
    touch /var/log/wtmp /var/log/lastlog
    echo 6469676c696d6469676c696d64696700 >/etc/machine-id
    touch /etc/.updated /var/.updated
    update-ca-certificates >/dev/null 2>&1 || true
  ' >"$work/setup.log" 2>&1 || { cat "$work/setup.log" >&2; die 'cannot set up the system'; }
  [ "$selinux" = 0 ] || policy_in "$tree"
  mv "$tree" "$1"
}

make_base() {
  local resolved deb missing=0
  resolved=$cache/debs-$({ packages; basename -a "${kernels[@]}"; } | sha256sum | cut -c 1-16)
  if [ -s "$resolved" ]; then
    while read -r deb; do [ -s "$cache/debs/$deb" ] || missing=1; done <"$resolved"
  fi
  if [ "$update" = 0 ] && [ "$missing" = 0 ] && [ -s "$resolved" ]; then
    cp "$resolved" "$work/debs"
  else
    say 'resolving and downloading packages'
    download
  fi
  convert_all
  cp "$work/debs" "$resolved"
  configuration_package
  { cat "$work/rpms"; ls "$work"/own/test-distribution*.rpm; } >"$work/transaction"
  base=$cache/base-$({ echo "$sources ${rpms##*/}"; cat "$work/debs"; } | sha256sum | cut -c 1-16)
  if ! [ -d "$base" ]; then
    say 'installing'
    repository "$work/repository"
    base_tree "$work/base"
    cp -r "$work/repository" "$work/base/srv/repository"
    mv "$work/base" "$base"
  fi
  touch "$base"
}
