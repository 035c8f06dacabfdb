#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hold_socket.py PATH COMMAND...: what systemd does for a socket unit: listens at PATH, starts the command with that socket when somebody
connects, and again when it has ended. Writes its pid, then that of each start, one a line."""
import os
import select
import socket
import sys

os.umask(0o177)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print(os.getpid(), flush=True)
while True:
    select.select([listener], [], [])
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)  # before anybody has an answer
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execvp(sys.argv[2], sys.argv[2:])
    os.waitpid(child, 0)
