# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # of who sources this
#
# A host of signed RPMs before anything of DIGLIM is on it, for tests that set DIGLIM up on it. Sourced; $top, $kernel and $work are set.
passed=0 failed=0
report() { # STATUS NAME
  if [ "$1" = 0 ]; then echo "ok $2"; passed=$((passed + 1)); else echo "not ok $2"; failed=$((failed + 1)); [ ! -s "$work/log" ] || sed 's/.*\r//' "$work/log" | tail -n 40 | sed 's/^/  # /'; fi
}
step() { local name=$1; shift; "$@" >"$work/log" 2>&1; report $? "$name"; }
finish() { echo "$passed passed, $failed failed"; [ $failed = 0 ]; exit; }
die() { report 1 "$1"; finish; }
# contains NAME FILE TEXT
contains() { grep -qF -- "$3" "$2"; report $? "$1"; }

# make_host: $tree, with a boot entry for $kernel ($release), and the project's RPMs in $work/rpms, signed as the distribution's are.
make_host() {
  local image base home other
  image=$("$top/selftests/distro/build" 2>"$work/log") || die 'the test distribution'
  base=$(cat "$image/base")
  release=$(cat "$("$top/selftests/vm/kernels" "$kernel")/release")
  tree=$work/tree
  # What is only read may be shared.
  { cp -al "$base" "$tree" && rm -rf "${tree:?}"/{boot,etc,var} && cp -a "$base"/{boot,etc,var} "$tree/"; } || die 'a copy of the base'
  home=$("$top/selftests/packages/build-rpm" --print-key | head -n 1)
  "$top/packaging/build-rpms" --worktree --build "$top/build/release" "$work/rpms" \
    --define '__plugindir /usr/lib/x86_64-linux-gnu/rpm-plugins' >"$work/log" 2>&1 || die 'build-rpms'
  rm -f "$work"/rpms/*.src.rpm
  GNUPGHOME=$home rpmsign --addsign --define '__gpg /usr/bin/gpg' --define '_gpg_name distribution@example.invalid' \
    --define '_gpg_digest_algo sha256' "$work"/rpms/*.rpm >"$work/log" 2>&1 || die 'rpmsign'
  rm -rf "$tree/etc/diglim"
  # The image asks for the module by itself; here that is for `diglim setup` to do.
  sed -i 's/ diglim / /' "$tree/etc/dracut.conf.d/90-test-distribution.conf"
  mkdir -p "$tree/boot/loader/entries"
  printf 'title Test (%s)\nversion %s\nlinux /vmlinuz-%s\ninitrd /initramfs-%s.img\noptions root=/dev/vda rw\n' "$release" "$release" "$release" "$release" \
    >"$tree/boot/loader/entries/6469676c-$release.conf"
  for other in "$tree"/usr/lib/modules/*; do # one kernel is enough
    [ "${other##*/}" = "$release" ] || mv "$other/modules.dep" "$other/modules.dep.away"
  done
}

# with_tree COMMAND...: with the pseudo file systems that dracut wants in $tree, gone with the namespace.
with_tree() {
  # shellcheck disable=SC2016 # for the inner shell
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

# boot MODE COMMAND...: with $work/initramfs, on $work/disk.
boot() {
  local mode=$1
  shift
  DIGLIM_INITRAMFS=$work/initramfs "$top/selftests/vm/run" --image distro --kernel "$kernel" --mode "$mode" --disk "$work/disk" --timeout 4000 -- "$@"
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
  [ "$(sed -n 's/^options //p' "$3")" = "$wanted" ]
  report $? "$1"
}
