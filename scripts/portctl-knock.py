#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A signed knock: portctl-knock.py HOST DOOR KEYFILE [PORT [ADDRESS]]

KEYFILE has the line that "portctl knock key NAME" printed; ADDRESS is who is to be
let in, where it is not who sends this. The format is in the README.
"""
import hashlib
import ipaddress
import socket
import struct
import sys
import time


def number(data):
    return hashlib.blake2s(data, digest_size=16).digest()[:4]


host, door, path, port, address = (sys.argv[1:] + ["62201", ""][len(sys.argv) - 4 :])[:5]
_, key, server = open(path).readline().split()[:3]
key, server = bytes.fromhex(key), bytes.fromhex(server)
source = ipaddress.ip_address(address) if address else None
message = struct.pack(">BBBx4sQI4s16s8s", 1, 1, source.version if source else 0, number(key),
                      time.time_ns(), 0, number(door.encode()),
                      source.packed.ljust(16, b"\0") if source else b"", server)
tag = hashlib.blake2s(message, key=key, digest_size=16).digest()
family, kind, _, _, target = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
socket.socket(family, kind).sendto(message + tag, target)
