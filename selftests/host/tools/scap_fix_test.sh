#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: each script that the SCAP content has as a remedy makes its rule pass on a host that failed it.
# Expected: no "not ok", exit 0. oscap itself remedies nothing in another root ("not implemented"), so it writes the script of the rule that
# failed, and a chroot runs it. There diglim is the real one; the loader, dnf and systemctl do the little that counts here, and "reboot"
# takes the command line that setup wrote.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
. "$top/selftests/lib/scap.sh"
diglim=$(realpath "$1")/diglim
. "$(dirname "$0")/setup_host.sh"
cd "$work" || exit 1
[ "$(id -u)" = 0 ] && unshare -m true || { echo 'SKIPPED: scap_fix: needs root, and a mount namespace of its own'; exit 77; }
umask 022

# --- the host ---
prepare_host || { echo "FAIL: cannot make a signed package: $(cat ./*.log)"; exit 1; }
make_bls host
mkdir -p host/{self,run/diglim,usr/local/bin,proc/sys/kernel/random,sys/kernel/security,var/lib/diglim/allow,packages}
for applet in chmod chown chroot cp ln mkdir rm sysctl touch; do ln -s busybox "host/bin/$applet"; done
cp "$diglim" host/usr/bin/
ldd "$diglim" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' | sort -u | while read -r library; do
	mkdir -p "host${library%/*}" && cp -L "$library" "host$library"
done
cp -r /usr/lib/rpm host/usr/lib/
echo root:x:0:0::/:/bin/sh >host/etc/passwd
echo root:x:0: >host/etc/group
# setup finds the boot loader of a directory, as in its own test.
program host/usr/local/bin/diglim <<'SH'
[ "$1" = setup ] || exec /usr/bin/diglim "$@"
shift 2
exec /usr/bin/diglim setup install --root /self --chroot --seconds 0 "$@"
SH
program host/usr/bin/dnf <<'SH'
[ "$*" = '-y install diglim diglim-rpm-plugin diglim-dracut' ] && cp /packages/diglim-loader /usr/sbin/
SH
program host/usr/bin/systemctl <<'SH'
[ "$*" = 'enable --now diglim-state.timer' ] && ln -sf "/usr/lib/systemd/system/$3" /etc/systemd/system/
SH
# Active if the kernel started it; asked, it starts another keeper.
cat >host/packages/diglim-loader <<'SH'
#!/bin/sh
grep -q rdinit=/usr/sbin/diglim-loader /proc/cmdline || exit 3
mode=enforce fault=
if grep -q diglim.mode=permissive /proc/cmdline || grep -qs '^mode = permissive' /etc/diglim/loader.conf; then mode=permissive; fi
if [ -e /run/no-keeper ]; then fault='there was no keeper'; rm /run/no-keeper; fi
cat <<JSON
{"mode":"$mode","generation":1,"loaded_at":1,"digests":20,"lists":[],"keys":["x509 CN=mine"],"unusable_keys":[],"left_out_keys":[],
"events":{"denied":2,"dropped":0,"logged":2,"not_logged":0,"not_written":0,"log_fault":"$fault","keeper_restarts":0}}
JSON
SH
chmod 755 host/packages/diglim-loader
echo 'none [integrity] confidentiality' >host/sys/kernel/security/lockdown

in_host() {
	unshare -m sh -c 'mount --bind host host/self && exec chroot host env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin "$@"' sh "$@"
}
ln -s ../../bin/busybox host/usr/bin/env
# What the timer does.
write_state() { in_host /usr/bin/diglim state -o /run/diglim/state; }
reboot() {
	rm -rf host/run/* && mkdir host/run/diglim
	sed -n 's/^options //p' host/boot/loader/entries/0123-6.1.0.conf >host/proc/cmdline
	cat /proc/sys/kernel/random/uuid >host/proc/sys/kernel/random/boot_id
	echo 0 >host/proc/sys/kernel/kexec_load_disabled
	! find host/etc -name diglim-state.timer | grep -q . || write_state
}
tried=()
# fixed RULE COMMAND...: the rule fails; its script alone, and then the command, make it pass.
fixed() {
	local rule=$1 id=xccdf_org.diglim_rule_$1
	shift
	tried+=("$rule")
	contains "$rule fails" " $(scap_failures "$work/host") " " $rule "
	OSCAP_PROBE_ROOT=$work/host oscap xccdf eval --profile xccdf_org.diglim_profile_all --rule "$id" --results results.xml \
		"$top/packaging/scap/diglim-xccdf.xml" >eval.log 2>&1
	expect 0 oscap xccdf generate fix --fix-type bash --result-id '' --output host/fix results.xml
	equal "$rule: a script for it alone" "$(sed -n "s/^# BEGIN fix (.*) for '\(.*\)'/\1/p" host/fix)" "$id"
	expect 0 in_host sh /fix
	rm host/fix
	"$@"
	local failures
	failures=" $(scap_failures "$work/host") "
	[[ $failures != *" $rule "* ]] && pass || fail "$rule still fails, with $failures: $out $err"
}
all_well() { equal "$1: all is well" "$(scap_failures "$work/host")" ''; }

# --- from nothing to a host that enforces ---
rm host/usr/sbin/diglim-loader
reboot
fixed installed true
fixed enabled reboot
all_well enabled

# --- permissive, and back ---
in_host diglim setup install --default --mode permissive >permissive.log 2>&1 || fail "permissive: $(cat permissive.log)"
reboot
cp -a host permissive
fixed no_other_kernel true
equal "until the reboot the kernel refuses" "$(cat host/proc/sys/kernel/kexec_load_disabled)" 1
contains "nothing else does before" " $(scap_failures "$work/host") " ' deny_all '
reboot
all_well no_other_kernel
rm -rf host && mv permissive host
fixed deny_all reboot
all_well deny_all

# --- an exception whose time is over ---
openssl req -x509 -newkey rsa:2048 -nodes -keyout mine.key -out mine.pem -days 30 -subj /CN=mine 2>/dev/null
cp mine.pem host/etc/diglim/keys/
mkdir host/opt && printf '#!/bin/sh\n' >host/opt/tool && chmod 755 host/opt/tool
expect 0 "$diglim" allow host/opt/tool --root host --for 1s --reason 'a fix' --owner dev -k mine.key -c mine.pem
sleep 2
write_state
fixed exceptions_end write_state
equal "it is gone" "$(ls host/var/lib/diglim/allow; find host/etc/digest_lists -name '*allow*')" ''
all_well exceptions_end

# --- no keeper; without the script the next look would find none either ---
touch host/run/no-keeper
write_state
touch host/run/no-keeper
fixed events_logged write_state
all_well events_logged

# --- files that others own or may write to ---
chown 12 host/etc/digest_lists/* host/usr/bin/diglim
chmod go+w host/etc/diglim/keys host/var/lib/diglim/allow host/run/diglim/state
fixed own_files true
all_well own_files

equal "each rule that has a script was tried" "$(printf '%s\n' "${tried[@]}" | sort | xargs)" \
	"$(sed -n 's/.*<fix id="fix_\(.*\)_sh" .*/\1/p' "$top/packaging/scap/diglim-xccdf.xml" | sort | xargs)"
finish
