#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: compact_gen and diglim allow sign with a key wherever it lies: an encrypted file, a token (PKCS#11, here SoftHSM), a TPM (here
# swtpm), by handle or wrapped in a file; what they make is what the loader takes. A wrong PIN or a missing key is said, and nothing
# is made.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
here=$top/selftests/attest
tpms=()
stop() { for pid in "${tpms[@]}"; do kill "$pid" 2>/dev/null; done; }
trap 'stop; cleanup' EXIT
# start_tpm alone: its other words have names of ours.
eval "$(sed -n '/^start_tpm() {/,/^}/p' "$here/lib.sh")"
cd "$work" || exit 1
mkdir -p root/etc/{digest_lists,diglim/keys} lists tokens
cp /bin/true program
keys=root/etc/diglim/keys
verify() { "$tools/../loader/diglim-loader" verify --keys "$keys" "$@"; }
sign() { "$tools/compact_gen" -d lists -i program "$@"; }
# signs NAME WHOSE OPTION...: both tools, and the loader takes what they make.
signs() {
	local name=$1 whose=$2
	shift 2
	expect 0 sign --name "$name" "$@"
	expect 0 verify "lists/0-file_list-compact-$name"
	contains "$name: whose" "$out" "signed by CMS $whose CN=$name"
	expect 0 "$tools/diglim" allow program --root root "$@"
	contains "$name: allow" "$out" "allowed 1 file"
	expect 0 "$tools/diglim" allow remove program --root root
}

