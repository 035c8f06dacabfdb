#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: what users see of rpm_gen: output, exit statuses, and no file that should not be there. With packages that are made
# and signed here, and, where the fixtures are, with a real database.
# Expected: no "not ok", exit 0. Parts that cannot run say SKIP.
top=$(cd "$(dirname "$0")/../../.." && pwd)
. "$top/selftests/lib/cli.sh"
. "$top/selftests/lib/rpm.sh"
tools=$(realpath "$1")
gen=$tools/rpm_gen
fixtures=$("$top/selftests/lib/fixtures" 2>/dev/null)
cd "$work" || exit 1
export HOME=$work
mkdir lists

expect 3 "$gen" -d lists
contains "no database" "$err" "no rpm database in "
expect 3 "$gen" -d lists -r /nonexistent
expect 2 "$gen" -d lists -r / --dbpath /
expect 2 "$gen"
expect 2 "$gen" -d lists --prune -p bash
contains "prune of a part" "$err" "--prune needs the whole database"
expect 0 "$gen" --help
empty lists

# Formats that librpm cannot read here: an error, and nothing is written there.
if [ -f "$fixtures/odd/ndb-Packages.db" ]; then
	mkdir -p ndb/usr/lib/sysimage/rpm
	install -m 644 "$fixtures/odd/ndb-Packages.db" ndb/usr/lib/sysimage/rpm/Packages.db
	expect 3 "$gen" -d lists -r ndb
	contains "ndb" "$err" "cannot read its format (ndb)"
	equal "nothing is written there" "$(ls ndb/usr/lib/sysimage/rpm)" Packages.db
	expect 3 "$gen" -d lists -r ndb --prune
	for name in fpmmd5 sha1dig sha512dig; do
		expect 0 "$gen" -d odd -r "$fixtures/odd/$name.rpm"
		contains "$name is named" "$err" "rpm_gen: warning: $name-1-1.noarch: one of its files will be denied: "
	done
	expect 0 "$gen" -d odd -r "$fixtures/odd/sha256dig.rpm"
	equal "no warning" "$err" ""
fi
mkdir -p nothing/var/lib/rpm
rpm --root "$work/nothing" --dbpath /var/lib/rpm --initdb >init.log 2>&1 || fail "rpm --initdb: $(cat init.log)"
expect 3 "$gen" -d lists -r nothing
contains "no package" "$err" "no package in the database"

