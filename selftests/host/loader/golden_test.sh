#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: help texts and usage errors do not change by accident.
# Expected: the files in golden/, where each command is followed by its output (both streams) and exit status.
# Usage: golden_test.sh LOADER [--update]
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../lib/cli.sh"
loader=$(realpath "$1")

# session COMMAND...: each word by word, as a user sees it.
session() {
	local command status
	for command in "$@"; do
		echo "\$ $command"
		# shellcheck disable=SC2086 # words
		set -- $command
		shift
		"$loader" "$@" 2>&1 </dev/null
		status=$?
		echo "[$status]"
	done
}

golden() { # NAME COMMAND...
	local golden=$here/golden/$1.golden
	shift
	if [ "$update" ]; then session "$@" >"$golden"; fi
	if diff -u "$golden" <(session "$@"); then pass; else fail "$golden"; fi
}
update=${2:+1}

golden help 'diglim-loader --help' 'diglim-loader -h'
for verb in boot check load sync unload monitor status verify; do
	golden "$verb" "diglim-loader $verb --help"
done
golden usage \
	'diglim-loader frobnicate' 'diglim-loader --frob' 'diglim-loader boot' 'diglim-loader boot x' \
	'diglim-loader load' 'diglim-loader load --frob x' 'diglim-loader load /nonexistent' \
	'diglim-loader sync' 'diglim-loader sync --root' 'diglim-loader sync --frob /etc' \
	'diglim-loader unload' 'diglim-loader unload -x' \
	'diglim-loader status x' 'diglim-loader status --json=1' \
	'diglim-loader verify' 'diglim-loader verify --keys' 'diglim-loader verify --allow-hash sha256 x' \
	'diglim-loader verify --keys /nonexistent x'
expect 2 "$loader"
equal "no verb: stdout" "$out" ""
expect 0 "$loader" --version
[[ $out =~ ^diglim-loader\ [0-9.]+$ ]] || fail "--version: $out"
finish
