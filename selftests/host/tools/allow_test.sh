#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim allow makes a signed list with a record of who, why and until when; what is over or removed goes; mistakes change nothing.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
diglim=$tools/diglim
cd "$work" || exit 1
root=$work/host
mkdir -p host/etc/{digest_lists,diglim/keys} files/sub bin
certificate() { # NAME
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" 2>/dev/null
}
certificate mine && certificate other || fail "no keys"
openssl rsa -aes256 -passout pass:secret -in mine.key -out locked.key 2>/dev/null || fail "no locked key"
cp mine.pem host/etc/diglim/keys/
cp /bin/true files/program && printf 'text' >files/sub/text && cp files/program $'files/a b\n'
export DIGLIM_KEY=$work/mine.key DIGLIM_CERTIFICATE=$work/mine.pem
allow() { "$diglim" allow "$@" --root "$root"; }
count() { find "$1" -mindepth 1 | wc -l; }
lists=$root/etc/digest_lists records=$root/var/lib/diglim/allow
json() { "$top/selftests/lib/json" "$1" <<<"$out"; }
digests() { python3 -c 'import sys; d = open(sys.argv[1], "rb").read(); print(int.from_bytes(d[8:12], "little"))' "$1"; }

expect 0 allow list
contains "none yet" "$out" "no exceptions"
expect 0 allow expire
[ ! -e "$root/var" ] || fail "looking made something"
expect 2 allow expire --wait
contains "of another root nobody waits" "$err" "--wait is for this host"
expect 0 allow files/program --for 8h --reason $'a fix\e[2J' --owner alice
contains "what it did" "$out" "allowed 1 file until "
contains "another root" "$out" "; its kernel is not told"
list=$(ls "$lists")
[[ $list = 0-file_list-compact-allow-program-???????? ]] || fail "name of the list: $list"
pass
expect 0 "$tools/../loader/diglim-loader" verify --keys "$root/etc/diglim/keys" "$lists/$list"
contains "the loader takes it" "$out" "signed by CMS RSA/SHA256 CN=mine"
expect 0 allow list
contains "who" "$out" "owner: alice"
contains "why, escaped" "$out" 'reason: a fix\x1b[2J'
contains "what" "$out" "1 file: $work/files/program"
expect 0 allow list --json
[[ $out != *'"content"'* ]] || fail "a field that says nothing: $out"
equal "hours" "$(($(json '*.until') - $(json '*.made')))" 28800
equal "whose key" "$(json '*.signer')" "CMS RSA/SHA256 CN=mine"

# The same content again takes its place; another content has its own.
expect 0 allow files/program --until 2099-01-01
expect 0 allow list --json
equal "one" "$(json '*.reason' | wc -l)" 1
contains "until when" "$(date -d "@$(json '*.until')" +%F)" 2099-01-01
expect 0 allow files
contains "a directory" "$out" "allowed 3 files without an end"
expect 0 allow remove files/program
expect 0 allow list --json
equal "the other stays" "$(json '*.files')" 3
expect 1 allow remove files/program
contains "no such" "$err" "no such exception; nothing was removed"
expect 0 allow remove "$(ls "$lists")"
empty "$lists"
empty "$records"

# What is allowed is what was read, which is said where others may write.
mkdir -m 777 open && cp files/program open/ && chmod 777 open
expect 0 allow open/program
contains "what was read" "$out" "  content: sha256:$(sha256sum <open/program | cut -c 1-64)"
contains "others may write" "$out" "others than root may write to open/program: allowed is what was read just now"
expect 0 allow remove open/program --json
equal "JSON" "$(json withdrawn.0 | cut -c 1-33)" 0-file_list-compact-allow-program
expect 0 allow expire --json
equal "nothing was over" "$(json withdrawn | tr -d ' \n')" '[]'

# A build tree: what is executable, and no more.
mkdir -p build/sub && cp /bin/true build/prog && cp /bin/true build/sub/lib.so && chmod 644 build/sub/lib.so
echo 'int x;' >build/x.c && printf '#!/bin/sh\n' >build/run && chmod 755 build/run
expect 0 allow --build build
equal "digests of it" "$(digests "$lists"/*)" 2
contains "files of it" "$out" "allowed 3 files"
expect 1 allow --build files/sub
contains "nothing in it" "$err" "nothing executable in files/sub; nothing was allowed"
expect 0 allow remove build

# Odd names.
expect 0 allow $'files/a b\n'
expect 0 allow list
contains "escaped" "$out" 'files/a b\n'
expect 0 allow remove $'files/a b\n'
empty "$lists"