# A database of three packages: signed, unsigned, and one of the same name-version-release.arch but another epoch.
make_packages() {
	cat >package.spec <<-SPEC
		Name: %{package}
		Version: 1
		Release: 1
		%{?number:Epoch: %{number}}
		Summary: test
		License: none
		BuildArch: noarch
		%description
		test
		%install
		mkdir -p %{buildroot}/opt; echo "%{package} %{?number}" >%{buildroot}/opt/%{package}%{?number}
		%files
		/opt/*
	SPEC
	for package in "signed" "unsigned" "twin" "twin 1"; do
		read -r name number <<<"$package"
		rpm_build "$work/rpms$number" package.spec --define "package $name" ${number:+--define "number $number"} >build.log || return 1
	done
	rpm_key "$work/gnupg" test && rpm_sign "$work/gnupg" test rpms/signed* rpms*/twin* >sign.log
}
if make_packages; then
	mkdir -p root/var/lib/rpm
	for packages in rpms rpms1; do  # one transaction would take the newer twin only
		rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --justdb --noplugins --force -i $packages/*.rpm \
			>install.log 2>&1 || fail "rpm: $(cat install.log)"
	done
	expect 0 "$gen" -d lists -r root
	contains counts "$out" "lists: 3 lists of 4 packages (3 written, 0 unchanged)"
	contains unsigned "$err" "rpm_gen: unsigned-1-1.noarch is not signed; no list"
	equal "twins have two lists" "$(printf '%s\n' lists/0-file_list-rpm-twin-1-1.noarch* | wc -l)" 2
	expect 1 "$gen" -d lists -r root --strict -q
	equal "quiet" "$out" ""
	expect 0 "$gen" -d lists -r root
	contains "second run" "$out" "(0 written, 3 unchanged)"
	# A package file gives the same bytes as the database.
	expect 0 "$gen" -d fromfile -r rpms/signed-1-1.noarch.rpm
	contains next "$out" "next: diglim-loader load fromfile/0-file_list-rpm-signed-1-1.noarch"
	cmp lists/0-file_list-rpm-signed-1-1.noarch fromfile/0-file_list-rpm-signed-1-1.noarch || fail "file and database differ"
	expect 1 "$gen" -d fromfile -r rpms/unsigned-1-1.noarch.rpm
	head -c 2000 rpms/signed-1-1.noarch.rpm >cut.rpm
	expect 1 "$gen" -d fromfile -r cut.rpm
	contains "cut package" "$err" "cut.rpm: offset "
	# Prune takes what is gone and nothing else.
	rpm --root "$work/root" --dbpath /var/lib/rpm --nodeps --justdb --noplugins -e signed >install.log 2>&1
	touch lists/0-file_list-compact-mine lists/0-file_list-rpm-left.aBcDeF
	expect 0 "$gen" -d lists -r root --prune
	contains pruned "$out" "2 pruned"
	[ -e lists/0-file_list-compact-mine ] || fail "pruned a compact list"
	[ ! -e lists/0-file_list-rpm-signed-1-1.noarch ] || fail "an erased package still has its list"
	# A link out of the root.
	mkdir -p fake/var/lib && ln -s "$work/root/var/lib/rpm" fake/var/lib/rpm
	expect 3 "$gen" -d lists -r fake
	contains "link out of the root" "$err" "is a link that leads out of fake"
	# An empty database must not prune everything.
	mkdir -p bare && rpm --dbpath "$work/bare" --initdb >install.log 2>&1
	expect 3 "$gen" -d lists --dbpath bare --prune
	contains "empty database" "$err" "nothing written or pruned"
	# A damaged database is no shorter list.
	cp -r root/var/lib/rpm damaged && rm -f damaged/*-wal damaged/*-shm && cp damaged/rpmdb.sqlite good.sqlite
	truncate -s 8192 damaged/rpmdb.sqlite
	expect 3 "$gen" -d lists --dbpath damaged --prune
	contains "damaged database" "$err" "rpm database in "
else
	skip "cannot make signed packages here (rpmbuild, rpmsign, gpg)"
fi

real=$fixtures/rpmdb/cbl-mariner-2.0
if [ -d "$real" ]; then
	cp -r "$real" db && chmod -R u+w db
	before=$(sha256sum <db/rpmdb.sqlite)
	expect 0 "$gen" -d real --dbpath db
	equal "real database" "$(find real -type f | wc -l)" 129
	equal "real database, stderr" "$err" ""
	equal "database untouched" "$(sha256sum <db/rpmdb.sqlite)" "$before"
	expect 1 "$gen" -d part --dbpath db -p bash -p audit-libs-3.0.6-1.cm2.x86_64 -p nosuch
	equal "selected packages" "$(cd part && printf '%s ' *)" \
		"0-file_list-rpm-audit-libs-3.0.6-1.cm2.x86_64 0-file_list-rpm-bash-5.1.8-1.cm2.x86_64 "
	contains "not installed" "$err" "nosuch is not installed"
	if [ "$(id -u)" = 0 ]; then
		rm -f db/*-shm db/*-wal && chmod 755 "$work" && chmod 555 db && chmod 444 db/* && mkdir -m 777 other
		expect 0 as_nobody env TMPDIR=/tmp "$gen" -d other --dbpath db
		equal "read-only database" "$(find other -type f | wc -l)" 129
		equal "nothing beside it" "$(ls -A db)" rpmdb.sqlite
		[ -z "$(find /tmp -maxdepth 1 -name 'rpm_gen.*' -user 65534)" ] || fail "the copy stays"
		expect 3 as_nobody "$gen" -d lists --dbpath db
		contains "unwritable folder" "$err" "Permission denied"
	fi
	mkdir small
	if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
		expect 3 "$gen" -d small --dbpath db
		contains "full disk" "$err" "No space left on device"
		contains "full disk" "$err" "stopped after "
		for name in small/*; do cmp -s "$name" "real/${name#small/}" || fail "a partial list: $name"; done
	else
		skip "a full disk needs root and a tmpfs"
	fi
else
	skip "no fixtures: set DIGLIM_FIXTURES"
fi
finish
