#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: diglim scan says without a kernel what would be denied, and why: by package, directory and reason; a second scan is served from the
# cache, and a cache that is of no use is said and does no harm.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
cd "$work" || exit 1
{ prepare_host && make_package plain && make_signing_key other && make_package other other; } ||
	{ echo "FAIL: cannot make packages: $(cat ./*.log)"; exit 1; }
make_host host && install_package host plain && install_package host other || fail "no host: $(cat install.log)"
gpg --homedir "$work/gnupg-other" --batch --armor --export other >other.asc
mkdir -p host/etc/diglim/keys
cache=$work/cache
scan() { "$diglim" scan --cache "$cache" "$@" host; }
json() { "$top/selftests/lib/json" "$1" <<<"$out"; }
causes() { json 'denied.*.cause' | sort | uniq -c | tr -s ' \n' ' '; }

# A fresh host: no key, no list. rpm's keys are assumed, and that is said.
expect 1 scan
contains "assumed keys" "$out" "no key is trusted yet: the 1 of rpm's keyring are assumed"
contains "assumed lists" "$out" "no package has a list in /etc/digest_lists yet"
contains "unsigned" "$out" $'1 of packages that nobody signed\n         1  plain-1-1.noarch: /usr/bin/plain'
contains "untrusted" "$out" $'1 of packages that no trusted key signed\n         1  other-1-1.noarch: /usr/bin/other'
contains "sum" "$out" "host: 3 files that can run, be mapped or loaded: 1 known, 2 would be denied"
contains "nothing yet" "$out" " 0 files as an earlier scan found them"

# With keys and lists they are what counts.
cp hello.asc other.asc host/etc/diglim/keys/
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q
rm host/etc/digest_lists/0-file_list-rpm-other-1-1.noarch
expect 1 scan --json
equal "why" "$(causes)" " 1 no-list 1 unsigned "
equal "no assumption" "$(json notes | tr -d ' \n')" '[]'
"$(dirname "$diglim")/rpm_gen" -d host/etc/digest_lists -r host -q
echo broken >host/etc/digest_lists/mine
expect 1 scan
contains "a list that is none" "$out" "note: does not count: mine: no appended signature"
rm host/etc/digest_lists/mine
rpm --root "$work/host" --dbpath /var/lib/rpm --noplugins -e plain 2>/dev/null
expect 0 scan
contains "all are known" "$out" "2 files that can run, be mapped or loaded: 2 known, 0 would be denied"

