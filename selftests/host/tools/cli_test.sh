#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: what all verbs have in common: groups in the help, JSON, colours on a terminal only, a page with examples.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
LOADER=$tools/../loader/diglim-loader TOOLS=$tools
. "$top/selftests/host/man/lib.sh"
diglim=$tools/diglim
cd "$work" || exit 1

# Grouped by who needs them.
help=$("$diglim" --help)
contains "groups" "$help" $'\nWhen something is denied:\n  explain '
equal "each verb is in a group" "$(sed -n '/^Verbs:/p' <<<"$help")" ""

# JSON from each verb, and each below it, but for these, and why.
declare -A without=(
	[metrics]='prints a format of its own, OpenMetrics; state --json is the same'
	['tls ssh-agent']='speaks the protocol of agents until it is ended, and prints nothing'
)
# walk WORD...: that verb, and those below it.
walk() {
	local help sub subs
	help=$("$diglim" "$@" --help) || fail "$*: no --help"
	subs=$(diglim_subverbs "$@" | sort -u)
	walked=$((walked + 1))
	if [ -n "${without[$*]:-}" ]; then
		[[ $help != *--json* ]] || fail "$* has --json: it is no exception any more"
		unset "without[$*]"
	elif [ -z "$subs" ] || [[ $help = *' [SUBCOMMAND]'* ]]; then # it does something itself
		contains "$*" "$help" "--json"
	fi
	for sub in $subs; do walk "$@" "$sub"; done
}
walked=0
for verb in $(diglim_verbs); do walk "$verb"; done
[ $walked -ge 40 ] || fail "only $walked verbs found"
equal "exceptions that are no verbs" "${!without[*]}" ""
# Where the result is a file, what was written; both do not fit on standard output.
expect 2 "$diglim" attest nonce --jsn
expect 0 "$diglim" attest nonce --json
[[ $out =~ ^\{\"nonce\":\"[0-9a-f]{64}\"\}$ ]] || fail "a nonce as JSON: $out"
for words in 'attest enroll-request -o -' 'seal SECRET -o -' 'unseal OBJECT' 'tls create-key -o -' \
	'attest quote --nonce 00112233445566778899 -o -'; do
	# shellcheck disable=SC2086 # words
	expect 2 "$diglim" $words --json
	contains "$words" "$err" "standard output has the result: name a file"
done
"$diglim" --json >state.json 2>&1
for key in good active set_up next lines.4; do "$top/selftests/lib/json" $key state.json >value || fail "diglim --json: no $key"; done
"$diglim" state --json >state.json 2>&1
for key in format version mode boot_id; do "$top/selftests/lib/json" $key state.json >value || fail "diglim state --json: no $key"; done

# What cannot be printed is no success: a few bytes wait in a buffer, many do not.
cannot_print() { # COMMAND...
	local status
	"$@" >/dev/full 2>"$work/err" </dev/null
	status=$?
	equal "$* on a full disk" "$status $(grep -c 'No space left on device' "$work/err")" "3 1"
}
cannot_print "$diglim" --help
cannot_print "$diglim" --version
cannot_print "$diglim" attest nonce
cannot_print "$diglim" attest nonce --json
cannot_print "$diglim" pcr predict --help
cannot_print "$LOADER" --help
seq 100000 | sed 's/.*/denied exec \/none&: it is open for writing; pid 1 uid 0 command x/' >many.log
mkdir many && cannot_print "$diglim" report --log many.log --root "$work/many" --json
echo x >x
cannot_print "$tools/compact_gen" -i x -d lists
cannot_print "$tools/rpm_gen" --help
expect 0 "$diglim" attest nonce

# Colours: errors red, advice bold; never in a pipe, never with NO_COLOR or a dumb terminal.
on_terminal() { # COMMAND...: what it prints on one
	python3 - "$@" <<-'PY'
		import os, pty, sys
		pid, terminal = pty.fork()
		if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
		while True:
		    try: data = os.read(terminal, 4096)
		    except OSError: break
		    if not data: break
		    sys.stdout.buffer.write(data)
		os.waitpid(pid, 0)
	PY
}
export TERM=xterm
unset NO_COLOR
line='denied exec /none: it is open for writing; pid 1 uid 0 command x'
said=$(on_terminal "$diglim" explain --root "$work" --keys "$work" "$line")
contains "advice is bold" "$said" $'\e[1mto do:   fuser -v /none\e[0m'
contains "errors are red" "$(on_terminal "$diglim" explain --last 0)" $'\e[31mdiglim explain: --last takes'
expect 1 "$diglim" explain --root "$work" --keys "$work" "$line"
[[ $out$err != *$'\e'* ]] || fail "colours in a pipe"
for none in NO_COLOR=1 TERM=dumb; do
	said=$(export "${none?}"; on_terminal "$diglim" explain --root "$work" --keys "$work" "$line")
	contains "$none" "$said" "to do:   fuser"
	[[ $said != *$'\e'* ]] || fail "colours with $none"
done
said=$(NO_COLOR='' on_terminal "$diglim" explain --root "$work" --keys "$work" "$line")
contains "an empty NO_COLOR says nothing" "$said" $'\e[1m'

# A page for each, with examples that begin with the verb.
for verb in $(diglim_verbs); do
	page=$top/packaging/man/diglim-$verb.1
	examples=$(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page")
	contains "examples of $verb" "$examples" "diglim $verb"
	# Each option in them is one that there is.
	offered=$("$diglim" "$verb" --help)
	for sub in $(diglim_subverbs "$verb"); do offered+=$("$diglim" "$verb" "$sub" --help); done
	for option in $(grep "diglim $verb" <<<"$examples" | long_options); do contains "example of $verb" "$offered" "$option"; done
done
finish
