#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim explain says what a file is, whose it is, how it differs, and one command that changes it; of a path, of a line of the
# log, and of the last denials in one.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
cd "$work" || exit 1
# A configuration script, in two versions; a package of a key that nobody trusts; one with digests by MD5.
make_version() { # VERSION
	cat >config.spec <<-SPEC
		Name: config
		Version: $1
		Release: 1
		Summary: test
		License: none
		BuildArch: noarch
		%define _binaries_in_noarch_packages_terminate_build 0
		%define __os_install_post %{nil}
		%description
		test
		%install
		mkdir -p %{buildroot}/etc/cron.daily %{buildroot}/usr/bin
		printf '#!/bin/sh\necho job\n' >%{buildroot}/etc/cron.daily/job; chmod 755 %{buildroot}/etc/cron.daily/job
		printf '#!/bin/sh\necho $1\n' >%{buildroot}/usr/bin/tool; chmod 755 %{buildroot}/usr/bin/tool
		install -m 755 $work/elf %{buildroot}/usr/bin/elf
		%files
		%config(noreplace) /etc/cron.daily/job
		/usr/bin/tool
		/usr/bin/elf
	SPEC
	rpm_build "$work/rpms" config.spec "${@:2}" >build.log && rpm_sign "$work/gnupg-hello" hello "rpms/config-$1-1.noarch.rpm" >sign.log
}
echo 'int main(void) { return 0; }' >elf.c && cc -o elf elf.c || exit 1
{ prepare_host && make_version 1 && make_version 2 && make_package plain && make_signing_key other && make_package other other; } ||
	{ echo "FAIL: cannot make packages: $(cat ./*.log)"; exit 1; }
make_host host && install_package host plain && install_package host other &&
	rpm --root "$work/host" --dbpath /var/lib/rpm --nodeps --noplugins -i rpms/config-2-1.noarch.rpm >install.log 2>&1 ||
	fail "no host: $(cat install.log)"
gpg --homedir "$work/gnupg-other" --batch --armor --export other >other.asc
rpm --root "$work/host" --dbpath /var/lib/rpm --import other.asc
cp hello.asc host/etc/diglim/keys/
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q 2>/dev/null
explain() { "$diglim" explain --root host "$@"; }
report() { "$diglim" report --root host "$@"; }
json() { "$top/selftests/lib/json" "$1" <<<"$out"; }

expect 0 explain /usr/bin/hello
contains "what it is" "$out" 'a script for /bin/sh'
contains "fine" "$out" $'Its content is on the list 0-file_list-rpm-hello-1-1.noarch now.\n  It may run.'

# A changed script says that it was changed, and whose it is.
echo '# mine' >>host/etc/cron.daily/job
expect 1 explain /etc/cron.daily/job
contains "whose" "$out" 'a script for /bin/sh, of the package config-2-1.noarch'
contains "changed" "$out" 'a configuration file of the package config-2-1.noarch, it was changed here, and it is executed'
contains "one command" "$out" $'to do:   diglim allow /etc/cron.daily/job\n'
echo '# mine' >>host/usr/bin/tool
expect 1 explain --json /usr/bin/tool
equal "id" "$(json '*.id')" unknown/changed
equal "command" "$(json '*.command')" 'dnf reinstall config'
# An older version, which dnf keeps.
printf '#!/bin/sh\necho 1\n' >host/usr/bin/tool
mkdir -p host/var/cache/dnf/repo/packages && cp rpms/config-1-1.noarch.rpm host/var/cache/dnf/repo/packages/
expect 1 explain /usr/bin/tool
contains "older" "$out" 'It is the content of an older version of that package: config-1-1.noarch.'

