#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the loader's verdict on real packages and on a real rpm database, against a committed table.

Expected: for each file the line of packages.txt, for each package of the database the line of rpmdb.txt. The first column of
packages.txt is what `rpmkeys -Kv` of rpm 4.18 says of the header signature; where the two disagree, EXPLAINED says why.
Skipped (77) without the fixtures, which are other people's data and are never copied here. After a deliberate change:
`real_input_test.py LOADER --update`, then read the difference.
"""
import os
import pathlib
import re
import sqlite3
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# file: (rpmkeys, ours, why)
_NOT_IMPORTED = "rpm 4.18 cannot import this key"
EXPLAINED = {
    "rpms/testsuite/rpm-basic-with-ecdsa-2.3.4-5.el9.noarch.rpm": ("BAD", "OK", "rpm 4.18 knows no ECDSA"),
    "rpms/testsuite/rpm-basic-v6-with-ed25519.rpm": ("NONE", "OK", "rpm 4.18 ignores tag 278"),
    "rpms/testsuite/hello-2.0-1.x86_64-signed-with-new-subkey.rpm": ("NOKEY", "OK", _NOT_IMPORTED),
}


def find_fixtures():
    done = subprocess.run([HERE.parent / "lib/fixtures"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print("SKIPPED: " + done.stdout)
        sys.exit(77)
    return pathlib.Path(done.stdout.strip())


def verify(loader, fixtures, folder, files, *options):
    """{file: line}; the loader runs in `folder`, so that its lines have no path of this machine."""
    command = [loader, "verify", "--keys", str(fixtures / "keys"), *options, "--", *files]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode not in (0, 1) or len(lines) != len(files):
        sys.exit(f"FAILED: the loader ended with {done.returncode} and {len(lines)} lines for {len(files)} files")
    all_ok = all(": OK, " in line for line in lines)
    if (done.returncode == 0) != all_ok:
        sys.exit(f"FAILED: exit status {done.returncode} contradicts the lines")
    return dict(zip(files, lines))


def header_tags(blob):
    """{tag: (type, count, bytes from its start)} and (il, dl) of a database blob: a header without its magic."""
    il, dl = struct.unpack_from(">II", blob)
    data = 8 + 16 * il
    assert len(blob) == data + dl
    tags = {}
    for i in range(il):
        tag, kind, offset, count = struct.unpack_from(">IIiI", blob, 8 + 16 * i)
        tags[tag] = (kind, count, blob[data + offset:])
    return tags, (il, dl)


def header_list(blob):
    """What rpm_gen makes of it: magic, immutable region, signature, the kernel's module signature block, marker."""
    tags, (il, _) = header_tags(blob)
    first_tag, _, region_end, _ = struct.unpack_from(">IIiI", blob, 8)
    assert first_tag == 63
    data = 8 + 16 * il
    _, _, minus_index_size, _ = struct.unpack_from(">IIiI", blob, data + region_end)
    ril, rdl = -minus_index_size // 16, region_end + 16
    header = bytes.fromhex("8eade80100000000") + struct.pack(">II", ril, rdl)
    header += blob[8:8 + 16 * ril] + blob[data:data + rdl]
    signature = b"".join(tags[tag][2][:tags[tag][1]] for tag in (267, 268) if tag in tags)
    block = struct.pack(">BBBBB3xI", 0, 0, 0, 0, 0, len(signature))
    return header + signature + block + b"~Module signature appended~\n"


def digests_of(blob):
    """Counted without the loader, so that the table is checked by something else than itself."""
    tags, _ = header_tags(blob)
    if 1035 not in tags:
        return []
    _, count, data = tags[1035]
    return [text for text in data.split(b"\0", count)[:count] if text]


def text_of(blob, tag):
    tags, _ = header_tags(blob)
    return tags[tag][2].split(b"\0", 1)[0].decode() if tag in tags else ""


def read_database(fixtures, scratch):
    # A copy: opening makes -wal and -shm files beside the database.
    copy = scratch / "rpmdb.sqlite"
    shutil.copyfile(fixtures / "rpmdb/cbl-mariner-2.0/rpmdb.sqlite", copy)
    connection = sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)
    blobs = [row[0] for row in connection.execute("SELECT blob FROM Packages ORDER BY hnum")]
    connection.close()
    return blobs


def compare(name, got, update):
    """The committed table is what `got` must be, line by line."""
    path = HERE / name
    if update:
        path.write_text("".join(line + "\n" for line in got))
        return True
    expected = path.read_text().splitlines()
    for line in sorted(set(expected) - set(got)):
        print(f"FAILED: {name}: missing: {line}")
    for line in sorted(set(got) - set(expected)):
        print(f"FAILED: {name}: new:     {line}")
    return expected == got


