#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes over the bus between a program and the TPM.

  bus.py relay PORT TPM_PORT LOG    stands between the two, commands and control channel (PORT + 1), and writes a line a frame
  bus.py has LOG FILE               whether the bytes of FILE are in any frame, as they are
  bus.py protected LOG COMMAND      how often COMMAND went, each time in a session that began with a salt for a key of the TPM (so nobody
                                    on the bus knows its keys) and encrypts what is secret in it; an error if it ever went otherwise

Layout: TPM 2.0 Library, part 1, 18 (command and response), 19.6 (salted sessions), 21 (encryption of parameters); part 2, 8.4
(TPMA_SESSION); part 3, 11.1 (TPM2_StartAuthSession).
"""
import asyncio
import struct
import sys

NO_KEY = 0x40000007  # TPM_RH_NULL
AES = 0x0006
WITH_SESSIONS = 0x8002
DECRYPT, ENCRYPT = 0x20, 0x40  # what the command carries first; what the response carries first
START = 0x176
# number, handles before the sessions, what its session must encrypt
COMMANDS = {
    "create": (0x153, 1, DECRYPT),
    "unseal": (0x15E, 1, ENCRYPT),
    "sign": (0x15D, 1, DECRYPT),
    "activate-credential": (0x147, 2, ENCRYPT),
}


async def relay(port, target, log):
    with open(log, "w", buffering=1) as out:

        async def read_frame(reader):
            head = await reader.readexactly(10)
            return head + await reader.readexactly(struct.unpack_from(">I", head, 2)[0] - 10)

        async def frames(reader, writer):  # a client
            try:
                tpm_reader, tpm_writer = await asyncio.open_connection("127.0.0.1", target)
                while True:
                    command = await read_frame(reader)
                    tpm_writer.write(command)
                    response = await read_frame(tpm_reader)
                    out.write(f"{command.hex()} {response.hex()}\n")
                    writer.write(response)
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                tpm_writer.close()

        async def control(reader, writer):
            tpm_reader, tpm_writer = await asyncio.open_connection("127.0.0.1", target + 1)

            async def copy(source, to):
                while data := await source.read(4096):
                    to.write(data)
                    await to.drain()
                to.close()

            await asyncio.gather(copy(reader, tpm_writer), copy(tpm_reader, writer), return_exceptions=True)

        servers = [
            await asyncio.start_server(frames, "127.0.0.1", port),
            await asyncio.start_server(control, "127.0.0.1", port + 1),
        ]
        print("ready", flush=True)
        await asyncio.gather(*(server.serve_forever() for server in servers))


def exchanges(log):
    with open(log) as file:
        for line in file:
            yield tuple(bytes.fromhex(part) for part in line.split())


def has(log, path):
    with open(path, "rb") as file:
        wanted = file.read()
    assert len(wanted) >= 8, "so few bytes are everywhere"
    return any(wanted in frame for exchange in exchanges(log) for frame in exchange)


def sized(frame, at):
    (size,) = struct.unpack_from(">H", frame, at)
    return at + 2 + size


def is_salted(command):
    key, _ = struct.unpack_from(">II", command, 10)
    at = sized(command, 18)  # the caller's nonce
    (salt,) = struct.unpack_from(">H", command, at)
    _, symmetric = struct.unpack_from(">BH", command, at + 2 + salt)
    return key != NO_KEY and salt > 0 and symmetric == AES


def sessions(command, handles):
    tag, _, _ = struct.unpack_from(">HII", command)
    if tag != WITH_SESSIONS:
        return
    at = 10 + 4 * handles
    (size,) = struct.unpack_from(">I", command, at)
    at, end = at + 4, at + 4 + size
    while at < end:
        (handle,) = struct.unpack_from(">I", command, at)
        at = sized(command, at + 4)
        yield handle, command[at]
        at = sized(command, at + 1)


def protected(log, name):
    number, handles, needed = COMMANDS[name]
    salted, count = {}, 0
    for command, response in exchanges(log):
        code, done = struct.unpack_from(">I", command, 6)[0], struct.unpack_from(">I", response, 6)[0] == 0
        if code == START and done:
            salted[struct.unpack_from(">I", response, 10)[0]] = is_salted(command)
        if code != number:
            continue
        found = 0
        for handle, attributes in sessions(command, handles):
            if salted.get(handle):
                found |= attributes
        if needed & ~found:
            sys.exit(f"{name} number {count + 1}: no session that is salted and encrypts what is needed (attributes {found:#x})")
        count += 1
    if not count:
        sys.exit(f"no {name} went over the bus")
    print(f"{count} times")


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "relay":
        asyncio.run(relay(int(words[0]), int(words[1]), words[2]))
    elif verb == "has":
        heard = has(*words)
        print("heard" if heard else "not heard")
        sys.exit(0 if heard else 1)
    else:
        protected(*words)
