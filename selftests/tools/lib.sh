# SPDX-License-Identifier: Apache-2.0
# Words for the tests of the command line tools. Sourced; needs bash. BIN is the folder of the built tools.
set -u
failures=0
work=$(mktemp -d)
trap 'cleanup' EXIT
cleanup() {
	if mountpoint -q "$work/small" 2>/dev/null; then umount "$work/small"; fi
	rm -rf "$work"
}

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

skip() { echo "SKIP: $*"; }

# expect STATUS COMMAND...: runs it, keeps stdout in $out and stderr in $err.
expect() {
	local wanted=$1 status
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
	[ "$status" = "$wanted" ] || fail "exit $status, not $wanted: $* | $out | $err"
}

# equal WHAT GOT WANTED
equal() { [ "$2" = "$3" ] || fail "$1: got \"$2\", wanted \"$3\""; }
# contains WHAT TEXT PART
contains() { case $2 in *"$3"*) ;; *) fail "$1: \"$3\" is not in \"$2\"" ;; esac; }
# empty FOLDER: nothing in it, hidden or not.
empty() { [ -z "$(ls -A "$1")" ] || fail "left in $1: $(ls -A "$1")"; }

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

finish() {
	[ "$failures" = 0 ] && echo "ok" && exit 0
	echo "$failures failures"
	exit 1
}
