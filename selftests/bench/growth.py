#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the table grows: from ten thousand to ten million digests, in lists of 160.

Architecture: `table_bench grow` in one VM whose clock counts instructions (1 ns is 1); a text table on stdout, and a chart in
results/growth.svg. Lookups should be flat (within 1.2), loading linear (a digest costs the same).
Usage: growth.py [--kernel 6.1|6.12|current] [--largest DIGESTS]. The largest (10,000,000) needs 3 GB for the VM.
"""
import argparse
import math
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
A_LIST = 160  # there are at most 65,535
LINES = (("table_hit_ns", "lookup, hit", "#1b6ca8"), ("table_miss_ns", "lookup, miss", "#7fb3d8"),
         ("load", "put, prepare, publish", "#c0392b"), ("table_decode_ns", "decode", "#e08e79"))


def measure(kernel, sizes):
    """{size: {name: value}}"""
    steps = "; ".join(f"echo size {size}; /bench/table_bench grow {size} {size // A_LIST}" for size in sizes)
    command = [TOP / "selftests/vm/run", "--kernel", kernel, "--mode", "off", "--icount", "--memory", "3072", "--timeout", "900",
               "--copy", f"{TOP}/build/release/selftests/bench/table_bench:/bench/", "--", "/bin/sh", "-ec", steps]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"growth.py: the VM ended with {done.returncode}")
    figures = {}
    for line in done.stdout.splitlines():
        name, value = line.split()[:2]
        if name == "size":
            current = figures.setdefault(int(value), {})
        else:
            current[name] = float(value)
    for row in figures.values():
        row["load"] = row["table_put_ns"] + row["table_prepare_ns"] + row["table_publish_ns"]
    return figures


def table(figures):
    text = f"{'digests':>12}" + "".join(f"{title:>24}" for _, title, _ in LINES) + f"{'kernel, bytes/digest':>24}{'loader, MB':>12}\n"
    for size, row in figures.items():
        text += f"{size:>12,}" + "".join(f"{row[name]:>24.0f}" for name, _, _ in LINES)
        text += f"{row['table_map_bytes']:>24.1f}{row['table_peak_kib'] / 1024:>12.0f}\n"
    return text


def chart(figures, kernel):
    """Instructions (a lookup, or a digest) over digests; both axes are logarithmic."""
    width, height, left, bottom, right, top = 720, 420, 70, 50, 180, 40
    sizes = list(figures)
    values = [row[name] for row in figures.values() for name, _, _ in LINES]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x_of(size):
        return left + (width - left - right) * math.log(size / sizes[0]) / math.log(max(sizes[-1] / sizes[0], 2))

    def y_of(value):
        return height - bottom - (height - bottom - top) * (math.log10(value) - low) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           "<!-- SPDX-License-Identifier: Apache-2.0 -->",
           f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="{left}" y="22" font-size="14">Instructions for each lookup and each digest loaded, kernel {kernel}</text>']
    for power in range(low, high + 1):
        y = y_of(10 ** power)
        out.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width - right}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{10 ** power:,}</text>')
    for size in sizes:
        out.append(f'<text x="{x_of(size):.1f}" y="{height - bottom + 20}" text-anchor="middle">{size:,}</text>')
    out.append(f'<text x="{(left + width - right) / 2:.0f}" y="{height - 10}" text-anchor="middle">digests, in lists of {A_LIST}</text>')
    for at, (name, title, colour) in enumerate(LINES):
        points = " ".join(f"{x_of(size):.1f},{y_of(row[name]):.1f}" for size, row in figures.items())
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        y = top + 20 + 20 * at
        out.append(f'<line x1="{width - right + 12}" y1="{y}" x2="{width - right + 32}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{width - right + 38}" y="{y + 4}">{title}</text>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    options = parser.parse_args()
    figures = measure(options.kernel, [size for size in SIZES if size <= options.largest])
    print(table(figures), end="")
    (HERE / "results/growth.svg").write_text(chart(figures, options.kernel))


if __name__ == "__main__":
    main()