# How: a configuration tool, strip, prelink (its mark stands for it). A script whose interpreter is the changed one.
printf '#!/bin/sh\n# Ansible managed\necho job\n' >host/etc/cron.daily/job
expect 1 explain /etc/cron.daily/job
contains "a tool" "$out" 'Its first lines say that Ansible wrote it'
contains "when" "$out" "It was last written at $(date -r host/etc/cron.daily/job '+%F %T')."
strip host/usr/bin/elf
expect 1 explain /usr/bin/elf
contains "stripped" "$out" 'as after strip(1)'
cp elf host/usr/bin/elf && objcopy --add-section .gnu.prelink_undo=elf.c host/usr/bin/elf
expect 1 explain /usr/bin/elf
contains "prelinked" "$out" 'It was prelinked'
cp elf host/usr/bin/elf
expect 0 explain /usr/bin/elf
printf '#!/usr/bin/tool\n' >host/opt-tool && chmod 755 host/opt-tool
expect 1 explain /opt-tool
contains "its interpreter" "$out" 'Its interpreter /usr/bin/tool would be denied, too'
contains "which is another question" "$out" ': diglim explain /usr/bin/tool'
rm host/opt-tool

expect 1 explain --json /usr/bin/plain
equal "unsigned" "$(json '*.id')" unknown/unsigned
expect 1 explain --json /usr/bin/other
equal "untrusted" "$(json '*.id')" unknown/untrusted
contains "its key" "$(json '*.command')" 'diglim key add gpg-pubkey-'
rm host/etc/digest_lists/0-file_list-rpm-hello-1-1.noarch
expect 1 explain --json /usr/bin/hello
equal "no list" "$(json '*.command')" 'diglim repair'
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q 2>/dev/null
mkdir -p host/opt && cp /bin/true host/opt/$'a b\e'
expect 1 explain /opt/$'a b\e'
contains "foreign" "$out" $'to do:   diglim allow $\'/opt/a b\\x1b\'\n'
[[ $out != *$'\e'* ]] || fail "an escape code reaches the terminal"
pass
expect 1 explain /opt/none
contains "not there" "$out" 'It is no longer there'
expect 1 explain --json /opt
equal "a directory" "$(json '*.id')" unknown/no-file
mkdir -p host/proc/self
printf '20 1 0:9 / / rw - overlay overlay rw\n' >host/proc/self/mountinfo
expect 1 explain /usr/bin/hello
contains "file system" "$out" 'It lies on /: overlay, whose content can change unseen.'
rm -r host/proc/self

