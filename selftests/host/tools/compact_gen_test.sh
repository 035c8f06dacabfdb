#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: what users see of compact_gen: output, exit statuses, and no file that should not be there.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
gen=$tools/compact_gen
cd "$work" || exit 1
lists=$work/lists
list=$lists/0-file_list-compact-script.sh

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN=Dev \
	-days 30 -config /dev/null 2>/dev/null || fail "no openssl"
printf '#!/bin/sh\n' >script.sh
digest=$(sha256sum script.sh | cut -d' ' -f1)

# The command of 2022, unsigned.
expect 0 "$gen" -d lists -i script.sh
equal stdout "$out" "lists/0-file_list-compact-script.sh: 1 sha256 digest of 1 file, not signed"
contains stderr "$err" "diglim-loader will refuse it; sign it with -k KEY -c CERT"
equal bytes "$(xxd -p -c 200 "$list")" "01000100000004000100000020000000$digest"
equal mode "$(stat -c %a "$list")" 644

# Signed: content || CMS || block || marker, and openssl agrees.
expect 0 "$gen" -d lists -i script.sh -k key.pem -c cert.pem
equal stdout "$out" "lists/0-file_list-compact-script.sh (replaced): 1 sha256 digest of 1 file, signed by CMS ECDSA/SHA256 CN=Dev
next: diglim-loader load lists/0-file_list-compact-script.sh"
equal stderr "$err" ""
equal marker "$(tail -c 28 "$list")" "~Module signature appended~"
size=$((0x$(tail -c 32 "$list" | head -c 4 | xxd -p)))
head -c 48 "$list" >content
tail -c +49 "$list" | head -c "$size" >signature
expect 0 openssl cms -verify -binary -inform DER -in signature -content content -certfile cert.pem -noverify -out /dev/null

# Several files, a folder, a link; each digest once, sorted, the same bytes from any order.
mkdir -p tree/deep && cp script.sh tree/a && cp script.sh tree/deep/b && echo other >tree/deep/c &&
	ln -s /etc/passwd tree/link && mkfifo tree/pipe && ln -s script.sh named_link
expect 0 "$gen" -d lists -i tree named_link --json
wanted='{"list":"lists/0-file_list-compact-tree","algorithm":"sha256","digests":2,"files":4,"signed":false,"signer":"","replaced":false}'
equal json "$out" "$wanted"
cp "$lists/0-file_list-compact-tree" first
expect 0 "$gen" -d lists -i named_link -i tree/deep/c -i tree/ -q --name tree
equal quiet "$out" ""
cmp -s first "$lists/0-file_list-compact-tree" || fail "the order of the inputs matters"
(cd tree && expect 0 "$gen" -d ../lists -i . -q) && [ -e "$lists/0-file_list-compact-tree" ] || fail "no name for ."
expect 0 "$gen" -d lists -i script.sh -a sha512 -f --position 3 --name n -q
equal "other options" "$(head -c 16 lists/3-file_list-compact-n | xxd -p)" 01000100010006000100000040000000

# Names with any bytes.
odd=$(printf 'a\nb\xff c')
printf x >"$odd"
expect 0 "$gen" -d lists -i "$odd" -k key.pem -c cert.pem
contains "escaped name" "$out" 'lists/0-file_list-compact-a\nb\xff c: 1 sha256'
contains "quoted name" "$out" "next: diglim-loader load \$'lists/0-file_list-compact-a\\x0ab\\xff c'"
[ -e "$lists/0-file_list-compact-$odd" ] || fail "odd name changed"

# All or nothing.
rm -rf lists && mkdir lists
expect 1 "$gen" -d lists -i script.sh missing
equal missing "$err" "compact_gen: stat missing: No such file or directory; nothing was written"
expect 1 "$gen" -d lists -i tree/pipe
contains pipe "$err" "tree/pipe is not a regular file; nothing was written"
mkdir none && expect 1 "$gen" -d lists -i none
contains "empty folder" "$err" "no regular file in none"
expect 1 "$gen" -d lists -i script.sh -k cert.pem -c cert.pem
contains "wrong key" "$err" "no private key in PEM"
expect 2 "$gen" -d lists -i script.sh -k key.pem
contains "half a pair" "$err" "-k and -c go together"
expect 2 "$gen" -d lists -i script.sh -a sha3
expect 2 "$gen" -d lists -i script.sh -t parser
expect 2 "$gen" -d lists -i script.sh --name a/b
expect 2 "$gen" -d lists
expect 2 "$gen" -d lists -i script.sh --nonsense
expect 2 "$gen" -d lists -i script.sh --name "$(head -c 240 /dev/zero | tr '\0' x)"
empty lists
expect 3 "$gen" -d script.sh -i script.sh
contains "folder is a file" "$err" "script.sh is not a directory"
expect 3 "$gen" -d no/such -i script.sh
expect 0 "$gen" --help
expect 0 "$gen" --version

# What root is not refused, nobody is.
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work" && echo secret >secret && chmod 600 secret && mkdir open && chmod 777 open
	expect 1 as_nobody "$gen" -d open -i secret
	contains unreadable "$err" "open secret: Permission denied; nothing was written"
	empty open
	expect 3 as_nobody "$gen" -d lists -i script.sh
	contains unwritable "$err" "Permission denied; nothing was written"
	empty lists
else
	skip "permissions need root"
fi

# A full disk leaves the old list as it was.
mkdir small
if mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
	expect 0 "$gen" -d small -i script.sh
	cp small/0-file_list-compact-script.sh before
	mkdir many && for i in $(seq 1000); do echo "$i" >"many/$i"; done
	expect 3 "$gen" -d small -i many --name script.sh
	contains "full disk" "$err" "No space left on device; nothing was written"
	equal "after a full disk" "$(ls -A small)" 0-file_list-compact-script.sh
	cmp -s before small/0-file_list-compact-script.sh || fail "a full disk changed the list"
else
	skip "a full disk needs root and a tmpfs"
fi
finish
