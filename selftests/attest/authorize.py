#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""authorize.py HEX KEY: an authorization of this value of PCR 12, as `diglim pcr predict --sign` writes it, made without DIGLIM's code:
the formats are those of TPM2_PolicyPCR and TPM2_PolicyAuthorize (TPM 2.0 Library, part 3)."""
import base64
import hashlib
import json
import struct
import subprocess
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


value = bytes.fromhex(sys.argv[1])
POLICY_PCR = 0x17f
selection = struct.pack('>IHB', 1, 0x000b, 3) + bytes([0, 0x10, 0])
approved = sha256(bytes(32) + struct.pack('>I', POLICY_PCR) + selection + sha256(value))
# The signature is over the hash of the approved policy and an empty reference.
signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', sys.argv[2]], input=approved, capture_output=True, check=True).stdout
print(json.dumps({'diglim-authorization': 1, 'bank': 'sha256', 'pcrs': [{'pcr': 12, 'value': value.hex()}],
                  'signature': base64.b64encode(signature).decode()}))
