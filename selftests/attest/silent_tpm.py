#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TPM device that answers what tpm2-tss asks when it opens it, and nothing else. Prints its path."""
import os
import tty

ERROR = bytes.fromhex("80010000000a00000101")  # no sessions, ten bytes, TPM_RC_FAILURE

master, device = os.openpty()
tty.setraw(device)
print(os.ttyname(device), flush=True)
os.read(master, 4096)
os.write(master, ERROR)
while os.read(master, 4096):
    pass
