#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: what diglim doctor says of a good machine and of each thing that can be wrong with one.
# Expected: no "not ok", exit 0. Golden outputs are in golden/; UPDATE=1 writes them.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
golden=$(cd "$(dirname "$0")/golden" && pwd)
cd "$work" || exit 1
prepare_host || { echo "FAIL: cannot make a signed package: $(cat ./*.log)"; exit 1; }

# What a kernel shows when all is well.
make_kernel() {
	mkdir -p "$1"/{proc/self,proc/sys/kernel,sys/kernel/security/ima,sys/kernel/btf,sys/class/tpm/tpm0,sys/module/module/parameters} \
		"$1/sys/firmware/efi/efivars" "$1/usr/lib64/rpm-plugins" "$1/usr/lib/rpm/macros.d"
	echo 6.1.0-32-amd64 >"$1/proc/sys/kernel/osrelease"
	echo 1 >"$1/proc/sys/kernel/ftrace_enabled"
	echo 'BOOT_IMAGE=/vmlinuz ro rdinit=/usr/sbin/diglim-loader lockdown=integrity' >"$1/proc/cmdline"
	echo 'lockdown,capability,selinux,bpf' >"$1/sys/kernel/security/lsm"
	echo 'none [integrity] confidentiality' >"$1/sys/kernel/security/lockdown"
	touch "$1/sys/kernel/btf/vmlinux"
	echo 2 >"$1/sys/class/tpm/tpm0/tpm_version_major"
	echo Y >"$1/sys/module/module/parameters/sig_enforce"
	printf '\6\0\0\0\1' >"$1/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	printf '%s\n' '22 1 8:1 / / rw - ext4 /dev/sda1 rw' \
		'23 22 8:2 / /home\040of\040all rw shared:1 - xfs /dev/sda2 rw' >"$1/proc/self/mountinfo"
	printf 'CONFIG_IMA=y\nCONFIG_IMA_DEFAULT_HASH="sha256"\nCONFIG_BPF_LSM=y\n' >"$1/boot/config-6.1.0-32-amd64"
	mkdir -p "$1/lib/modules/6.1.0-32-amd64" && echo 'kernel/fs/x.ko.xz: kernel/lib/y.ko.xz' >"$1/lib/modules/6.1.0-32-amd64/modules.dep"
	touch "$1/usr/lib64/rpm-plugins/diglim.so"
	echo '%__transaction_diglim %{__plugindir}/diglim.so' >"$1/usr/lib/rpm/macros.d/macros.transaction_diglim"
}
# doctor STATUS NAME [OPTION...]: of host NAME, compared with golden/doctor-NAME.golden. Fingerprints differ each time.
doctor() {
	local wanted=$1 name=$2
	shift 2
	expect "$wanted" "$diglim" doctor --root "$work/$name" "$@"
	sed -E "s|$work|WORK|g; s/[0-9a-f]{16}/KEYID/g" <"$work/out" >got
	[ -z "${UPDATE:-}" ] || cp got "$golden/doctor-$name.golden"
	diff -u "$golden/doctor-$name.golden" got || fail "doctor of $name"
}
digest_of() { "$(dirname "$diglim")/rpm_gen" -d "$1/etc/digest_lists" -r "$1" -q; }

make_host good && echo cache >good/etc/ld.so.cache && make_kernel good && cp hello.asc good/etc/diglim/keys/ ||
  fail "no host: $(cat install.log)"
rm -f good/usr/lib64/rpm-plugins/diglim.so && touch good/usr/lib64/rpm-plugins/diglim.so
rm good/usr/sbin/diglim-loader && touch good/usr/sbin/diglim-loader # empty: nothing to run
digest_of good
doctor 0 good
expect 0 "$diglim" doctor --root good --json
levels=$("$top/selftests/lib/json" '*.level' <<<"$out")
equal "all is well, as JSON" "$(sort -u <<<"$levels")" ok
[ "$(wc -l <<<"$levels")" -ge 15 ] || fail "too few findings as JSON: $out"

