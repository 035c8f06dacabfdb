#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: turns what the VMs and this machine printed into the table, or JSON, of `selftests/bench/run`.

Expected: exit 1, with its name, if a figure is missing. Input: files of "section NAME", "NAME MEDIAN P10 P90",
"status NAME JSON" and "log [SECONDS] TEXT" lines; the file's name is the kernel, or "host".
"""
import argparse
import json
import os
import re
import statistics
import sys

CALLS = [
    ("fork + exec + wait, verdict cached", "exec_ns"),
    ("exec, 100 kB file hashed", "exec_first_100k_ns"),
    ("exec, 5 MB file hashed", "exec_first_5m_ns"),
    ("open(O_RDONLY) + close, uninvolved", "open_read_ns"),
    ("open(O_WRONLY) + close, uninvolved", "open_write_ns"),
    ("mmap(PROT_EXEC) + munmap, known", "mmap_exec_ns"),
    ("mmap(PROT_READ) + munmap", "mmap_read_ns"),
]
TABLES = [
    ("DIGLIM's table", "table"),
    ("BPF_MAP_TYPE_HASH, batch", "hash"),
    ("BPF_MAP_TYPE_HASH, prealloc", "prealloc"),
]
BUILD_STEPS = ["put", "prepare", "publish"]
LOG_EVENTS = {
    "run_s": r"Run /usr/sbin/diglim-loader as init process",
    "lists_s": r"diglim: \d+ digest lists with",
    "active_s": r"diglim: enforcing, generation 1",
}


class Missing(Exception):
    pass


class Figures:
    """All figures of one kernel or of this machine."""

    def __init__(self, path):
        self.name = os.path.basename(path)
        self.sections, self.status, self.log = {}, {}, {}
        section = {}
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.split()
                if not words:
                    continue
                if words[0] == "section":
                    section = self.sections.setdefault(words[1], {})
                elif words[0] == "status":
                    self.status[words[1]] = json.loads(line.split(None, 2)[2])
                elif words[0] == "log":
                    self._read_log(line)
                elif len(words) == 4:
                    section[words[0]] = [float(word) for word in words[1:]]

    def _read_log(self, line):
        match = re.match(r"log \[ *([0-9.]+)\] (.*)", line)
        for event, pattern in LOG_EVENTS.items():
            if match and re.match(pattern, match[2]):
                self.log.setdefault(event, float(match[1]))

    def get(self, section, name, which=0):
        try:
            return self.sections[section][name][which]
        except KeyError:
            raise Missing(f"{self.name}: {name} ({section})") from None

    def moment(self, event):
        if event not in self.log:
            raise Missing(f"{self.name}: kernel log line {event}")
        return self.log[event]

    def bytes_per_digest(self, when):
        if when not in self.status:
            raise Missing(f"{self.name}: status {when}")
        return self.status[when]["memory_bytes"] / self.status[when]["digests"]


def tables(figures, section):
    result = {}
    for _, name in TABLES:
        build = (
            sum(figures.get(section, f"table_{step}_ns") for step in BUILD_STEPS)
            if name == "table"
            else figures.get(section, f"{name}_build_ns")
        )
        result[name] = {
            "hit_ns": figures.get(section, f"{name}_hit_ns"),
            "miss_ns": figures.get(section, f"{name}_miss_ns"),
            "build_ns_per_digest": build,
            "memory_bytes_per_digest": figures.get(section, f"{name}_accounted_bytes"),
        }
    return result


def calls(figures):
    result = {}
    for _, name in CALLS:
        off = figures.get("off", name)
        row = {"off_ns": off}
        for mode in ("permissive", "enforce"):
            value = figures.get(mode, name)
            row[f"{mode}_ns"] = value
            row[f"{mode}_overhead_percent"] = (value / off - 1) * 100
        row["enforce_p10_p90_ns"] = [figures.get("enforce", name, 1), figures.get("enforce", name, 2)]
        result[name.removesuffix("_ns")] = row
    return result


def loading(figures):
    small = [v[0] for k, v in figures.sections.get("enforce", {}).items() if re.fullmatch(r"load_small_\d+_ns", k)]
    if not small:
        raise Missing(f"{figures.name}: load_small")
    peaks = [v[0] for k, v in figures.sections["enforce"].items() if k.endswith("_peak_rss_bytes")]
    return {
        "steps_ns_per_digest": {
            step: figures.get("off", f"table_{step}_ns") for step in ["verify", *BUILD_STEPS, "decode"]
        },
        "load_ns": figures.get("enforce", "load_big_ns"),
        "load_unchanged_ns": figures.get("enforce", "load_same_ns"),
        "load_small_ns": statistics.median(small),
        "unload_small_ns": figures.get("enforce", "unload_small_ns"),
        "peak_rss_bytes": max(peaks),
        "memory_bytes_per_digest": {
            when: figures.bytes_per_digest(when) for when in ("big", "small", "unloaded")
        },
        "small_lists": len(small),
    }


def startup(figures):
    run, lists, active = (figures.moment(event) for event in LOG_EVENTS)
    return {
        "before_the_loader_ns": run * 1e9,
        "probe_keys_lists_ns": (lists - run) * 1e9,
        "programs_ns": (active - lists) * 1e9,
        "total_ns": (active - run) * 1e9,
        **{
            name: figures.get("off", f"startup_{name}")
            for name in ("btf_ns", "load_ns", "verification_ns", "verified_insns", "attach_ns")
        },
    }


def measuring(figures):
    return {
        "loader_off_ns": figures.get("measure-off", "loader_ns"),
        "loader_on_ns": figures.get("measure-on", "loader_ns"),
        "extends": figures.get("measure-on", "extends"),
    }


def overhead_text(percent):
    return f"{percent:+.1f}%" if percent < 1000 else f"x {percent / 100 + 1:,.0f}"


def print_tables(rows, title):
    print(f"\n  {title:<44}{'hit':>8}{'miss':>8}{'build':>10}{'bytes/digest':>14}")
    for label, name in TABLES:
        row = rows[name]
        print(
            f"    {label:<42}{row['hit_ns']:>8.0f}{row['miss_ns']:>8.0f}{row['build_ns_per_digest']:>10.0f}"
            f"{row['memory_bytes_per_digest']:>14.1f}"
        )


def print_kernel(name, result, digests):
    print(f"\nKernel {name}: instructions (VM, 1 ns is 1 instruction)")
    print_tables(result["tables"], "lookup; build for each digest")
    if name == "6.1":
        print("    (6.1 does not account a map's memory, it estimates entries x (key + value): only the first row means something)")

    load = result["loading"]
    steps = load["steps_ns_per_digest"]
    print(f"\n  loading {digests:,} digests{'for each digest':>48}")
    for step, value in steps.items():
        note = "  (of the generation in force, at the next load)" if step == "decode" else ""
        print(f"    {step:<58}{value:>14,.0f}{note}")
    print(f"  {'diglim-loader, whole process':<60}{'million':>14}{'for each digest':>18}")
    for label, key in [
        ("load", "load_ns"),
        ("load again, unchanged", "load_unchanged_ns"),
        ("load a list of 50 more", "load_small_ns"),
        ("unload a list of 50", "unload_small_ns"),
    ]:
        print(f"    {label:<58}{load[key] / 1e6:>14,.1f}{load[key] / digests:>18,.0f}")
    memory = load["memory_bytes_per_digest"]
    print(f"    {'peak memory of the loader, MB':<58}{load['peak_rss_bytes'] / 1e6:>14.1f}")
    print(
        f"    kernel memory, bytes/digest: {memory['big']:.1f} loaded, {memory['small']:.1f} after "
        f"{load['small_lists']} small lists, {memory['unloaded']:.1f} after an unload"
    )

    print(f"\n  {'calls, median':<40}{'off':>14}{'permissive':>23}{'enforce':>23}{'p10 .. p90 (enforce)':>28}")
    for label, key in CALLS:
        row = result["calls"][key.removesuffix("_ns")]
        cells = [
            f"{row[mode + '_ns']:,.0f} {overhead_text(row[mode + '_overhead_percent']):>8}"
            for mode in ("permissive", "enforce")
        ]
        low, high = row["enforce_p10_p90_ns"]
        spread = f"{low:,.0f} .. {high:,.0f}"
        print(f"    {label:<38}{row['off_ns']:>14,.0f}{cells[0]:>23}{cells[1]:>23}{spread:>28}")

    boot = result["boot"]
    print(f"\n  {'boot (virtual time: waiting counts too)':<60}{'million':>14}")
    for label, key in [
        ("kernel, until it runs the loader", "before_the_loader_ns"),
        ("loader: keys, probe (hashes the loader), lists", "probe_keys_lists_ns"),
        ("loader: load, publish, attach, pin, keeper", "programs_ns"),
        ("loader in all", "total_ns"),
        ("apart: load the programs", "load_ns"),
        ("  of which verification", "verification_ns"),
        ("  of which reading the kernel's BTF", "btf_ns"),
        ("apart: attach the programs", "attach_ns"),
    ]:
        print(f"    {label:<58}{boot[key] / 1e6:>14,.1f}")
    print(f"    {'BPF instructions that the verifier walked':<58}{boot['verified_insns']:>14,.0f}")
    measure = result["measuring"]
    print(f"    {'loader in all, with a TPM':<58}{measure['loader_off_ns'] / 1e6:>14,.1f}")
    print(f"    {'  and with diglim.measure=on':<58}{measure['loader_on_ns'] / 1e6:>14,.1f}")
    print(f"  {'TPM extends in that boot (boot_aggregate, the manifest)':<60}{measure['extends']:>14,.0f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--digests", type=int, required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    results = {}
    try:
        for path in options.files:
            figures = Figures(path)
            if figures.name == "host":
                results["host"] = {"kernel": os.uname().release, "tables": tables(figures, "host")}
                continue
            results[figures.name] = {
                "tables": tables(figures, "off"),
                "loading": loading(figures),
                "calls": calls(figures),
                "boot": startup(figures),
                "measuring": measuring(figures),
            }
    except Missing as missing:
        print(f"report: not measured: {missing}", file=sys.stderr)
        return 1
    if options.format == "json":
        print(json.dumps({"digests": options.digests, "results": results}, indent=2))
        return 0
    print(f"DIGLIM benchmark, {options.digests:,} digests")
    for name, result in results.items():
        if name == "host":
            print(f"\nThis machine, kernel {result['kernel']}: real nanoseconds, the least of 7 rounds")
            print_tables(result["tables"], "lookup; build for each digest")
        else:
            print_kernel(name, result, options.digests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
