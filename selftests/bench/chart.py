# SPDX-License-Identifier: Apache-2.0
"""A saved result as an SVG: for each test what each mode adds to nothing loaded, on a logarithmic scale."""
import math
from xml.sax.saxutils import escape

COLORS = {
    "diglim": "#0b6e4f",
    "diglim_measure": "#6cc3a0",
    "ima_appraise": "#1f4e9c",
    "ima_measure": "#7fa6e0",
    "fapolicyd": "#c0392b",
    "fapolicyd_sha256": "#e8998d",
}
WIDTH, LEFT, RIGHT, TOP = 1000, 430, 40, 96
BAR, GAP = 9, 12
# The axis, as parts of what the baseline takes; what is less stands at its beginning.
LEAST, MOST = 0.001, 10000


def text_of(part):
    if part < 10:
        return f"{part * 100:g} %"
    return f"{part:,.0f} times"


def x_of(part):
    part = min(max(part, LEAST), MOST)
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(part / LEAST) / math.log(MOST / LEAST)


def text(x, y, content, **more):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(content)}</text>'


def svg(result, labels, titles):
    """`titles`: {mode: title} of the modes to show."""
    row_height = BAR * len(titles) + GAP
    bottom = TOP + row_height * len(result["tests"])
    lines = [
        "<!-- SPDX-License-Identifier: Apache-2.0 -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 30}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{bottom + 30}" fill="white"/>',
        text(10, 24, f"Instructions added to nothing loaded, kernel {result['kernel']}, {result['date']}", font_size=17),
    ]
    for place, (mode, title) in enumerate(titles.items()):
        x, y = 10 + place % 3 * 250, 36 + place // 3 * 20
        lines.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{COLORS[mode]}"/>')
        lines.append(text(x + 18, y + 11, title))
    exponent = round(math.log10(LEAST))
    while 10.0**exponent <= MOST:
        x = x_of(10.0**exponent)
        lines.append(f'<line x1="{x:g}" y1="{TOP - 6}" x2="{x:g}" y2="{bottom}" stroke="#ccc"/>')
        lines.append(text(x, bottom + 18, text_of(10.0**exponent), text_anchor="middle", font_size=11))
        exponent += 1
    for place, (name, row) in enumerate(result["tests"].items()):
        y = TOP + place * row_height
        lines.append(text(LEFT - 10, y + BAR * len(titles) / 2 + 5, labels[name], text_anchor="end"))
        for number, mode in enumerate(titles):
            x = x_of(row[mode] / row["baseline"] - 1)
            lines.append(
                f'<rect x="{LEFT}" y="{y + number * BAR:g}" width="{max(x - LEFT, 1):.1f}" height="{BAR - 1}" fill="{COLORS[mode]}"/>'
            )
    return "\n".join([*lines, "</svg>", ""])
