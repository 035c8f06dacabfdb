# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A host of signed RPMs before anything of DIGLIM is on it, for tests that set DIGLIM up on it. Sourced; $top, $kernel and $work are set.
: "${top:?}" "${kernel:?}" "${work:?}"
release_name=bookworm programs=build/release
if [[ $kernel != 6.* ]]; then release_name=$kernel programs=build/$kernel; fi
. "$top/selftests/lib/report.sh"
about="$kernel: "
details() { [ ! -s "$work/log" ] || tail -n 40 "$work/log"; }
step() { local name=$1; shift; "$@" >"$work/log" 2>&1; report "$name" $?; } # NAME COMMAND...: what it says stays in $work/log
die() { not_ok "$1"; finish; }
contains() { check "$1" grep -qF -- "$3" "$2"; } # NAME FILE TEXT

# make_host: $tree, with a boot entry for $kernel ($release), and the project's RPMs in $work/rpms, signed as the distribution's are.
make_host() {
  local image base other
  image=$("$top/selftests/vm/distro/build" --release "$release_name" 2>"$work/log") || die 'the test distribution'
  base=$(cat "$image/base")
  release=$(cat "$("$top/selftests/vm/kernels" "$kernel")/release")
  tree=$work/tree
  # What is only read may be shared.
  { cp -al "$base" "$tree" && rm -rf "${tree:?}"/{boot,etc,var} && cp -a "$base"/{boot,etc,var} "$tree/"; } || die 'a copy of the base'
  "$top/selftests/vm/in_release" "$release_name" "$top/packaging/build-rpms" --worktree --build "$top/$programs" "$work/rpms" \
    --define '__plugindir /usr/lib/x86_64-linux-gnu/rpm-plugins' >"$work/log" 2>&1 || die 'build-rpms'
  rm -f "$work"/rpms/*.src.rpm "$work"/rpms/diglim-selinux-* # that host has no policy
  "$top/selftests/vm/in_release" "$release_name" "$top/selftests/lib/packages/build-rpm" --sign "$work"/rpms/*.rpm \
    >"$work/log" 2>&1 || die 'rpmsign'
  rm -rf "$tree/etc/diglim"
  # The image asks for the module by itself; here that is for `diglim setup` to do.
  sed -i 's/ diglim / /' "$tree/etc/dracut.conf.d/90-test-distribution.conf"
  mkdir -p "$tree/boot/loader/entries"
  cat >"$tree/boot/loader/entries/6469676c-$release.conf" <<ENTRY
title Test ($release)
version $release
linux /vmlinuz-$release
initrd /initramfs-$release.img
options root=/dev/vda rw
ENTRY
  for other in "$tree"/usr/lib/modules/*; do # one kernel is enough
    [ "${other##*/}" = "$release" ] || mv "$other/modules.dep" "$other/modules.dep.away"
  done
}

# with_tree COMMAND...: with the pseudo file systems that dracut wants in $tree, gone with the namespace.
with_tree() {
  unshare --mount sh -ec 'tree=$1; shift; mount -t proc proc "$tree/proc"; mount --bind /dev "$tree/dev"; mount -t sysfs sysfs "$tree/sys"
    mount -t tmpfs tmpfs "$tree/run"; exec "$@"' sh "$tree" "$@" </dev/null
}

# make_disk: $work/root.ext4, of the tree, and $work/disk, which the machine writes to.
make_disk() {
  truncate -s 3G "$work/root.ext4"
  mke2fs -q -t ext4 -d "$tree" "$work/root.ext4" >"$work/log" 2>&1 || die 'mke2fs'
  fresh_disk
}
fresh_disk() {
  rm -f "$work/disk"
  qemu-img create -q -f qcow2 -b "$work/root.ext4" -F raw "$work/disk"
}

# boot MODE COMMAND...: with $work/initramfs, on $work/disk, with $boot_options of selftests/vm/run.
boot_options=()
boot() {
  local mode=$1
  shift
  DIGLIM_INITRAMFS=$work/initramfs "$top/selftests/vm/run" --image distro --release "$release_name" --kernel "$kernel" --mode "$mode" \
    --disk "$work/disk" "${boot_options[@]}" --timeout 4000 -- "$@"
}

# read_boot: /boot of the disk to $work/boot, its initramfs to $work/initramfs.
read_boot() {
  rm -rf "${work:?}/boot"
  qemu-img convert -O raw "$work/disk" "$work/raw"
  # The machine was switched off after a sync: the journal has the last changes.
  e2fsck -p "$work/raw" >/dev/null
  debugfs -R "rdump /boot $work" "$work/raw" 2>/dev/null
  rm -f "$work/raw" "$work/initramfs"
  find "$work/boot" -name "init*$release*" -exec cp {} "$work/initramfs" ';' -quit
  [ -s "$work/initramfs" ]
}

# words NAME MODE ENTRY: what the entry has on its command line, besides its own. The runner gives the kernel the same.
words() {
  local wanted='root=/dev/vda rw'
  [ "$2" = off ] || wanted+=" rdinit=/usr/sbin/diglim-loader diglim.mode=$2"
  check "$1" same "$(sed -n 's/^options //p' "$3")" "$wanted"
}
