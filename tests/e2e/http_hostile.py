#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hostile HTTP clients: http_hostile.py HOST PORT WAY, where WAY is a function below.

Clients that hold connections print "ready" once they do, and go on until they are killed. The
others print the first line of the response, or "closed", and end.
"""
import socket
import sys
import time


def connect(host, port):
    return socket.create_connection((host, port), timeout=15)


def go_on():
    print("ready", flush=True)
    while True:
        time.sleep(3600)


def idle(host, port):
    """Many connections without a request."""
    held = [connect(host, port) for _ in range(200)]
    go_on()
    return held


def half(host, port):
    """Many incomplete requests."""
    held = []
    for _ in range(200):
        client = connect(host, port)
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        held.append(client)
    go_on()


def slow_reader(host, port):
    """Many responses that are never read."""
    held = []
    for _ in range(100):
        client = socket.socket(socket.AF_INET)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect((host, port))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        held.append(client)
    go_on()


def trickle(host, port):
    """A byte now and then, for a minute; prints whether the server closed the connection."""
    client = connect(host, port)
    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
    begun = time.monotonic()
    print("ready", flush=True)
    client.settimeout(0.5)
    while time.monotonic() - begun < 60:
        try:
            client.sendall(b"x")
            if not client.recv(1):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    print("closed" if time.monotonic() - begun < 60 else "still there", flush=True)


def ask(host, port, request):
    client = connect(host, port)
    answer = b""
    try:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        while b"\n" not in answer:
            got = client.recv(4096)
            if not got:
                break
            answer += got
    except OSError:
        pass
    line = answer.split(b"\r\n")[0].decode("latin-1")
    print(line or "closed", flush=True)


def huge_header(host, port):
    ask(host, port, b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 10_000_000)


def many_headers(host, port):
    ask(host, port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 500_000)


def huge_url(host, port):
    ask(host, port, b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")


def garbage(host, port):
    ask(host, port, bytes(range(256)) * 4000)


def zeros(host, port):
    ask(host, port, bytes(100_000))


def tls(host, port):
    ask(host, port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x41" * 506)


def big_body(host, port):
    ask(host, port, b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        + b"x" * 1_000_000)


def chunked(host, port):
    ask(host, port, b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"ffffffffffffffff\r\n" * 1000)


if __name__ == "__main__":
    globals()[sys.argv[3]](sys.argv[1], int(sys.argv[2]))
