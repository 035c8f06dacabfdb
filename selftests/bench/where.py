#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: where the instructions of each call go, function by function, BPF programs and trampolines included.

`collect` runs a VM with guest/where; while it repeats a call, QEMU logs every single instruction for a moment. From one entry of the
call's own system call to the next is one call; its instructions are counted by function, and by hook, and the medians of all calls are
kept. `print` shows the functions in which the modes differ, then each hook: from the entry of its trampoline to the return to the kernel.
Expected: exit 1 if a call was not seen whole.
"""
import argparse
import base64
import bisect
import collections
import functools
import gzip
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time

# The system call that a test's loop makes once, and real seconds to look on: in a second the guest executes some 300,000 instructions.
TESTS = {
    "exec_static": ("__x64_sys_execve", 4),
    "exec_dynamic": ("__x64_sys_execve", 12),
    "mmap_exec": ("__x64_sys_mmap", 1),
    "mmap_plain": ("__x64_sys_mmap", 1),
    "open_ro": ("__x64_sys_openat", 1),
    "open_rw": ("__x64_sys_openat", 1),
}
SETTLE_S = 0.5
TRAMPOLINE = "trampoline of "
# What a hook's instructions are for; the first that matches the function's name.
PARTS = {
    "trampoline": rf"{TRAMPOLINE}|bpf_lsm_",
    "program": r"program ",
    "entering and leaving": r"__bpf_(prog|tramp)_(enter|exit)|migrate_(en|dis)able$|__rcu_read_(un)?lock$",
    "helpers": "",
}
THUNK = "__x86_"  # of retpolines, between a function and the one that it calls
USER = "(user space)"
ALL = "(all)"


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


def btf_functions(vmlinux):
    """{type id: function} of the kernel's BTF."""
    dump = subprocess.run(["bpftool", "btf", "dump", "file", vmlinux], check=True, capture_output=True, text=True).stdout
    return {int(number): name for number, name in re.findall(r"^\[(\d+)\] FUNC '([^']*)'", dump, re.MULTILINE)}


def readable(name, functions):
    """A trampoline's number ends with the BTF id of what it is attached to (kernel/bpf/trampoline.c, bpf_trampoline_compute_key)."""
    if match := re.fullmatch(r"bpf_trampoline_(\d+)", name):
        return f"{TRAMPOLINE}{functions.get(int(match[1]) & 0x7FFFFFFF, match[1])}"
    if match := re.fullmatch(r"bpf_prog_[0-9a-f]{16}_(.+)", name):
        return f"program {match[1]}"
    return name


class Symbols:
    def __init__(self, lines, functions):
        """`lines` of /proc/kallsyms."""
        found = {}
        for line in lines:
            address, _, name, *_ = line.split()
            found.setdefault(int(address, 16), readable(name, functions))
        self.starts = sorted(found)
        self.names = [found[start] for start in self.starts]
        self.address = {name: start for start, name in found.items()}

    @functools.cache
    def name(self, address):
        if address < 1 << 63:
            return USER
        at = bisect.bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else "?"


def calls_of(addresses, entry):
    """A list of addresses for each whole call: from one time that `entry` is executed to the next."""
    calls, since = [], None
    for address in addresses:
        if address == entry:
            if since:
                calls.append(since)
            since = []
        if since is not None:
            since.append(address)
    return calls


def medians(calls, symbols):
    """{function: instructions} of the median call, and of all functions together."""
    counts = []
    for call in calls:
        by_function = collections.Counter({ALL: len(call)})
        for address, times in collections.Counter(call).items():
            by_function[symbols.name(address)] += times
        counts.append(by_function)
    return medians_of(counts)


