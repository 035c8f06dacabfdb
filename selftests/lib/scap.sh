# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced, with $top.
: "${top:?}"

# scap_failures ROOT: the rules of packaging/scap that fail for the system in ROOT, one line; "?" before what is neither pass nor fail.
scap_failures() {
	local results status=0
	results=$(OSCAP_PROBE_ROOT=$1 oscap xccdf eval --profile xccdf_org.diglim_profile_all \
		"$top/packaging/scap/diglim-xccdf.xml" 2>&1) || status=$?
	# Each rule has its result, or nothing is said.
	[ "$(grep -c '^Result' <<<"$results")" = 12 ] || echo "status $status: $results"
	tr -d '\r' <<<"$results" | awk '$1 == "Rule" { sub(/.*_rule_/, "", $2); rule = $2 }
		$1 == "Result" { if ($2 == "fail") print rule; else if ($2 != "pass") print "?" rule }' | sort | xargs
}
