# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A system tree that is none: one signed package, and what a running kernel would show. Sourced after cli.sh, in $work.
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/rpm.sh"
: "${work:?}"

# make_signing_key NAME: a key, and NAME.asc.
make_signing_key() {
	rpm_key "$work/gnupg-$1" "$1" && cp "$work/gnupg-$1/$1.asc" "$1.asc"
}

# make_package NAME [KEY]: rpms/NAME-1-1.noarch.rpm with /usr/bin/NAME, signed or not. $digests: another algorithm of OpenPGP (1: MD5).
make_package() {
	cat >package.spec <<-SPEC
		Name: $1
		Version: 1
		Release: 1
		Summary: test
		License: none
		BuildArch: noarch
		${digests:+%define _binary_filedigest_algorithm $digests}
		%description
		test
		%install
		mkdir -p %{buildroot}/usr/bin; printf '#!/bin/sh\necho $1\n' >%{buildroot}/usr/bin/$1; chmod 755 %{buildroot}/usr/bin/$1
		%files
		/usr/bin/$1
	SPEC
	rpm_build "$work/rpms" package.spec >build.log || return 1
	[ $# = 1 ] || rpm_sign "$work/gnupg-$2" "$2" "rpms/$1-1-1.noarch.rpm" >sign.log
}

install_package() { # ROOT NAME
	rpm --root "$work/$1" --dbpath /var/lib/rpm --nodeps --noplugins -i "rpms/$2-1-1.noarch.rpm" >install.log 2>&1
}

# make_host ROOT: with the package "hello", and its key in rpm's keyring.
make_host() {
	mkdir -p "$1"/{boot,dev,etc,proc,sys,tmp,usr/sbin,usr/lib,var/lib/{rpm,diglim}} "$1/etc/diglim/keys" "$1/etc/digest_lists"
	echo loader >"$1/usr/sbin/diglim-loader" # no program: it is only looked at
	rpm --root "$work/$1" --dbpath /var/lib/rpm --import hello.asc >install.log 2>&1 && install_package "$1" hello
}
prepare_host() { make_signing_key hello && make_package hello hello; }
