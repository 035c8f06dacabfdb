# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What runs rpm and dnf in the VM: packages, the guest's folder, its lines. Sourced; REQUIRES: $top, $vm, $work.
: "${top:?}" "${work:?}"
here=$top/selftests/rpm
. "$top/selftests/lib/report.sh"
. "$top/selftests/lib/rpm.sh"
. "$here/many.sh"
. "$here/odd.sh"

make_packages() { # OUT COUNT VERSION FILES
  rm -rf "$work/tree"
  many_spec "$2" "$3" >"$work/many.spec"
  make_tree "$work/tree" "$2" "$3" "$4"
  (cd "$work/tree" && find . -type f ! -name 'data*' -exec sha256sum {} +) >>"$work/digests"
  "$top/selftests/lib/packages/build-rpm" "$work/many.spec" "$work/tree" "$1" || exit 1
}
# folder_for NAME COUNT FILES: what the guest finds in /root/rpm. The plugin itself is in the image.
folder_for() {
  folder=$work/$1
  [ ! -d "$folder" ] || return 1
  mkdir "$folder"
  cp -r "$here/guest" "$folder/"
  make_packages "$folder/many" "$2" 1 "$3"
  make_packages "$folder/many2" "$2" 2 "$3"
}
# For dnf, odd and kill of guest/: sets $folder, and $guest_options for selftests/vm/run.
prepare_guest() {
  local program
  if folder_for guest 2 3; then
    # What needs no other package can be installed into an empty root.
    mkdir -p "$work/alone/opt"
    printf '#!/bin/sh\necho alone\n' >"$work/alone/opt/alone"
    chmod 755 "$work/alone/opt/alone"
    printf '%s\n' 'Name: alone' 'Version: 1' 'Release: 1' 'Summary: test' 'License: none' 'BuildArch: x86_64' 'AutoReqProv: no' \
      '%description' 'test' '%files' '/opt/alone' >"$work/alone.spec"
    "$top/selftests/lib/packages/build-rpm" "$work/alone.spec" "$work/alone" "$folder/alone" || exit 1
    mkdir "$folder/unsigned"
    cp "$folder/many/many-002"* "$folder/unsigned"
    rpmsign --delsign "$folder/unsigned/"*.rpm >/dev/null 2>&1
    printf 'same' >"$work/extra-file"
    "$top/selftests/vm/sign-list" "$folder/extra" "$work/extra-file"
    odd_packages "$work/odd" "$folder/odd" && "$top/selftests/lib/packages/build-rpm" --sign "$folder/odd/"*.rpm || exit 1
    rpm_key "$work/vendor-gpg" 'Vendor <v@example.invalid>' || exit 1
    cp "$work/vendor-gpg/"*.asc "$folder/vendor.asc"
    vendor_packages "$work/odd" "$folder/vendor" || exit 1
    rpm_sign "$work/vendor-gpg" 'Vendor <v@example.invalid>' "$folder/vendor/"*.rpm || exit 1
    for program in spin kill_loader; do
      cc -static -O2 -Wall -Wextra -Werror -o "$folder/$program" "$here/guest/$program.c" || exit 1
    done
    # A plugin of that release's rpm.
    # shellcheck disable=SC2016 # there
    "$top/selftests/vm/in_release" "${release_name:-bookworm}" \
      sh -c 'cc -shared -fPIC -Wall -Werror -o "$1" "$2" $(pkg-config --cflags rpm)' sh \
      "$folder/a_killer.so" "$here/guest/killer.c" || exit 1
    cp "$folder/a_killer.so" "$folder/z_killer.so"
    "$top/selftests/vm/sign-list" "$work/guest.list" "$folder"/{spin,kill_loader,a_killer.so}
  fi
  # shellcheck disable=SC2034 # for who sources this
  guest_options=(--list "$work/guest.list" --copy "$folder:/root/rpm" --copy "$top/selftests/lib:/root/")
}
