#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: each reason of the kernel has words, an explanation by diglim explain, and a test that provokes it or is said to be missing;
# what is said of each stays as it is in golden/reasons.golden, a table. UPDATE=1 writes it.
# Expected: no "not ok", exit 0.
. "$(dirname "$0")/../../lib/cli.sh"
here=$(cd "$(dirname "$0")" && pwd)
diglim=$(realpath "$1")/diglim
cd "$work" || exit 1
expect 0 "$here/reasons" "$diglim"
printf '%s\n' "$out" >got
[ -z "${UPDATE:-}" ] || cp got "$here/golden/reasons.golden"
diff -u "$here/golden/reasons.golden" got || fail "what is said of a reason has changed; if it is right: UPDATE=1"
pass
finish
