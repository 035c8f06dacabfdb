#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: of the images on the EFI system partition pcrlock tells systemd-pcrlock only those that this host made, and what is gone no more;
# a policy without one of its registers does not stay; and it ends, whatever changes meanwhile.
# Expected: no "not ok", exit 0. Needs root, and a mount namespace of its own: the program runs in a root of its own, where diglim, sleep,
# systemd-creds and systemd-pcrlock are scripts; what they do with a TPM is selftests/host/uki/luks_test's.
. "$(dirname "$0")/../../lib/cli.sh"
program=$(realpath "$1")/pcrlock/pcrlock
cd "$work" || exit 1
[ "$(id -u)" = 0 ] && unshare -m true || { echo 'SKIPPED: pcrlock: needs root, and a mount namespace of its own'; exit 77; }
host=$work/host
components=$host/var/lib/pcrlock.d policy=$host/var/lib/systemd/pcrlock.json pin=$host/etc/credstore.encrypted/pcrlock.recovery-pin
lists=$host/etc/digest_lists known=$host/var/lib/diglim/images state=$host/var/lib/diglim/pcrlock esp=$work/esp
booted=$host/run/diglim-booted.image stock=$host/usr/lib/pcrlock.d security=$host/sys/kernel/security/tpm0
mkdir -p tmp "$lists" "${policy%/*}" "${pin%/*}" "${known%/*}" "$host/etc/diglim" esp/EFI/{Linux,diglim} "$stock" "$security" \
	"$host"/{dev,proc,run/log/systemd,"$work"} "$host"/usr/{bin,sbin,lib/systemd,libexec/diglim}
for name in bin lib sbin; do ln -s usr/$name "$host/$name"; done
ln -s "$host/usr/sbin" bin
mknod "$host/dev/null" c 1 3
cp "$program" "$host/usr/libexec/diglim/"
for name in bash cat cp cut find flock grep head ls mkdir mv paste rm sed seq sha256sum sleep sort touch wc; do
	cp "$(command -v $name)" "$host/usr/bin/"
