#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the SCAP content is valid, each check passes on an enforcing host, and fails where its condition is broken, and no
# other one with it.
# Expected: no "not ok", exit 0. The host is a tree; selftests/host/living evaluates the same on a kernel that enforces.
. "$(dirname "$0")/../../lib/cli.sh"
. "$top/selftests/lib/scap.sh"
tools=$(realpath "$1")
diglim=$tools/diglim
scap=$top/packaging/scap
cd "$work" || exit 1
[ "$(id -u)" = 0 ] || { echo 'SKIPPED: scap: files of root are needed'; exit 77; }
umask 022

for file in xccdf oval; do
	expect 0 oscap $file validate "$scap/diglim-$file.xml"
	equal "$file is valid" "$(grep -v '^Warning\|^<?xml' <<<"$err$out")" ""
done
expect 0 oscap oval validate --schematron "$scap/diglim-oval.xml"
expect 0 oscap xccdf generate guide "$scap/diglim-xccdf.xml"
contains "guide" "$out" "DIGLIM denies all, and permits by exception"
contains "reference" "$out" "RHEL-09-433016"
# Each check that auditors name has its rule.
for reference in RHEL-09-433010 RHEL-09-433015 RHEL-09-433016 RHEL-10-200600 RHEL-10-200601 RHEL-09-213020 RHEL-10-701050 RHEL-09-651025 \
	'CM-7(2)' 'CM-7(5)(b)' 'SI-4(22)' ISM-1660 ISM-1582; do
	contains "reference" "$(cat "$scap/diglim-xccdf.xml")" ">$reference</reference>"
done
for kind in bash ansible; do
	expect 0 oscap xccdf generate fix --fix-type $kind --profile xccdf_org.diglim_profile_all --output fix.$kind "$scap/diglim-xccdf.xml"
	contains "$kind calls setup" "$(cat fix.$kind)" "diglim setup install --default --mode enforce"
