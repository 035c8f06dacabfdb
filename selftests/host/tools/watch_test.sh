#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim setup install --enforce-when-clean switches the next boot to enforcing after enough days that are proved to be clean, never
# without that proof, and back if the proof breaks before the reboot.
# Expected: no "not ok", exit 0. Needs root (chroot), a static busybox, systemd-journal-remote.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
. "$(dirname "$0")/setup_host.sh"
[ "$(id -u)" = 0 ] || { echo "SKIPPED: needs root"; exit 77; }
cd "$work" || exit 1
prepare_host || { echo "FAIL: cannot make a signed package: $(cat ./*.log)"; exit 1; }
make_bls bls
touch bls/usr/lib/systemd/system/diglim-watch.timer
install=(setup install --rpm-keys --seconds 0 --enforce-when-clean 2)
journal=host/var/log/journal/0123456789abcdef0123456789abcdef
day=86400 at=1000000

# What the journal gets: MESSAGE [TRANSPORT [IDENTIFIER]].
log() {
	mkdir -p $journal
	at=$((at + 1))
	printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n_BOOT_ID=0123456789abcdef0123456789abcdef\n' "${clock:-170000000}$at" $at >entry
	printf '_TRANSPORT=%s\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n\n' "${2:-kernel}" "${3:-diglim}" "$1" >>entry
	/lib/systemd/systemd-journal-remote -o $journal/system.journal - <entry >remote.log 2>&1 || fail "journal: $(cat remote.log)"
}
# What the loader says: BOOT SECONDS DENIED [MODE]; nothing: it is not active.
status() {
	printf '{"mode":"%s","monitor":{"boot":"%s","boot_seconds":%s},' "${4:-permissive}" "$1" "$2" >status
	printf '"events":{"denied":%s,"log_fault":""}}' "$3" >>status
}
printf '#!/bin/sh\nexec cat "%s/status"\n' "$work" >loader
chmod 755 loader
look() { # SAYS
	expect 0 "$diglim" setup watch --root "$work/host" --chroot --seconds "${seconds:-0}" --loader "$work/loader"
	contains "watch" "$out" "$1"
}
next_boot() { # MODE
	equal "the next boot" "$(grep -h ^options host/boot/loader/entries/0123-6.1.0.conf)" \
		"options root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=$1"
	equal "its way back in" "$(grep -h ^options host/boot/loader/entries/0123-0-diglim-permissive.conf)" \
		'options root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=permissive'
	equal "new kernels" "$(cat host/etc/kernel/cmdline)" "root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=$1"
}
denial='would deny exec /x: not on any digest list; pid 1 uid 0 command sh'
begin() { # a host that is watched, and was clean for a day and an hour, over two boots
	fresh bls
	expect 0 "${install[@]}"
	log 'Linux version 6.1' kernel kernel
	status a 3600 0
	look 'enforces after 2 more clean days'
	status b $day 0
	look 'enforces after 1 more clean day'
}

begin
next_boot permissive
equal "the timer" "$(readlink host/etc/systemd/system/timers.target.wants/diglim-watch.timer)" /usr/lib/systemd/system/diglim-watch.timer
# Enough: the next boot enforces. What users send to syslog is no denial, nor is a line of another program.
log "$denial" syslog
log "$denial" kernel other
status b $((2 * day)) 0
look 'nothing would have been denied for 2 days: DIGLIM enforces from the next boot on'
next_boot enforce
status b $((2 * day + 3600)) 0
look 'enforces from the next boot on'
# Something would have been denied before that boot.
status b $((2 * day + 7200)) 1
look 'the next boot does not enforce after all: 1 would have been denied'
next_boot permissive
status b $((9 * day)) 1
look 'enforces after a clean reboot'
next_boot permissive
status c 60 0
look 'DIGLIM enforces from the next boot on'
next_boot enforce
status d 60 0 enforce
look 'DIGLIM is in the mode enforce: nothing is watched any more'
next_boot enforce
look 'nothing to watch'
expect 0 setup uninstall
rm -rf host/var/log
same_trees bls host "uninstall"

# A look that was killed while it switched has still switched the next boot; the next look sets it back, or completes it.
begin
status b $((2 * day)) 0
look 'DIGLIM enforces from the next boot on'
killed() { sed -i 's/"switched": true/"switched": false/; s/"switching": false/"switching": true/' "$watched"; }
watched=$(grep -rl '"switching"' host/var host/etc)
killed
status b $((2 * day + 3600)) 0
look 'DIGLIM enforces from the next boot on'
next_boot enforce
killed
status b $((2 * day + 7200)) 1
look 'the next boot does not enforce after all: 1 would have been denied'
next_boot permissive

# The kernel's count and the journal's lines: one of the two is enough. The clock was set back meanwhile.
begin
clock=160000000 log "$denial"
status c $((3 * day)) 0
look 'enforces after 2 more clean days and a clean reboot; last set back: 1 would have been denied'
begin
log '5 events were lost: the ring buffer was full'
status c $((3 * day)) 0
look 'last set back: 5 would have been denied'
begin
status b $((3 * day)) 7
look 'last set back: 7 would have been denied'
next_boot permissive

# No evidence is not clean.
begin
rm -r $journal
status b $((3 * day)) 0
look 'last set back: there is no journal'
begin
rm -r $journal
log 'Linux version 6.1' kernel kernel # one that is not kept over boots begins anew
status c $((3 * day)) 0
look 'last set back: the journal does not go back to the last look'
status c $((5 * day)) 0
look 'enforces after a clean reboot'
begin
truncate -s 4096 $journal/system.journal
status b $((3 * day)) 0
look 'last set back: '
begin
: >status
look 'last set back: DIGLIM was not active'
next_boot permissive
echo '{' >host/var/lib/diglim/enforce-when-clean.json
expect 3 "$diglim" setup watch --root "$work/host" --chroot --seconds 0 --loader "$work/loader"
contains "damaged" "$err" "is damaged: run diglim setup install --enforce-when-clean again"
next_boot permissive

# What nobody used meanwhile, and would be denied.
begin
make_package unsigned && install_package host unsigned || fail "unsigned: $(cat ./*.log)"
status b $((3 * day)) 0
look 'it does not enforce: '
next_boot permissive
status b $((3 * day + 60)) 0
look 'enforces after 1 more clean day; last set back: '
next_boot permissive

# An installation says what holds from then on.
begin
expect 0 setup install --rpm-keys --seconds 0 --mode permissive
look 'nothing to watch'
expect 2 setup install --rpm-keys --seconds 0 --enforce-when-clean 0
expect 2 setup install --rpm-keys --seconds 0 --enforce-when-clean 3 --mode enforce
expect 2 setup install --rpm-keys --seconds 0 --enforce-when-clean 3 --no-boot-loader
rm host/usr/lib/systemd/system/diglim-watch.timer
expect 3 "${install[@]}"
contains "no timer" "$err" "diglim-watch.timer is not there"
finish