# Can IMA be told what is known?
measurement() { # LSMS SELINUX_ENFORCE CONFIGURATION WANTED
	cp -r good measured
	echo "$1" >measured/sys/kernel/security/lsm
	[ -z "$2" ] || { mkdir -p measured/sys/fs/selinux && echo "$2" >measured/sys/fs/selinux/enforce; }
	printf 'measure = on\n%b' "$3" >measured/etc/diglim/loader.conf
	expect 0 "$diglim" doctor --root "$work/measured"
	grep -q -- "$4" "$work/out" || fail "measurement with $1, $2, $3: no '$4'"
	rm -r measured
}
measurement bpf,apparmor '' '' '^ok *IMA can be told'
measurement bpf,selinux 1 '' 'to do: set labels = selinux'
measurement bpf '' '' 'to do: boot with AppArmor'
measurement bpf,selinux 1 'labels = selinux\n' '^ok *IMA can be told'
measurement bpf,selinux '' 'labels = selinux\n' '^warn *SELinux has no policy'
measurement bpf,selinux 0 'labels = selinux\n' '^warn *SELinux is permissive'
measurement bpf,selinux 1 'labels = selinux\nmode = permissive\n' '^warn *in permissive mode'
measurement bpf,apparmor '' 'labels = selinux\n' 'to do: set labels = apparmor'