# Files: with a pass phrase from a file, from the environment, from a terminal.
openssl req -x509 -newkey rsa:2048 -passout pass:secret -keyout locked.key -out "$keys/locked.pem" -days 30 -subj /CN=locked 2>/dev/null
printf 'secret\nmore\n' >phrase
signs locked RSA/SHA256 -k locked.key -c "$keys/locked.pem" --passphrase-file phrase
DIGLIM_PASSPHRASE=secret signs locked RSA/SHA256 -k locked.key -c "$keys/locked.pem"
DIGLIM_PASSPHRASE=wrong expect 1 sign --name no -k locked.key -c "$keys/locked.pem"
contains "wrong" "$err" "no pass phrase, or a wrong one; nothing was written"
expect 1 sign --name no -k locked.key -c "$keys/locked.pem"
contains "nobody to ask" "$err" "no pass phrase, or a wrong one"
said=$(python3 - "$tools/compact_gen" -d lists -i program --name asked -k locked.key -c "$keys/locked.pem" <<-'PY'
	import os, pty, sys, termios, time
	pid, terminal = pty.fork()
	if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
	seen = b""
	while True:
	    try: data = os.read(terminal, 4096)
	    except OSError: break
	    if not data: break
	    seen += data
	    if seen.endswith(b"locked.key: "):
	        for i in range(600):  # the terminal stops to echo a moment after the question
	            if not termios.tcgetattr(terminal)[3] & termios.ECHO: break
	            time.sleep(0.05)
	        os.write(terminal, b"secret\n")
	print(seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
)
contains "asked" "$said" "Pass phrase or PIN of locked.key: "
[[ $said = *" 0" && $said != *secret* ]] || fail "on a terminal: $said"

# A token. p11-kit finds SoftHSM by itself; only where its tokens lie is ours.
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$work/tokens" >softhsm.conf
export SOFTHSM2_CONF=$work/softhsm.conf
for algorithm in rsa:2048 ec; do
	name=token-${algorithm%:*}
	curve=()
	[ $algorithm != ec ] || curve=(-pkeyopt ec_paramgen_curve:P-256)
	openssl req -x509 -newkey $algorithm "${curve[@]}" -nodes \
		-keyout key.pem -out "$keys/$name.pem" -days 30 -subj "/CN=$name" 2>openssl.log || fail "no key: $(cat openssl.log)"
	openssl pkcs8 -topk8 -nocrypt -in key.pem -out key.p8
	{ softhsm2-util --init-token --free --label "$name" --so-pin 12345678 --pin 4321 &&
		softhsm2-util --import key.p8 --token "$name" --label mine --id 01 --pin 4321; } >softhsm.log || fail "no token: $(cat softhsm.log)"
	rm key.pem key.p8
done
echo 4321 >pin
signs token-rsa RSA/SHA256 -k 'pkcs11:token=token-rsa;object=mine;type=private' -c "$keys/token-rsa.pem" --passphrase-file pin
signs token-ec ECDSA/SHA256 -k 'pkcs11:token=token-ec;object=mine;type=private' -c "$keys/token-ec.pem" --passphrase-file pin
expect 1 sign --name no -k 'pkcs11:token=token-ec;object=mine;type=private' -c "$keys/token-rsa.pem" --passphrase-file pin
contains "another certificate" "$err" "does not belong to the certificate"
expect 1 sign --name no -k 'pkcs11:token=none;object=mine' -c "$keys/token-rsa.pem" --passphrase-file pin
contains "no such token" "$err" "key pkcs11:token=none;object=mine: the token has no such key, or is not there"
# After three wrong PINs most tokens lock themselves: one call is one try.
expect 1 env DIGLIM_PASSPHRASE=0000 "$tools/compact_gen" -d lists -i program --name no -k 'pkcs11:token=token-rsa;object=mine' \
	-c "$keys/token-rsa.pem"
contains "a wrong PIN" "$err" "no pass phrase, or a wrong one"
signs token-rsa RSA/SHA256 -k 'pkcs11:token=token-rsa;object=mine;type=private' -c "$keys/token-rsa.pem" --passphrase-file pin
expect 1 env OPENSSL_ENGINES=/none OPENSSL_MODULES=/none "$tools/compact_gen" -d lists -i program --name no -k 'pkcs11:object=mine' \
	-c "$keys/token-rsa.pem"
contains "no module" "$err" "install pkcs11-provider, or on Debian 12 libengine-pkcs11-openssl; nothing was written"

# A TPM.
tcti=
start_tpm tpm
export TPM2OPENSSL_TCTI=$tcti
tpm=(-provider tpm2 -provider default -propquery '?provider=tpm2')
certificate() {
	openssl req "${tpm[@]}" -x509 -key "$1" -subj "/CN=$2" -days 30 -out "$keys/$2.pem" 2>openssl.log || fail "$(cat openssl.log)"
}
{ tpm2_createprimary -T "$tcti" -C o -G ecc256 -g sha256 -c context \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' &&
	tpm2_evictcontrol -T "$tcti" -C o -c context 0x81000010; } >tpm.log 2>&1 ||
	fail "no key in the TPM: $(cat tpm.log)"
tpm2_flushcontext -T "$tcti" -t
certificate handle:0x81000010 tpm-handle
signs tpm-handle ECDSA/SHA256 -k handle:0x81000010 -c "$keys/tpm-handle.pem"
openssl genpkey "${tpm[@]}" -algorithm RSA -pkeyopt bits:2048 -out wrapped.key 2>openssl.log || fail "no wrapped key: $(cat openssl.log)"
contains "wrapped" "$(head -n 1 wrapped.key)" "BEGIN TSS2 PRIVATE KEY"
certificate wrapped.key tpm-wrapped
signs tpm-wrapped RSA/SHA256 -k wrapped.key -c "$keys/tpm-wrapped.pem"
# Of a list of any size the TPM gets the digest only.
python3 - <<-'PY'
	import os
	os.mkdir("many")
	for i in range(3000):
	    with open(f"many/{i}", "w") as file: file.write(str(i))
PY
expect 0 timeout 60 "$tools/compact_gen" -d lists -i many -k wrapped.key -c "$keys/tpm-wrapped.pem"
expect 0 verify lists/0-file_list-compact-many
expect 1 sign --name no -k handle:0x81000099 -c "$keys/tpm-handle.pem"
contains "no such handle" "$err" "the TPM has no such key, or does not answer"
expect 1 env TPM2OPENSSL_TCTI=swtpm:host=127.0.0.1,port=1 "$tools/compact_gen" -d lists -i program --name no -k handle:0x81000010 \
	-c "$keys/tpm-handle.pem"
contains "no TPM" "$err" "see that the TPM answers"
[ ! -e lists/0-file_list-compact-no ] || fail "a list was made without a signature"
finish