def hooks_of(call, symbols):
    """{(hook, part): instructions} of one call, and {(hook, "times"): how often the hook ran}."""
    counts, inside, caller, last, last_but_one = collections.Counter(), None, None, None, None
    for address in call:
        name = symbols.name(address)
        if inside is None and name.startswith(TRAMPOLINE):
            inside = name.removeprefix(TRAMPOLINE)
            # It returns not to the function that it hangs on, but to that one's caller.
            caller = last_but_one if last == inside else last
            counts[inside, "times"] += 1
        elif name == caller:
            inside = caller = None
        if inside:
            counts[inside, part_of(name)] += 1
        elif name != last and not name.startswith(THUNK):
            last, last_but_one = name, last
    return counts


@functools.cache
def part_of(name):
    return next(part for part, pattern in PARTS.items() if re.match(pattern, name))


def medians_of(counts):
    keys = set().union(*counts)
    return {key: statistics.median(count[key] for count in counts) for key in keys}


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
    result, symbols, packed = {"functions": {}, "hooks": {}}, None, None
    log = options.monitor + ".log"
    with subprocess.Popen(options.command, stdout=subprocess.PIPE, text=True) as machine:
        for line in machine.stdout:
            line = line.strip()
            if line == "symbols":
                packed = []
            elif line == "end":
                symbols = Symbols(gzip.decompress(base64.b64decode("".join(packed))).decode().splitlines(), btf_functions(options.vmlinux))
                packed = None
                monitor = Monitor(options.monitor)
            elif packed is not None:
                packed.append(line)
            elif line.startswith("loop "):
                name = line.split()[1]
                syscall, seconds = TESTS[name]
                look_on(monitor, log, seconds)
                monitor.command("stop")  # or the guest would be at its next call when this one's log is read
                calls = calls_of(addresses_of(log), symbols.address[syscall])
                os.unlink(log)
                if not calls:
                    print(f"where: no whole call of {name} was seen", file=sys.stderr)
                    return 1
                result["functions"][name] = medians(calls, symbols)
                hooks = medians_of([hooks_of(call, symbols) for call in calls])
                result["hooks"][name] = {f"{hook}/{part}": value for (hook, part), value in hooks.items()}
                monitor.command("cont")
                print(f"where: {name}: {len(calls)} calls", file=sys.stderr)
    if machine.returncode:
        return machine.returncode
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return 0


def compare(modes, test, least):
    """Rows (function, [instructions in each mode]) that differ from the first mode by `least`, the greatest difference first."""

    def difference(row):
        return max(abs(value - row[1][0]) for value in row[1])

    names = {name for mode in modes for name in mode[test]}
    rows = [(name, [mode[test].get(name, 0) for mode in modes]) for name in names]
    rows = [row for row in rows if row[0] == ALL or difference(row) >= least]
    return sorted(rows, key=lambda row: (row[0] != ALL, -difference(row), row[0]))


def show(options):
    modes = []
    for path in options.files:
        with open(path, encoding="utf-8") as file:
            modes.append(json.load(file))
    titles = [path.rsplit(".", 1)[1] for path in options.files]
    functions = [mode["functions"] for mode in modes]
    for test in functions[0]:
        print(f"\n  {test:<58}" + "".join(f"{title:>12}" for title in titles))
        for name, values in compare(functions, test, max(8, functions[0][test][ALL] / 5000)):
            print(f"    {name:<56}" + "".join(f"{value:>12,.0f}" for value in values))
        for title, mode in zip(titles, modes):
            show_hooks(title, mode["hooks"][test])


def show_hooks(title, hooks):
    names = sorted({key.split("/")[0] for key in hooks if hooks[key]})
    if not names:
        return
    print(f"    by hook, {title:<31}{'times':>6}" + "".join(f"{part:>22}" for part in PARTS) + f"{'sum':>9}")
    for name in names:
        parts = [hooks.get(f"{name}/{part}", 0) for part in PARTS]
        print(f"      {name:<38}{hooks[f'{name}/times']:>6g}" + "".join(f"{part:>22,.0f}" for part in parts) + f"{sum(parts):>9,.0f}")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("collect")
    verb.add_argument("--monitor", required=True)
    verb.add_argument("--vmlinux", required=True)
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
