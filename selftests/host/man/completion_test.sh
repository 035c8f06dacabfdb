#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the bash completions offer all that the programs take, and nothing else.
# Expected: no "not ok", exit 0.
# Usage: completion_test.sh LOADER FOLDER_OF_TOOLS
top=$(cd "$(dirname "$0")/../../.." && pwd)
LOADER=$(realpath "$1") TOOLS=$(realpath "$2")
. "$top/selftests/lib/cli.sh"
. "$top/selftests/host/man/lib.sh"
export LC_ALL=C
compopt() { :; } # works only while readline completes
for file in "$top"/packaging/completion/*; do
	# shellcheck source=/dev/null
	. "$file" || fail "$file"
done
cd "$work" || exit 1
mkdir folder && touch file 'a b'

# offers FUNCTION WORD...: what is offered for the last word, one a line, sorted.
offers() {
	local COMPREPLY=() function=$1
	shift
	local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	$function
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
lines() { printf '%s\n' "$@" | sort; }
loader() { offers _diglim_loader diglim-loader "$@"; }

equal "the verbs, but boot" "$(loader '' | grep -v -)" "$(loader_verbs | grep -v boot | sort)"
equal "options before a verb" "$(loader --)" "$("$LOADER" --help | long_options)"
equal "a verb begun" "$(loader un)" unload
for verb in $(loader_verbs | grep -v boot); do
	equal "options of $verb" "$(loader "$verb" --)" "$("$LOADER" "$verb" --help | long_options)"
done
equal "files of load" "$(loader load f)" "$(lines file folder)"
equal "a name with a space" "$(loader verify a)" "a b"
equal "folders for --keys" "$(loader verify --keys f)" folder
equal "--allow-hash" "$(loader verify --allow-hash s)" sha1
equal "nothing for status" "$(loader status f)" ""
equal "nothing after a wrong verb" "$(loader frob f)" ""
diglim-loader() { printf 'keys:       1\n  x: 1 digests\nlists:      1\n  list-a: 5 digests, signed by x\n  list-b: 1 digests\n'; }
equal "loaded lists" "$(loader unload '')" "$(lines list-a list-b)"
equal "a path for unload" "$(loader unload ./f)" "$(lines ./file ./folder)"

for tool in compact_gen rpm_gen; do
	equal "options of $tool" "$(offers _$tool $tool --)" "$("$TOOLS/$tool" --help | long_options)"
	equal "folders for -d of $tool" "$(offers _$tool $tool -d f)" folder
	equal "files of $tool" "$(offers _$tool $tool f)" "$(lines file folder)"
done
equal "options of diglim-events" "$(offers _diglim_events diglim-events --)" "$("$TOOLS/diglim-events" --help | long_options)"
diglim() { "$TOOLS/diglim" "$@"; }
equal "the verbs of diglim" "$(offers _diglim diglim '' | grep -v -)" "$(diglim_verbs | sort)"
for verb in $(diglim_verbs); do
	equal "options of diglim $verb" "$(offers _diglim diglim "$verb" --)" "$(diglim "$verb" --help | long_options)"
done
for verb in $(diglim_verbs); do
	subverbs=$(diglim_subverbs "$verb")
	[ -n "$subverbs" ] || continue
	equal "subcommands of diglim $verb" "$(offers _diglim diglim "$verb" '')" "$(sort <<<"$subverbs")"
	for sub in $subverbs; do
		equal "options of diglim $verb $sub" "$(offers _diglim diglim "$verb" "$sub" --)" "$(diglim "$verb" "$sub" --help | long_options)"
	done
done
equal "diglim_setup.sh" "$(offers _diglim_setup diglim_setup.sh '' | grep -v -)" "$(lines install uninstall)"
equal "options of diglim_setup.sh" "$(offers _diglim_setup diglim_setup.sh install --)" "$(diglim setup install --help | long_options)"
# Each command has one, which defines itself.
for command in diglim-loader $(sed -n 's|^%{_bindir}/||p' "$top/packaging/diglim.spec"); do
	complete -p "$command" >/dev/null 2>&1 || fail "no completion of $command"
	[ -e "$top/packaging/completion/$command" ] || fail "bash would not find the completion of $command"
done
equal "options of diglim_user_client" "$(offers _diglim_user_client diglim_user_client --)" \
	"$("$top/tools/diglim_user_client" --help | long_options)"
equal "operations" "$(offers _diglim_user_client diglim_user_client -o '')" "$(lines add del)"
equal "files where there are verbs, too" "$(offers _diglim diglim allow f)" "$(lines file folder)"
for words in 'evidence -o' 'evidence verify file -c' 'state --output' 'monitor request -o' 'monitor -k' 'monitor --signed'; do
	# shellcheck disable=SC2086 # words
	equal "files for $words" "$(offers _diglim diglim $words f)" "$(lines file folder)"
done
equal "files of diglim" "$(offers _diglim diglim doctor f)" "$(lines file folder)"
diglim() {
	if [ "$*" = "allow list --json" ]; then echo '[{"list":"0-list-a","paths":[]},{"list":"0-list-b"}]'; else "$TOOLS/diglim" "$@"; fi
}
equal "exceptions" "$(offers _diglim diglim allow remove 0-)" "$(lines 0-list-a 0-list-b)"
equal "a file that was allowed" "$(offers _diglim diglim allow remove f)" "$(lines file folder)"
equal "options of allow remove" "$(offers _diglim diglim allow remove --)" "$("$TOOLS/diglim" allow remove --help | long_options)"
equal "modes" "$(offers _diglim diglim setup install --mode e)" enforce
equal "folders for --build" "$(offers _diglim diglim allow --build f)" folder
equal "algorithms" "$(offers _compact_gen compact_gen -a sha2)" "$(lines sha224 sha256)"
finish