done
for file in "$program" "$host"/usr/bin/*; do
	ldd "$file" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p'
done | sort -u | while read -r library; do
	mkdir -p "$host${library%/*}" && cp -L "$library" "$host$library"
done
# What it runs finds the folder of this test, too.
cat >pcrlock <<SH
#!/bin/sh
exec unshare -m sh -c 'mount --bind "$work" "$host$work" && mount --bind /proc "$host/proc" &&
	mount --bind "$work/release" "$host/proc/sys/kernel/osrelease" && exec chroot "$host" /usr/libexec/diglim/pcrlock "\$@"' sh "\$@"
SH
cat >bin/diglim <<SH
#!/bin/bash
variant=generated initramfs=''
while [ \$# -gt 0 ]; do
	case \$1 in
	--variant) variant=\$2 ;;
	--initramfs) initramfs=\$2 ;;
	--cmdline) [ "\$2" = line ] || exit 9 ;; # that of the image, and whole
	--measured)
		[ ! -e "$work/unknown" ] || exit 1
		[ ! -e "$work/unwritten" ] || exit 3
		;;
	esac
	shift
done
[ -z "\$initramfs" ] || ! grep -q bad "\$initramfs" || exit 1
mkdir -p "$components/740-diglim.pcrlock.d"
rm -f "$components/740-diglim.pcrlock.d/\$variant"@*
for name in \$variant \$(seq -f "\$variant@%g" \$(cat "$work/steps")); do
	[[ \$name = generated@* ]] || echo '{"records":[{"pcr":8,"digests":[]}]}' >"$components/740-diglim.pcrlock.d/\$name.pcrlock"
done
# What comes meanwhile.
[ ! -e "$work/meanwhile" ] || [ \$variant != generated ] || . "$work/meanwhile"
SH
cat >"$host/usr/lib/systemd/systemd-pcrlock" <<SH
#!/bin/bash
echo "\$*" >>"$work/calls"
for word; do
	case \$word in
	--pcrlock=*) output=\${word#*=} ;;
	--components=*) components=\${word#*=} ;;
	esac
	image=\$word
done
# As many values as there are variants. What this boot measured has to be one of them.
values() { # REGISTER
	local count=1
	case \$1 in
	8) count=\$(ls "\$components/740-diglim.pcrlock.d" | wc -l) ;;
	11)
		count=\$(ls "\$components/650-uki.pcrlock.d" 2>/dev/null | wc -l)
		[ \$count = 0 ] || [ -e "\$components/650-uki.pcrlock.d/theirs.pcrlock" ] ||
			grep -q "ab12.*enter.*leave.*sysinit" "\$components/650-uki.pcrlock.d/booted.pcrlock" || return 1
		;;
	esac
	[ \$count -gt 0 ] || { echo '"0000"'; return; }
	for ((; count > 0; count--)); do printf '"%02xff",' \$count; done | sed 's/,\$//'
}
registers() { # FILE: which; with their values
	printf '[%s]' \
		"\$(while read -r pcr; do values=\$(values \$pcr) && echo "{\"pcr\":\$pcr,\"values\":[\$values]}"; done <"\$1" | paste -sd ,)"
}
case " \$* " in
*' lock-uki '*) # of the image that booted, or of another one
	grep -q booted "\$image" && digest=ab12 || digest=ab34
	echo "{\"records\":[{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"\$digest\"}]}]}" >"\$output"
	;;
*' predict '*)
	echo "{\"sha1\":\$(registers "$work/predicts"),\"sha256\":\$(registers "$work/predicts")}"
	sed 's/^/PCR /; s/\$/ is odd/' "$work/odd" >&2
	;;
*' make-policy '*)
	echo "PIN \${PIN:-none}" >>"$work/calls"
	[ ! -e "$work/kill" ] || { # and lives on
		kill -9 \$PPID
		while kill -0 \$PPID 2>/dev/null; do /bin/sleep 0.05; done
		flock -n "$host/run/diglim-pcrlock.lock" ls >/dev/null && echo free >"$work/lock" || echo held >"$work/lock"
		exit 1
	}
	[ ! -e "$work/shutdown" ] || kill -TERM \$PPID
	[ ! -e "$work/full" ] || { echo 'No space left on device' >&2; exit 1; }
	echo "{\"pcrBank\":\"sha256\",\"pcrValues\":\$(registers "$work/gives"),\"nvIndex\":1}" >"$policy"
	(cd "\$components" && find . -name '*.pcrlock' | sed 's#^\./##; s#\.pcrlock\.d/# #; s#\.pcrlock\$##' | sort) >"$work/told"
	echo 'Written new policy' >&2
	[ -e "$work/small" ] && echo 'Failed to write boot policy file' >&2 || echo 'Written new boot policy' >&2
	;;
*' remove-policy '*) [ ! -e "$work/stuck" ] || { echo 'NV is stuck' >&2; exit 1; }; rm "$policy" ;;
esac
SH
printf '#!/bin/bash\necho >>%s/slept\n' "$work" >bin/sleep
kernel=6.12-test # the names of images that are looked for have no other
echo "$kernel" >release
printf '#!/bin/bash\ncat "$3"\n' >bin/systemd-creds
chmod +x bin/* pcrlock "$host/usr/lib/systemd/systemd-pcrlock"
registers() { printf '%s\n' 7 8 11 >predicts; cp predicts gives; : >odd; } # all is well
has_policy() { # REGISTER...
	printf '{"pcrValues":[%s],"nvIndex":1}' "$(printf '{"pcr":%s,"values":["ff"]}\n' "$@" | paste -sd ,)" >"$policy"
}
zeros() { head -c "$1" /dev/zero; }
# A program for the firmware with one section, a command line, and that text behind it.
content() { # TEXT
	printf 'MZ' && zeros 58 && printf '@\0\0\0PE\0\0d\206\1\0' && zeros 16 &&
		printf '.cmdline\6\0\0\0\0\20\0\0\6\0\0\0\200\0\0\0' && zeros 16 && printf 'line\n\0' && echo "$1"
}
image() { content "$2" >"$esp/EFI/$1"; }                                                  # FILE TEXT
made() { echo "$(sha256sum <"$esp/EFI/$1" | cut -d ' ' -f 1) 6.1" >>"$known"; }           # FILE
run() { : >calls && : >slept && expect "$1" env TMPDIR="$work/tmp" timeout 60 "$work/pcrlock" "${@:2}"; } # STATUS [WORD]
variants() { (cd "$components" && find . -name '*.pcrlock' -type f | sed 's#^\./##' | sort | paste -sd ' '); }
left() { find "$host/run" -mindepth 1 ! -name diglim-pcrlock.lock ! -path "$booted" ! -path "$host/run/log*"; } # in /run
called() { grep -c -- "$1" calls; }
old() { touch -d '-1 hour' "$lists"; }
of() { # IMAGE...: what variants are to be
	local image
	for image in generated "$@"; do
		echo "740-diglim.pcrlock.d/$image.pcrlock"
		[ "$image" = generated ] || echo "740-diglim.pcrlock.d/$image@1.pcrlock"
		case $image in image-*) echo "650-uki.pcrlock.d/$image.pcrlock" ;; esac
	done | sort | paste -sd ' '
}

registers
old
echo 1 >steps
printf 'log \253\022 of the firmware' >"$security/binary_bios_measurements"
for phase in 750-enter-initrd=e01 800-leave-initrd=e02 850-sysinit=e03 900-ready=e04; do
	echo "{\"records\":[{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"${phase#*=}\"}],\"word\":\"${phase%=*}\"}]}" \
		>"$stock/${phase%=*}.pcrlock"
done
printf '{"digest":"%s"}\n' e01 e02 e03 >"$host/run/log/systemd/tpm2-measure.log"
# Early, where /tmp is not there yet.
expect 0 env TMPDIR="$work/no" "$work/pcrlock" boot
equal 'boot: this boot' "$(variants)" "$(of)"
# A host without signed images, before anything is bound: it says so, and what to do.
run 1
contains 'it says so' "$err" 'boots no signed images, so a policy would open what is bound to it to any initramfs: make none'
contains 'and what to do' "$err" 'diglim setup install --uki'
equal 'this boot is told' "$(variants)" "$(of)"
equal 'no policy' "$(called make-policy)$(ls "$state" 2>/dev/null)" 0
# With a policy of images that it had, or of a register that nothing extends.
has_policy 7 8 11
cp "$policy" before
run 1
contains 'a policy there stays' "$err" 'this host boots no signed images, so the policy would open'
contains 'what that means' "$err" 'asks for its recovery key'
equal 'as it was' "$(called make-policy) $(cmp before "$policy")" '0 '
# Whoever makes images by other means has a register that says so.
mkdir "$components/650-uki.pcrlock.d"
echo theirs >"$components/650-uki.pcrlock.d/theirs.pcrlock"
mkdir "$components/790-diglim-root.pcrlock.d"
run 0
equal "others' images count" "$(called make-policy)" 1
equal 'the next boot is told' "$(variants)" "650-uki.pcrlock.d/theirs.pcrlock $(of next)"
equal 'the component of before is gone' "$(find "$components" -name '790*')" ''
rm -r "$components/650-uki.pcrlock.d" "$state" "$policy"

echo "esp = $esp" >"$host/etc/diglim/uki.conf"
run 1
contains 'no image' "$err" 'is the EFI system partition mounted?'
image Linux/diglim-6.1.efi 'new, booted'
run 1
contains 'none is of this host' "$err" "left out: $esp/EFI/Linux/diglim-6.1.efi: not made by this host"
contains 'what to do' "$err" 'make-uki --all'
made Linux/diglim-6.1.efi
image diglim/6.1-previous.efi before
made diglim/6.1-previous.efi
run 0 new
equal 'a new policy has these registers' "$(grep make-policy calls | sed 's/--components=[^ ]* //')" \
	'--pcr=7 --pcr=8 --pcr=11 --force make-policy'
has_policy 7 8 11
echo 123 >"$pin"
run 0
equal 'images, and "next" no more' "$(variants)" "$(of image-6.1-previous image-diglim-6.1)"
equal 'with the PIN' "$(grep PIN calls)" 'PIN 123'
equal 'with the registers that there were' "$(grep make-policy calls | sed 's/--components=[^ ]* //')" \
	'--pcr=7 --pcr=8 --pcr=11 --recovery-pin=query make-policy'
equal 'both are known' "$(sed 's/.* //' "$state" | sort | paste -sd ' ')" "$esp/EFI/Linux/diglim-6.1.efi $esp/EFI/diglim/6.1-previous.efi"
equal 'nothing is left' "$(left)" ''
empty tmp

# Whoever has the disk puts older ones there: under a new name, and as the previous one.
image Linux/diglim-0.9.efi permissive
image diglim/6.1-previous.efi permissive
run 0
contains 'a planted image is named' "$err" "left out: $esp/EFI/Linux/diglim-0.9.efi: not made by this host's make-uki, or older than"
contains 'and one that took the place of the previous one' "$err" "left out: $esp/EFI/diglim/6.1-previous.efi"
equal 'neither is a component' "$(variants)" "$(of image-diglim-6.1)"
equal 'nor known' "$(sed 's/.* //' "$state")" "$esp/EFI/Linux/diglim-6.1.efi"
rm "$esp/EFI/Linux/diglim-0.9.efi" "$esp/EFI/diglim/6.1-previous.efi"

# Neither is what is no program of ours, nor a name that would write a line into the state file.
truncate -s 5G "$esp/EFI/Linux/diglim-big.efi"
mkdir "$esp/EFI/Linux/diglim-folder.efi"
mkfifo "$esp/EFI/Linux/diglim-pipe.efi"
cp "$esp/EFI/Linux/diglim-6.1.efi" "$esp/EFI/Linux/"$'diglim-6.1.efi\n1 2 .efi'
run 0
contains 'a file that is too large for an image' "$err" "left out: $esp/EFI/Linux/diglim-big.efi: not made by"
contains 'a name of two lines' "$err" "left out: $esp/EFI/Linux/diglim-6.1.efi\\n1 2 .efi: not made by"
equal 'the image is known all the same' "$(cat "$state")" "$(stat -c '%Y %s %n' "$esp/EFI/Linux/diglim-6.1.efi")"
rm -r "$esp/EFI/Linux/diglim-"{big,folder,pipe}.efi "$esp/EFI/Linux/"$'diglim-6.1.efi\n1 2 .efi'
# An image whose command line cannot be read.
echo 'no program' >"$esp/EFI/Linux/diglim-6.4.efi"
made Linux/diglim-6.4.efi
run 1
contains 'an image that is none, and why' "$err" "the policy stays as it is (there is no section .cmdline in $esp/EFI/Linux/diglim-6.4.efi)"
rm "$esp/EFI/Linux/diglim-6.4.efi"

rm "$pin"
run 0
equal 'without a PIN' "$(grep PIN calls) $(called recovery-pin)" 'PIN none 0'

# Its own register is not in the policy; it has none at all; one cannot be predicted.
has_policy 7 11
run 0
contains 'left alone' "$err" 'the policy has not PCR 8'
equal 'as it was' "$(called make-policy)" 0
echo '{}' >"$policy"
run 1
contains 'a policy of nothing' "$err" 'names no register'
has_policy 7 8 11
cp "$policy" before
printf '%s\n' 7 11 >predicts
echo 8 >odd
run 1
contains 'which register, and why' "$err" 'cannot predict PCR 8: PCR 8 is odd; the policy stays as it is'
equal 'no policy is made' "$(called make-policy) $(cmp before "$policy")" '0 '

# What was predicted a moment ago is not in the policy that came out.
registers
printf '%s\n' 7 11 >gives
run 1
contains 'a policy that lost its register' "$err" 'made a policy without PCR 8, so it was removed'
equal 'it is gone' "$(called '^remove-policy$')$(ls "$policy" "$state" 2>/dev/null)" 1
has_policy 7 8 11
touch stuck
run 1
contains 'one that cannot be removed' "$err" 'WHAT IS BOUND TO IT OPENS WHATEVER BOOTS'
contains 'why' "$err" 'NV is stuck'
rm stuck
registers
has_policy 7 8 11

# Not predictable: the image, or this boot.
image Linux/diglim-6.2.efi bad
made Linux/diglim-6.2.efi
run 1
contains 'an image that cannot be predicted' "$err" "what $esp/EFI/Linux/diglim-6.2.efi measures cannot be predicted: the policy stays"
equal 'no policy is made' "$(called make-policy)" 0
rm "$esp/EFI/Linux/diglim-6.2.efi"
touch unknown
run 1
contains 'an unknown program ran' "$err" 'not only what DIGLIM knows: the policy stays as it is'
rm unknown
touch unwritten
run 1
contains 'what was measured cannot be told' "$err" 'cannot be told (status 3): the policy stays as it is'
rm unwritten

# Times: a folder of the future, and one that changes on and on.
touch -d '+1 day' "$lists"
run 0
equal 'nobody waits for the future' "$(wc -l <slept)" 0
touch -d '+1 second' "$lists"
run 0
if [ "$(wc -l <slept)" -le 60 ]; then pass; else fail 'it waits for more than a minute'; fi
old
# An image that came meanwhile, with a time of before: as cp -p makes it.
content other >other.efi
cat >meanwhile <<SH
rm "$work/meanwhile"
cp "$work/other.efi" "$esp/EFI/Linux/diglim-6.3.efi"
echo "\$(sha256sum <"$esp/EFI/Linux/diglim-6.3.efi" | cut -d ' ' -f 1) 6.3" >>"$known"
touch -d '-1 day' "$esp/EFI/Linux/diglim-6.3.efi" "$known"
SH
run 0
contains 'it is known in the end' "$(cat "$state")" "$esp/EFI/Linux/diglim-6.3.efi"
rm -f "$state"
printf 'echo >>"%s/list"; touch -d "-1 hour" "%s"\n' "$lists" "$lists" >meanwhile
run 1
contains 'what changes again and again' "$err" 'changed again and again'
equal 'it tried five times, and claims nothing' "$(called ' make-policy')$(ls "$state" 2>/dev/null)" 5
rm -f meanwhile "$lists/list"
old

# Two kernels, each with its previous image: these have 16 values of PCR 11, and systemd-pcrlock takes eight.
mv "$known" known.before
rm "$esp"/EFI/*/*.efi
for file in diglim/6.1-previous "diglim/$kernel-previous" Linux/diglim-6.1 "Linux/diglim-$kernel"; do
	image "$file.efi" "$file"
	made "$file.efi"