# Each of the other reasons; names that are no text.
echo '# changed' >>host/usr/bin/hello
mkdir -p host/opt/tool
cp /bin/true host/opt/tool/elf && chmod 644 host/opt/tool/elf
printf 'x' >host/opt/tool/$'<b>\n\e[2J\xff' && chmod 755 host/opt/tool/*J*
printf '#!/bin/sh\n' >host/opt/tool/not-executable
cp host/usr/bin/other host/opt/tool/copy
expect 1 scan
contains "changed" "$out" $'1 changed since the package that ships it was installed\n         1  hello-1-1.noarch: /usr/bin/hello'
contains "nobody's" "$out" $'2 of no package, and on no list\n         2  /opt/tool, such as /opt/tool/<b>\\n\\x1b[2J\\xff'
[[ $out != *$'\e'* ]] || fail "an escape code reaches the terminal"
pass
expect 1 scan --all
contains "each file" "$out" $'    /opt/tool/elf\n'
expect 1 scan --json
equal "JSON is valid" "$(causes)" " 1 changed 2 foreign "
contains "no UTF-8" "$out" '"path_hex":"2f6f70742f746f6f6c2f3c623e0a1b5b324aff"'
expect 1 scan --below opt/tool --json
equal "below" "$(causes)" " 2 foreign "
ln -s opt/tool host/link
expect 1 scan --below /link --all
contains "below a link" "$out" "/opt/tool/elf"
rm host/link
for folder in /typo /opt/tool/elf; do
	expect 3 scan --below "$folder"
	contains "below nothing" "$err" "$folder is no directory"
done
expect 1 scan --skip /opt --json
equal "skip" "$(causes)" " 1 changed "
expect 2 "$diglim" scan --json --html x host
expect 3 "$diglim" scan none
contains "no such root" "$err" "none is no directory"
expect 3 scan --keys none

# The page: one file, well-formed, nothing from elsewhere, no script; what names contain is text.
expect 1 scan --html page.html
contains "escaped" "$(cat page.html)" '&lt;b&gt;\n\x1b[2J\xff'
python3 - page.html <<-'PY' || fail "the page is not well-formed, or asks for something"
	import html.parser, sys
	class Page(html.parser.HTMLParser):
	    open = []
	    rows = 0
	    def handle_startendtag(self, tag, attributes): self.check(tag, attributes)
	    def handle_starttag(self, tag, attributes):
	        self.check(tag, attributes)
	        self.rows += tag == "tr"
	        if tag != "meta": self.open.append(tag)
	    def check(self, tag, attributes):
	        assert tag not in ("script", "link", "img", "iframe", "b"), tag
	        assert not {"src", "href"} & {name for name, _ in attributes}, attributes
	    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
	page = Page()
	page.feed(open(sys.argv[1]).read())
	assert not page.open and page.rows >= 6, (page.open, page.rows)
PY

# What an image says of mounts and of a command line is not asked for: it could hide all of it.
mkdir -p host/proc/self
printf '20 1 8:1 / / rw - proc proc rw\n' >host/proc/self/mountinfo
echo ima_hash=sha512 >host/proc/cmdline
expect 1 scan --json
equal "all the same" "$(causes) $(json algorithm)" " 1 changed 2 foreign  sha256"
rm host/proc/self/mountinfo host/proc/cmdline
mkfifo host/proc/self/mountinfo host/proc/cmdline
expect 1 timeout 60 "$diglim" scan --cache "$cache" host
rm -r host/proc/self host/proc/cmdline

# Larger than DIGLIM ever reads: it takes no room, and is not read.
truncate -s 1T host/opt/tool/large && chmod 755 host/opt/tool/large
expect 1 timeout 60 "$diglim" scan --cache "$cache" host
contains "too large" "$out" $'1 larger than 4 GiB, which are never known\n         1  /opt/tool: /opt/tool/large'
rm host/opt/tool/large

# What changed within two seconds is not kept; then all is.
sleep 3
expect 1 scan
expect 1 scan
contains "from the cache" "$out" ", 0 MiB read, 5 files as an earlier scan found them"
expect 1 scan --no-cache
contains "without" "$out" " 0 files as an earlier scan found them"
echo '# again' >>host/usr/bin/hello
expect 1 scan --json
equal "but for what changed" "$(json from_cache)" 4

# Corrupt, locked, no place, deleted, full.
head -c 5000 /dev/urandom >cache
expect 1 scan
contains "corrupt" "$err" "cache is of no use (file is not a database), so every file is read; to begin a new one: rm $cache"
contains "corrupt, but complete" "$out" "5 files that can run"
rm cache
expect 1 scan
equal "anew" "$err" ""
python3 -c "
import sqlite3, time
db = sqlite3.connect('cache'); db.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(3600)" >locked &
holder=$!
until [ -s locked ]; do sleep 0.1; done
expect 1 scan
contains "locked" "$err" "is of no use (database is locked)"
kill $holder
wait $holder 2>/dev/null
cache=$work/none/cache
expect 1 scan
contains "no place" "$err" "is of no use (unable to open database file)"
if [ "$(id -u)" = 0 ] && mkdir -p small && mount -t tmpfs -o size=16k tmpfs small 2>/dev/null; then
	cache=$work/small/cache
	for i in $(seq 2000); do echo "$i" >"host/opt/tool/$i"; done
	sleep 3
	expect 1 scan
	contains "full" "$err" "is of no use (database or disk is full)"
	umount small
else
	skip "a full file system: not allowed to mount one"
fi
finish
