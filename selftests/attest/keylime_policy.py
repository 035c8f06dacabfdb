#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails if POLICY, a runtime policy of Keylime's, lacks a key of its schema, or a digest that LOG (IMA's, binary) has.

Usage: keylime_policy.py POLICY LOG"""
import json
import sys

KEYS = {"meta", "release", "digests", "excludes", "keyrings", "ima", "ima-buf", "verification-keys"}

with open(sys.argv[1], encoding="utf-8") as file:
    policy = json.load(file)
with open(sys.argv[2], "rb") as file:
    log = file.read()
assert set(policy) == KEYS, set(policy) ^ KEYS
assert policy["meta"]["version"] == 1, policy["meta"]
assert policy["ima"] == {"ignored_keyrings": [], "log_hash_alg": "sha1", "dm_policy": None}, policy["ima"]
for path in ("boot_aggregate", "/run/diglim/manifest.1"):
    assert bytes.fromhex(policy["digests"][path][0]) in log and path.encode() in log, path
