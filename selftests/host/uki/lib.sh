# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A host that boots signed images, for tests that set DIGLIM up on it. Sourced; $top, $kernel and $work are set.
: "${top:?}" "${kernel:?}" "${work:?}"
# shellcheck source=selftests/host/setup/lib.sh
. "$top/selftests/host/setup/lib.sh"
diglim=$top/build/release/tools/diglim
key=/etc/kernel/secure-boot-private-key.pem certificate=/etc/kernel/secure-boot-certificate.pem
# What a command line needs in the VM, besides its root.
uki_words='rw console=ttyS0,115200 loglevel=4 panic=-1 tsc=reliable no_timer_check cryptomgr.notests clocksource=hpet'
uki_words+=' rd.shell=0 rd.emergency=poweroff quiet systemd.show_status=0 net.ifnames=0 8250.nr_uarts=4'

# By its own rpm: an older one would not keep the signatures of rpm 6.
own_rpm() { # ARGUMENT...: $work/rpms is /mnt
  with_tree sh -c 'rpms=$1 tree=$2; shift 2; mount --bind "$rpms" "$tree/mnt"; exec chroot "$tree" rpm --noplugins "$@"' \
    sh "$work/rpms" "$tree" "$@"
}

# make_host_with PACKAGE...: $tree as make_host makes it, with the project's packages, what makes images, and these; $linux is its kernel.
make_host_with() {
  local packages
  make_host
  "$top/selftests/vm/distro/more" --release "$release_name" "$work/rpms" sbsigntool binutils systemd-boot-efi "$@" >"$work/log" 2>&1 ||
    die 'more packages'
  # Where a distribution has it.
  linux=/boot/vmlinuz-$release
  [ -e "$tree$linux" ] || linux=/usr/lib/modules/$release/vmlinuz
  mkdir "$work/empty"
  "$top/selftests/lib/packages/build-rpm" "$top/selftests/host/uki/kernels.spec" "$work/empty" "$work/rpms" >"$work/log" 2>&1 ||
    die 'kernels.spec'
  mapfile -t packages < <(cd "$work/rpms" && printf '/mnt/%s\n' *.rpm)
  step 'the packages install' own_rpm -i "${packages[@]}"
}

# make_uki_host PCR [PACKAGE...]: that, with an admin's key, and his boot manager in $tree/efi; $work/variables.fd are those of a firmware
# that knows the key.
make_uki_host() {
  local pcr=$1 other manager
  shift
  make_host_with "$@"
  # The trigger called depmod for kernels that make_host put aside.
  for other in "$tree"/usr/lib/modules/*; do [ "${other##*/}" = "$release" ] || rm -f "$other/modules.dep"; done
  printf 'measure = on\npcr = %s\n' "$pcr" >>"$tree/etc/diglim/loader.conf"
  mkdir -p "$tree/etc/kernel" "$tree/efi/EFI/BOOT" "$tree/efi/EFI/systemd" "$tree/efi/loader"
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tree$key" -out "$tree$certificate" -days 30 -subj /CN=Admin 2>/dev/null
  chmod 600 "$tree$key"
  "$top/selftests/vm/uefi_vars" --certificate "$tree$certificate" "$work/variables.fd"
  # The boot manager is the admin's, and so is its menu.
  manager=$tree/efi/EFI/systemd/systemd-bootx64.efi
  sbsign --key "$tree$key" --cert "$tree$certificate" --output "$manager" "$tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi" 2>/dev/null
  cp "$manager" "$tree/efi/EFI/BOOT/BOOTX64.EFI"
  echo 'timeout 0' >"$tree/efi/loader/loader.conf"
}
# From outside.
install() { with_tree "$diglim" setup install --root "$tree" --chroot --default --uki --skip-scan "$@"; }
