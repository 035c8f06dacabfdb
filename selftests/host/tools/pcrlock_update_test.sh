#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: of the images on the EFI system partition pcrlock tells systemd-pcrlock only those that this host made, and what is gone no more;
# a policy without one of its registers does not stay; and it ends, whatever changes meanwhile.
# Expected: no "not ok", exit 0. diglim, objcopy, sleep, systemd-creds and systemd-pcrlock are scripts; what they do with a TPM is
# selftests/host/uki/luks_test's.
. "$(dirname "$0")/../../lib/cli.sh"
cd "$work" || exit 1
host=$work/host
components=$host/var/lib/pcrlock.d policy=$host/var/lib/systemd/pcrlock.json pin=$host/etc/credstore.encrypted/pcrlock.recovery-pin
lists=$host/etc/digest_lists known=$host/var/lib/diglim/images state=$host/var/lib/diglim/pcrlock esp=$work/esp
mkdir -p bin run tmp "$lists" "${policy%/*}" "${pin%/*}" "${known%/*}" "$host/etc/diglim" esp/EFI/{Linux,diglim}
sed "s#^PATH=.*#PATH=$work/bin:/usr/sbin:/usr/bin:/sbin:/bin#
	s#^pcrlock=.*#pcrlock=$work/bin/systemd-pcrlock#; s#-p /run #-p $work/run #
	s#/var/lib/#$host/var/lib/#g; s#/etc/#$host/etc/#g" "$top/tools/pcrlock_update" >pcrlock
cat >bin/diglim <<SH
#!/bin/bash
variant=generated initramfs=''
while [ \$# -gt 0 ]; do
	case \$1 in
	--variant) variant=\$2 ;;
	--initramfs) initramfs=\$2 ;;
	--measured) [ ! -e "$work/unknown" ] || exit 1 ;;
	esac
	shift
done
[ -z "\$initramfs" ] || ! grep -q bad "\$initramfs" || exit 1
mkdir -p "$components"/{740-diglim,790-diglim-root}.pcrlock.d
for folder in "$components"/7*; do echo '{"records":[{"pcr":8,"digests":[]}]}' >"\$folder/\$variant.pcrlock"; done
# What comes meanwhile.
[ ! -e "$work/meanwhile" ] || [ \$variant != generated ] || . "$work/meanwhile"
SH
cat >bin/systemd-pcrlock <<SH
#!/bin/bash
echo "\$*" >>"$work/calls"
policy() { printf '{"pcrBank":"sha256","pcrValues":[%s],"nvIndex":1}' "\$(sed 's/.*/{"pcr":&,"values":["00"]}/' "\$1" | paste -sd ,)"; }
case " \$* " in
*' lock-uki '*) for word; do [[ \$word != --pcrlock=* ]] || echo uki >"\${word#*=}"; done ;;
*' predict '*) policy "$work/predicts"; sed 's/^/PCR /; s/\$/ is odd/' "$work/odd" >&2 ;;
*' make-policy '*) echo "PIN \${PIN:-none}" >>"$work/calls"; policy "$work/gives" >"$policy"; echo 'Written new policy' >&2 ;;
*' remove-policy '*) [ ! -e "$work/stuck" ] || { echo 'NV is stuck' >&2; exit 1; }; rm "$policy" ;;
esac
SH
printf '#!/bin/sh\necho line >"$5"\n' >bin/objcopy
printf '#!/bin/sh\necho >>%s/slept\n' "$work" >bin/sleep
printf '#!/bin/sh\ncat "$3"\n' >bin/systemd-creds
chmod +x bin/* pcrlock
registers() { printf '%s\n' 7 8 11 >predicts; cp predicts gives; : >odd; } # all is well
has_policy() { # REGISTER...
	printf '{"pcrValues":[%s],"nvIndex":1}' "$(printf '{"pcr":%s,"values":["ff"]}\n' "$@" | paste -sd ,)" >"$policy"
}
image() { echo "$2" >"$esp/EFI/$1"; }                                                     # FILE CONTENT
made() { echo "$(sha256sum <"$esp/EFI/$1" | cut -d ' ' -f 1) 6.1" >>"$known"; }           # FILE
run() { : >calls && : >slept && expect "$1" env TMPDIR="$work/tmp" timeout 60 "$work/pcrlock" "${@:2}"; } # STATUS [WORD]
variants() { (cd "$components" && find . -name '*.pcrlock' -type f | sed 's#^\./##' | sort | paste -sd ' '); }
called() { grep -c -- "$1" calls; }
old() { touch -d '-1 hour' "$lists"; }
G='740-diglim.pcrlock.d/generated.pcrlock'
R='790-diglim-root.pcrlock.d/generated.pcrlock'
of() { # IMAGE...: what variants are to be
	local image
	for image; do printf '%s\n' {650-uki,740-diglim,790-diglim-root}.pcrlock.d/"$image".pcrlock; done | sort - <(printf '%s\n' "$G" "$R") |
		paste -sd ' '
}

registers
old
# Early, where /tmp is not there yet.
expect 0 env TMPDIR="$work/no" "$work/pcrlock" boot
equal 'boot: this boot' "$(variants)" "$G $R"
# A host without images and without a policy.
run 0
equal 'the next boot, too' "$(variants)" "$G 740-diglim.pcrlock.d/next.pcrlock $R 790-diglim-root.pcrlock.d/next.pcrlock"
equal 'no policy' "$(called .)$(ls "$state" 2>/dev/null)" 0

echo "esp = $esp" >"$host/etc/diglim/uki.conf"
run 1
contains 'no image' "$err" 'is the EFI system partition mounted?'
image Linux/diglim-6.1.efi new
run 1
contains 'none is of this host' "$err" "left out: $esp/EFI/Linux/diglim-6.1.efi: not made by this host"
contains 'what to do' "$err" 'make-uki --all'
made Linux/diglim-6.1.efi
image diglim/6.1-previous.efi before
made diglim/6.1-previous.efi
has_policy 7 8 11
echo 123 >"$pin"
run 0
equal 'images, and "next" no more' "$(variants)" "$(of image-6.1-previous image-diglim-6.1)"
equal 'with the PIN' "$(grep PIN calls)" 'PIN 123'
equal 'with the registers that there were' "$(grep make-policy calls)" '--pcr=7 --pcr=8 --pcr=11 --recovery-pin=query make-policy'
equal 'both are known' "$(sed 's/.* //' "$state" | sort | paste -sd ' ')" "$esp/EFI/Linux/diglim-6.1.efi $esp/EFI/diglim/6.1-previous.efi"
empty run
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
contains 'an unknown program ran' "$err" 'the policy stays as it is'
rm unknown

# Times: a folder of the future, and one that changes on and on.
touch -d '+1 day' "$lists"
run 0
equal 'nobody waits for the future' "$(wc -l <slept)" 0
touch -d '+1 second' "$lists"
run 0
if [ "$(wc -l <slept)" -le 60 ]; then pass; else fail 'it waits for more than a minute'; fi
old
# An image that came meanwhile, with a time of before: as cp -p makes it.
cat >meanwhile <<SH
rm "$work/meanwhile"
echo other >"$esp/EFI/Linux/diglim-6.3.efi"
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

# A host that has images no more.
rm "$host/etc/diglim/uki.conf"
run 0
equal 'their components are gone' "$(variants)" "$G 740-diglim.pcrlock.d/next.pcrlock $R 790-diglim-root.pcrlock.d/next.pcrlock"
equal 'and their folder' "$(ls "$components")" "$(printf '%s\n' 740-diglim.pcrlock.d 790-diglim-root.pcrlock.d)"
empty run
finish
