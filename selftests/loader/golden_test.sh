#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: help texts and usage errors do not change by accident.
# Expected: the files in golden/, where each command is followed by its output (both streams) and exit status.
# Usage: golden_test.sh LOADER [--update]
here=$(cd "$(dirname "$0")" && pwd)
loader=$(realpath "$1")
failed=0

# session COMMAND...: each word by word, as a user sees it.
session() {
	local command status
	for command in "$@"; do
		echo "\$ $command"
		set -- $command
		shift
		"$loader" "$@" 2>&1 </dev/null
		status=$?
		echo "[$status]"
	done
}

check() { # NAME COMMAND...
	local golden=$here/golden/$1.golden
	shift
	if [ "$update" ]; then session "$@" >"$golden"; fi
	diff -u "$golden" <(session "$@") || failed=1
}
update=${2:+1}

check help 'diglim-loader --help' 'diglim-loader -h'
for verb in boot load unload status verify; do
	check "$verb" "diglim-loader $verb --help"
done
check usage \
	'diglim-loader frobnicate' 'diglim-loader --frob' 'diglim-loader boot' 'diglim-loader boot x' \
	'diglim-loader load' 'diglim-loader load --frob x' 'diglim-loader load /nonexistent' \
	'diglim-loader unload' 'diglim-loader unload -x' \
	'diglim-loader status x' 'diglim-loader status --json=1' \
	'diglim-loader verify' 'diglim-loader verify --keys' 'diglim-loader verify --allow-hash sha256 x' \
	'diglim-loader verify --keys /nonexistent x'
"$loader" >/dev/null 2>&1
[ $? = 2 ] || { echo "no verb: not exit 2"; failed=1; }
"$loader" 2>/dev/null | grep -q . && { echo "no verb: writes to stdout"; failed=1; }
"$loader" --version | grep -qxE 'diglim-loader [0-9.]+' || { echo "--version"; failed=1; }
[ $failed = 0 ] && echo ok
exit $failed
