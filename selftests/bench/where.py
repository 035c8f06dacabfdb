#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: where the instructions of each call go, function by function, BPF programs and trampolines included.

`collect` runs a VM with guest_where; while it repeats a call, QEMU logs every single instruction for a moment. What lies between the
first and the last entry of the call's own system call is whole calls, so it is counted, by function, and divided. `print` shows the
functions in which the modes differ.
Expected: exit 1 if a call was not seen twice.
"""
import argparse
import base64
import bisect
import collections
import gzip
import json
import os
import socket
import subprocess
import sys
import time

# The system call that a test's loop makes once, and real seconds to look on: a second is about a million instructions.
TESTS = {
    "exec_static": ("__x64_sys_execve", 2.0),
    "exec_dynamic": ("__x64_sys_execve", 5.0),
    "mmap_exec": ("__x64_sys_mmap", 0.5),
    "mmap_plain": ("__x64_sys_mmap", 0.5),
    "open_ro": ("__x64_sys_openat", 0.5),
    "open_rw": ("__x64_sys_openat", 0.5),
}
SETTLE_S = 0.5
USER = "(user space)"


class Monitor:
    """QEMU's human monitor."""

    PROMPT = b"(qemu) "

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self._wait()

    def _wait(self):
        answer = b""
        while not answer.endswith(self.PROMPT):
            part = self.socket.recv(4096)
            if not part:
                raise EOFError("QEMU's monitor ended")
            answer += part

    def command(self, text):
        self.socket.sendall(text.encode() + b"\n")
        self._wait()


class Symbols:
    def __init__(self, lines):
        """Lines of /proc/kallsyms."""
        found = {}
        for line in lines:
            address, _, name, *_ = line.split()
            found.setdefault(int(address, 16), name)
        self.starts = sorted(found)
        self.names = [found[start] for start in self.starts]
        self.address = {name: start for start, name in found.items()}

    def name(self, address):
        if address < 1 << 63:
            return USER
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else "?"


def count_calls(addresses, entry):
    """(calls, {address: how often}) of what lies between the first and the last time that `entry` is executed."""
    calls, total, since = -1, collections.Counter(), []
    for address in addresses:
        if address == entry:
            if calls >= 0:
                total.update(since)
            calls += 1
            since = []
        since.append(address)
    return max(calls, 0), total


def addresses_of(path):
    """One for each line "Trace 0: HOST [CS_BASE/PC/FLAGS/CFLAGS] NAME" of QEMU's log."""
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("Trace"):
                yield int(line.split("/", 2)[1], 16)


def look_on(monitor, log, seconds):
    time.sleep(SETTLE_S)
    monitor.command(f"logfile {log}")
    monitor.command("singlestep on")
    monitor.command("log exec,nochain")
    time.sleep(seconds)
    monitor.command("log none")
    monitor.command("singlestep off")


def collect(options):
    result, symbols, packed = {}, None, None
    log = options.monitor + ".log"
    with subprocess.Popen(options.command, stdout=subprocess.PIPE, text=True) as machine:
        for line in machine.stdout:
            line = line.strip()
            if line == "symbols":
                packed = []
            elif line == "end":
                symbols = Symbols(gzip.decompress(base64.b64decode("".join(packed))).decode().splitlines())
                packed = None
                monitor = Monitor(options.monitor)
            elif packed is not None:
                packed.append(line)
            elif line.startswith("loop "):
                name = line.split()[1]
                syscall, seconds = TESTS[name]
                look_on(monitor, log, seconds)
                calls, counts = count_calls(addresses_of(log), symbols.address[syscall])
                os.unlink(log)
                if calls < 1:
                    print(f"where: {name} was not seen twice", file=sys.stderr)
                    return 1
                by_function = collections.Counter()
                for address, times in counts.items():
                    by_function[symbols.name(address)] += times / calls
                result[name] = by_function
                print(f"where: {name}: {calls} calls", file=sys.stderr)
    if machine.returncode:
        return machine.returncode
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


def compare(modes, test, least):
    """Rows (function, [instructions in each mode]) that differ from the first mode by `least`, the greatest difference first."""
    names = {name for mode in modes for name in mode[test]}
    rows = [(name, [mode[test].get(name, 0) for mode in modes]) for name in names]
    rows = [row for row in rows if max(abs(value - row[1][0]) for value in row[1]) >= least]
    return sorted(rows, key=lambda row: (-max(abs(value - row[1][0]) for value in row[1]), row[0]))


def show(options):
    modes = []
    for path in options.files:
        with open(path, encoding="utf-8") as file:
            modes.append(json.load(file))
    titles = [path.rsplit(".", 1)[1] for path in options.files]
    for test in TESTS:
        print(f"\n  {test:<58}" + "".join(f"{title:>12}" for title in titles))
        totals = [sum(mode[test].values()) for mode in modes]
        print(f"    {'all':<56}" + "".join(f"{value:>12,.0f}" for value in totals))
        for name, values in compare(modes, test, max(8, totals[0] / 2500)):
            print(f"    {name:<56}" + "".join(f"{value:>12,.0f}" for value in values))


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("collect")
    verb.add_argument("--monitor", required=True)
    verb.add_argument("--out", required=True)
    verb.add_argument("command", nargs="+")
    verb.set_defaults(run=collect)
    verb = verbs.add_parser("print")
    verb.add_argument("files", nargs="+", help="of collect; the part after the last dot is the mode")
    verb.set_defaults(run=show)
    options = parser.parse_args()
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
