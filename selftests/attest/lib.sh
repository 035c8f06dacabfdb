# SPDX-License-Identifier: Apache-2.0
# A TPM in software, and cases. Source it; needs $work and $top.
# shellcheck shell=bash disable=SC2034
: "${top:?}" "${here:?}" "${work:?}"
. "$top/selftests/lib/report.sh"
json=$top/selftests/lib/json
tpms=()

# expect NAME STATUS [TEXT] -- COMMAND...: ends with STATUS, and says TEXT.
expect() {
  local name=$1 wanted=$2 text='' status=0
  shift 2
  if [ "$1" != -- ]; then text=$1; shift; fi
  shift
  "$@" >"$work/out" 2>&1 || status=$?
  if [ "$status" = "$wanted" ] && { [ -z "$text" ] || grep -qF -- "$text" "$work/out"; }; then
    ok "$name"
  else
    not_ok "$name" "$(tail -n 40 "$work/out"; echo "(status $status, wanted $wanted and '$text')")"
  fi
}

# told FILE TEXT: a server may say why it failed when its client knows already that it did.
told() {
  for ((i = 0; i < 600; i++)); do
    if grep -aF -- "$2" "$1"; then return 0; fi
    sleep 0.1
  done
  cat "$1"
  return 1
}

# listens_at PATH: the socket is there a moment before anybody listens; the kernel's list has a flag for that.
listens_at() { grep -q "^[^ ]* [^ ]* [^ ]* 00010000 .* $1\$" /proc/net/unix; }

# next_port: another $port, below those that clients get, where nobody listens: suites run at the same time.
next_port() {
  port=$((${port:-$((10000 + RANDOM % 9000))} + 1))
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
}

# start_tpm NAME [PORT]: state is kept in $work/NAME, so that a second call is a reboot. Sets $tcti and $tpm_pid.
start_tpm() {
  local folder=$work/$1 port try
  mkdir -p "$folder"
  for try in 1 2 3 4 5 6 7 8 9; do
    port=${2:-$((20000 + RANDOM % 12000))} # below those that clients get
    swtpm socket --tpm2 --tpmstate "dir=$folder" --server "type=tcp,port=$port,bindaddr=127.0.0.1" \
      --ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" --flags not-need-init,startup-clear --pid "file=$folder/pid" \
      </dev/null >"$folder/log" 2>&1 &
    tpm_pid=$!
    until [ -s "$folder/pid" ] || ! kill -0 "$tpm_pid" 2>/dev/null; do sleep 0.1; done
    if [ -s "$folder/pid" ] && kill -0 "$tpm_pid" 2>/dev/null; then
      tpms+=("$tpm_pid")
      tcti=swtpm:host=127.0.0.1,port=$port
      return
    fi
  done
  echo "cannot start swtpm: $(cat "$folder/log")" >&2
  exit 3
}

stop_tpm() { # PID
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  rm -f "$work"/*/pid
}

# What the kernel does when it measures: extends both banks.
measure() { # LOG [FIRST_EVENT]
  local pcr digests
  "$here/bundle.py" extends "$1" | tail -n "+${2:-1}" | while read -r pcr digests; do
    tpm2_pcrextend -T "$tcti" "$pcr:$digests"
  done
}
