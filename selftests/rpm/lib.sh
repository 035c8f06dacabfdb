# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Packages, a root to install them into, a loader that only takes notes. Sourced by the tests of the rpm plugin; needs bash.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${DIGLIM_BUILD:-$top/build/release}
plugin=$build/rpm-plugin/diglim.so
. "$top/selftests/lib/report.sh"
. "$top/selftests/lib/rpm.sh"

setup() {
  work=$(mktemp -d -t diglim-rpm.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  export HOME=$work
  mkdir "$work/plugins" "$work/kernel"
  cp "$plugin" "$work/plugins/diglim.so"
  rpm_key "$work/gnupg" test
  # Remembers in kernel/ what a kernel would have; "$work/behave", if it is there, is run first.
  cat >"$work/loader" <<LOADER
#!/bin/bash
echo "\$*" >>$work/calls
[ ! -e $work/behave ] || . $work/behave
verb=\$1
[ "\$verb" = status ] && exit 0
[ "\$verb" = sync ] || exit 2
keep='' mark=''
for word; do
  case \$word in
  --keep) keep=1 ;;
  --root=*) mark=-\$(printf '%s' "\$word" | sha256sum | head -c 16) ;;
  esac
done
for file in $work/kernel/*"\$mark"; do
  name=\${file##*/}
  [ "\$keep" ] || [ -e "./\${name%"\$mark"}" ] || rm -f "\$file"
done
for file in ./*; do
  [ ! -f "\$file" ] || cp "\$file" "$work/kernel/\${file#./}\$mark" || exit 3
done
LOADER
  chmod 755 "$work/loader"
}

# build_package SPEC [RPMBUILD OPTION]...: $work/rpms/NAME-VERSION-RELEASE.rpm, unsigned.
short_names=(--define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.rpm')
build_package() { rpm_build "$work/rpms" "$1" "${short_names[@]}" "${@:2}"; }
sign() { rpm_sign "$work/gnupg" test "$@"; }

# simple NAME VERSION [SPEC LINES]: files that all versions share, and others. Signed unless $unsigned is set.
simple() {
  cat >"$work/simple.spec" <<SPEC
Name: $1
Version: $2
Release: ${release:-1}
Summary: test
License: none
BuildArch: noarch
${3:-}
%description
test
%install
mkdir -p %{buildroot}/opt/$1; cd %{buildroot}/opt/$1
echo same >same; echo "$1 $2 ${content:-}" >differs; echo "$1 $2" >only-$2
%files
/opt/$1
${4:-}
SPEC
  build_package "$work/simple.spec" && { [ "${unsigned:-}" ] || sign "$work/rpms/$1-$2-${release:-1}.rpm"; }
}

new_root() { # FOLDER: with a shell for scriptlets
  mkdir -p "$1/bin" "$1/var/lib/rpm" "$1/tmp"
  cp -p /bin/busybox "$1/bin/busybox"
  local applet
  for applet in sh echo cat sleep; do ln -s busybox "$1/bin/$applet"; done
}

# rpm_in ROOT OPTION...: with the plugin, unless $without is set.
rpm_in() {
  local root=$1 macros=()
  shift
  # Not the plugins of this machine's rpm either.
  macros=(--define "__plugindir $work")
  [ "${without:-}" ] || macros=(--define "__plugindir $work/plugins" \
    --define "__transaction_diglim %{__plugindir}/diglim.so --loader=${loader:-$work/loader}")
  [ ! "${killer:-}" ] || macros+=(--define "__transaction_${killer%% *} %{__plugindir}/${killer%% *}.so ${killer#* }")
  local err=$work/stderr.$BASHPID status
  # Debian's rpm says at each call that one should use another program.
  ${tracer:-} rpm --root "$root" --dbpath /var/lib/rpm --nodeps --nosignature --nodigest --define '_install_langs all' "${macros[@]}" \
    "$@" 2>"$err"
  status=$?
  grep -av '^rpm: ' "$err" >&2
  rm -f "$err"
  return $status
}

# The second of two lists of one name has a mark of its content at the end.
lists_of() { (cd "$1/etc/digest_lists" && ls -A) 2>/dev/null | sed -E 's/^0-file_list-rpm-//; s/-[0-9a-f]{16}$//'; }
# rpm 6 has a tag of its own for signatures.
signature=RSAHEADER
! rpm --querytags | grep -qx OPENPGP || signature=OPENPGP
signed_in() { # the packages that ought to have a list
  rpm --root "$1" --dbpath /var/lib/rpm -qa --qf "%|$signature?{%{nvra}\n}:{}|" 2>/dev/null | LC_ALL=C sort
}
kernel_has() { (cd "$work/kernel" && ls -A) | sed -E 's/^0-file_list-rpm-//; s/(-[0-9a-f]{16}){1,2}$//' | LC_ALL=C sort; }
in_step() { # ROOT: database, folder, kernel, and no journal
  same "$(lists_of "$1")" "$(signed_in "$1")" && same "$(kernel_has)" "$(signed_in "$1")" &&
    { [ ! -e "$1/var/lib/diglim/transaction" ] || { echo "a journal is left"; return 1; }; }
}
# What rpm made of the root, without what is the plugin's. Times of links are those of their creation.
tree_of() {
  (cd "$1" && find . \( -path ./etc/digest_lists -o -path ./var/lib/diglim -o -path ./var/lib/rpm \) -prune -o -type f \
    -printf '%P %y %m %U %G %n %s %T@\n' \
    -o -printf '%P %y %m %U %G %l\n' | grep -avE '^(etc|var/lib|var|) d' | LC_ALL=C sort
    find . -path ./var -prune -o -type f -exec getcap {} + 2>/dev/null | LC_ALL=C sort)
}
