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

# JSON from each verb that prints a result. Of those without, seal and unseal print what they made, and the rest of attest writes files;
# metrics is a format of its own: Prometheus'.
for verb in $(diglim_verbs); do
	help=$("$diglim" "$verb" --help)
	for sub in $(diglim_subverbs "$verb"); do help+=$("$diglim" "$verb" "$sub" --help); done
	case $verb in
	seal | unseal | metrics) [[ $help != *--json* ]] || fail "$verb has --json: then this test is to be changed" ;;
	*) contains "$verb --json" "$help" "--json" ;;
	esac
done
"$diglim" --json >state.json 2>&1
for key in good active set_up next lines.4; do "$top/selftests/lib/json" $key state.json >value || fail "diglim --json: no $key"; done
"$diglim" state --json >state.json 2>&1
for key in format version mode boot_id; do "$top/selftests/lib/json" $key state.json >value || fail "diglim state --json: no $key"; done

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