def check_packages(loader, fixtures, update):
    files = sorted(str(path.relative_to(fixtures)) for path in fixtures.glob("rpms/**/*.rpm"))
    table = {}
    for line in (HERE / "rpmkeys.txt").read_text().splitlines():
        verdict, file = line.split(None, 1)
        table[file] = verdict
    good = True
    if sorted(table) != files:
        print("FAILED: rpmkeys.txt does not name exactly the fixtures:", sorted(set(table) ^ set(files)))
        good = False

    lines = verify(loader, fixtures, fixtures, files)
    for file, line in lines.items():
        rpmkeys = table.get(file)
        ours = "OK" if ": OK, " in line else "REJECTED"
        if (rpmkeys == "OK") != (ours == "OK") and EXPLAINED.get(file, (None, None))[:2] != (rpmkeys, ours):
            print(f"FAILED: rpmkeys says {rpmkeys} of {file}, we say {ours}")
            good = False
        if (rpmkeys == "OK") == (ours == "OK") and file in EXPLAINED:
            print(f"FAILED: {file} needs no explanation")
            good = False
    good = compare("packages.txt", list(lines.values()), update) and good

    # Every SHA-1 signature of the fixtures is a DSA one, so allowing SHA-1 must let none in. (That the option works
    # is a matter of lib/digest_list/digest_list_test.cpp, with signatures made there.)
    if verify(loader, fixtures, fixtures, files, "--allow-hash", "sha1") != lines:
        print("FAILED: --allow-hash sha1 changed a verdict")
        good = False
    print(f"{len(files)} packages, {sum(': OK, ' in line for line in lines.values())} OK")
    return good


def check_database(loader, fixtures, update):
    good = True
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        blobs = read_database(fixtures, scratch)
        counts = {}
        for position, blob in enumerate(blobs):
            name = "%s-%s-%s.%s" % tuple(text_of(blob, tag) for tag in (1000, 1001, 1002, 1022))
            file = f"{position}-file_list-rpm-{name}"
            (scratch / file).write_bytes(header_list(blob))
            counts[file] = len(digests_of(blob))
        lines = verify(loader, fixtures, scratch, list(counts))
    for file, line in lines.items():
        said = sum(int(number) for number in re.findall(r", (\d+) digests? \(", line)) if ": OK, " in line else 0
        if said != counts[file]:
            print(f"FAILED: {file} has {counts[file]} digests, the loader says {said}")
            good = False
    digests = [digest for blob in blobs for digest in digests_of(blob)]
    if (len(blobs), len(digests), len(set(digests))) != (129, 5356, 5061):
        print(f"FAILED: {len(blobs)} packages, {len(digests)} digests, {len(set(digests))} distinct: not the known database")
        good = False
    print(f"rpmdb: {len(blobs)} packages, {sum(': OK, ' in line for line in lines.values())} OK, {sum(counts.values())} digests")
    return compare("rpmdb.txt", list(lines.values()), update) and good


def check_odd(loader, fixtures):
    """Inputs that once went wrong (odd/README.md), and what is right."""
    keys = fixtures / "odd/keys"
    command = [loader, "verify", "--keys", str(keys), *sorted(path.name for path in (fixtures / "odd").glob("*.rpm"))]
    done = subprocess.run(command, cwd=fixtures / "odd", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    good = True
    for wanted in ("critical-notation.rpm: REJECTED, .*a critical notation is not understood",
                   "fpmmd5.rpm: OK, .*WARNING: one of its files will be denied: listed with digests in md5 only",
                   "sha1dig.rpm: OK, .*WARNING: one of its files will be denied: listed with digests in sha1 only",
                   "sha512dig.rpm: OK, .*WARNING: one of its files will be denied: listed with digests in sha512 only",
                   r"sha256dig.rpm: OK, .*\(sha256\)$"):
        if not re.search("^" + wanted, done.stdout, re.MULTILINE):
            print(f"FAILED: no line '{wanted}'")
            good = False
    if "left out: " not in done.stderr or "RPM-GPG-KEY-EPEL-10-IMA: " not in done.stderr:
        print(f"FAILED: a file that is no key is not named: {done.stderr}")
        good = False
    if "ima_hash" in done.stdout:
        print("FAILED: another ima_hash would deny all other packages")
        good = False
    return good


def main():
    loader = str(pathlib.Path(sys.argv[1]).resolve())
    update = "--update" in sys.argv[2:]
    fixtures = find_fixtures()
    good = check_packages(loader, fixtures, update)
    good = check_database(loader, fixtures, update) and good
    good = check_odd(loader, fixtures) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
