# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For each part. Sourced.
# shellcheck source=selftests/host/setup/guest/lib
. "${0%/*}/lib"
export NO_COLOR=1 DIGLIM_KEY=/root/mine.key DIGLIM_CERTIFICATE=/root/mine.pem
mkdir -p /var/log/journal && journalctl --flush
