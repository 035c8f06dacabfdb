#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim monitor begins unsigned only if no key was named; no program that it runs has the pass phrase.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
diglim=$(realpath "$1")/diglim
cd "$work" || exit 1
openssl req -x509 -newkey rsa:2048 -passout pass:secret -keyout mine.key -out mine.pem -days 30 -subj /CN=mine 2>/dev/null || fail "no key"
cat >status <<'END'
{"mode":"enforce","monitor":{"allowed":"root","left":0,"reason":"","times":0,
"boot":"01234567-89ab-cdef-0123-456789abcdef","boot_seconds":7}}
END
printf '#!/bin/sh\nenv >>"%s/environment"\necho "$*" >>"%s/ran"\n[ "$1" != status ] || cat "%s/status"\n' "$work" "$work" "$work" >loader
chmod 755 loader
begin() { "$diglim" monitor --for 1h --reason test --loader "$work/loader" "$@"; }

# Half of a pair, or a key beside a signature: a mistake, and nothing begins.
expect 2 begin -k mine.key
contains "both" "$err" "a key and its certificate belong together"
expect 2 begin -c mine.pem
expect 2 env DIGLIM_KEY=mine.key "$diglim" monitor --for 1h --reason test --loader "$work/loader"
expect 2 env DIGLIM_CERTIFICATE=mine.pem "$diglim" monitor --for 1h --reason test --loader "$work/loader"
expect 2 "$diglim" monitor --signed file -k mine.key -c mine.pem --loader "$work/loader"
contains "either" "$err" "has its signature already"
[ ! -e ran ] || fail "a mistake ran the loader: $(cat ran)"
expect 0 begin
equal "unsigned" "$(cat ran)" "monitor --for 3600 --reason test"
rm ran environment
DIGLIM_PASSPHRASE=secret expect 0 begin -k mine.key -c mine.pem
contains "signed" "$(cat ran)" "monitor --statement "
contains "an environment" "$(cat environment)" "PATH="
contains_not() { case $2 in *"$3"*) fail "$1: $2" ;; esac; }
contains_not "no pass phrase" "$(cat environment)" DIGLIM_PASSPHRASE

# A statement, and what it says as JSON; both do not fit on standard output.
said='"boot":"01234567-89ab-cdef-0123-456789abcdef","number":1,"seconds":3600,"reason":"test"}'
expect 0 "$diglim" monitor request --for 1h --reason test --loader "$work/loader" -o wish --json
equal "requested, as JSON" "$out" "{\"written\":\"wish\",$said"
DIGLIM_PASSPHRASE=secret expect 0 "$diglim" monitor sign wish -k mine.key -c mine.pem -o wish.signed --json
equal "signed, as JSON" "$out" "{\"written\":\"wish.signed\",$said"
expect 0 "$diglim" monitor request --for 1h --reason test --loader "$work/loader"
contains "on standard output" "$out" "$(head -n 1 wish)"
expect 2 "$diglim" monitor request --for 1h --reason test --loader "$work/loader" --json
contains "without a file" "$err" "name a file"
expect 2 "$diglim" monitor sign wish -k mine.key -c mine.pem --json

finish
