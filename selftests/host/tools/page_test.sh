#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the page of diglim scan, in a real browser: table and map are there, without any script; nothing is asked of a network, and
# names that look like HTML are text.
# Expected: no "not ok", exit 0; 77 without chromium. `page_test.sh FOLDER_OF_TOOLS [SCREENSHOT]`
. "$(dirname "$0")/../../lib/cli.sh"
. "$(dirname "$0")/fake_host.sh"
diglim=$(realpath "$1")/diglim
picture=${2:+$(realpath -m "$2")}
browser=$(command -v chromium chromium-browser google-chrome | head -n 1)
[ -n "$browser" ] || { echo "SKIPPED: no chromium (packaging/apt/long)"; exit 77; }
cd "$work" || exit 1
prepare_host && make_package plain && make_host host && install_package host plain || { echo "FAIL: no host: $(cat ./*.log)"; exit 1; }
evil='<script>document.title="run"<'$'\xe2\x80\xa8''img src=x onerror=fetch("http:example.org")>'
mkdir -p host/opt/"<b>bold&amp;" host/srv/data
for i in 1 2 3; do cp /bin/true "host/opt/<b>bold&amp;/$i" && printf '#!/bin/sh\n' >"host/srv/data/$i"; done
cp /bin/true "host/opt/$evil" && chmod 755 host/srv/data/*
expect 1 "$diglim" scan --no-cache --html page.html host

# browse OPTION...: as root it has no sandbox; its own services stay quiet, so that what is in the net log is the page's.
browse() {
	timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$work/profile" --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync --disable-extensions --disable-default-apps \
		--window-size=1000,1400 "$@" \
		"file://$work/page.html" 2>browser.log
}
browse --log-net-log="$work/net.json" --net-log-capture-mode=Everything --dump-dom >dom.html || fail "no DOM: $(tail -n 3 browser.log)"
python3 - dom.html net.json <<-'PY' || fail "the page is not what it should be"
	import html.parser, json, re, sys
	class Page(html.parser.HTMLParser):
	    def __init__(self):
	        super().__init__()
	        self.tags, self.text, self.title, self.inside = {}, "", "", None
	    def handle_starttag(self, tag, attributes):
	        self.tags[tag] = self.tags.get(tag, 0) + 1
	        assert not {"src", "href", "onerror", "onload"} & {name for name, _ in attributes}, attributes
	        self.inside = tag
	    def handle_data(self, data):
	        self.text += data
	        if self.inside == "title" and not self.title: self.title = data
	def read(name):
	    page = Page()
	    page.feed(open(name, encoding="utf-8").read())
	    return page
	page = read(sys.argv[1])
	assert page.title == "diglim scan", page.title
	for tag in ("script", "img", "b", "iframe", "link"): assert tag not in page.tags, tag
	assert page.tags["tr"] >= 8 and page.tags["rect"] >= 3, page.tags
	assert '<script>document.title="run"<' in page.text and "<b>bold&amp;" in page.text, page.text
	text = open(sys.argv[2], encoding="utf-8").read()
	try: log = json.loads(text)
	except ValueError: log = json.loads(text.rstrip().rstrip(",") + "]}")  # cut when the browser ends
	asked = [event["params"]["url"] for event in log["events"] if "url" in event.get("params", {})]
	# What the browser's own services ask, its maker is asked.
	own = re.compile(r"https?://([a-z0-9-]+\.)*(google|googleapis|gvt1|gstatic)\.com/")
	asked = sorted({url for url in asked if re.match("(https?|wss?|ftp):", url) and not own.match(url)})
	assert not asked, asked
PY
pass
browse --screenshot="$work/page.png" >/dev/null || fail "no screenshot: $(tail -n 3 browser.log)"
contains "a picture" "$(file -b page.png 2>/dev/null || head -c 4 page.png)" PNG
[ -z "$picture" ] || cp page.png "$picture"
finish