done
expect 0 bash -n fix.bash
expect 0 python3 -c 'import sys, yaml
plays = yaml.safe_load(open("fix.ansible"))
tasks = [task for play in plays for task in play["tasks"]]
assert len(tasks) >= 8 and all(any(key.startswith("ansible.builtin.") for key in task) for task in tasks), tasks'
# What they call is no mistake of usage (2).
commands=0
while read -r line; do
	# shellcheck disable=SC2086 # words
	"$diglim" ${line#diglim } --root "$work/none" >called 2>&1
	[ $? != 2 ] && pass || fail "$line: $(cat called)"
	commands=$((commands + 1))
done < <(grep -h '^diglim ' fix.bash | sort -u)
[ $commands -ge 2 ] || fail "only $commands commands of diglim in fix.bash"

# A host that has it all; its state is written by diglim itself.
cat >loader <<'SH'
#!/bin/sh
cat <<JSON
{"mode":"enforce","generation":1,"loaded_at":1,"digests":20,"lists":[],"keys":["x509 CN=mine"],"unusable_keys":[],"left_out_keys":[],
"events":{"denied":2,"dropped":0,"logged":2,"not_logged":0,"not_written":0,"log_fault":"","keeper_restarts":0}}
JSON
SH
chmod 755 loader
mkdir -p good/{usr/sbin,usr/bin,etc/diglim/keys,etc/digest_lists,var/lib/diglim/allow,run/diglim,proc/sys/kernel/random,sys/kernel/security}
cp loader good/usr/sbin/diglim-loader && cp loader good/usr/bin/diglim
touch good/etc/diglim/keys/mine.pem good/etc/digest_lists/0-file_list-compact-x
echo 'BOOT_IMAGE=/vmlinuz rdinit=/usr/sbin/diglim-loader quiet' >good/proc/cmdline
cat /proc/sys/kernel/random/boot_id >good/proc/sys/kernel/random/boot_id
echo 0 >good/proc/sys/kernel/kexec_load_disabled
echo 'none [integrity] confidentiality' >good/sys/kernel/security/lockdown
printf '{\n  "list": "x",\n  "owner": "alice",\n  "reason": "a fix",\n  "until": 1900000000\n}\n' >good/var/lib/diglim/allow/x.json
expect 0 "$diglim" state --loader ./loader -o good/run/diglim/state

equal "all of it" "$(scap_failures "$work/good")" ""
# broken WHAT RULES COMMAND...: in a copy of the host, then these fail and no others. Its state is of now: one of ten minutes ago is none.
broken() {
	local what=$1 wanted=$2
	shift 2
	rm -rf bad && cp -a good bad
	(cd bad && shift_time 0 && "$@") || fail "$what: $*"
	equal "$what" "$(scap_failures "$work/bad")" "$wanted"
}
set_state() { sed -i "s/^$1 = .*/$1 = $2/" run/diglim/state && grep -q "^$1 = $2\$" run/diglim/state; }
set_line() { echo "BOOT_IMAGE=/vmlinuz $*" >proc/cmdline; }
shift_time() { set_state written_at_s $(($(date +%s) + $1)); }
set_record() {
	local record=var/lib/diglim/allow/x.json
	sed -i "s/\"$1\": .*[^,]\(,\\?\)\$/\"$1\": $2\1/" "$record" && grep -q "\"$1\": $2" "$record"
}
of_state='deny_all enabled events_complete events_logged exceptions_end exceptions_owner exceptions_reviewed keys no_other_kernel'
mode='deny_all no_other_kernel'
enabled='deny_all enabled no_other_kernel'
rdinit='rdinit=/usr/sbin/diglim-loader'

broken "no loader" installed rm usr/sbin/diglim-loader
broken "no program" installed chmod 644 usr/sbin/diglim-loader
broken "not started first" "$enabled" set_line quiet
broken "another init" "$enabled" set_line rdinit=/usr/sbin/diglim-loader.old
broken "not active" "$enabled" set_state mode inactive
broken "permissive" "$mode" set_state mode permissive
broken "measures only" "$mode" set_state mode measure
broken "monitor mode, in which no kernel is loaded" deny_all set_state mode monitor
broken "two modes" "$mode" sed -i '$a mode = permissive' run/diglim/state
broken "permissive by the command line" "$mode" set_line $rdinit diglim.mode=permissive
broken "permissive for init" "$mode" set_line $rdinit -- -p
permissive_without_kexec() { set_state mode permissive && echo 1 >proc/sys/kernel/kexec_load_disabled; }
broken "permissive, but the kernel refuses kexec" deny_all permissive_without_kexec
broken "a state of another boot" "$of_state" set_state boot_id 01234567-89ab-cdef-0123-456789abcdef
broken "an old state" "$of_state" shift_time -700
broken "a state of the future" "$of_state" shift_time 700
broken "no state" "$of_state" rm run/diglim/state
broken "no /run/diglim" "$of_state" rm -r run/diglim
broken "a state that others may write" "$of_state own_files" chmod 666 run/diglim/state
broken "an empty state" "$of_state" truncate -s 0 run/diglim/state
broken "no owner" exceptions_owner set_record owner '""'
broken "no reason" exceptions_owner set_record reason '""'
broken "no record" exceptions_owner set_state exceptions_damaged 1
broken "no end" exceptions_end set_record until 0
broken "over" exceptions_end set_state exceptions_over 1
broken "older than a year" exceptions_reviewed set_state exceptions_older_than_a_year 1
broken "no keeper" events_logged set_state log fault
broken "lost events" events_complete set_state not_logged 3
broken "no key" keys set_state keys 0
broken "a key that does not count" keys set_state unusable_keys 1
broken "another's list" own_files chown 12 etc/digest_lists/0-file_list-compact-x
broken "a key that others may write" own_files chmod o+w etc/diglim/keys/mine.pem
broken "a directory that a group may write" own_files chmod g+w var/lib/diglim/allow
broken "another's program" own_files chown 12 usr/bin/diglim
no_lockdown() { echo '[none] integrity confidentiality' >sys/kernel/security/lockdown; }
broken "no lockdown" lockdown no_lockdown
finish
