# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Packages with every kind of file, and with digests that are not worth anything. Sourced; needs selftests/lib/rpm.sh and $top.
: "${top:?}"

# odd_packages FOLDER OUT: odd-1-1.rpm, odd-2-1.rpm, weak-1-1.rpm (MD5), bare-1-1.rpm (no digests, which rpm installs with --nofiledigest
# only), not signed; FOLDER is for the specs. Each regular file is a program, since those are what is decided on; those of odd differ
# between its versions only where their name says so.
odd_packages() {
  local number options=(--define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm' --define '_invalid_encoding_terminates_build 0'
    --define '_binary_payload w.ufdio' --define '_rpmformat 4') # patch_package knows that format
  mkdir -p "$1"
  cat >"$1/odd.spec" <<'SPEC'
Name: odd
Version: %{number}
Release: 1
Summary: test
License: none
BuildArch: noarch
%description
test
%install
mkdir -p %{buildroot}/opt/odd/folder; cd %{buildroot}/opt/odd
program() { printf '#!/bin/sh\n: %s\n' "$2" >"$1"; }
program hard1 one; program setuid setuid; program capable capable; program version %{number}; program config %{number}; program ghost ghost
program new@line nl; program 'with space' sp; program 'star*?[x]' st; program "$(printf 'latin\344')" l1; : >zero
chmod 755 *
ln hard1 hard2; ln hard1 folder/hard3; ln -s /nowhere broken; ln -s hard1 link
%files
%dir /opt/odd
%config(noreplace) /opt/odd/config
%ghost /opt/odd/ghost
%attr(4755,root,root) /opt/odd/setuid
%caps(cap_net_raw=ep) /opt/odd/capable
%defattr(-,root,root)
/opt/odd/folder
/opt/odd/hard1
/opt/odd/hard2
/opt/odd/broken
/opt/odd/link
/opt/odd/version
/opt/odd/zero
/opt/odd/with*
/opt/odd/st*
/opt/odd/new@line
/opt/odd/latin*
SPEC
  for number in 1 2; do
    rpm_build "$2" "$1/odd.spec" "${options[@]}" --define "number $number" || return
    # rpmbuild refuses what rpm installs.
    "$top/selftests/rpm/patch_package" "$2/odd-$number-1.rpm" new@line 'new\nline'
  done
  for number in weak bare; do
    cat >"$1/$number.spec" <<SPEC
Name: $number
Version: 1
Release: 1
Summary: test
License: none
BuildArch: noarch
$([ $number = bare ] || echo '%define _binary_filedigest_algorithm 1')
%description
test
%install
mkdir -p %{buildroot}/opt/$number; cd %{buildroot}/opt/$number
printf '#!/bin/sh\n: $number\n' >program; chmod 755 program
%files
/opt/$number
SPEC
    rpm_build "$2" "$1/$number.spec" "${options[@]}" || return
  done
  # RPMTAG_FILEDIGESTS (1035) in the index becomes a tag that nobody knows.
  "$top/selftests/rpm/patch_package" "$2/bare-1-1.rpm" '\x00\x00\x04\x0b\x00\x00\x00\x08' '\x00\x00\x13\xff\x00\x00\x00\x08'
}

# vendor_packages FOLDER OUT: vendor-one-1-1.noarch.rpm and vendor-two, not signed.
vendor_packages() {
  local name
  mkdir -p "$1"
  for name in vendor-one vendor-two; do
    cat >"$1/$name.spec" <<SPEC
Name: $name
Version: 1
Release: 1
Summary: test
License: none
BuildArch: noarch
%description
test
%install
mkdir -p %{buildroot}/opt/$name; cd %{buildroot}/opt/$name
printf '#!/bin/sh\n: $name\n' >program; chmod 755 program
%files
/opt/$name
SPEC
    rpm_build "$2" "$1/$name.spec" || return
  done
}
