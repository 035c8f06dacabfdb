#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: state, metrics and evidence say what a loader and the files say, in forms that others can read whatever names are in them; what is
# not known they do not claim.
# Expected: no "not ok", exit 0. A script that prints a status stands for the loader; the real one is asked in selftests/host/living.
. "$(dirname "$0")/../../lib/cli.sh"
tools=$(realpath "$1")
diglim=$tools/diglim
cd "$work" || exit 1
lib=$top/selftests/lib
certificate() { # NAME
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 30 -subj "/CN=$1" 2>/dev/null
}
certificate mine && certificate other || fail "no keys"
fingerprint=x509:$(openssl x509 -in mine.pem -outform DER | sha256sum | cut -d' ' -f1)
says() { # NAME STATUS: a loader
	cat >"$1.json"
	printf '#!/bin/sh\n[ "$*" = "status --json" ] || exit 2\ncat %s/%s.json\nexit %s\n' "$work" "$1" "$2" >"$1" && chmod 755 "$1"
}
status() { # MODE LOG-FAULT MORE
	cat <<-JSON
		{"mode":"$1","measure":false,"measuring":false,"generation":3,"loaded_at":1700000000,"algorithm":"sha256",
		"digests":20,"memory_bytes":4096,
		"lists":[{"name":"0-file_list-compact-allow-x-1","digests":20,"signer":"CMS CN=mine"},{"name":"b","digests":0,"signer":"CMS CN=mine"}],
		"keys":["x509 CN=mine"],"fingerprints":["$fingerprint","openpgp:aabb"],"unusable_keys":[],"left_out_keys":[],
		"events":{"denied":9,"dropped":0,"logged":9,"not_logged":0,"not_written":0,"log_fault":"$2","keeper_restarts":0},
		"verdicts":{"hashed":4,"hashed_bytes":5000,"decided":{"exec":{"known":10,"denied":3,"passed":0},
		"guard":{"known":0,"denied":1,"passed":0}}}$3}
	JSON
}
status enforce '' '' | says good 0
status enforce '7 denials are not logged: the keeper is gone' '' | says silent 0
programs='{"name":"diglim_exec","runs":100,"ns":5000},{"name":"diglim_mmap_file","runs":7,"ns":1000000001}'
status enforce '' ",\"programs\":[$programs]" | says counted 0
programs='{"name":"diglim_a\"b\\c\nd\u001b","runs":1,"ns":1}' # in JSON: a"b\c, a new line, d, escape
status 'x\"\\\n\u001b' '' ",\"programs\":[$programs]" | sed 's/"guard"/"g\\"u\\\\a\\nrd"/' | says odd 0
status enforce '' ',"monitor":{"allowed":"signed","left":90,"reason":"ticket 42","times":2}' | says monitored 0
echo 'diglim-loader status: DIGLIM is not active: boot with rdinit=' | says absent 3
echo '[' | says broken 0
value() { sed -n "s/^$1 = //p" <<<"$out"; }

# State.
before=$(date +%s)
expect 0 "$diglim" state --loader ./good
written=$(value written_at_s)
[ "$before" -le "$written" ] && [ "$written" -le "$(date +%s)" ] || fail "written at $written, begun at $before"
equal "mode" "$(value mode) $(value digests) $(value lists) $(value log) $(value keys)" "enforce 20 2 ok 1"
equal "of this boot" "$(value boot_id)" "$(cat /proc/sys/kernel/random/boot_id)"
expect 0 "$diglim" state --loader ./silent
equal "a silent keeper" "$(value log): $(value log_fault)" "fault: 7 denials are not logged: the keeper is gone"
expect 0 "$diglim" state --loader ./monitored
equal "monitor mode" "$(value mode) $(value monitor_seconds_left) $(value monitor_times)" "monitor 90 2"
expect 3 "$diglim" state --loader ./absent
equal "not active" "$(value mode)$(value digests)$(value log)" inactive
contains "why" "$(value fault)" "boot with rdinit="
expect 3 "$diglim" state --loader ./broken
equal "not readable" "$(value mode)$(value digests)" unknown
expect 0 "$diglim" state --loader ./odd
equal "a mode that nobody knows" "$(value mode)" unknown
expect 0 "$diglim" state --loader ./good -o state
equal "for everybody" "$(stat -c %a state)" 644
equal "nothing else" "$(find . -name '.state*')" ""
expect 3 "$diglim" state --loader ./good -o gone/state
contains "the directory is gone" "$err" "gone/.state"
[ "$(id -u)" != 0 ] || {
	expect 3 as_nobody env HOME=/ "$diglim" state
	equal "nobody" "$(value mode): $(value fault)" "unknown: only root may ask the kernel"
}

# Metrics.
for loader in good silent counted odd monitored absent broken; do
	wanted=0
	case $loader in absent | broken) wanted=3 ;; esac
	expect $wanted "$diglim" metrics --loader ./$loader
	"$lib/openmetrics" <<<"$out" >strict 2>&1 && pass || fail "metrics of $loader: $(cat strict)"
