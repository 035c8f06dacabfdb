#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # NEWROOT is dracut's
#
# pre-pivot: the digest lists of the real root, before anything of it runs. Sourced by dracut.

if [ -d /run/diglim ] && [ -d "$NEWROOT/etc/digest_lists" ]; then
  diglim_loader=/run/diglim/loader
  [ -x "$diglim_loader" ] || diglim_loader=/usr/sbin/diglim-loader
  # --keep: programs of the initramfs still run until the switch, of packages that the root may have exchanged since it was made. What
  # the root does not have goes with diglim-repair.service.
  "$diglim_loader" sync --keep --revoked "$NEWROOT/etc/diglim/revoked" "$NEWROOT/etc/digest_lists" ||
    warn "diglim: not all lists of the system were loaded; boot with diglim.mode=permissive if it does not come up"
fi
