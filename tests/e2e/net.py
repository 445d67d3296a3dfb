#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Small clients and servers of the end-to-end tests, beside the real ones.

echo PORT...                  return every UDP datagram, until killed
count PORT                    count UDP datagrams until SIGTERM, then print the number
ask HOST PORT TEXT            send TEXT, print the answer if one comes within a second
flood HOST PORT SECONDS       send UDP as fast as possible; print the number sent
send HOST PORT COUNT [SIZE]   send COUNT datagrams, not too fast for a veth's queue
steady HOST PORT SECONDS      send a datagram every millisecond
protocol HOST NUMBER COUNT    send COUNT packets of an IP protocol
ip DEV MAC COUNT HEX          send COUNT frames to MAC with the IPv4 packet HEX
tagged DEV MAC COUNT PORT TAG...  send UDP to 10.77.0.2 in frames with VLAN tags (8100, 88a8)
link PIN DEV                  attach the pinned XDP program with a link, pin the link as PIN_link
flows PIN                     print how many entries of this flow table were ever used
fill PIN                      fill all entries of this flow table, with the longest life
"""
import ctypes
import mmap
import selectors
import signal
import socket
import struct
import sys
import time


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def listener(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    return sock


def echo(*ports):
    selector = selectors.DefaultSelector()
    for port in ports:
        selector.register(listener(int(port)), selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            data, sender = key.fileobj.recvfrom(65535)
            key.fileobj.sendto(data, sender)


def count(port):
    sock = listener(int(port))
    sock.settimeout(0.05)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    received = 0
    while not ended:
        try:
            sock.recv(65535)
            received += 1
        except socket.timeout:
            pass
    print(received)


def ask(host, port, text):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    sock.settimeout(1)
    sock.connect((host, int(port)))
    sock.send(text.encode())
    print(sock.recv(65535).decode())


def flood(host, port, seconds):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    sock.connect((host, int(port)))
    end, sent = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        for _ in range(64):
            try:
                sock.send(b"x")
                sent += 1
            except OSError:  # an ICMP error for an earlier datagram, or a full queue
                pass
    print(sent)


def send(host, port, number, size="1"):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    for i in range(int(number)):
        sock.sendto(b"x" * int(size), (host, int(port)))
        if i % 32 == 31:  # a veth's queue holds 256 packets
            time.sleep(0.001)


def steady(host, port, seconds):
    for _ in range(int(float(seconds) * 1000)):
        send(host, port, 1)
        time.sleep(0.001)


def protocol(host, number, times):
    sock = socket.socket(family(host), socket.SOCK_RAW, int(number))
    for _ in range(int(times)):
        sock.sendto(bytes(16), (host, 0))


def frames(dev, mac, times, rest):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((dev, 0))
    frame = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x01" + rest
    for _ in range(int(times)):
        sock.send(frame)


def ip(dev, mac, times, text):
    frames(dev, mac, times, b"\x08\0" + bytes.fromhex(text))


def tagged(dev, mac, times, port, *tags):
    udp = struct.pack("!HHHH", 40000, int(port), 8 + 5, 0) + b"hello"
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                         socket.inet_aton("10.77.0.1"), socket.inet_aton("10.77.0.2"))
    stack = b"".join(bytes.fromhex(tag) + b"\0\x05" for tag in tags)
    frames(dev, mac, times, stack + b"\x08\0" + header + udp)


def link(pin, dev):
    bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    xdp = 37  # enum bpf_attach_type: BPF_XDP
    program = bpf.bpf_obj_get(pin.encode())
    made = bpf.bpf_link_create(program, socket.if_nametoindex(dev), xdp, None)
    if program < 0 or made < 0 or bpf.bpf_obj_pin(made, (pin + "_link").encode()):
        sys.exit(f"link: errno {ctypes.get_errno()}")


def flow_table(pin):
    """struct flow_set, 128 bytes each: five flows (tag, tag, until), refused."""
    bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    table = bpf.bpf_obj_get(pin.encode())
    if table < 0:
        sys.exit(f"{pin}: errno {ctypes.get_errno()}")
    memory = mmap.mmap(table, 65536 * 128)
    return memoryview(memory).cast("Q"), [
        word for word in range(2, 65536 * 16) if word % 16 in (2, 5, 8, 11, 14)
    ]


def flows(pin):
    words, untils = flow_table(pin)
    print(sum(words[until] != 0 for until in untils))


def fill(pin):
    words, untils = flow_table(pin)
    for until in untils:
        words[until] = words[until] or 2**63 - 1


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