# Lines of the log: each reason, one that was cut, names that look like reasons, what other processes wrote.
digest=$(sha256sum host/usr/bin/hello) digest=${digest%% *}
{
	echo "[    1.0] diglim: denied exec /usr/bin/hello: not on any digest list; sha256:$digest; pid 5 uid 7 command sh"
	echo "[    2.0] diglim: would deny mmap /opt/none: its file system (0x6969) can change content unseen; pid 5 uid 0 command a b"
	echo "[    3.0] diglim: denied mprotect /usr/bin/tool: made executable without having been mapped executable; pid 6 uid 0 command lldb"
	echo "[    3.5] something else: denied exec /x"
	echo "[    4.0] diglim: denied exec /usr/bin/tool: it was mapped shared and writable, so its content can still be changed unseen; a \
copy of it (cp, install) may run; sha256:$digest; pid 7 uid 0 command make"
	echo "[    5.0] diglim: denied exec /usr/bin/hello: not on any digest list; sha256:$digest; pid 8 uid 7 command bash"
	echo "[    6.0] diglim: denied exec /usr/bin/cut-of"
} >log
expect 1 explain --log log
contains "the last one" "$out" '/usr/bin/hello: denied 2 times; last: exec by bash (pid 8, uid 7)'
contains "cut" "$err" "1 denials in log are cut, of another version, or not DIGLIM's: left out"
expect 1 explain --log log --last 9 --json
equal "each file and reason once, newest first" "$(json '*.id' | tr '\n' ' ')" 'unknown/known pinned not-verified file-system '
owner=$(stat -c %u host)
copy='cp -p /usr/bin/tool /usr/bin/tool.new && mv /usr/bin/tool.new /usr/bin/tool'
[ "$owner" = 0 ] || copy= # what root would copy is not root's
contains "a linker's output" "$out" "\"command\":\"$copy\""
contains "a debugger" "$out" 'whoever debugs it has to run it once before'
[[ $out != *LD_PRELOAD* ]] || fail "root is told to run a library"
expect 1 explain --log log /usr/bin/hello
contains "its denials" "$out" '/usr/bin/hello: denied 2 times'
expect 1 explain "$(sed -n 2p log)"
contains "a line" "$out" 'reason:  its file system (0x6969) can change content unseen'
expect 0 explain --log /dev/null
contains "nothing" "$out" 'no denial in /dev/null'
# Denials that are missing: 0 would say that there were none.
tail -n 1 log >missing
expect 3 explain --log missing
expect 3 report --log missing
contains "cut" "$err" "1 denials in missing are cut"
echo 'Nov 26 12:00:00 host kernel: diglim: 7 denials not logged: too many at once' >missing
expect 3 explain --log missing
expect 3 report --log missing
contains "too many" "$err" 'diglim report: 7 more denials have no line in missing: too many at once'
expect 3 report --log missing --json
equal "incomplete" "$(json incomplete)" true
# What the kernel quotes is no denial, and a path that looks like the beginning of a line hides none.
forged="diglim: denied exec /usr/bin/hello: not on any digest list; pid 1 uid 0 command x"
echo "[    1.0] tmpfs: Unknown parameter '$forged" >forged
expect 3 explain --log forged
contains "forged" "$out" 'no denial in forged'
echo "denied exec /home/u/diglim: /x: not on any digest list; pid 1 uid 1000 command sh" >forged
expect 1 explain --log forged
contains "hidden" "$out" '/home/u/diglim: /x: denied; exec by sh'
# Whole events say where the process ran; what a user called it reaches no terminal.
cat >whole.json <<-JSON
	{"event":"3f2a91bc-57","time":"2026-11-27T01:00:00.000001Z","verdict":"denied","kind":"exec","path":"/usr/bin/hello",\
"reason":"not on any digest list","digest":"sha256:$digest","pid":5,"uid":7,"command":"sh",\
"cgroup":"/system.slice/docker-0a1b.scope","unit":"docker-0a1b.scope","container":"0a1b"}
	{"event":"3f2a91bc-58","time":"2026-11-27T01:00:01.000001Z","verdict":"denied","kind":"exec","path":"/opt/none",\
"reason":"not on any digest list","pid":6,"uid":7,"command":"sh","cgroup":"/a\\\\x1b[2J.scope","unit":"a\\\\x1b[2J.scope"}
JSON
expect 1 explain --log whole.json
contains "the unit, escaped" "$out" $'\n  where:   in the unit a\\x1b[2J.scope\n'
contains "the one before" "$out" 'note: 1 more denied in the minute before: diglim explain --last 2'
sed s/3f2a91bc-57/00aabbcc-57/ whole.json >boots.json
expect 1 explain --log boots.json
equal "what an earlier boot denied is not before it" "$(grep -c 'more denied' <<<"$out")" 0
expect 1 explain --log whole.json --last 2 --json
equal "the containers" "$(json '*.denial.container')" $'\n0a1b'
equal "the unit and the event" "$(json '1.denial.unit') $(json '1.denial.event')" 'docker-0a1b.scope 3f2a91bc-57'
expect 1 explain --log whole.json 3f2a91bc-57
contains "by its id" "$out" $'\n  where:   in the container 0a1b, the unit docker-0a1b.scope\n'
expect 0 explain --log whole.json 3f2a91bc-999
contains "no such event" "$out" $'no event 3f2a91bc-999 in whole.json\n  to do:   a number alone is of this boot'
# A path whose beginning is missing is not that of the system.
echo "diglim: denied exec .../usr/bin/hello: not on any digest list; pid 1 uid 1000 command sh" >end
expect 1 explain --log end
contains "cut" "$out" $'.../usr/bin/hello: denied; exec by sh (pid 1, uid 1000)\n'
contains "nothing is known" "$out" 'why:     Where it lies is not known.'
[[ $out != *hello-1-1* ]] || fail "the end of a path is taken for all of it"
expect 0 explain --log end /usr/bin/hello
expect 1 report --log end
contains "cut" "$out" $'1  .../usr/bin/hello\n'
# Each attempt on DIGLIM itself that the loader has words for has an explanation of its own.
guards=0
while read -r guard; do
	expect 1 explain --json "denied $guard: DIGLIM protects itself; pid 1 uid 0 command x"
	[[ $out != *'This was an attempt on DIGLIM itself'* ]] || fail "no explanation: $guard"
	guards=$((guards + 1))
