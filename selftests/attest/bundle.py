#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Reads and changes attestation bundles and IMA logs without any of the project's code (lib/attest/FORMAT.md, lib/tcg/FORMAT.md).
#
#   bundle.py unpack BUNDLE FOLDER        attest, signature, ak, log, manifest.1 ...
#   bundle.py extends LOG                 one line an event for a TPM: "PCR sha1=HEX,sha256=HEX"
#   bundle.py add LOG PATH                appends the event of an unknown file
#   bundle.py split LOG OUT               each event in a file of its own: OUT.1 ...
#   bundle.py tamper CASE BUNDLE OUT [OTHER_BUNDLE]
import hashlib
import struct
import sys

ATTEST, SIGNATURE, AK, PCRS, LOG, MANIFEST = range(1, 7)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def records(bundle):
    assert bundle[:12] == b"DIGLIMAT\1\0\0\0"
    at, found = 12, []
    while at < len(bundle):
        kind, size = struct.unpack_from("<HI", bundle, at)
        found.append([kind, bundle[at + 6 : at + 6 + size]])
        at += 6 + size
    return found


def join(parts):
    return b"DIGLIMAT\1\0\0\0" + b"".join(struct.pack("<HI", kind, len(content)) + content for kind, content in parts)


def events(log):
    at = 0
    while at < len(log):
        start = at
        pcr, sha1, name_size = struct.unpack_from("<I20sI", log, at)
        at += 28 + name_size
        (size,) = struct.unpack_from("<I", log, at)
        data = log[at + 4 : at + 4 + size]
        at += 4 + size
        yield pcr, sha1, data, log[start:at]


def unpack(bundle, folder):
    names = {ATTEST: "attest", SIGNATURE: "signature", AK: "ak", PCRS: "pcrs", LOG: "log"}
    number = 0
    for kind, content in records(read(bundle)):
        if kind == MANIFEST:
            number += 1
        write(f"{folder}/{names.get(kind, f'manifest.{number}')}", content)


def extends(log):
    for pcr, _, data, _ in events(read(log)):
        print(pcr, f"sha1={hashlib.sha1(data).hexdigest()},sha256={hashlib.sha256(data).hexdigest()}")


def add(log, path):
    digest = b"sha256:\0" + hashlib.sha256(path.encode()).digest()
    name = path.encode() + b"\0"
    data = b"".join(struct.pack("<I", len(field)) + field for field in (digest, name, b""))
    pcr = next(events(read(log)))[0]
    with open(log, "ab") as file:
        file.write(struct.pack("<I20sI7sI", pcr, hashlib.sha1(data).digest(), 7, b"ima-sig", len(data)) + data)


def split(log, out):
    for number, (_, _, _, entry) in enumerate(events(read(log)), 1):
        write(f"{out}.{number}", entry)


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def change(parts, kind, function):
    return [[k, function(content) if k == kind else content] for k, content in parts]


def tamper(case, path, out, other=None):
    parts = records(read(path))
    log = next(content for kind, content in parts if kind == LOG)
    entries = [entry for _, _, _, entry in events(log)]
    cases = {
        "none": lambda: join(parts),
        "quote-bit": lambda: join(change(parts, ATTEST, lambda c: flip(c, len(c) - 1))),
        "quote-magic": lambda: join(change(parts, ATTEST, lambda c: flip(c, 0))),
        "quote-type": lambda: join(change(parts, ATTEST, lambda c: c[:5] + b"\x17" + c[6:])),
        "quote-cut": lambda: join(change(parts, ATTEST, lambda c: c[:-1])),
        "signature-bit": lambda: join(change(parts, SIGNATURE, lambda c: flip(c, len(c) - 1))),
        "signature-cut": lambda: join(change(parts, SIGNATURE, lambda c: c[:-1])),
        "signature-scheme": lambda: join(change(parts, SIGNATURE, lambda c: c[:1] + b"\x1a" + c[2:])),
        "pcr-bit": lambda: join(change(parts, PCRS, lambda c: flip(c, 10))),
        "pcr-missing": lambda: join(change(parts, PCRS, lambda c: c[:-33])),
        "pcr-bank": lambda: join(change(parts, PCRS, lambda c: b"\2\0" + c[2:])),
        "log-bit": lambda: join(change(parts, LOG, lambda c: flip(c, 60))),
        "log-cut": lambda: join(change(parts, LOG, lambda c: c[:-1])),
        "log-short": lambda: join(change(parts, LOG, lambda c: b"".join(entries[:-1]))),
        "log-order": lambda: join(change(parts, LOG, lambda c: b"".join(entries[::-1]))),
        "log-repeated": lambda: join(change(parts, LOG, lambda c: c + entries[-1])),
        "log-other-pcr": lambda: join(change(parts, LOG, lambda c: b"\x0b" + c[1:])),
        "log-violation": lambda: join(change(parts, LOG, lambda c: c[:4] + bytes(20) + c[24:])),
        "manifest-bit": lambda: join(change(parts, MANIFEST, lambda c: flip(c, 40))),
        "manifest-missing": lambda: join([p for p in parts if p[0] != MANIFEST]),
        "manifest-extra": lambda: join(parts + [[MANIFEST, b"x"]]),
        "size-large": lambda: join(parts)[:14] + b"\xff\xff\xff\xff" + join(parts)[18:],
        "bytes-after": lambda: join(parts) + b"\0",
        "version": lambda: b"DIGLIMAT\2\0\0\0" + join(parts)[12:],
        "no-bundle": lambda: b"x" * 100,
        "empty": lambda: b"",
        # Of another bundle: its log with this quote, its manifests with this log.
        "old-log": lambda: join(change(parts, LOG, lambda c: next(r[1] for r in records(read(other)) if r[0] == LOG))),
        "old-manifest": lambda: join(
            [p for p in parts if p[0] != MANIFEST] + [p for p in records(read(other)) if p[0] == MANIFEST]
        ),
    }
    write(out, cases[case]())


if __name__ == "__main__":
    {"unpack": unpack, "extends": extends, "add": add, "split": split, "tamper": tamper}[sys.argv[1]](*sys.argv[2:])