done
run 0
contains 'what is late goes first' "$err" \
	"from $esp/EFI/diglim/6.1-previous.efi what opens after sysinit.target does not open by itself: systemd-pcrlock takes 8 values of PCR 11"
contains 'then other volumes' "$err" \
	"from $esp/EFI/diglim/6.1-previous.efi only the root opens by itself: systemd-pcrlock takes 8 values of PCR 11"
told() { sed -n "s/^$1-[^ ]* //p" told | sort | paste -sd ' '; } # COMPONENT: which variants
equal 'so the root opens from all of them' "$(told 650)" \
	"$(printf '%s\n' booted image-6.1-previous@1 "image-$kernel-previous@"{1,2} image-diglim-6.1@{1,2} "image-diglim-$kernel@"{1,2} |
		sort | paste -sd ' ')"
equal 'with their lists' "$(told 740)" \
	"$(printf '%s\n' generated image-6.1-previous@1 "image-$kernel-previous"{,@1} image-diglim-{6.1,"$kernel"}{,@1} | sort | paste -sd ' ')"
equal "without systemd's own phases" "$(grep -c -e initrd -e sysinit told)" 0
equal 'all are known' "$(wc -l <"$state")" 4
# Lists take more room.
echo 3 >steps
run 0
contains 'other volumes go first, of the less important images' "$err" \
	"from $esp/EFI/Linux/diglim-6.1.efi only the root opens by itself: systemd-pcrlock takes 8 values of PCR 8"