# Pass phrases.
DIGLIM_KEY=$work/locked.key
echo secret >phrase && echo wrong >wrong
expect 0 allow files/program --passphrase-file phrase
expect 1 allow files/program --passphrase-file wrong
contains "wrong" "$err" "no pass phrase, or a wrong one; nothing was allowed"
expect 1 allow files/program # nobody to ask
contains "nobody" "$err" "no pass phrase"
expect 0 allow remove files/program
DIGLIM_KEY=$work/mine.key

# Mistakes change nothing.
expect 2 allow
expect 2 allow files/program --for 8x
contains "no duration" "$err" "no duration: 8x; say 30m, 8h, 7d or 2w"
expect 2 allow files/program --until 2020-01-01
contains "over" "$err" "2020-01-01 is over"
expect 2 allow files/program --for 1h --until 2099-01-01
expect 1 allow files/none
expect 1 allow files/program -k other.key -c other.pem
contains "not trusted" "$err" "no trusted certificate"
contains "how to trust it" "$err" "first trust that key: diglim key add other.pem, and reboot; nothing was allowed"
expect 1 allow files/program -k other.key -c mine.pem
DIGLIM_KEY='' expect 1 allow files/program
contains "no key" "$err" "name the key and its certificate (-k KEY -c CERTIFICATE, or DIGLIM_KEY and DIGLIM_CERTIFICATE)"
contains "without one" "$err" "without a key: diglim monitor says"
empty "$lists"
[ "$(id -u)" != 0 ] || { expect 3 as_nobody env HOME=/ "$diglim" allow remove x --root "$root"; }

