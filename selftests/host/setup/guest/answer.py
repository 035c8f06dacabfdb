# SPDX-License-Identifier: Apache-2.0
"""Runs each line of a file in bash, on a terminal, and says y when it is asked, as an admin would.

Usage: python3 answer.py FILE FOLDER. Prints "== LINE", what the line printed, "== status N". Ends before a line "reboot".
"""
import os
import pty
import subprocess
import sys


def run(line):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv("/bin/bash", ["bash", "-c", line])
    seen = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # EIO: the other side is closed
            data = b""
        if not data:
            break
        sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()
        seen = (seen + data)[-40:]
        if seen.rstrip(b": ").endswith(b"[y/N]"):
            os.write(terminal, b"y\n")
            seen = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


os.chdir(sys.argv[2])
with open(sys.argv[1], encoding="utf-8") as file:
    for text in file.read().splitlines():
        if text.split("#")[0].strip() == "reboot":
            break
        print("==", text, flush=True)
        print("== status", run(text), flush=True)
        # Nobody types so fast that the log is not written: the loader's status waits for its lines, and then journald has read them.
        subprocess.run("diglim-loader status; journalctl --sync", shell=True, capture_output=True, check=False)
