# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # of build, which sources this and whose variables it uses
#
# `build --selinux`: what the maintainer script of selinux-policy-default does, and what a first boot would.

# Those modules of the policy that Debian does not enable by itself, as its maintainer script names them.
not_enabled() {
  dpkg-deb -I "$cache/debs/$(grep '^selinux-policy-default_' "$work/debs")" postinst | sed -n 's/^notdefault="\([a-z ]*\)"$/\1/p' | xargs
}

# Debian's policy, enforcing, and of the same source the module for rpm, which Debian leaves out.
policy_in() { # TREE
  local disabled
  mkdir "$work/rpm-module"
  # What no policy of Debian's knows: since 4.20 rpm gives scriptlets a /tmp of their own, and without that none would run; dnf5.
  [ ! -e "$1/usr/lib/rpm/macros.d/macros.transaction_unshare" ] ||
    printf '%s\n' 'allow rpm_t self:capability sys_admin;' 'fs_mount_tmpfs(rpm_t)' 'files_mounton_all_mountpoints(rpm_t)' \
      >"$work/rpm-module/more.te"
  [ ! -e "$1/usr/bin/dnf5" ] || cat >"$work/rpm-module/more.fc" <<'FC'
/usr/bin/dnf5	--	gen_context(system_u:object_r:rpm_exec_t,s0)
/usr/lib/sysimage/libdnf5(/.*)?	gen_context(system_u:object_r:rpm_var_lib_t,s0)
/var/cache/libdnf5(/.*)?	gen_context(system_u:object_r:rpm_var_cache_t,s0)
/var/log/dnf5\.log.*	gen_context(system_u:object_r:rpm_log_t,s0)
FC
  within bash -euc 'cd "$1"
    tar --zstd -xf /usr/src/selinux-policy-src.tar.zst --strip-components=4 selinux-policy-src/policy/modules/admin/rpm.{te,fc}
    for kind in te fc; do [ ! -e more.$kind ] || cat more.$kind >>rpm.$kind; done
    make -s -f /usr/share/selinux/devel/Makefile NAME=default rpm.pp' bash "$work/rpm-module" >"$work/policy.log" 2>&1 ||
    { tail -n 20 "$work/policy.log" >&2; die 'the module for rpm cannot be built: are selinux-policy-src and selinux-policy-dev there?'; }
  disabled=$(not_enabled)
  [ -n "$disabled" ] || die 'which modules of the policy are not enabled?'
  cp "$work/rpm-module/rpm.pp" "$1/usr/share/selinux/default/"
  printf 'SELINUX=enforcing\nSELINUXTYPE=default\nSETLOCALDEFS=0\n' >"$1/etc/selinux/config"
  # shellcheck disable=SC2016,SC2086 # expanded in the tree; words
  in_tree "$1" bash -euc 'options=()
    for module in $(cat /usr/share/selinux/default/.modules); do options+=("-i/usr/share/selinux/default/$module.pp.bz2"); done
    for module; do [ ! -e "/usr/share/selinux/default/$module.pp.bz2" ] || options+=("-d$module"); done
    semodule -X 100 -n -s default "${options[@]}" -i/usr/share/selinux/default/rpm.pp' bash $disabled >"$work/policy.log" 2>&1 ||
    { tail -n 20 "$work/policy.log" >&2; die 'the policy of SELinux cannot be built'; }
  rm "$1/usr/share/selinux/default/rpm.pp"
}

# mkfs.ext4 -d takes the labels over. A second view of the tree, since /proc, which setfiles needs, hides what it is mounted on.
label_tree() { # TREE BASE OUT
  local item
  unshare --mount sh -euc 'mount --bind "$1" "$1/mnt"
    mount -t proc proc "$1/proc"
    exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin \
      setfiles -F -m -r /mnt /etc/selinux/default/contexts/files/file_contexts /mnt' sh "$1" >"$work/label.log" 2>&1 ||
    { tail -n 20 "$work/label.log" >&2; die 'the files cannot be labelled'; }
  mkdir "$3"/selinux{,-base}
  for item in policy contexts; do
    cp -r "$1/etc/selinux/default/$item" "$3/selinux/"
    cp -r "$2/etc/selinux/default/$item" "$3/selinux-base/"
  done
}