# Who else extends the register. firmware_log OUT [PCR TYPE TEXT]...; systemd_log OUT [PCR STRING]...
firmware_log() {
	python3 - "$@" <<-'PY'
		import struct, sys
		spec = b'Spec ID Event03\0' + struct.pack('<IIIHHHHB', 0, 0x02000200, 2, 4, 20, 11, 32, 0)
		log = struct.pack('<II', 0, 3) + bytes(20) + struct.pack('<I', len(spec)) + spec
		words = sys.argv[2:]
		for pcr, kind, text in zip(words[::3], words[1::3], words[2::3]):
		    data = text.encode('utf-16le')
		    log += struct.pack('<IIIH', int(pcr), int(kind, 16), 2, 4) + bytes(20) + struct.pack('<H', 11) + bytes(32)
		    log += struct.pack('<I', len(data)) + data
		open(sys.argv[1], 'wb').write(log)
	PY
}
systemd_log() {
	local file=$1
	shift
	while [ $# -ge 2 ]; do
		printf '\36{"pcr":%s,"digests":[{"hashAlg":"sha256","digest":"%064d"}],"content_type":"systemd",' "$1" 0
		printf '"content":{"eventType":"phase","string":"%s"}}\n' "$2"
		shift 2
	done >"$file"
}
register() { # CONFIGURATION WANTED...: of a machine with ./firmware and ./systemd
	cp -a good measured
	mkdir -p measured/sys/kernel/security/tpm0 measured/run/log/systemd
	echo bpf,apparmor >measured/sys/kernel/security/lsm
	printf 'measure = on\n%b' "$1" >measured/etc/diglim/loader.conf
	cp firmware measured/sys/kernel/security/tpm0/binary_bios_measurements
	cp systemd measured/run/log/systemd/tpm2-measure.log
	"$diglim" doctor --root "$work/measured" >out 2>&1
	for said in "${@:2}"; do grep -q -- "$said" out || fail "register with $1: no '$said'"; done
	rm -r measured
}
firmware_log firmware 4 80000003 'the image' 11 d .linux 12 d 'quiet splash'
systemd_log systemd 11 enter-initrd 15 machine-id
register 'pcr = 13\n' '^ok *nobody else extends PCR 13'
register 'pcr = 11\n' '^warn *systemd extends PCR 11, too' 'systemd: phase "enter-initrd"' \
	'to do: set pcr = 8 in .*, then /usr/libexec/diglim/remake-initramfs and reboot'
register 'pcr = 12\n' '^warn *PCR 12 does not begin with zeros' 'EV_IPL "quiet splash"' 'to do: set pcr = 8 in'
register 'pcr = 15\n' '^warn *systemd extends PCR 15, too'
systemd_log systemd 11 enter-initrd 8 x 13 os-separator
register 'pcr = 13\n' '^warn *systemd extends PCR 13, too' 'phase "os-separator"' 'to do: set pcr = 14 in'
register '' '^ok *nobody else extends PCR 10'
systemd_log systemd
firmware_log firmware 4 80000003 'the image' 8 d 'grub_cmd: linux /vmlinuz'
register 'pcr = 8\n' '^warn *PCR 8 does not begin with zeros' 'GRUB: EV_IPL "grub_cmd' 'to do: set pcr = 12 in'
systemd_log systemd 12 a 13 b 14 c 15 d 9 e
register 'pcr = 12\n' 'to do: set pcr = another one in'
printf rubbish >firmware
register 'pcr = 12\n' '^unknown *whether somebody else extends PCR 12 is not known'

# Does systemd-pcrlock's policy know the images as they are?
firmware_log firmware
systemd_log systemd
mkdir -p good/var/lib/systemd good/efi/EFI/Linux good/efi/EFI/diglim
rm -f good/var/lib/diglim/pcrlock
register 'pcr = 8\n' '^ok *nobody else extends PCR 8'
! grep -q pcrlock out || fail "a word of pcrlock without a policy"
echo '{"pcrBank":"sha256","pcrValues":[{"pcr":7,"values":["00"]},{"pcr":11,"values":[]}]}' >good/var/lib/systemd/pcrlock.json
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy has not PCR 8"
echo '{"pcrBank":"sha256","pcrValues":[{"pcr":7,"values":["00"]},{"pcr":8,"values":[]}]}' >good/var/lib/systemd/pcrlock.json
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy has not PCR 11: what is bound to it opens whatever booted"
echo '{"pcrBank":"sha256","pcrValues":[{"pcr":7,"values":["00"]},{"pcr":8,"values":[]},{"pcr":11,"values":["ff"]}]}' \
	>good/var/lib/systemd/pcrlock.json
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy does not know this boot and stays as it is" 'asks for its recovery key' \
	'to do: diglim setup install --uki'
mkdir -p good/sys/class/tpm/tpm0/pcr-sha256
echo 0000 >good/sys/class/tpm/tpm0/pcr-sha256/11
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy does not know this boot"
echo AB00 >good/sys/class/tpm/tpm0/pcr-sha256/11
register 'pcr = 8\n' "^unknown *whether systemd-pcrlock's policy knows the next boot" 'DIGLIM made no signed image of this host'
rm -r good/sys/class/tpm/tpm0/pcr-sha256
sed 's/"pcr":11,"values":\["ff"\]}/"pcr":11,"values":["0000"]}/' good/var/lib/systemd/pcrlock.json >policy
cp policy good/var/lib/systemd/pcrlock.json
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy opens what is bound to it to any initramfs: this host boots no signed images"
sed -i 's/"0000"/"00ff"/' good/var/lib/systemd/pcrlock.json
mkdir -p good/var/lib/diglim
cp good/etc/diglim/uki.conf uki.conf.before 2>/dev/null
echo 'esp = /efi' >good/etc/diglim/uki.conf
echo one >good/efi/EFI/Linux/diglim-6.efi
echo old >good/efi/EFI/diglim/6-previous.efi
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy does not know the next boot" 'no boot was told to it' \
	'to do: systemctl enable diglim-pcrlock.service'
for image in good/efi/EFI/Linux/diglim-6.efi good/efi/EFI/diglim/6-previous.efi; do
	stat -c '%Y %s %n' "$image" | sed 's| good| |'
done >good/var/lib/diglim/pcrlock
register 'pcr = 8\n' "^ok *systemd-pcrlock's policy knows the next boot"
echo other >good/efi/EFI/Linux/diglim-6.efi
register 'pcr = 8\n' "^warn *systemd-pcrlock's policy does not know the next boot" ' /efi/EFI/Linux/diglim-6.efi'
! grep -q ' /efi/EFI/diglim/6-previous.efi' out || fail "an image that is known is named"
rm -r good/var/lib/systemd/pcrlock.json good/var/lib/diglim/pcrlock good/efi good/etc/diglim/uki.conf
[ ! -e uki.conf.before ] || mv uki.conf.before good/etc/diglim/uki.conf

# SELinux: is DIGLIM's module in its policy, and has the loader the label?
selinux() { # CONTEXTS LABEL WANTED [ENFORCE]
	cp -r good labelled
	mkdir -p labelled/sys/fs/selinux labelled/etc/selinux/mini/contexts/files
	echo "${4:-1}" >labelled/sys/fs/selinux/enforce
	printf 'SELINUX=enforcing\nSELINUXTYPE=mini\n' >labelled/etc/selinux/config
	echo "$1" >labelled/etc/selinux/mini/contexts/files/file_contexts
	if [ -n "$2" ]; then
		python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.selinux", sys.argv[2].encode() + b"\0")' \
			labelled/usr/sbin/diglim-loader "system_u:object_r:$2:s0" || fail "cannot label a file"
	fi
	expect 0 "$diglim" doctor --root "$work/labelled" --seconds 0
	contains "SELinux: $1, $2" "$out" "$3"
	rm -r labelled
}
context='/usr/sbin/diglim-loader -- system_u:object_r:diglim_loader_exec_t:s0'
selinux 'none' '' 'SELinux enforces without'
selinux 'none' diglim_loader_exec_t 'to do: install the package diglim-selinux'
selinux 'none' '' 'SELinux, permissive now, has no module of DIGLIM' 0
selinux "$context" bin_t '/usr/sbin/diglim-loader: bin_t'
selinux "$context" '' '/usr/sbin/diglim-loader: no label'
selinux "$context" bin_t 'to do: restorecon -RF /usr/sbin/diglim-loader /run/diglim'
selinux "$context" diglim_loader_exec_t 'ok      SELinux has a domain for the loader'

# Where nothing would start, "ok" would lock its reader out.
cp -r good confidential
echo 'none integrity [confidentiality]' >confidential/sys/kernel/security/lockdown
expect 1 "$diglim" doctor --root confidential --seconds 0
contains "lockdown=confidentiality" "$out" "boot with lockdown=integrity in its place"
cp -r good confidential-next
echo 'ro lockdown=confidentiality' >confidential-next/proc/cmdline
expect 1 "$diglim" doctor --root confidential-next --seconds 0

# The boot chain: an image that this host signed, by a firmware that knows no other key.
# shellcheck disable=SC2059 # bytes
le32() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 >> 16)))\\0"; }
firmware_key() { # CERTIFICATE: an EFI_SIGNATURE_LIST
	local size
	openssl x509 -in "$1" -outform DER -out der
	size=$((16 + $(stat -c %s der)))
	printf '\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72'
	le32 $((28 + size)) && le32 0 && le32 $size && printf 0123456789abcdef && cat der
}
efi_text() { # VARIABLE TEXT: UTF-16
	{ printf '\6\0\0\0' && printf %s "$2" | iconv -f ASCII -t UTF-16LE && printf '\0\0'; } \
		>"chain/sys/firmware/efi/efivars/$1-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
}
db=chain/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f
above() { # PK|KEK|SetupMode: the file
	echo "chain/sys/firmware/efi/efivars/$1-8be4df61-93ca-11d2-aa0d-00e098032b8c"
}
cp -r good chain
mkdir -p chain/etc/kernel chain/efi/EFI/Linux
for name in admin other; do
	openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 30 -subj /CN=$name 2>/dev/null
