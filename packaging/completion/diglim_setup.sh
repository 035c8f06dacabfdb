# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bash completion for diglim_setup.sh(1), which is `diglim setup`
_diglim_setup() {
	local cur=${COMP_WORDS[COMP_CWORD]} help
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "install uninstall -h --help" -- "$cur")
		return
	fi
	if [[ $cur == -* ]]; then
		help=$(diglim setup "${COMP_WORDS[1]}" --help 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' <<<"$help" | tr -d ' ,' | sort -u)" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
	fi
}
complete -F _diglim_setup diglim_setup.sh
