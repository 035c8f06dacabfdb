# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Words for tests of commands: what they say, and with which status they end. Sourced. A success says nothing; a failure is a "not ok".
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$top/selftests/lib/report.sh"
work=$(mktemp -d)
trap 'cleanup' EXIT
cleanup() {
	if mountpoint -q "$work/small" 2>/dev/null; then umount "$work/small"; fi
	rm -rf "$work"
}

pass() { passed=$((passed + 1)); }
fail() { not_ok "$*"; }
skip() { echo "SKIP: $*"; }

# expect STATUS COMMAND...: runs it, keeps stdout in $out and stderr in $err.
expect() {
	local wanted=$1 status
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
	if [ "$status" = "$wanted" ]; then pass; else fail "exit $status, not $wanted: $* | $out | $err"; fi
}

equal() { if [ "$2" = "$3" ]; then pass; else fail "$1: got \"$2\", wanted \"$3\""; fi; }    # WHAT GOT WANTED
contains() { if [[ $2 = *"$3"* ]]; then pass; else fail "$1: \"$3\" is not in \"$2\""; fi; } # WHAT TEXT PART
empty() { if [ -z "$(ls -A "$1")" ]; then pass; else fail "left in $1: $(ls -A "$1")"; fi; }  # FOLDER: nothing in it, hidden or not

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