done
cp admin.pem chain/etc/kernel/cert.pem
printf 'esp = /efi\nkey = /etc/kernel/key.pem\ncertificate = /etc/kernel/cert.pem\n' >chain/etc/diglim/uki.conf
echo kernel >kernel && echo initramfs >initrd && echo ID=x >os-release
pack() { "$top/tools/uki/pack_uki" --linux kernel --initrd initrd --os-release os-release --release 6.1.0-32-amd64 --key "$1.key" \
	--certificate "$1.pem" --cmdline chain/proc/cmdline --output chain/efi/EFI/Linux/diglim-6.1.0-32-amd64.efi; }
pack admin || fail 'no image'
{ printf '\x27\0\0\0' && firmware_key admin.pem; } >$db
for name in PK KEK; do { printf '\x27\0\0\0' && firmware_key admin.pem; } >"$(above $name)"; done
printf '\6\0\0\0\0' >"$(above SetupMode)"
efi_text StubInfo 'systemd-stub'
efi_text StubPcrKernelImage 11
efi_text LoaderImageIdentifier '\EFI\Linux\DIGLIM-6.1.0-32-amd64.efi'
chain() { # WANTED...: lines of what the doctor says
	expect 0 "$diglim" doctor --root "$work/chain" --seconds 0
	local wanted
	for wanted in "$@"; do contains 'the boot chain' "$out" "$wanted"; done
}
# The initramfs is looked into on a running host.
chain "ok      the firmware boots what 1 key signed, and it is this host's: CN=admin" \
	'ok      this boot came from a signed image, ' 'ok      its command line is the one that the kernel has' \
	'ok      the image was measured into PCR 11' "warn    this host's boot chain is closed in 6 of 7 steps
          open: initramfs"
