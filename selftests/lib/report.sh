# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
#
# How a test says what came out: TAP, and at the end the line that ./check counts. Sourced by bash on the host and by every shell in
# a guest, hence without bash's own words. Arguments always in this order: NAME, then what it is about.
# shellcheck disable=SC2034 # for who sources this
passed=0 failed=0
# Before each name, e.g. "6.1: ".
about=''

ok() { # NAME
  passed=$((passed + 1))
  echo "ok - $about$1"
}

not_ok() { # NAME [WHY]
  failed=$((failed + 1))
  echo "not ok - $about$1"
  { [ -z "${2:-}" ] || printf '%s\n' "$2"; details; } | sed 's/\r*$//; s/.*\r//; s/^/#   /' || true
}

# What else is to be shown of a failure; a test defines it anew.
details() { :; }

report() { # NAME STATUS [FILE...]: ok if STATUS is 0; the files are shown when it is not
  local name=$1 status=$2
  shift 2
  if [ "$status" = 0 ]; then
    ok "$name"
  elif [ $# = 0 ]; then
    not_ok "$name" "status $status"
  else
    not_ok "$name" "$(tail -n 40 "$@" 2>/dev/null)"
  fi
}

check() { # NAME COMMAND...: ok if the command succeeds (in a subshell); what it says is shown when it fails
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$said"; fi
}

same() { # GOT WANTED
  [ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "$1" "$2"; return 1; }
}

fails() { # COMMAND...: ends with 1, as what looks for something and finds nothing does; more is trouble
  local status=0
  "$@" || status=$?
  [ "$status" = 1 ]
}

# adopt NAME STATUS FILE: lines that a guest reported. A guest that does not come to its end has failed.
adopt() {
  grep -aE '^((not )?ok|time|cut) - |^#   ' "$3" || true
  passed=$((passed + $(grep -ac '^ok - ' "$3" || true)))
  failed=$((failed + $(grep -ac '^not ok - ' "$3" || true)))
  if [ "$2" != 0 ]; then
    not_ok "$1 ends with status $2" "$(tail -n 20 "$3" "$3.err" 2>/dev/null)"
  elif ! grep -aq '^ok - ' "$3"; then
    not_ok "$1 has said something" "$(tail -n 20 "$3" "$3.err" 2>/dev/null)"
  fi
}

# The last words. Ends with 1 if something failed.
finish() {
  echo "1..$((passed + failed))"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] || exit 1
  exit 0
}
