#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: turns what the VMs and this machine printed into the table, or JSON, of `selftests/bench/run`.

Expected: exit 1, with its name, if a figure is missing. Input: files of "section NAME", "NAME MEDIAN P10 P90",
"status NAME JSON" and "log [SECONDS] TEXT" lines; the file's name is the kernel, or "host". Of several lines of one name in a section the
least median counts.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import sys

# Names of calls_bench and of the saved results, and the goals: the most that DIGLIM may cost, as a ratio to nothing loaded, without and
# with measuring. None: no goal.
CALLS = {
    "exec_static": ("fork + exec + wait, static", 1.005, 1.02),
    "exec_dynamic": ("fork + exec + wait, dynamic", 1.005, None),
    "mmap_exec": ("mmap(PROT_EXEC) + munmap, 2 MiB", 1.030, 1.15),
    "mmap_plain": ("mmap(PROT_READ) + munmap, 2 MiB", 1.016, None),
    "open_ro": ("open(O_RDONLY) + close", 1.030, 1.05),
    "open_rw": ("open(O_RDWR) + close", 1.045, None),
}
# Without a verdict in the cache.
FIRST = {
    "exec_first_100k": "exec, 100 kB file hashed",
    "exec_first_5m": "exec, 5 MB file hashed",
}
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
        self.sections, self.status, self.log, self.release = {}, {}, {}, None
        section = {}
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                words = line.split()
                if not words:
                    continue
                if words[0] == "section":
                    section = self.sections.setdefault(words[1], {})
                elif words[0] == "release":
                    self.release = words[1]
                elif words[0] == "status":
                    self.status[words[1]] = json.loads(line.split(None, 2)[2])
                elif words[0] == "log":
                    self._read_log(line)
                elif len(words) == 4:
                    values = [float(word) for word in words[1:]]
                    section[words[0]] = min(values, section.get(words[0], values))

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


def calls(figures, names, modes):
    """For each name its instructions with nothing loaded and in each mode, and the ratio of the two."""
    result = {}
    for name in names:
        off = figures.get("off", f"{name}_ns")
        row = {"off_ns": off}
        for mode in modes:
            row[f"{mode}_ns"] = figures.get(mode, f"{name}_ns")
            row[f"{mode}_ratio"] = row[f"{mode}_ns"] / off
        row["enforce_p10_p90_ns"] = [figures.get("enforce", f"{name}_ns", which) for which in (1, 2)]
        result[name] = row
    return result


def saved(figures, rows, commit, date):
    """What `--save` writes of one kernel."""
    if not figures.release:
        raise Missing(f"{figures.name}: release")
    return {
        "date": date,
        "kernel": figures.release,
        "commit": commit,
        "tests": {
            name: {
                "baseline": round(row["off_ns"]),
                "diglim": round(row["enforce_ns"]),
                "diglim_measure": round(row["measure_ns"]),
            }
            for name, row in rows.items()
            if name in CALLS
        },
    }


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
        "loader_on_ns": figures.get("measure", "loader_ns"),
        "extends": figures.get("measure", "extends"),
    }


def cell(value, ratio):
    return f"{value:,.0f} " + (f"{ratio:8.4f}" if ratio < 10 else f"x {ratio:6,.0f}")


def goal_text(goal, ratio):
    if goal is None:
        return ""
    return f"{goal:.3f}" + (" " if ratio <= goal else "!")


def print_calls(rows, modes):
    """REQUIRES: modes end with enforce, measure."""
    print(f"\n  {'calls, median; ratio to off; ! above the goal':<46}{'off':>10}", end="")
    print("".join(f"{mode:>22}" + (f"{'goal':>7} " if mode != "permissive" else "") for mode in modes) + f"{'p10 .. p90 (enforce)':>28}")
    for name, row in rows.items():
        label, *goals = CALLS[name] if name in CALLS else (FIRST[name], None, None)
        line = f"    {label:<42}{row['off_ns']:>12,.0f}"
        for mode in modes:
            if f"{mode}_ns" not in row:
                line += " " * 30
                continue
            ratio = row[f"{mode}_ratio"]
            line += f"{cell(row[f'{mode}_ns'], ratio):>22}"
            if mode != "permissive":
                line += f"{goal_text(goals[mode == 'measure'], ratio):>8}"
        low, high = row["enforce_p10_p90_ns"]
        print(line + f"{f'{low:,.0f} .. {high:,.0f}':>28}")


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

    print_calls(result["calls"], ["permissive", "enforce", "measure"])

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
    print(f"    {'loader in all, with diglim.measure=on':<58}{measure['loader_on_ns'] / 1e6:>14,.1f}")
    print(f"  {'TPM extends in that boot (boot_aggregate, the manifest)':<60}{measure['extends']:>14,.0f}")


def measured(figures, only):
    if only == "calls":
        return {"calls": calls(figures, CALLS, ["enforce", "measure"])}
    return {
        "tables": tables(figures, "off"),
        "loading": loading(figures),
        "calls": {
            **calls(figures, CALLS, ["permissive", "enforce", "measure"]),
            **calls(figures, FIRST, ["permissive", "enforce"]),
        },
        "boot": startup(figures),
        "measuring": measuring(figures),
    }


def save(folder, figures, rows, commit):
    os.makedirs(folder, exist_ok=True)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    text = json.dumps(saved(figures, rows, commit, date), indent=2)
    with open(os.path.join(folder, f"{figures.name}.json"), "w", encoding="utf-8") as file:
        file.write(text + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--digests", type=int, required=True)
    parser.add_argument("--only", choices=("all", "calls"), default="all")
    parser.add_argument("--save", metavar="FOLDER")
    parser.add_argument("--commit")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    results = {}
    try:
        for path in options.files:
            figures = Figures(path)
            if figures.name == "host":
                results["host"] = {"kernel": os.uname().release, "tables": tables(figures, "host")}
                continue
            results[figures.name] = measured(figures, options.only)
            if options.save:
                save(options.save, figures, results[figures.name]["calls"], options.commit)
    except Missing as missing:
        print(f"report: not measured: {missing}", file=sys.stderr)
        return 1
    if options.format == "json":
        print(json.dumps({"digests": options.digests, "results": results}, indent=2))
        return 0
    print_text(results, options)
    return 0


def print_text(results, options):
    print("DIGLIM benchmark" + (f", {options.digests:,} digests" if options.only == "all" else ""))
    for name, result in results.items():
        if name == "host":
            print(f"\nThis machine, kernel {result['kernel']}: real nanoseconds, the least of 7 rounds")
            print_tables(result["tables"], "lookup; build for each digest")
        elif options.only == "calls":
            print(f"\nKernel {name}: instructions (VM, 1 ns is 1 instruction)")
            print_calls(result["calls"], ["enforce", "measure"])
        else:
            print_kernel(name, result, options.digests)


if __name__ == "__main__":
    sys.exit(main())