equal 'from the newest image all opens, from each the root' "$(told 740)" \
	"$(printf '%s\n' generated image{-6.1-previous,"-$kernel-previous",-diglim-6.1}@1 "image-diglim-$kernel"{,@1,@2,@3} |
		sort | paste -sd ' ')"
echo 6 >steps
run 0
contains 'then images, the least important one first' "$err" \
	"left out: $esp/EFI/diglim/6.1-previous.efi: systemd-pcrlock takes 8 values of PCR 8"
contains 'and what to do' "$err" 'remove kernels or previous images'
equal 'the last one of all stays' "$(sed 's/.* //' "$state")" "$esp/EFI/Linux/diglim-$kernel.efi"
equal 'what was left out opens nothing' "$(told 740 | grep -c -e previous -e '6\.1[.@ ]')" 0
echo 8 >steps
run 1
contains 'then nothing can be done' "$err" 'PCR 8 has more than 8 values, which systemd-pcrlock does not take: the policy stays as it is'
echo 1 >steps
# One of them goes, as a kernel that is removed.
rm "$esp/EFI/Linux/diglim-6.1.efi" "$esp/EFI/diglim/6.1-previous.efi"
rm told
run 0
equal 'a kernel that is gone opens nothing' "$(variants | grep -c '6\.1[@.-][^1]')$(grep -c 6.1.efi "$state")" 00
equal 'there is room again' "$(sed 's/.* //' "$state" | sort | paste -sd ' ')" \
	"$esp/EFI/Linux/diglim-$kernel.efi $esp/EFI/diglim/$kernel-previous.efi"
