# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The one maker of test RPMs. Sourced. The build machine's own macros (stripping, build ids) play no part, and Debian's rpm is told where
# its gpg is.

# rpm_build OUT SPEC [RPMBUILD-OPTION]...: OUT/NAME-VERSION-RELEASE.ARCH.rpm, not signed. What went wrong is on stdout. A later --define
# wins over those here.
rpm_build() { _rpmbuild -bb _rpmdir "$@"; }
# rpm_build_source OUT SPEC: the source package; its sources lie in SOURCES, beside the spec.
rpm_build_source() { _rpmbuild -bs _srcrpmdir "$@"; }

# rpm_build_ready OUT SPEC ROOT [RPMBUILD-OPTION]...: the same of files that lie ready in ROOT, which is gone afterwards.
rpm_build_ready() {
  local spec status=0
  spec=$(mktemp -t diglim-spec.XXXXXX)
  # Where %{buildroot} lies is rpm's own affair since 4.20.
  { cat "$2"; printf '%%install\nrm -rf %%{buildroot}\nmv %q %%{buildroot}\n' "$3"; } >"$spec"
  rpm_build "$1" "$spec" --define '__check_files %{nil}' "${@:4}" || status=$?
  rm -f "$spec"
  return $status
}

_rpmbuild() { # KIND FOLDER-MACRO OUT SPEC OPTION...
  local folder status=0
  folder=$(mktemp -d -t diglim-rpmbuild.XXXXXX)
  [ ! -d "${4%/*}/SOURCES" ] || cp -r "${4%/*}/SOURCES" "$folder/"
  rpmbuild "$1" --quiet --define "_topdir $folder" --define "$2 $3" --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
    --define '__os_install_post %{nil}' --define '_build_id_links none' --define 'debug_package %{nil}' \
    --define '_binary_filedigest_algorithm 8' "${@:5}" "$4" >"$folder/log" 2>&1 || status=$?
  [ $status = 0 ] || tail -n 20 "$folder/log"
  rm -rf "$folder"
  return $status
}

# rpm_key HOME NAME: an OpenPGP key in HOME, a folder for GNUPGHOME, which is made if need be; its public half is in HOME/NAME.asc.
rpm_key() {
  mkdir -p "$1" && chmod 700 "$1" &&
    gpg --homedir "$1" --batch --quiet --passphrase '' --quick-generate-key "$2" rsa2048 sign never 2>/dev/null &&
    gpg --homedir "$1" --batch --armor --export "$2" >"$1/$2.asc"
}

# rpm_sign HOME NAME PACKAGE...: by that key. What went wrong is on stdout.
rpm_sign() {
  local said
  said=$(GNUPGHOME=$1 rpmsign --addsign --define '__gpg /usr/bin/gpg' --define "_gpg_name $2" --define '_gpg_digest_algo sha256' \
    "${@:3}" 2>&1) || { printf '%s\n' "$said"; return 1; }
}