done
expect 0 "$diglim" metrics --loader ./odd
contains "escaped" "$out" 'hook="a\"b\\c\nd'$'\xef\xbf\xbd"' # U+FFFD, in any locale
contains "a kind" "$out" 'kind="g\"u\\a\nrd",verdict="denied"} 1'
expect 0 "$diglim" metrics --loader ./silent
contains "the keeper" "$out" $'\ndiglim_log_fault 1\n'
expect 0 "$diglim" metrics --loader ./counted -o diglim.prom
"$lib/openmetrics" --names diglim.prom >names || fail "$(cat names)"
contains "seconds" "$(cat diglim.prom)" 'diglim_hook_seconds_total{hook="mmap_file"} 1.000000001'
echo diglim_cache_hits_total >>names # only after a boot that counted
missing=$(python3 - "$top/packaging/grafana/diglim.json" names <<-'PY'
	import json, re, sys
	board = json.load(open(sys.argv[1]))
	known = set(open(sys.argv[2]).read().split())
	asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
	asked += [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
	used = {name for text in asked for name in re.findall(r"\bdiglim_\w+", text)}
	assert len(used) > 10 and len(board["panels"]) > 5
	print(*sorted(used - known))
PY
) || fail "dashboard"
equal "the dashboard asks for what there is" "$missing" ""
# The consumer itself, which reads an older format than OpenMetrics.
mkdir textfiles && cp diglim.prom textfiles/
prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory=textfiles \
	--web.listen-address=127.0.0.1:19109 >exporter.log 2>&1 &
exporter=$!
for _ in $(seq 100); do
	! python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:19109/metrics").read().decode())' >scraped 2>/dev/null || break
	sleep 0.1
done
kill $exporter && wait $exporter 2>/dev/null
contains "node_exporter reads it" "$(cat scraped exporter.log)" $'\nnode_textfile_scrape_error 0\n'
contains "its value" "$(cat scraped)" $'\ndiglim_decisions_total{kind="exec",verdict="denied"} 3\n'

# Evidence.
root=$work/host
mkdir -p host/etc/{digest_lists,diglim/keys} host/var/lib/diglim/allow host/proc/sys/kernel/random
cp mine.pem host/etc/diglim/keys/ && echo 'not a key' >host/etc/diglim/keys/README
echo 'BOOT_IMAGE=/x rdinit=/usr/sbin/diglim-loader diglim.measure=on secret=hunter2 lockdown=integrity' >host/proc/cmdline
cat /proc/sys/kernel/random/boot_id >host/proc/sys/kernel/random/boot_id
echo 6.12.0 >host/proc/sys/kernel/osrelease
record() { # NAME OWNER UNTIL PATH
	python3 - "$@" >"host/var/lib/diglim/allow/$1.json" <<-'PY'
		import json, sys, time
		name, owner, until, path = sys.argv[1:]
		print(json.dumps({"list": name, "paths": [path], "files": 1, "sha256": "00", "signer": "CMS CN=mine", "owner": owner, "reason": "a fix",
		                  "by": "root", "made": int(time.time()) - 5, "until": int(until), "boot_id": "", "until_since_boot": 0}, indent=2))
	PY
}
later=$(($(date +%s) + 3600))
record 0-file_list-compact-allow-x-1 alice $later $'/home/x\n\e[2J'
record 0-file_list-compact-allow-y-2 $'bob\nmode' 0 /y
touch host/etc/digest_lists/0-file_list-compact-allow-{x-1,y-2,z-3}
{
	for i in 1 2 3; do echo "diglim: denied exec /home/x: not on any digest list; sha256:$(printf "%064d" $i); pid 1 uid 0 command sh"; done
	echo "diglim: denied mmap /lib/y: it is open for writing; pid 1 uid 0 command sh"
} >log
evidence() { "$diglim" evidence --root "$root" --log log --loader ./good --seconds 0 "$@"; }
json() { "$lib/json" "$1" ev; }
expect 0 evidence -o ev -k mine.key -c mine.pem
equal "mode" "$(json format) $(json mode.name) $(json host.kernel)" "diglim-evidence-1 enforce 6.12.0"
equal "what of the command line matters" "$(json 'host.command_line.*' | xargs)" \
	"rdinit=/usr/sbin/diglim-loader diglim.measure=on lockdown=integrity"
equal "keys" "$(json 'keys.*.fingerprint' | xargs) $(json keys.0.in_force)" "$fingerprint openpgp:aabb true"
equal "origin" "$(json keys.0.origin), $(json keys.1.origin)" "$root/etc/diglim/keys/mine.pem, in the kernel; its file is gone"
contains "no key" "$(json 'unread_keys.*')" "README: not a key"
equal "lists" "$(json lists.in_force) $(json lists.files) $(json lists.by_signer.0.lists) $(json lists.give_nothing)" "2 3 2 1"
equal "exceptions" "$(json 'exceptions.*.in_force' | xargs) $(json 'exceptions.*.owner' | head -n1)" "true false alice"
equal "without a record" "$(json 'damaged_exceptions.*')" 0-file_list-compact-allow-z-3
equal "denials" "$(json denials.count) $(json 'denials.groups.*.denials' | sort | xargs)" "4 1 3"
contains "findings" "$(json 'doctor.*.id' | xargs)" "kernel.lsm"
[ "$(json changed.keys)" -gt 0 ] || fail "last change of the keys"
equal "not for everybody" "$(stat -c %a ev ev.p7s)" $'600\n600'
expect 0 "$diglim" evidence verify ev -c mine.pem
contains "who" "$out" "signed by CMS RSA/SHA256 CN=mine"
contains "what" "$out" "mode          enforce since"
contains "escaped" "$out" '/home/x\n\x1b[2J'
equal "no control characters" "$(tr -d '\n' <<<"$out" | tr -d '[:print:]' | tr -d '\200-\377' | wc -c)" 0
openssl cms -verify -binary -inform DER -in ev.p7s -content ev -certfile mine.pem -CAfile mine.pem -purpose any -out /dev/null 2>cms.log &&
	pass || fail "openssl: $(cat cms.log)"
expect 1 "$diglim" evidence verify ev -c other.pem
cp ev.p7s changed.p7s
sed 's/"permissive"/"enforce"/; s/alice/carol/' ev >changed
expect 1 "$diglim" evidence verify changed -c mine.pem
contains "changed" "$err" "changed: CMS"
expect 1 "$diglim" evidence verify changed -c mine.pem --signature none
echo '{"format":"x"}' >foreign
openssl cms -sign -binary -noattr -nocerts -in foreign -outform DER -signer mine.pem -inkey mine.key -out foreign.p7s
expect 1 "$diglim" evidence verify foreign -c mine.pem
contains "signed, but something else" "$err" "no evidence that this version knows"
expect 0 evidence --text
contains "text" "$out" "owner: alice; reason: a fix"
equal "no control characters in it" "$(tr -d '\n' <<<"$out" | tr -d '[:print:]' | tr -d '\200-\377' | wc -c)" 0
expect 3 "$diglim" evidence --root "$root" --log log --loader ./absent --seconds 0 -o ev
equal "not active, and it says so" "$(json mode.name)" inactive
contains "on stderr, too" "$err" "this evidence says that DIGLIM's mode is inactive"
expect 0 "$diglim" evidence --root "$root" --log log --loader ./monitored --seconds 0 --text
contains "monitor mode" "$out" "90 s left, 2 times in this boot; it may be begun by: signed; the last because: ticket 42"
expect 0 evidence --since 1h
expect 2 evidence --since yesterday-ish
expect 2 evidence -k mine.key -o x
expect 2 evidence -k mine.key -c mine.pem
expect 2 "$diglim" evidence --root "$root"
expect 1 evidence -o x -k other.key -c mine.pem
contains "not its key" "$err" "nothing was written"
[ ! -e x ] || fail "a file without its signature"

# Many exceptions; no journal and no kernel log is no reason to say nothing. Sanitizers take eighty times as long.
many=100000
! grep -q __asan_init "$diglim" || many=4000
python3 - host/var/lib/diglim/allow $many <<-'PY'
	import json, sys
	one = json.load(open(sys.argv[1] + "/0-file_list-compact-allow-x-1.json"))
	for i in range(int(sys.argv[2])):
	    one["list"] = f"0-file_list-compact-allow-m-{i}"
	    one["owner"] = "" if i % 2 else "bob"
	    with open(f"{sys.argv[1]}/{one['list']}.json", "w") as file: json.dump(one, file)
PY
begin=$SECONDS
expect 0 evidence -o ev -k mine.key -c mine.pem
equal "all of them" "$(json 'exceptions.*.list' | wc -l)" $((many + 2))
expect 0 "$diglim" evidence verify ev -c mine.pem
if unshare -rm mount --bind host/var /var 2>/dev/null; then
	# /dev has null, without which no program can be started with an empty standard input.
	touch null
	bare() { unshare -rm bash -c 'mount --bind "$0/var" /var && mount --bind "$0/etc" /etc && mount -t tmpfs none /run &&
		mount --bind /dev/null "$0/../null" && mount -t tmpfs none /dev && touch /dev/null && mount --bind "$0/../null" /dev/null &&
		exec "$@"' "$root" "$@"; }
	expect 0 bare "$diglim" state --loader "$work/good"
	equal "exceptions" "$(value exceptions) $(value exceptions_without_owner) $(value exceptions_without_end)" "$((many + 3)) $((many / 2)) 1"
	equal "no last denial is known" "$(value last_denial)" ""
	expect 0 bare "$diglim" metrics --loader "$work/good"
	contains "counted" "$out" "diglim_exceptions $((many + 3))"
	# nobody may take no log for no denials
	expect 0 bare "$diglim" evidence --loader "$work/good" --seconds 0
	contains "no journal" "$out" '"source": "the kernel'"'"'s buffer"'
	contains "and not all of it" "$out" '"complaint": "open /dev/kmsg: No such file or directory"'
	contains "so it is not complete" "$out" '"incomplete": true'
else
	skip "a system without a journal: not allowed to mount"
fi
echo "time - evidence, its verification, state, metrics with $many exceptions: $((SECONDS - begin)) s"
finish
