#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the man pages are well-formed and complete: each verb, option, setting and kernel log message is in them.
# Expected: no "not ok", exit 0; 77 without mandoc.
# Usage: man_test.sh LOADER FOLDER_OF_TOOLS
top=$(cd "$(dirname "$0")/../../.." && pwd)
LOADER=$(realpath "$1") TOOLS=$(realpath "$2")
. "$top/selftests/lib/cli.sh"
. "$top/selftests/host/man/lib.sh"
man=$top/packaging/man
command -v mandoc >/dev/null || { echo "SKIPPED: no mandoc"; exit 77; }

page() { mandoc -Tascii -O width=1000 "$man/$1" | sed $'s/.\b//g' | tr -s ' \n' ' '; } # wide: no line breaks within a word
for file in "$man"/*.[1-8]; do
	expect 0 mandoc -Tlint -W warning "$file"
done

text=$(page diglim-loader.8)
verbs=$(loader_verbs)
[ "$(wc -w <<<"$verbs")" -ge 5 ] || fail "too few verbs in --help: $verbs"
for verb in $verbs; do
	contains "verb" "$text" " $verb "
	for option in $("$LOADER" "$verb" --help | long_options); do contains "option of $verb" "$text" " $option"; done
done
for option in $("$LOADER" --help | long_options); do contains "option" "$text" " $option"; done

for tool in compact_gen rpm_gen; do
	tool_text=$(page $tool.1)
	for option in $("$TOOLS/$tool" --help | long_options); do contains "$tool" "$tool_text" "$option"; done
done

text=$(page diglim-events.8)
for option in $("$TOOLS/diglim-events" --help | long_options); do contains "diglim-events" "$text" "$option"; done
keys=0
while read -r key; do
	contains "setting of events.conf" "$(page diglim-events.conf.5)" " $key = "
	keys=$((keys + 1))
done < <(sed -n 's/^ *if (key == "\([a-z-]*\)").*/\1/p' "$top/tools/events/config.cpp")
[ $keys -ge 5 ] || fail "only $keys settings found in tools/events/config.cpp"
# Each field, and each kind of message in the catalog.
while read -r field; do contains "field of events" "$text" "$field"; \
  done < <(sed -n 's/.*fields\.\(text\|number\)("\([a-z_]*\)".*/\2/p' "$top/tools/events/event.cpp")
while read -r id; do contains "catalog" "$(<"$top/packaging/catalog/diglim.catalog")" "-- $id"; \
  done < <(sed -n 's/^constexpr char k[A-Za-z]*\[\] = "\([0-9a-f]\{32\}\)";/\1/p' "$top/tools/events/event.cpp")
text=$(page diglim-loader.8)

# diglim: a page for each verb, and each in the overview.
overview=$(page diglim.1)
for verb in $(diglim_verbs); do
	contains "overview" "$overview" "diglim-$verb(1)"
	verb_text=$(page "diglim-$verb.1")
	for option in $("$TOOLS/diglim" "$verb" --help | long_options); do contains "diglim $verb" "$verb_text" "$option"; done
done

subs=0
for verb in $(diglim_verbs); do
	verb_text=$(page "diglim-$verb.1")
	for sub in $(diglim_subverbs "$verb"); do
		contains "diglim $verb" "$verb_text" " $sub "
		for option in $("$TOOLS/diglim" "$verb" "$sub" --help | long_options); do contains "diglim $verb $sub" "$verb_text" "$option"; done
		subs=$((subs + 1))
	done
done
[ $subs -ge 8 ] || fail "only $subs verbs below verbs found"
for option in $("$top/tools/diglim_user_client" --help | long_options); do contains "diglim_user_client" "$(page diglim_user_client.1)" \
  "$option"; done

# Each message that an event can have, from the source.
count=0
while read -r message; do
	contains "message of the kernel log" "$text" "$message"
	count=$((count + 1))
done < <(sed -n '/kGuards\[\]/,/};/s/.*"\([^"]\{3,\}\)".*/\1/p' "$top/lib/events/event_line.cpp"
	sed -n '/kReasons\[\]/,/};/s/^[^"]*"\([^"({]*[a-z]\).*/\1/p' "$top/lib/events/reasons.cpp")
[ $count -ge 30 ] || fail "only $count messages found in event_line.cpp and reasons.cpp"
# What the rpm plugin says, up to the first point: its literals, but for what it cuts off from the loader's lines.
plugin=$(page diglim-rpm-plugin.8)
count=0
while read -r message; do
	contains "message of the rpm plugin" "$plugin" "$message"
	count=$((count + 1))
done < <(grep -hv '#include\|rpmlog(\|kSaysWho\|no reason given' "$top/rpm-plugin/plugin.cpp" "$top/lib/installed/transaction.cpp" |
	grep -oE '"[^"]{12,}"' |
	sed -E 's/^" *//; s/"$//; s/[.:;(].*//; s/ +$//' | awk 'length >= 12' | sort -u)
[ $count -ge 4 ] || fail "only $count messages found in the rpm plugin"
conf=$(page diglim-loader.conf.5)
while read -r key; do contains "setting" "$conf" "$key = "; \
  done < <(sed -n 's/^ *if (key == "\([a-z-]*\)").*/\1/p' "$top/policy/config.cpp")
finish
