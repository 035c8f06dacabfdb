# SPDX-License-Identifier: Apache-2.0
# A system tree that is none: one signed package, and what a running kernel would show. Sourced after lib.sh, in $work.

# make_signing_key NAME: a GNUPGHOME and NAME.asc.
make_signing_key() {
	export GNUPGHOME=$work/gnupg-$1
	mkdir -m 700 "$GNUPGHOME" &&
		gpg --batch --passphrase '' --quick-gen-key "$1" rsa2048 sign never >gpg.log 2>&1 &&
		gpg --batch --armor --export "$1" >"$1.asc"
}

# make_package NAME [KEY]: rpms/NAME-1-1.noarch.rpm with /usr/bin/NAME, signed or not.
make_package() {
	cat >package.spec <<-SPEC
		Name: $1
		Version: 1
		Release: 1
		Summary: test
		License: none
		BuildArch: noarch
		%description
		test
		%install
		mkdir -p %{buildroot}/usr/bin; printf '#!/bin/sh\necho $1\n' >%{buildroot}/usr/bin/$1; chmod 755 %{buildroot}/usr/bin/$1
		%files
		/usr/bin/$1
	SPEC
	rpmbuild -bb --define "_topdir $work/build" --define "_rpmdir $work/rpms" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
		--define '__os_install_post %{nil}' --define '_binary_filedigest_algorithm 8' package.spec >build.log 2>&1 || return 1
	[ $# = 1 ] || GNUPGHOME=$work/gnupg-$2 rpmsign --addsign --define '__gpg /usr/bin/gpg' --define "_gpg_name $2" \
		"rpms/$1-1-1.noarch.rpm" >sign.log 2>&1
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
