#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154,SC2317 # moddir and initdir are dracut's
#
# dracut's module of DIGLIM: the loader, what it trusts, and the digest lists that the initramfs itself needs. It decides nothing: which
# lists those are says `diglim initramfs`, by content. See dracut.modules(7).

# 255: only where the configuration asks for it, as `diglim setup install` makes it do. To install the package switches nothing on.
check() {
  require_binaries /usr/sbin/diglim-loader diglim || return 1
  return 255
}

install() {
  # To strip a program is to change it: no list would cover it. Overrules dracut.conf and --strip.
  do_strip=no
  inst_binary /usr/sbin/diglim-loader
  inst_simple /etc/diglim/loader.conf
  inst_dir /etc/diglim/keys
  local key
  for key in "${dracutsysrootdir-}"/etc/diglim/keys/*; do inst_simple "${key#"${dracutsysrootdir-}"}"; done
  inst_dir /etc/diglim/revoked
  local revoked
  for revoked in "${dracutsysrootdir-}"/etc/diglim/revoked/*; do
    [ ! -f "$revoked" ] || inst_simple "${revoked#"${dracutsysrootdir-}"}"
  done
  inst_dir /etc/digest_lists
  # Before dracut's own module "selinux" (50): under SELinux measuring begins with its policy, and the manifest names the lists of then.
  inst_hook pre-pivot 40 "$moddir/load-lists.sh"

  # dracut has no hook for when the initramfs is complete: libraries come after all modules. Making the linker's cache is its
  # last step before packing, in all versions since 044.
  declare -F build_ld_cache >/dev/null || { derror 'diglim: this dracut has no build_ld_cache, so the lists cannot be chosen'; return 1; }
  eval "$(declare -f build_ld_cache | sed '1s/build_ld_cache/diglim_build_ld_cache/')"
  build_ld_cache() {
    diglim_build_ld_cache
    # No pipe to `grep -q`, which would end find by SIGPIPE: dracut has pipefail on, and the lists would seem to be missing.
    # 1: some file in it is on no list, and named. Whatever else is wrong, an image without lists would not boot: dracut ends here, and
    # what it was to replace stays.
    # What it says goes through files: who reads a pipe in the background may be gone with dracut before it has spoken.
    local status=0 said
    said=$(mktemp -d -p "${DRACUT_TMPDIR:-/tmp}" diglim.XXXXXX) ||
      { derror 'diglim: no temporary directory, so no initramfs was made'; exit 1; }
    diglim initramfs --root "$initdir" --lists "${dracutsysrootdir-}/etc/digest_lists" --copy >"$said/out" 2>"$said/err" || status=$?
    [ ! -s "$said/out" ] || dinfo <"$said/out"
    [ ! -s "$said/err" ] || dwarn <"$said/err"
    rm -rf "$said"
    if [ "$status" -gt 1 ] || [ -z "$(find "$initdir/etc/digest_lists" -type f -size +0 -print -quit)" ]; then
      derror 'diglim: the digest lists of the initramfs could not be chosen, and without them it would not boot: no initramfs was made'
      exit 1
    fi
  }
}
