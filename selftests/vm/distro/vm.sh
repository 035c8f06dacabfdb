# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # of selftests/vm/run, which sources this and whose variables it uses
#
# `--image distro` of selftests/vm/run: the test distribution's disk and initramfs. What a run adds lies in the initramfs below
# /vm/root, and a hook of dracut's (sourced, so it needs no list) copies it into the real root before the lists are loaded.

distro_image() {
  local options=(--release "$distro_release")
  [ "$selinux" = 0 ] || options+=(--selinux)
  image_dir=$("$top/selftests/vm/distro/build" "${options[@]}") || fail 'no test distribution (see selftests/vm/distro/build)'
  [ -e "$image_dir/initramfs-$release" ] || fail "the test distribution has no initramfs for $release"
  if [ -z "$disk" ]; then
    disk=$work/disk.qcow2
  fi
  if ! [ -e "$disk" ]; then
    qemu-img create -q -f qcow2 -b "$image_dir/root.ext4" -F raw "$disk" || fail "cannot make $disk"
  fi
}

# On a merged /usr the copy must go where the links lead to.
distro_path() {
  case $1 in
    /bin/* | /sbin/* | /lib/* | /lib64/*) echo "/usr$1" ;;
    *) echo "$1" ;;
  esac
}

distro_overlay() {
  local early=$work/overlay root=$work/overlay/vm/root hooks=usr/lib/dracut/hooks name item
  # Newer dracuts have a link there.
  [ "$distro_release" = bookworm ] || hooks=var/lib/dracut/hooks
  mkdir -p "$root"/{vm,etc/digest_lists} "$early"/{etc/diglim/keys,etc/digest_lists,"$hooks"/pre-pivot}
  # What the loader found in the initramfs stays to be seen in /vm/initramfs.
  echo 'rm -rf "$NEWROOT/vm"; cp -a /vm/root/. "$NEWROOT/"; mkdir "$NEWROOT/vm/initramfs"
    cp -a --parents /etc/diglim /etc/digest_lists /usr/sbin/diglim-loader "$NEWROOT/vm/initramfs/"' \
    >"$early/$hooks/pre-pivot/10-vm.sh"
  # What is copied before SELinux has its policy gets no label. After the lists of the root are loaded, since setfiles is the root's.
  [ "$selinux" = 0 ] || echo 'LD_LIBRARY_PATH=$NEWROOT/usr/lib/x86_64-linux-gnu "$NEWROOT/usr/sbin/setfiles" -F -m -r "$NEWROOT" \
    "$NEWROOT/etc/selinux/default/contexts/files/file_contexts" "$NEWROOT"/{vm,root,etc,var/lib/diglim,usr/sbin/diglim-loader}' \
    >"$early/$hooks/pre-pivot/45-label.sh"
  # Lists made by sign-list count here as in the mini image.
  cp "$("$here/sign-list" --print-keys | tail -n 1)" "$early/etc/diglim/keys/image.pem"
  [ -z "$keys" ] || cp -rL "$keys/." "$early/etc/diglim/keys/"
  cp -r "$early/etc/diglim" "$root/etc/"
  if [ -n "${DIGLIM_LOADER:-}" ]; then
    mkdir -p "$early/usr/sbin" "$root/usr/sbin"
    cp "$DIGLIM_LOADER" "$early/usr/sbin/diglim-loader"
    cp "$DIGLIM_LOADER" "$root/usr/sbin/diglim-loader"
    "$here/sign-list" "$early/etc/digest_lists/0-file_list-compact-image" "$DIGLIM_LOADER" || fail 'cannot sign the image list'
    cp "$early/etc/digest_lists/0-file_list-compact-image" "$root/etc/digest_lists/"
  fi
  [ "${#lists[@]}" = 0 ] || cp "${lists[@]}" "$root/etc/digest_lists/"
  copy_files "$root" distro_path
  run_files "$root"
  for name in "${modules[@]}"; do
    printf 'modprobe %q || exit 125\n' "$name" | cat - "$root/vm/command" >"$work/command"
    mv "$work/command" "$root/vm/command"
  done
  # cp gives the system's own folders the copies' modes.
  [ ! -d "$root/root" ] || chmod 700 "$root/root"
  for item in tmp var/tmp; do [ ! -d "$root/$item" ] || chmod 1777 "$root/$item"; done
  cat "${DIGLIM_INITRAMFS:-$image_dir/initramfs-$release}" <(archive "$early") >"$work/initramfs"
}

distro_arguments() {
  line+=' root=/dev/vda rw rootfstype=ext4 rd.shell=0 rd.emergency=poweroff quiet systemd.show_status=0 net.ifnames=0 8250.nr_uarts=4'
  [ "$selinux" = 0 ] || line+=' security=selinux audit_backlog_limit=8192 sysctl.kernel.printk_ratelimit=0'
  [ "$mode" != off ] || line=${line/ rdinit=\/sbin\/init/}
  # cache=unsafe: a flush of the guest's goes as far as the host's page cache, qcow2's own tables included (QEMU, block/io.c), so also a
  # copy of the file, made while QEMU is stopped, has all that was flushed; only fsync() on the host is left out.
  # shellcheck disable=SC2054 # QEMU's commas
  arguments+=(-drive "file=$disk,format=qcow2,if=none,id=root,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=root)
}
