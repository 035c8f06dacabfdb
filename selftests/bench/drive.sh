# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # work, built, here, top, peers, jobs: run's
#
# Goal: $work/drive, an ext4 file system with all that is executed, mapped and opened, the same bytes for every mode; sourced by `run`.
# Expected: `known` holds the files that everybody is told of: in DIGLIM's list, in fapolicyd's, with a hash in security.ima.

prepare_drive() {
  root=$work/root known=()
  mkdir -p "$root"/{proc,dev,tmp,new,etc,usr/{bin,sbin,lib,lib64}}
  # As Debian has it.
  local name
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  cp "$built"/{calls_bench,nothing,dynamic} "$root/"
  put_libraries "$built/dynamic"
  pad 102400 "$root/nothing-100k"
  pad 2097152 "$root/library"
  pad 5242880 "$root/nothing-5m"
  [ "$jobs" = 0 ] || put_jobs
  [[ ${peers[*]} != *fapolicyd* ]] || put_fapolicyd
  ldconfig -r "$root"
  mapfile -t known < <(find "$root" -type f | LC_ALL=C sort)
  # What nobody is told of: a file to open, a program that must be denied.
  echo data >"$root/data"
  pad 8192 "$root/control"
  [[ ${peers[*]} != *fapolicyd* ]] || trust "${known[@]}" >"$root/etc/fapolicyd/fapolicyd.trust"
  # A fixed layout: what a path costs depends on it.
  mkfs.ext4 -q -b 4096 -U 6b1c5a0e-0000-4000-8000-000000000000 -E hash_seed=6b1c5a0e-0000-4000-8000-000000000000 \
    -d "$root" "$work/drive" 512M >/dev/null
  write_hashes
}

