#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: turns what the VMs and this machine printed into the table, or JSON, of `selftests/bench/run`.

Expected: exit 1, with its name, if a figure is missing. Input: see figures.py.
"""
import argparse
import json
import os
import sys

sys.dont_write_bytecode = True
import results as saved  # noqa: E402
from figures import (  # noqa: E402
    AT_ONCE,
    CALLS,
    FIRST,
    TABLES,
    Figures,
    Missing,
    contention,
    measured,
    tables,
)


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


def print_peers(tests):
    modes = list(next(iter(tests.values())))
    print(f"\n  {'median; ratio to baseline':<32}" + "".join(f"{mode:>18}" for mode in modes))
    for name, row in tests.items():
        ratios = "".join(f"{cell_ratio(row[mode] / row['baseline']):>18}" for mode in modes[1:])
        print(f"    {name:<30}{row['baseline']:>18,}{ratios}")


def cell_ratio(ratio):
    return f"{ratio:.4f}" if ratio < 10 else f"{ratio:,.1f}"


def print_contention(name, rows, processors):
    print(f"\nKernel {name}, {processors} processors, real time: execs a second of one file, all processes together; ratio to baseline")
    print(f"  {'processes':<32}" + "".join(f"{number:>18}" for number in AT_ONCE))
    for mode, times in rows.items():
        cells = (f"{1e9 / time:,.0f} {base / time:7.3f}" for time, base in zip(times, rows["baseline"]))
        print(f"    {mode:<30}" + "".join(f"{cell:>18}" for cell in cells))


def print_text(results, options):
    print("DIGLIM benchmark" + (f", {options.digests:,} digests" if options.only == "all" else ""))
    for name, result in results.items():
        if name == "host":
            print(f"\nThis machine, kernel {result['kernel']}: real nanoseconds, the least of 7 rounds")
            print_tables(result["tables"], "lookup; build for each digest")
        elif "contention" in result:
            print_contention(name, result["contention"], options.smp)
        elif options.only == "all":
            print_kernel(name, result, options.digests)
        else:
            print(f"\nKernel {name}: instructions (VM, 1 ns is 1 instruction)")
            print_calls(result["calls"], ["enforce", "measure"])
        if options.peers and "tests" in result:
            print_peers(result["tests"])


def print_comparison(name, before, tests):
    if before is None:
        print(f"\nKernel {name}: nothing is saved to compare with")
        return
    print(f"\nKernel {name}")
    print("\n".join(saved.comparison(before, tests)))


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--digests", type=int, required=True)
    parser.add_argument("--only", choices=("all", "calls", "peers"), default="all")
    parser.add_argument("--peers", type=str.split, default=[], help="who else was measured")
    parser.add_argument("--jobs", action="store_true", help="all tests, not only the calls")
    parser.add_argument("--smp", help="contention was measured, with so many processors")
    parser.add_argument("--save", metavar="FOLDER")
    parser.add_argument("--commit")
    parser.add_argument("--compare", metavar="FILE-OR-FOLDER")
    parser.add_argument("files", nargs="+")
    return parser.parse_args()


def main():
    options = parse_options()
    results, before = {}, {}
    try:
        for path in options.files:
            figures = Figures(path)
            if figures.name == "host":
                results["host"] = {"kernel": os.uname().release, "tables": tables(figures, "host")}
            elif options.smp:
                results[figures.name] = {"contention": contention(figures, options.peers)}
            else:
                results[figures.name] = measured(figures, options.only, options.peers, options.jobs)
            if options.compare:
                before[figures.name] = saved.read(options.compare, figures.name)
            if options.save and figures.name != "host":
                saved.save(options.save, figures.name, saved.result_of(figures, results[figures.name]["tests"], options.commit))
    except Missing as missing:
        print(f"report: not measured: {missing}", file=sys.stderr)
        return 1
    if options.save:
        saved.renew()
    if options.format == "json":
        print(json.dumps({"digests": options.digests, "results": results}, indent=2))
        return 0
    print_text(results, options)
    for name, result in results.items():
        if options.compare and "tests" in result:
            print_comparison(name, before[name], result["tests"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
