#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: report.py's ratios and goals, saved results and what is made from them, where.py's counting. Expected: all pass, without a VM."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chart  # noqa: E402
import figures as bench_figures  # noqa: E402
import report  # noqa: E402
import results as bench_results  # noqa: E402
import where  # noqa: E402


def guest_output(**values):
    """What the three VMs of `run --only calls` print, if each call takes `off`, `enforce`, `measure` instructions."""
    lines = []
    for section, value in values.items():
        lines += [f"section {section}", "release 6.1.0-test"]
        lines += [f"{name}_ns {value}.000 {value - 1}.000 {value + 1}.000" for name in report.CALLS]
    return "\n".join(lines) + "\n"


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "6.1")

    def figures(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        return report.Figures(self.path)

    def test_ratio_to_nothing_loaded(self):
        rows = report.measured(self.figures(guest_output(off=1000, enforce=1030, measure=1150)), "calls")["calls"]
        self.assertEqual(list(rows), list(report.CALLS))
        self.assertEqual(
            rows["mmap_exec"],
            {
                "off_ns": 1000,
                "enforce_ns": 1030,
                "enforce_ratio": 1.03,
                "measure_ns": 1150,
                "measure_ratio": 1.15,
                "enforce_p10_p90_ns": [1029, 1031],
            },
        )

    def test_least_median_counts(self):
        figures = self.figures("section off\nopen_ro_ns 12 3 4\nopen_ro_ns 9 8 20\nopen_ro_ns 10 1 1\nsection enforce\nopen_ro_ns 99 1 1\n")
        self.assertEqual([figures.get("off", "open_ro_ns", which) for which in range(3)], [9, 8, 20])
        self.assertEqual(figures.get("enforce", "open_ro_ns"), 99)

    def test_goal_is_met_up_to_itself(self):
        self.assertEqual(report.goal_text(1.03, 1.03), "1.030 ")
        self.assertEqual(report.goal_text(1.03, 1.0301), "1.030!")
        self.assertEqual(report.goal_text(None, 9), "")

    def test_table_marks_what_is_above_its_goal(self):
        rows = report.measured(self.figures(guest_output(off=1000, enforce=1030, measure=1151)), "calls")["calls"]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            report.print_calls(rows, ["enforce", "measure"])
        row = next(line for line in out.getvalue().splitlines() if "PROT_EXEC" in line)
        self.assertRegex(row, r"1,000 +1,030 +1\.0300 +1\.030  +1,151 +1\.1510 +1\.150! +1,029 \.\. 1,031$")

    def test_saved(self):
        figures = self.figures(guest_output(off=1000, enforce=1030, measure=1150, ima_appraise=1040))
        tests = report.measured(figures, "peers", ["ima_appraise"])["tests"]
        result = bench_results.result_of(figures, tests, "abc", "2026-11-26")
        self.assertEqual([result[key] for key in ("date", "kernel", "commit")], ["2026-11-26", "6.1.0-test", "abc"])
        self.assertEqual(list(result["tests"]), ["exec_static", "exec_dynamic", "mmap_exec", "mmap_plain", "open_ro", "open_rw"])
        self.assertEqual(result["tests"]["open_ro"], {"baseline": 1000, "diglim": 1030, "diglim_measure": 1150, "ima_appraise": 1040})

    def test_jobs_belong_to_the_tests_when_they_ran(self):
        figures = self.figures(guest_output(off=1000, enforce=1030, measure=1150))
        with self.assertRaisesRegex(report.Missing, r"6\.1: exec_four_ns \(off\)"):
            report.measured(figures, "peers", [], True)

    def test_contention(self):
        lines = "at_once_1_ns {0} 0 0\nat_once_2_ns {0} 0 0\nat_once_4_ns {0} 0 0\n"
        rounds = [("off", 9), ("enforce", 7), ("measure", 9), ("off", 6)]
        text = "".join(f"section {name}\n" + lines.format(time) for name, time in rounds)
        self.assertEqual(
            bench_figures.contention(self.figures(text), []),
            {"baseline": [6, 6, 6], "diglim": [7, 7, 7], "diglim_measure": [9, 9, 9]},
        )

    def test_missing_figure_has_a_name(self):
        text = guest_output(off=1000, enforce=1030, measure=1150).replace("open_rw_ns", "other_ns")
        with self.assertRaisesRegex(report.Missing, r"6\.1: open_rw_ns \(off\)"):
            report.measured(self.figures(text), "calls")


class Results(unittest.TestCase):
    RESULT = {
        "date": "2026-11-26",
        "kernel": "6.1.0-test",
        "commit": "abc",
        "tests": {
            "open_ro": {"baseline": 1000, "diglim": 1031, "diglim_measure": 999, "fapolicyd": 6000},
            "make": {"baseline": 2000, "diglim": 2000, "diglim_measure": 2100, "fapolicyd": 480000},
        },
    }

    def test_readmes_and_charts_are_made_from_the_results(self):
        saved = bench_results.saved()
        for path in bench_results.TEXTS:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(text, bench_results.renewed(path, text, saved), f"{path}: selftests/bench/run --readme")
        for kernel, result in saved.items():
            with open(os.path.join(bench_results.RESULTS, f"{kernel}.svg"), encoding="utf-8") as file:
                self.assertEqual(file.read(), bench_results.chart_of(result), f"{kernel}.svg: selftests/bench/run --readme")

    def test_changes_are_readable(self):
        words = [bench_results.change(ratio) for ratio in (1.005, 0.99999, 0.99, 1.999, 6.03, 221)]
        self.assertEqual(words, ["+0.5 %", "+0.0 %", "-1.0 %", "+99.9 %", "6.0 times", "221 times"])

    def test_table_has_the_modes_that_were_measured(self):
        lines = bench_results.table(self.RESULT, bench_results.change, False).splitlines()
        self.assertEqual(lines[0], "| | DIGLIM enforcing | DIGLIM enforcing and measuring | fapolicyd |")
        self.assertEqual(lines[3], "| make of a small C project | +0.0 % | +5.0 % | 240 times |")

    def test_comparison(self):
        now = {"open_ro": {"baseline": 1000, "diglim": 1062}, "new": {"baseline": 1, "diglim": 1}}
        lines = list(bench_results.comparison(self.RESULT, now))
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[1], r"open_ro +\+0\.000 +\+3\.007$")

    def test_chart_is_logarithmic(self):
        width = chart.x_of(0.01) - chart.x_of(0.001)
        self.assertAlmostEqual(chart.x_of(10) - chart.x_of(1), width)
        self.assertEqual(chart.x_of(-0.5), chart.LEFT)
        self.assertIn("make of a small C project", bench_results.chart_of(self.RESULT))