# Whoever has the PK or the KEK may change db.
own="ok      the firmware boots what 1 key signed, and it is this host's: CN=admin"
[[ $out != *'may change'* ]] || fail "nobody else may: $out"
{ printf '\x27\0\0\0' && firmware_key other.pem; } >"$(above KEK)"
chain "$own; whoever has one of these may change that, so let them be yours:
          CN=other (KEK)" 'closed in 6 of 7 steps'
for maker in 'Microsoft Corporation KEK CA 2011' 'DO NOT TRUST - AMI Test PK' 'Dell Inc. Platform Key'; do
	openssl req -x509 -key other.key -out maker.pem -days 30 -subj "/CN=$maker" 2>/dev/null
	{ printf '\x27\0\0\0' && firmware_key admin.pem && firmware_key maker.pem; } >"$(above KEK)"
	chain "warn    the firmware boots what this host's key signed, but others may change that, by these keys:
          CN=$maker (KEK)" 'open: keys' 'closed in 5 of 7 steps'
done
{ printf '\x27\0\0\0' && firmware_key admin.pem; } >"$(above KEK)"
{ printf '\x27\0\0\0' && firmware_key maker.pem; } >"$(above PK)"
chain 'CN=Dell Inc. Platform Key (PK)' 'open: keys'
openssl req -x509 -key other.key -out family.pem -days 30 -subj '/CN=Adellina family' 2>/dev/null
{ printf '\x27\0\0\0' && firmware_key family.pem; } >"$(above PK)"
chain 'CN=Adellina family (PK)' 'closed in 6 of 7 steps' # no maker's
printf '\x27\0\0\0cut' >"$(above PK)"
expect 3 "$diglim" doctor --root "$work/chain" --seconds 0
contains 'a PK that is none' "$out" "the firmware's PK cannot be read"
{ printf '\x27\0\0\0' && firmware_key admin.pem; } >"$(above PK)"
printf '\6\0\0\0\1' >"$(above SetupMode)"
chain 'warn    the firmware is in setup mode: anybody may change its keys' 'open: keys'
printf '\6\0\0\0\0' >"$(above SetupMode)"
chain "$own
"
{ printf '\x27\0\0\0' && firmware_key admin.pem && firmware_key other.pem; } >$db
chain "the firmware boots what this host's key signed, and what these signed:
          CN=other" 'closed in 5 of 7 steps'
{ printf '\x27\0\0\0' && firmware_key other.pem; } >$db
chain "the firmware does not know this host's key; it boots what these signed:"
printf '\x27\0\0\0cut' >$db
expect 3 "$diglim" doctor --root "$work/chain" --seconds 0
contains 'a variable that is none' "$out" "the firmware's keys cannot be read"
{ printf '\x27\0\0\0' && firmware_key admin.pem; } >$db
echo 'ro diglim.mode=permissive' >chain/proc/cmdline
chain 'the kernel has another command line than the image' 'open: command_line'
mkdir -p chain/efi/loader/addons
cp chain/efi/EFI/Linux/diglim-6.1.0-32-amd64.efi chain/efi/loader/addons/more.addon.efi
chain "systemd's stub adds that of addons:
          $work/chain/efi/loader/addons/more.addon.efi" 'open: command_line'
pack other
chain "which does not verify with this host's certificate" 'open: image'
rm chain/sys/firmware/efi/efivars/Stub*
chain 'this boot came from no unified kernel image' 'the image was measured into no TPM'
rm -r chain

# Keys that a trusted key grants are not trusted from the boot on; unless they lie among the keys, too.
lent() { expect 0 "$diglim" doctor --root "$work/lent" --seconds 0; } # what it warns of keeps nothing from starting
grant() { "$diglim" key grant -k "$1.key" -c "$1.pem" -o "lent/etc/diglim/granted/$2" "$3" >/dev/null || fail "no grant of $3"; }
cp -r good lent && mkdir lent/etc/diglim/granted
cp admin.pem lent/etc/diglim/keys/
lent
[[ $out != *grant* ]] || fail "nothing is granted: $out"
grant admin vendor other.pem
lent
contains 'a granted key' "$out" 'warn    1 key is granted, and not trusted from the boot on: what they signed is denied until diglim-repair'
other=$(openssl x509 -in other.pem -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr 'A-F' 'a-f')
contains 'whose, and by whom' "$out" "x509:$other, by CMS RSA/SHA256 CN=admin"
contains 'what to do' "$out" 'to do: diglim key list, then diglim key add or diglim key remove'
expect 0 "$diglim" doctor --root "$work/lent" --seconds 0 --json
contains 'as JSON' "$out" '"id":"grants","level":"warn"'
cp other.pem lent/etc/diglim/keys/vendor
lent
[[ $out != *grant* ]] || fail "what is granted is trusted anyway: $out"
rm lent/etc/diglim/keys/vendor lent/etc/diglim/granted/vendor
grant other by-another admin.pem
echo none >lent/etc/diglim/granted/none
lent
contains 'what counts for nothing' "$out" 'warn    2 statements that grant keys do not count'
contains 'a file that is none' "$out" '/etc/diglim/granted/none: granted keys: '
contains 'of a key that is not trusted' "$out" '/etc/diglim/granted/by-another: granted keys: '
contains 'what to do then' "$out" 'to do: remove them from /etc/diglim/granted, or make them anew: diglim key add -k KEY'
[[ $out != *'granted, and not trusted'* ]] || fail "they grant nothing: $out"
rm -r lent