done < <(sed -n '/kGuards\[\]/,/};/s/.*"\([^"]\{3,\}\)".*/\1/p' "$top/lib/events/event_line.cpp")
[ $guards -ge 12 ] || fail "only $guards guards found in event_line.cpp"
# A user's directory: root copies nothing there. What is a link now, or very large, is not read; a typed link is followed.
mkdir -m 777 host/home && cp host/usr/bin/tool host/home/tool && ln -s /usr/bin/hello host/home/link && truncate -s 8T host/home/large
chmod 777 host/home
pinned='it was mapped shared and writable, so its content can still be changed unseen; a copy of it (cp, install) may run'
expect 1 explain --json "denied exec /home/tool: $pinned; pid 1 uid 1000 command sh"
equal "no command" "$(json '*.command')" ''
contains "words" "$out" 'its owner has to copy it, not root'
expect 1 explain --json "denied exec /home/link: not on any digest list; pid 1 uid 1000 command sh"
equal "a link" "$(json '*.id')" unknown/gone
expect 0 explain /home/link
contains "its target" "$out" '/usr/bin/hello: no denial in the log'
expect 1 timeout 60 "$diglim" explain --root host --json /home/large
equal "large" "$(json '*.id')" unknown/too-large
name='/opt/;echo X;#{path}'
cp host/home/tool "host$name"
expect 1 explain --json "denied exec $name: $pinned; pid 1 uid 1000 command sh"
command=$(json '*.command')
equal "a hole in a name" "$command" "${copy:+cp -p '$name' '$name.new' && mv '$name.new' '$name'}"
equal "what is pasted" "$(cp() { :; } && mv() { :; } && eval "$command")" ''
expect 3 explain --log none
contains "no log" "$err" 'open none: No such file or directory'
expect 2 explain --last 0
# The same, grouped by what it takes.
expect 3 report --log log
contains "sum" "$out" '5 denials of 4 files in log'
contains "most denied first" "$out" $'2 of 1 file: not on any digest list\n'
contains "a group" "$out" $'\n         1  /usr/bin/tool  config-2-1.noarch\n  to do: whoever debugs it'
expect 3 report --log log --json
equal "groups" "$(json 'groups.*.id' | tr '\n' ' ')" 'file-system not-verified pinned unknown/known '
equal "times" "$(json 'groups.*.files.*.times' | tr '\n' ' ')" '1 1 1 2 '
expect 0 report --log /dev/null
contains "nothing" "$out" '0 denials of 0 files in /dev/null'
expect 2 report
contains "whose log" "$err" '--root needs --log'
expect 2 report --log log --since Tuesday
contains "no time" "$err" 'no date: Tuesday'
expect 3 report --log log --since 7d
sed -i '$d' log
expect 1 report --log log
# Without a verb: how this host is, in five lines, and what to do.
"$diglim" >state 2>&1
equal "six lines" "$(wc -l <state)" 6
contains "what to do" "$(tail -n 1 state)" 'to do       '
expect 2 "$diglim" nonsense
expect 2 explain --last 2 /usr/bin/hello
finish