# The kernel loads only what the ELF header names, so a tail changes nothing but the hashing.
pad() { # SIZE FILE [EIGHT-CHARACTERS]: these make the content another
  local end=${3:-}
  cp "$built/nothing" "$2"
  truncate -s $(($1 - ${#end})) "$2"
  printf %s "$end" >>"$2"
}

# To the same path; what is a link here is a file there.
put() { # FILE...
  local file
  for file; do
    mkdir -p "$(dirname "$root$file")"
    cp -L --preserve=mode,timestamps "$file" "$root$file"
  done
}

put_libraries() { # PROGRAM [DIRECTORY...]: which hold libraries besides this machine's
  local library
  for library in $(LD_LIBRARY_PATH=$(IFS=:; echo "${*:2}") ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p'); do
    case $library in
      /lib* | /usr/lib*) put "$library" ;;
      *) cp -L "$library" "$root/usr/lib/x86_64-linux-gnu/" ;;
    esac
  done
}

put_programs() { # PROGRAM...
  local program
  put "$@"
  for program; do put_libraries "$program"; done
}

put_jobs() {
  local i files
  mkdir "$root/first"
  for ((i = 1; i <= 9; i++)); do pad 1048576 "$root/first/1m-$i" "$(printf %08d "$i")"; done
  for ((i = 1; i <= 3; i++)); do pad 16777216 "$root/first/16m-$i" "$(printf %08d "$i")"; done
  put_programs /bin/{sh,bash,cat,tr,sort,uniq,wc,rm,tar} /usr/bin/{make,gcc,as,ld,rpm}
  # The interpreter that Debian has, whatever stands first in PATH, and the modules that it loads at its start.
  put_programs /usr/bin/python3
  mapfile -t files < <(/usr/bin/python3 -I -c 'import sys
for module in list(sys.modules.values()):
    for name in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
        if name and name.startswith("/usr/lib/python3."):
            print(name)')
  put "${files[@]}"
  # Python looks for this directory, and is content with an empty one.
  mkdir "$(echo "$root"/usr/lib/python3.*)/lib-dynload"
  put_project
  # A source tree: the headers of libc and of the kernel.
  mapfile -t files < <(dpkg -L libc6-dev linux-libc-dev | grep '^/usr/include/.*\.h$')
  mkdir "$root/tree"
  cp -L --parents "${files[@]}" "$root/tree"
  mapfile -t files < <(find /usr/lib/rpm/{macros,rpmrc,platform,macros.d} -type f)
  put "${files[@]}"
  GNUPGHOME=$("$top/selftests/lib/packages/build-rpm" --print-key | head -n 1) \
    "$top/selftests/lib/packages/deb2rpm" "$root/packages" distribution@example.invalid coreutils grep gzip sed tar
  put_dnf
}

# dnf, and a repository of those packages. What it is made of is Debian's; what that needs besides is this machine's.
put_dnf() {
  local tree file
  tree=$(debian_packages dnf dnf dnf-data python3-{dnf,distutils,gpg,hawkey,libcomps,libdnf,rpm} libcomps0 libcurl3-gnutls \
    libdnf2 libdnf2-common libgpgme11 libglib2.0-0 libjson-c5 libmodulemd2 librepo0 librpmbuild9 librpmsign9 libsmartcols1 \
    libsolv1 libsolvext1 libyaml-0-2)
  (cd /usr/lib/python3.11 && find . -name '*.py' -o -name '*.so') | grep -vE '/(test|tests|idlelib|tkinter|turtledemo|ensurepip)/' |
    tar -C /usr/lib/python3.11 -chf - -T - | tar -C "$root/usr/lib/python3.11" -xf -
  cp -a "$tree/usr/lib/python3" "$root/usr/lib/"
  cp -an "$tree/usr/lib/python3.11" "$root/usr/lib/"
  cp -a "$tree/etc/dnf" "$root/etc/"
  cp -a "$tree/usr/bin/dnf-3" "$root/usr/bin/"
  while read -r file; do
    put_libraries "$file" "$tree"/{usr/,}lib/x86_64-linux-gnu
  done < <(find "$root"/usr/lib/python3* -name '*.so')
  # Otherwise the first run would write it.
  /usr/bin/python3 -m compileall -q -s "$root" -p / "$root"/usr/lib/python3*
  createrepo_c -q "$root/packages"
}

# The compiler, and what it needs for the project, as it says itself.
put_project() {
  local files directory
  directory=$(dirname "$(gcc -print-prog-name=cc1)")
  put_programs "$directory"/{cc1,collect2}
  put_programs "$directory/liblto_plugin.so"
  cp -r "$here/project" "$root/"
  mapfile -t files < <(
    cd "$here/project" || exit
    gcc -O1 -M ./*.c | tr -s ' ' '\n' | grep '^/'
    gcc -o "$work/linked" ./*.c -Wl,--trace | grep '^/' | grep -v "^${TMPDIR:-/tmp}"
    realpath "$(gcc -print-file-name=libc.so)" "$(gcc -print-file-name=libgcc_s.so)" "$(gcc -print-file-name=libgcc.a)"
  )
  mapfile -t files < <(realpath -s "${files[@]}" | sort -u)
  put "${files[@]}"
}

# debian_packages NAME PACKAGE...: these packages of Debian in one directory of the cache; apt checks the archive's signature.
debian_packages() {
  local package packages='' dir tmp name=$1
  shift
  for package; do
    packages+=$(apt-cache show "$package" | awk '/^(Package|Version|SHA256):/ { printf "%s ", $2 } /^$/ { exit }')$'\n'
  done
  [ "$(grep -cE ' [0-9a-f]{64} $' <<<"$packages")" = $# ] || fail "apt does not know all of $*: run apt-get update"
  dir=${DIGLIM_CACHE:-$HOME/.cache/diglim}/$name-$(sha256sum <<<"$packages" | cut -c 1-16)
  if ! [ -d "$dir" ]; then
    tmp=$work/$name
    mkdir -p "$tmp"/{debs,tree}
    # For apt's sandbox user.
    chmod 711 "$work"
    chown _apt "$tmp/debs" 2>/dev/null || true
    while read -r package version sha; do
      [ -n "$package" ] || continue
      (cd "$tmp/debs" && apt-get -qq download "$package=$version" >&2) || fail "cannot download $package"
      echo "$sha  $(echo "$tmp/debs/${package}_"*)" | sha256sum --quiet -c - >&2 || fail "$package: not what the index says"
      dpkg-deb -x "$tmp/debs/${package}_"* "$tmp/tree"
    done <<<"$packages"
    mkdir -p "${dir%/*}"
    mv -T "$tmp/tree" "$dir" 2>/dev/null || [ -d "$dir" ]
  fi
  echo "$dir"
}

put_fapolicyd() {
  local tree number
  tree=$(debian_packages fapolicyd fapolicyd libcap-ng0 liblmdb0 libmagic1 libmagic-mgc libseccomp2 libssl3 libudev1)
  cp -a "$tree/usr/sbin/fapolicyd" "$root/usr/sbin/"
  put_libraries "$root/usr/sbin/fapolicyd" "$tree"/{usr/,}lib/x86_64-linux-gnu
  mkdir -p "$root"/{etc/fapolicyd,usr/share/{fapolicyd,misc},var/lib/fapolicyd,run/fapolicyd}
  cp "$tree/usr/share/fapolicyd/fapolicyd-magic.mgc" "$root/usr/share/fapolicyd/"
  cp -L "$tree/usr/lib/file/magic.mgc" "$root/usr/share/misc/"
  sed 's/^trust = .*/trust = file/' "$tree/etc/fapolicyd/fapolicyd.conf" >"$root/etc/fapolicyd/fapolicyd.conf"
  # The package's rule alone would deny every exec. These are what its README-rules calls known-libs, as fagenrules would compile them,
  # without 20: it lets root execute what nobody knows.
  for number in 10 21 30 40 41 42 70 72 90 95; do
    cat "$tree/usr/share/fapolicyd/sample-rules/$number"-*
  done | grep -v '^#' >"$root/etc/fapolicyd/compiled.rules"
  printf '%s\n' root:x:0:0::/:/bin/sh fapolicyd:x:999:999::/:/bin/false >"$root/etc/passwd"
  printf '%s\n' root:x:0: fapolicyd:x:999: >"$root/etc/group"
}

# fapolicyd's list: path, size and digest of each.
trust() { # FILE...
  local file digest size
  while read -r digest file; do
    size=$(stat -c %s "$file")
    echo "${file#"$root"} $size $digest"
  done < <(sha256sum "$@")
}

# security.ima as IMA writes it: IMA_XATTR_DIGEST_NG (4), HASH_ALGO_SHA256 (4), digest. The program to be denied has another one's.
write_hashes() {
  local bytes file number=0
  mkdir "$work/hashes"
  while read -r bytes file; do
    number=$((number + 1))
    # shellcheck disable=SC2059 # \x.. for each byte
    printf "\\x04\\x04$bytes" >"$work/hashes/$number"
    echo "ea_set -f $work/hashes/$number ${file#"$root"} security.ima"
    [ "$file" != "$root/nothing" ] || echo "ea_set -f $work/hashes/$number /control security.ima"
  done < <(sha256sum "${known[@]}" | sed -E ':next; s/^((\\x..)*)([0-9a-f]{2})/\1\\x\3/; t next') >"$work/hashes.commands"
  debugfs -w -f "$work/hashes.commands" "$work/drive" >"$work/hashes.log" 2>&1
  [ "$(debugfs -R 'ea_list /control' "$work/drive" 2>/dev/null | grep -c 'security.ima (34)')" = 1 ] || fail 'cannot write security.ima'
}