# Everything that can be wrong.
cp -r good bad
echo 5.10.0 >bad/proc/sys/kernel/osrelease
cp bad/boot/config-6.1.0-32-amd64 bad/boot/config-5.10.0
mv bad/lib/modules/6.1.0-32-amd64 bad/lib/modules/5.10.0
echo 'ro ima_policy=tcb' >bad/proc/cmdline
echo 'capability,selinux' >bad/sys/kernel/security/lsm
echo '[none] integrity confidentiality' >bad/sys/kernel/security/lockdown
rm -r bad/sys/kernel/btf/vmlinux bad/sys/kernel/security/ima bad/sys/class/tpm/tpm0 bad/usr/lib/rpm/macros.d/*
echo 0 >bad/proc/sys/kernel/ftrace_enabled
echo N >bad/sys/module/module/parameters/sig_enforce
printf '\6\0\0\0\0' >bad/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
mkdir -p bad/sys/fs/selinux bad/usr/local/bin bad/opt && echo 0 >bad/sys/fs/selinux/enforce
printf '%s\n' '22 1 8:1 / / rw - overlay overlay rw' '23 22 8:2 / /boot rw - vfat /dev/loop0 rw' \
  '24 22 0:1 / /home rw - nfs4 host:/home rw' >bad/proc/self/mountinfo
make_package unsigned && make_signing_key stranger && make_package foreign stranger || fail "packages: $(cat ./*.log)"
digests=1 make_package weak hello || fail "packages: $(cat ./*.log)"
install_package bad unsigned && install_package bad foreign && install_package bad weak || fail "install: $(cat install.log)"
echo changed >>bad/usr/bin/hello
printf '#!/bin/sh\n' >bad/usr/local/bin/own && chmod 755 bad/usr/local/bin/own
mkdir -p bad/etc/cron.daily && cp bad/usr/local/bin/own bad/etc/cron.daily/changed
touch bad/var/lib/diglim/transaction
rm bad/etc/digest_lists/* && echo x >bad/etc/digest_lists/0-file_list-rpm-gone-1-1.noarch &&
  echo x >bad/etc/digest_lists/0-file_list-compact-x
mkdir -p {good,bad}/boot/loader/entries && printf 'title x\nlinux /vmlinuz-5.9.0\ninitrd /y\n' |
  tee {good,bad}/boot/loader/entries/0123-0-diglim-permissive.conf >one
touch good/boot/vmlinuz-5.9.0
doctor 1 bad
doctor 0 good

# What cannot be seen is not called good.
cp -r good blind && rm -r blind/sys blind/proc
doctor 3 blind --seconds 0
cp -r good nokeys && rm nokeys/etc/diglim/keys/*
doctor 1 nokeys --seconds 0
echo 'mode = off' >good/etc/diglim/loader.conf
expect 1 "$diglim" doctor --root good --seconds 0
contains "configuration" "$out" 'loader.conf: line 1: mode is "enforce", "permissive" or "measure", not "off"'
rm good/etc/diglim/loader.conf
# Time over: said, not hidden.
mkdir -p good/opt && for i in $(seq 3000); do echo "$i" >"good/opt/$i"; done && chmod -R 755 good/opt &&
  head -c 300000000 /dev/zero >good/opt/large && chmod 755 good/opt/large
expect 0 "$diglim" doctor --root good
contains "unknown programs are counted" "$out" "and 2981 more"
expect 2 "$diglim" doctor x
expect 2 "$diglim" doctor --seconds -1
finish
