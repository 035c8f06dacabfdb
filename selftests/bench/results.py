#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the saved results: results/<kernel>.json, and what is made from them: charts and the tables of both READMEs.

Expected: without arguments charts and tables are written anew.
"""
import datetime
import json
import os
import re
import sys

sys.dont_write_bytecode = True
import chart  # noqa: E402
from figures import CALLS, MORE, Missing  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "results")
KERNELS = ("6.1", "6.12", "current")
# For people who do not know the names.
LABELS = {
    "exec_static": "fork, exec and wait of the smallest program",
    "exec_dynamic": "the same of a small program with libc",
    "mmap_exec": "map a known library of 2 MiB executable, and unmap it",
    "mmap_plain": "map a file, and unmap it",
    "open_ro": "open for reading and close, a file that has nothing to do with it",
    "open_rw": "open for reading and writing, and close",
    **MORE,
}
TITLES = {
    "diglim": "DIGLIM enforcing",
    "diglim_measure": "DIGLIM enforcing and measuring",
    "ima_appraise": "IMA appraisal",
    "ima_measure": "IMA measuring",
    "fapolicyd": "fapolicyd",
    "fapolicyd_sha256": "fapolicyd with sha256",
}
BEGIN, END = "<!-- made by selftests/bench/run --readme: begin -->", "<!-- made by selftests/bench/run --readme: end -->"


def result_of(figures, tests, commit, date=None):
    """What `--save` writes of one kernel."""
    if not figures.release:
        raise Missing(f"{figures.name}: release")
    date = date or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    return {"date": date, "kernel": figures.release, "commit": commit, "tests": tests}


def read(place, kernel):
    """What is saved in a file, or of a kernel in a folder; None if nothing is."""
    path = os.path.join(place, f"{kernel}.json") if os.path.isdir(place) else place
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def saved():
    """{kernel: result} of all that are saved."""
    results = {kernel: read(RESULTS, kernel) for kernel in KERNELS}
    return {kernel: result for kernel, result in results.items() if result}


def save(folder, kernel, result):
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, f"{kernel}.json"), json.dumps(result, indent=2) + "\n")


def modes_of(result):
    """The modes besides baseline, in the order of their titles."""
    return [mode for mode in TITLES if all(mode in row for row in result["tests"].values())]


def change(ratio):
    """What is easiest to read: per cent, or how many times as much."""
    if ratio < 2:
        return f"{(ratio - 1) * 100:+.1f} %".replace("-0.0", "+0.0")
    return f"{ratio:,.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def table(result, cell, baseline):
    """Markdown: a row for each test, a column for each mode; with `baseline` its instructions, too."""
    modes = modes_of(result)
    columns = (["nothing loaded, instructions"] if baseline else []) + [TITLES[mode] for mode in modes]
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, row in result["tests"].items():
        cells = [f"{row['baseline']:,}"] if baseline else []
        cells += [cell(row[mode] / row["baseline"]) for mode in modes]
        label = f"`{name}`" if baseline else LABELS[name]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def costs(results):
    """For the README: kernel 6.1."""
    result = results["6.1"]
    return (
        f"Kernel {result['kernel']}, {result['date']}, over the same machine with nothing loaded; "
        "[the same as a chart](selftests/bench/results/6.1.svg):\n\n" + table(result, change, False)
    )


def all_costs(results):
    """For the benchmark's README: every kernel."""
    return "\n\n".join(
        f"Kernel {result['kernel']} (`{kernel}`), {result['date']}, commit {result['commit']}; [chart](results/{kernel}.svg):\n\n"
        + table(result, lambda ratio: f"{ratio:,.4f}" if ratio < 10 else f"{ratio:,.0f}", True)
        for kernel, result in results.items()
    )


# Each text whose part between the marks is made from the results.
TEXTS = {
    os.path.join(HERE, "..", "..", "README.md"): costs,
    os.path.join(HERE, "README.md"): all_costs,
}


def renewed(path, text, results):
    """`text` of `path` as it should be."""
    pattern = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}\n", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{path}: not one pair of lines {BEGIN}, {END}")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{TEXTS[path](results)}\n\n{END}\n", text)


def chart_of(result):
    return chart.svg(result, LABELS, {mode: TITLES[mode] for mode in modes_of(result)})


def renew():
    results = saved()
    for kernel, result in results.items():
        write(os.path.join(RESULTS, f"{kernel}.svg"), chart_of(result))
    for path in TEXTS:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        write(path, renewed(path, text, results))


def comparison(before, now):
    """Lines: by how many per cent each figure of `now` differs from `before`."""
    modes = [mode for mode in next(iter(now.values())) if all(mode in row for row in before["tests"].values())]
    yield f"  {'against ' + before['date'] + ', ' + before['commit'] + ', in %':<46}" + "".join(f"{mode:>18}" for mode in modes)
    for name, row in now.items():
        if name not in before["tests"]:
            continue
        cells = [f"{(row[mode] / before['tests'][name][mode] - 1) * 100:>+18.3f}" for mode in modes]
        yield f"    {name:<44}" + "".join(cells)


if __name__ == "__main__":
    assert list(LABELS) == [*CALLS, *MORE]
    sys.exit(renew())