class Where(unittest.TestCase):
    KERNEL = 1 << 63

    def setUp(self):
        self.symbols = where.Symbols(
            [
                f"{self.KERNEL + 0:x} T entry",
                f"{self.KERNEL + 16:x} t bpf_prog_0123456789abcdef_diglim_exec\t[bpf]",
                f"{self.KERNEL + 32:x} t bpf_trampoline_6442450951\t[bpf]",
            ],
            {7: "bpf_lsm_file_open"},
        )

    def test_only_whole_calls(self):
        self.assertEqual(where.calls_of([5, 1, 2, 3, 1, 2, 1, 9], 1), [[1, 2, 3], [1, 2]])
        self.assertEqual(where.calls_of([1, 2, 3], 1), [])

    def test_names(self):
        names = [self.symbols.name(self.KERNEL + offset) for offset in (0, 15, 16, 40)]
        self.assertEqual(names, ["entry", "entry", "program diglim_exec", "trampoline of bpf_lsm_file_open"])
        self.assertEqual(self.symbols.name(0x400000), where.USER)

    def test_medians(self):
        calls = [[self.KERNEL] * 2, [self.KERNEL] * 2, [self.KERNEL] * 2 + [self.KERNEL + 16] * 50]
        self.assertEqual(where.medians(calls, self.symbols), {where.ALL: 2, "entry": 2, "program diglim_exec": 0})

    def test_hooks_end_where_their_caller_goes_on(self):
        functions = ((64, "security_file_open"), (80, "bpf_lsm_file_open"), (96, "helper"), (112, "__x86_indirect_thunk_rax"))
        kernel = [f"{self.KERNEL + at:x} T {name}" for at, name in functions]
        symbols = where.Symbols(
            [f"{address:x} t {name}" for address, name in zip(self.symbols.starts, ["entry", "x", "y"])] + kernel, {}
        )
        symbols.names[1:3] = ["program diglim_file_open", "trampoline of bpf_lsm_file_open"]
        places = [64, 112, 80, 32, 33, 16, 96, 97, 34, 84, 35, 65, 0]
        self.assertEqual(
            where.hooks_of([self.KERNEL + place for place in places], symbols),
            {
                ("bpf_lsm_file_open", "times"): 1,
                ("bpf_lsm_file_open", "trampoline"): 5,
                ("bpf_lsm_file_open", "program"): 1,
                ("bpf_lsm_file_open", "helpers"): 2,
            },
        )

    def test_differences_greatest_first(self):
        modes = [{"open_ro": {where.ALL: 10, "a": 5, "b": 5}}, {"open_ro": {where.ALL: 40, "a": 6, "b": 25, "c": 9}}]
        self.assertEqual(
            where.compare(modes, "open_ro", 8), [(where.ALL, [10, 40]), ("b", [5, 25]), ("c", [0, 9])]
        )


if __name__ == "__main__":
    unittest.main()
