#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes REQUEST, what Keylime's /verify/evidence gets, apart as Keylime does: DIR/attest, DIR/signature, DIR/pcrs, DIR/ak.

Fails if a field is missing, or a line of its IMA log is not what its own template digest was made of. Prints how many lines there are.
Usage: keylime_evidence.py REQUEST DIR"""
import base64
import hashlib
import json
import struct
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
assert set(request) == {"type", "data"} and request["type"] == "tpm", request.keys()
data = request["data"]
assert set(data) == {"nonce", "quote", "hash_alg", "tpm_ak", "tpm_ek", "runtime_policy", "ima_measurement_list"}, data.keys()
assert data["hash_alg"] == "sha256"
assert json.loads(data["runtime_policy"])["meta"]["version"] == 1
assert data["quote"][0] == "r"
parts = [base64.b64decode(part, validate=True) for part in data["quote"][1:].split(":")]
for name, part in zip(("attest", "signature", "pcrs"), parts, strict=True):
    with open(f"{sys.argv[2]}/{name}", "wb") as file:
        file.write(part)
with open(f"{sys.argv[2]}/ak", "wb") as file:
    file.write(base64.b64decode(data["tpm_ak"], validate=True))
assert base64.b64decode(data["tpm_ek"], validate=True)

lines = data["ima_measurement_list"].splitlines()
for line in lines:
    pcr, template_digest, template, rest = line.split(" ", 3)
    assert pcr == "10" and template in ("ima-ng", "ima-sig"), line
    fields = rest.split(" ")
    algo, digest = fields[0].split(":")
    signature = [bytes.fromhex(fields[2])] if template == "ima-sig" else []
    assert len(fields) == 2 + len(signature), line
    content = b""
    for field in [f"{algo}:\0".encode() + bytes.fromhex(digest), fields[1].encode() + b"\0", *signature]:
        content += struct.pack("<I", len(field)) + field
    assert hashlib.sha1(content).hexdigest() == template_digest, line
print(len(lines), "lines")
