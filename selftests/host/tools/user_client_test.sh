#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim_user_client asks the loader for what its options say, and gives its answer back.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
client=$(realpath "$(dirname "$0")/../../../tools/diglim_user_client")
cd "$work" || exit 1
cat >loader <<'SH'
#!/bin/sh
echo "loader: $*"
exit "${STATUS:-0}"
SH
chmod 755 loader
export DIGLIM_LOADER=$work/loader
expect 0 "$client" -o add -p /etc/digest_lists/0-file_list-compact-script.sh
equal add "$out" "loader: load /etc/digest_lists/0-file_list-compact-script.sh"
expect 0 "$client" --path list --operation del
equal del "$out" "loader: unload list"
expect 0 "$client" -o add -p --help
equal "a name like an option" "$out" "loader: load ./--help"
STATUS=1 expect 1 "$client" -o add -p 'a b'
equal "a name with a space" "$out" "loader: load a b"
for words in '' '-o add' '-p x' '-o frob -p x' '-x' '-o' 'add x'; do
	# shellcheck disable=SC2086 # words
	expect 2 "$client" $words
	equal "nothing is run" "$out" ""
	contains "usage" "$err" "diglim_user_client --help"
done
expect 0 "$client" --help
finish