# In the middle of it.
cat >meanwhile <<SH
rm "$work/meanwhile" "$esp/EFI/diglim/$kernel-previous.efi"
SH
run 0
equal 'an image that goes meanwhile is not known' "$(sed 's/.* //' "$state")" "$esp/EFI/Linux/diglim-$kernel.efi"

# The image that booted goes: this boot is recognized all the same.
image "Linux/diglim-$kernel.efi" 'another one'
made "Linux/diglim-$kernel.efi"
run 0
equal 'this boot, and the new image' "$(told 650)" "$(printf '%s\n' booted "image-diglim-$kernel@"{1,2,3,4} | sort | paste -sd ' ')"
rm "$booted"
run 1
contains 'if nobody saw it, nothing is made of this boot' "$err" 'cannot predict PCR 11'
image "Linux/diglim-$kernel.efi" 'booted'
made "Linux/diglim-$kernel.efi"
run 0

# No room: on the root, where systemd-pcrlock fails; on the EFI system partition, where it does not.
touch full
run 1
contains 'no room on the root' "$err" \
	"no policy was made: No space left on device. What is bound may ask for its recovery key until one is. Is there room in"
equal 'nobody believes that the policy is whole' "$(ls "$state" 2>/dev/null)" ''
rm full
touch small
run 1
contains 'no room for the copy that the initramfs reads' "$err" 'could not be written to the EFI system partition: Failed to write'
rm small
run 0
equal 'then it is written whatever is there' "$(called ' --force .*make-policy')" 1
run 0
equal 'and no more' "$(called ' --force .*make-policy')" 0

