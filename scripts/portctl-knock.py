#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends a signed knock: portctl-knock.py HOST KNOCK KEYFILE [PORT [ADDRESS]]

KNOCK is the name of the knock rule. The first line of KEYFILE is the output of "portctl knock
key NAME". PORT is 62201 unless given. ADDRESS is the address to let in, if it is not the
sender's own. README.md describes the format.
"""
import hashlib
import ipaddress
import socket
import struct
import sys
import time


def number(data):
    return hashlib.blake2s(data, digest_size=16).digest()[:4]


host, knock, path, port, address = (sys.argv[1:] + ["62201", ""][len(sys.argv) - 4 :])[:5]
_, key, server = open(path).readline().split()[:3]
key, server = bytes.fromhex(key), bytes.fromhex(server)
source = ipaddress.ip_address(address) if address else None
message = struct.pack(">BBBx4sQI4s16s8s", 1, 1, source.version if source else 0, number(key),
                      time.time_ns(), 0, number(knock.encode()),
                      source.packed.ljust(16, b"\0") if source else b"", server)
tag = hashlib.blake2s(message, key=key, digest_size=16).digest()
family, kind, _, _, target = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
socket.socket(family, kind).sendto(message + tag, target)
