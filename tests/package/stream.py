# SPDX-License-Identifier: GPL-2.0-only
"""stream.py send HOST STOP: sends one datagram to UDP port 7000 and one to 7001 every half a
millisecond, until the file STOP exists, for a minute at most; prints how many were sent to each port.
stream.py count STOP: counts the datagrams that arrive at each port, until STOP exists and none has
come for a second; prints both counts."""
import os
import select
import socket
import sys
import time

PORTS = (7000, 7001)
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; Python does not define it


def send(host, stop):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end, sent = time.monotonic() + 60, 0
    while not os.path.exists(stop) and time.monotonic() < end:
        for port in PORTS:
            sock.sendto(b"x", (host, port))
        sent += 1
        time.sleep(0.0005)
    print(sent)


def count(stop):
    socks, counts = {}, {}
    for port in PORTS:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
        sock.bind(("0.0.0.0", port))
        socks[sock], counts[port] = port, 0
    print("ready", flush=True)
    while True:
        ready = select.select(list(socks), [], [], 1)[0]
        if not ready and os.path.exists(stop):
            break
        for sock in ready:
            sock.recv(16)
            counts[socks[sock]] += 1
    print(*(counts[port] for port in PORTS))


{"send": send, "count": count}[sys.argv[1]](*sys.argv[2:])