# Killed while it makes the policy.
touch kill
run 137
equal 'killed: nobody believes that the policy is whole' "$(ls "$state" 2>/dev/null)$(left | grep -c 'pcrlock.......$')" 1
echo half >"$components/740-diglim.pcrlock.d/.image-diglim-6.1.pcrlock.Xy2z"
echo half >"$components/650-uki.pcrlock.d/image-diglim-6.1.new"
for ((try = 0; try < 200; try++)); do [ ! -s lock ] || break; sleep 0.05; done
equal 'what it ran has the lock still' "$(cat lock)" held
rm kill
run 0
equal 'then it is written anew' "$(called ' --force .*make-policy')" 1
equal 'and nothing is left' "$(left | wc -l) $(find "$components" -name '*.new' -o -name '.image*' | wc -l)" '0 0'
# The machine goes down meanwhile: what was begun is ended.
touch shutdown
rm "$state"
run 0
equal 'a shutdown: the policy is made, and known to be whole' "$(called make-policy) $(ls "$state")" "1 $state"
rm shutdown

# Two at once: one after the other.
cat >meanwhile <<SH
echo begin >>"$work/turns"
/bin/sleep 0.3
echo end >>"$work/turns"
SH
for one in 1 2 3; do timeout 60 "$work/pcrlock" >/dev/null 2>"err.$one" & done
wait
equal 'never two' "$(paste -sd ' ' turns)" 'begin end begin end begin end'
rm meanwhile
equal 'all is told' "$(sed 's/.* //' "$state")" "$esp/EFI/Linux/diglim-$kernel.efi"

# A host that has images no more.
rm "$host/etc/diglim/uki.conf"
cp "$policy" before
run 1
contains 'no images any more' "$err" 'this host boots no signed images'
equal 'the policy is as it was' "$(cmp before "$policy")" ''
equal 'nothing is left, also then' "$(left)" ''
finish