# Time.
expect 0 allow files/program --for 1
expect 0 allow files/sub --for 1h
sleep 1.1
expect 0 allow list
contains "over" "$out" "(over)"
expect 0 allow expire
contains "which" "$out" "its time is over: 0-file_list-compact-allow-program-"
equal "one is left" "$(count "$lists") $(count "$records")" "1 1"
expect 0 allow expire
equal "nothing to do" "$out" ""
# The clock is set back: the machine's own time counts. A boot that is over: the clock.
sed -i -E 's/("until_since_boot": )[0-9]+/\11/' "$records"/*
expect 0 allow expire
empty "$lists"
expect 0 allow files/sub --for 1h
sed -i -E 's/("until_since_boot": )[0-9]+/\11/; s/("boot_id": )"[^"]*"/\1"another"/' "$records"/*
expect 0 allow expire
equal "another boot" "$(count "$lists")" 1

# A key that no longer counts; a list that is gone; a record that is damaged.
mv host/etc/diglim/keys/mine.pem .mine.pem && cp other.pem host/etc/diglim/keys/
expect 1 allow list
contains "revoked" "$out" "does not count: CMS"
contains "and why" "$out" "no trusted certificate; remove it, or allow the file anew: diglim allow remove 0-file_list-compact-allow-sub-"
mv .mine.pem host/etc/diglim/keys/mine.pem
rm "$lists"/*
expect 1 allow list
contains "gone" "$out" "its list is gone"
expect 0 allow expire
empty "$records"
expect 0 allow files/sub
for record in "$records"/*; do echo '{' >"$record"; done
echo other >"$lists/0-file_list-rpm-x"
echo '{' >"$records/0-file_list-rpm-x.json"
expect 1 allow list
contains "damaged" "$err" "is missing or damaged; it goes with: diglim allow expire"
rm "$records"/0-file_list-compact-allow-*
expect 1 allow list
contains "a list without a record" "$err" "the record of 0-file_list-compact-allow-sub-"
expect 0 allow expire
equal "with its list, and no other" "$(ls "$lists")" 0-file_list-rpm-x
empty "$records"
rm "$lists"/*

# On a running system: directories, a loader and a systemd that these commands alone see, and which note who called them.
mkdir -p host/var/lib host/run/systemd/system build/mounted
printf '#!/bin/sh\necho "systemctl $2 $3" >>%s/calls\n' "$work" >bin/systemctl
printf '#!/bin/sh\necho loader >>%s/calls\nexit "$(cat %s/status)"\n' "$work" "$work" >bin/loader
chmod 755 bin/*
on_host() { # MOUNT-COMMANDS WORD...
	unshare -rm bash -c 'for i in etc var run; do mount --bind "$0/$i" "/$i" || exit 9; done
		eval "$1"; exec "${@:2}" --loader "${0%/host}/bin/loader"' "$root" "$1" env PATH="$work/bin:$PATH" "$diglim" allow "${@:2}"
}
calls() { tr '\n' ' ' <calls && rm calls; }
restart='systemctl restart diglim-allow.service'
if unshare -rm mount --bind host/etc /etc 2>/dev/null; then
	echo 0 >status
	expect 0 on_host : files/program --for 1
	equal "first somebody waits for its end, then it is in force" "$(calls)" "$restart loader "
	# The kernel does not follow: the record stays, and the service tries again.
	sleep 1.1
	echo 3 >status
	expect 3 on_host : expire
	equal "withdrawn, not forgotten" "$(count "$lists") $(count "$records") $(calls)" "0 1 $restart loader "
	expect 3 on_host : remove files/program
	equal "nor by remove" "$(count "$records") $(calls)" "1 $restart loader "
	equal "and that it was withdrawn is not said" "$out" ''
	# Nor is that something is allowed.
	expect 3 on_host : files/program
	equal "not said to be allowed" "$out" ''
	contains "but how it is" "$err" 'its list is there and not in force; to withdraw it: diglim allow remove 0-file_list-compact-allow-pro'
	rm calls
	rm "$lists"/*
	echo 0 >status
	expect 0 on_host : expire
	equal "then it is" "$(count "$records") $(calls)" "0 $restart loader "
	# After a boot nobody waits for the end of what is left.
	expect 0 on_host : files/program --for 1h
	rm calls
	expect 0 on_host : expire
	equal "somebody waits again" "$(calls)" "$restart "
	expect 0 on_host : remove files/program
	rm calls
	# The service itself: it comes back when the last is over, and no sooner.
	expect 0 on_host : files/program --for 1
	expect 0 on_host : files/sub --for 2
	rm calls
	expect 0 on_host : expire --wait
	equal "each as it ends" "$(grep -c "its time is over" <<<"$out")" 2
	equal "and it does not start itself" "$(count "$records") $(grep -c systemctl calls)" "0 0"
	rm calls
	expect 0 on_host : expire --wait
	equal "nothing to wait for" "$out" ""
	# Where nothing may run.
	overlay="mount -t overlay none -o lowerdir=$work/files:$work/bin build/mounted"
	expect 0 on_host "$overlay" --build build
	contains "not gone through" "$err" "$work/build/mounted is on overlay, whose content can change unseen, so nothing in it is allowed"
	expect 0 on_host : remove build
	expect 0 on_host "$overlay" --build build/mounted
	contains "on a mount" "$err" "build/mounted still cannot run where it is, on $work/build/mounted: overlay"
	expect 0 on_host : remove build/mounted
	rm calls
else
	skip "a running system: not allowed to mount"
fi
rmdir build/mounted

# Part of it would be left out.
mkdir build/closed && chmod 000 build/closed && chmod 755 "$work"
if [ "$(id -u)" = 0 ]; then nobody=as_nobody; else nobody=; fi
expect 1 $nobody "$diglim" allow --build build --root "$root"
contains "a directory that cannot be read" "$err" "build/closed/: Permission denied; nothing was allowed"
rmdir build/closed
truncate -s 5G build/large && chmod 755 build/large
expect 1 allow --build build
contains "too large" "$err" "build/large is larger than 4 GiB, and DIGLIM never knows such a file; nothing was allowed"
expect 1 allow build/large
contains "too large, named" "$err" "build/large is larger than 4 GiB"
rm build/large
empty "$lists"

# Many files are one exception. Very many exceptions are refused, and still listed and removed. Sanitizers take eighty times
# as long.
many=100000
! grep -q __asan_init "$diglim" || many=4000
python3 - files/many <<-'PY'
	import os, sys
	os.mkdir(sys.argv[1])
	for i in range(20000):
	    with open(f"{sys.argv[1]}/{i}", "w") as file: file.write(str(i))
PY
expect 0 allow files/many
contains "all in one" "$out" "allowed 20000 files"
equal "digests" "$(digests "$lists"/*)" 20000
python3 - "$records" $many <<-'PY'
	import json, os, sys
	folder = sys.argv[1]
	one = json.load(open(f"{folder}/{os.listdir(folder)[0]}"))
	for i in range(int(sys.argv[2])):
	    one["list"] = f"0-file_list-compact-allow-x-{i}"
	    one["until"] = 1
	    with open(f"{folder}/{one['list']}.json", "w") as file: json.dump(one, file)
PY
expect 1 allow files/program
contains "too many" "$err" "there are $((many + 1)) exceptions already, and no more than 1000 may be; nothing was allowed. Remove some"
milliseconds() { date +%s%3N; }
begin=$(milliseconds)
expect 1 allow list --json
listed=$(milliseconds)
equal "all are listed" "$(json '*.list' | wc -l)" $((many + 1))
before=$(milliseconds)
expect 0 allow expire -q
echo "time - $many exceptions: list $((listed - begin)) ms, expire $(($(milliseconds) - before)) ms"
equal "what is over goes" "$(count "$records") $(count "$lists")" "1 1"
finish
