#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""authorize.py HEX KEY [AT_MOST]: an authorization of this value of PCR 12, as `diglim pcr predict --sign [--until-counter AT_MOST]`
writes it, made without DIGLIM's code: the formats are those of TPM2_PolicyPCR, TPM2_PolicyNV and TPM2_PolicyAuthorize (TPM 2.0 Library,
part 3)."""
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
more = {}
if len(sys.argv) > 3:
    INDEX, POLICY_NV, UNSIGNED_LE = 0x01801d19, 0x149, 9
    COUNTER, OWNERWRITE, OWNERREAD, AUTHREAD, NO_DA, WRITTEN = 1 << 4, 1 << 1, 1 << 17, 1 << 18, 1 << 25, 1 << 29
    attributes = COUNTER | OWNERWRITE | OWNERREAD | AUTHREAD | NO_DA | WRITTEN
    name = struct.pack('>H', 0x000b) + sha256(struct.pack('>IHIHH', INDEX, 0x000b, attributes, 0, 8))
    arguments = sha256(struct.pack('>QHH', int(sys.argv[3]), 0, UNSIGNED_LE))
    approved = sha256(approved + struct.pack('>I', POLICY_NV) + arguments + name)
    more = {'counter': {'index': f'0x{INDEX:08x}', 'at_most': int(sys.argv[3])}}
# The signature is over the hash of the approved policy and an empty reference.
signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', sys.argv[2]], input=approved, capture_output=True, check=True).stdout
print(json.dumps({'diglim-authorization': 1, 'bank': 'sha256', 'pcrs': [{'pcr': 12, 'value': value.hex()}],
                  'signature': base64.b64encode(signature).decode(), **more}))
