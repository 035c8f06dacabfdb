# SPDX-License-Identifier: Apache-2.0
"""The figures of `selftests/bench/run`, read from what the VMs and this machine printed.

Input: files of "section NAME", "NAME MEDIAN P10 P90", "status NAME JSON" and "log [SECONDS] TEXT" lines; the file's name is the kernel, or
"host". Of several lines of one name in a section the least median counts.
"""
import json
import os
import re
import statistics

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
# The other tests, which have no goals.
MORE = {
    "exec_four": "one file, executed by four at once",
    "pipeline": "shell pipeline of five programs",
    "python": "python3 -I -c pass",
    "first_exec_1m": "first exec of a file of 1 MiB",
    "first_exec_16m": "first exec of a file of 16 MiB",
    "make": "make of a small C project",
    "tar": "tar of a source tree",
    "rpm": "rpm -i of five packages",
    "dnf": "dnf install of the same, into an empty root",
}
# Names of the saved results, and the sections they come from.
MODES = {
    "baseline": "off",
    "diglim": "enforce",
    "diglim_measure": "measure",
    "ima_appraise": "ima_appraise",
    "ima_measure": "ima_measure",
    "fapolicyd": "fapolicyd",
    "fapolicyd_sha256": "fapolicyd_sha256",
}
AT_ONCE = (1, 2, 4)
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


def tests(figures, peers, jobs):
    """{test: {mode: instructions}}, of DIGLIM, of `peers`; with `jobs` of all tests, else of the calls."""
    modes = {mode: section for mode, section in MODES.items() if mode in peers or mode in ("baseline", "diglim", "diglim_measure")}
    names = [*CALLS, *(MORE if jobs else [])]
    return {
        name: {mode: round(figures.get(section, f"{name}_ns")) for mode, section in modes.items()} for name in names
    }


def contention(figures, peers):
    """{mode: [nanoseconds of an exec with 1, 2, 4 processes]}."""
    return {
        mode: [figures.get(section, f"at_once_{number}_ns") for number in AT_ONCE]
        for mode, section in MODES.items()
        if mode in peers or mode in ("baseline", "diglim", "diglim_measure")
    }


def measured(figures, only, peers=(), jobs=False):
    if only != "all":
        return {"calls": calls(figures, CALLS, ["enforce", "measure"]), "tests": tests(figures, peers, jobs)}
    return {
        "tables": tables(figures, "off"),
        "loading": loading(figures),
        "calls": {
            **calls(figures, CALLS, ["permissive", "enforce", "measure"]),
            **calls(figures, FIRST, ["permissive", "enforce"]),
        },
        "boot": startup(figures),
        "measuring": measuring(figures),
        "tests": tests(figures, peers, jobs),
    }
