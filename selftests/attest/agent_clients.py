#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agent_clients.py SOCKET stall|garbage: clients as an SSH agent should not have them. `stall` says so and stays."""
import os
import random
import socket
import struct
import sys
import time

FAILURE = b'\x05'


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    client.settimeout(60)
    return client


def answer(data):
    """What comes back: a message, or nothing if the connection ended."""
    client = connect()
    try:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        size = client.recv(4)
        return client.recv(struct.unpack('>I', size)[0]) if len(size) == 4 else b''
    except (BrokenPipeError, ConnectionResetError):
        return b''


def message(body):
    return struct.pack('>I', len(body)) + body


if sys.argv[2] == 'stall':
    clients = [connect() for _ in range(120)]
    for number, client in enumerate(clients):
        if number % 3 == 1:
            client.sendall(struct.pack('>I', 200000) + b'\x0d' * (number * 100))
        if number % 3 == 2:
            client.sendall(message(b'\x0b'))
    print('stalled', flush=True)
    time.sleep(600)

refused = [b'', b'\0\0\0\0', b'\0\0\0', b'\xff' * 100, b'GET / HTTP/1.0\r\n\r\n', b'SSH-2.0-OpenSSH_9.2\r\n', struct.pack('>I', 262145),
           message(b'\x0b\0'), message(b'\x0d'), message(b'\x0d' + b'\xff' * 8), message(b'\x0d' + b'\0' * 12), message(b'\x13'),
           message(b'\x11' * 262144), message(b'\x1b\0\0\0\x05query'), message(b'\x1b\0\0\0\x18session-bind@openssh.com')]
random.seed(1)
refused += [message(os.urandom(random.randrange(1, 300)).replace(b'\x0b', b'\x0c', 1)) for _ in range(300)]
bad = [data[:40].hex() for data in refused if answer(data) not in (b'', FAILURE)]
good = answer(message(b'\x0b'))
if bad or good[:1] != b'\x0c':
    sys.exit(f'answered: {bad}, {good[:40].hex()}')
print('all refused')
