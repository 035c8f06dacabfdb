# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Many packages at once. Sourced.

# Scripts, since their content is what is checked, and cheap to make.
make_tree() { # ROOT COUNT VERSION FILES
  local i folder
  for ((i = 1; i <= $2; i++)); do
    folder=$1/opt/$(printf 'many-%03d' "$i")
    mkdir -p "$folder"
    printf '#!/bin/sh\n: shared of %s\n' "$i" >"$folder/shared"
    printf '#!/bin/sh\n: %s of %s\n' "$3" "$i" >"$folder/differs"
    printf '#!/bin/sh\n: only in %s of %s\n' "$3" "$i" >"$folder/only-$3"
    chmod 755 "$folder"/*
    [ "$4" = 3 ] || head -c $((($4 - 3) * 6000)) /dev/zero |
      openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$i")" -iv "$(printf '%032x' "$3")" |
      split -d -b 6000 - "$folder/data"
  done
}
# One spec, so that one rpmbuild makes all of them.
many_spec() { # COUNT VERSION
  local i name
  printf '%s\n' 'Name: many' "Version: $2" 'Release: 1' 'Summary: Packages for tests' 'License: Apache-2.0' 'AutoReqProv: no' \
    '%description' 'test'
  for ((i = 1; i <= $1; i++)); do
    name=$(printf 'many-%03d' "$i")
    printf '%s\n' "%package -n $name" 'Summary: test' "%description -n $name" 'test' "%files -n $name" '%defattr(-,root,root)' "/opt/$name"
  done
}
