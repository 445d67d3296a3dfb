#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends handmade frames and prints what comes back; small clients and servers. Addresses may be
IPv4 or IPv6; MAC is the next hop's.

flood DEV MAC KIND SOURCE TARGET PORT COUNT [SECONDS]   COUNT frames of a KIND (below),
                        SOURCE an address or "random", spread over SECONDS
from DEV MAC TARGET PORT    a UDP datagram for each source address on standard input
answer DEV MAC KIND SOURCE TARGET PORT [TAG...]   sends one frame (with VLAN tags, as 8100:5),
                        prints the first answer within half a second, or "nothing"
answers DEV             the same for each line "MAC KIND SOURCE TARGET PORT" on standard input;
                        all frames are sent at once
refused HOST PORT [WORDS]   sends from a connected UDP socket, with IP options of WORDS 32-bit
                        words; prints "refused", "timeout" or the answer
unconnected HOST PORT TEXT [SIZE [OWN]]  UDP by sendto() and recvfrom(), TEXT and SIZE more bytes
                        from port OWN; prints the answer's size
big PORT SIZE           UDP server whose answers have SIZE bytes
echo HOST PORT          TCP echo server
hold HOST PORT FIFO     connects; sends each line of FIFO and prints the answer
close_first HOST PORT COUNT connects and closes, COUNT times
probe HOST PORT SIZE [COUNT]  sends UDP datagrams that must not be fragmented

KIND: syn ack synack rst fin udp echo echoreply error first (fragment) later (fragment)
"""
import ipaddress
import os
import random
import socket
import struct
import sys
import time

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 3, 263, 8, 4
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "ack": 16, "synack": 18}
SEQ, ACK, PORT = 1000, 5000, 40000


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source, target, protocol, size):
    return source.packed + target.packed + struct.pack("!II", size, protocol)


def transport(kind, source, target, port, own=PORT):
    """Return the protocol's number, and the header and data with their checksum."""
    six = source.version == 6
    if kind in ("udp", "first", "later"):
        protocol, place = 17, 6
        data = struct.pack("!HHHH", own, port, 16, 0) + b"portctl!"
    elif kind in FLAGS:
        protocol, place = 6, 16
        ack = ACK if FLAGS[kind] & 16 else 0
        data = struct.pack("!HHIIBBHHH", own, port, SEQ, ack, 0x50, FLAGS[kind], 1024, 0, 0)
    else:
        protocol, place = (58, 2) if six else (1, 2)
        number = {"echo": (8, 128), "echoreply": (0, 129), "error": (3, 1)}[kind][six]
        data = struct.pack("!BBHHH", number, 0, 0, own, 1) + bytes(40 if kind == "error" else 8)
    head = pseudo(source, target, protocol, len(data)) if protocol != 1 else b""
    value = checksum(head + data) or 0xFFFF
    return protocol, data[:place] + struct.pack("!H", value) + data[place + 2:]


def packet(kind, source, target, port, own=PORT):
    protocol, data = transport(kind, source, target, port, own)
    if source.version == 6:
        if kind in ("first", "later"):
            offset = 1 if kind == "first" else 8 << 3
            data = struct.pack("!BBHI", protocol, 0, offset, 7) + data
            protocol = 44
        return struct.pack("!IHBB", 6 << 28, len(data), protocol, 64) + source.packed \
            + target.packed + data
    fragment = {"first": 0x2000, "later": 8}.get(kind, 0)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 7, fragment, 64, protocol, 0) \
        + source.packed + target.packed
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + data


def frame(mac, data, tags=()):
    stack = b"".join(struct.pack("!HH", int(tag.split(":")[0], 16), int(tag.split(":")[1]))
                     for tag in tags)
    kind = b"\x86\xdd" if data[0] >> 4 == 6 else b"\x08\0"
    return bytes.fromhex(mac.replace(":", "")) + OWN + stack + kind + data


OWN = b"\x02\0\0\0\0\x01"


def opened(dev):
    global OWN
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((dev, ETH_P_ALL))
    OWN = sock.getsockname()[4]
    return sock


def someone(version):
    if version == 4:
        return ipaddress.ip_address(0xC6120000 + random.getrandbits(17))
    return ipaddress.ip_address((0x20010DB8 << 96) + random.getrandbits(96))


def flood(dev, mac, kind, source, target, port, times, seconds="0"):
    sock, target, times = opened(dev), ipaddress.ip_address(target), int(times)
    batch = []
    for _ in range(times):
        who = someone(target.version) if source == "random" else ipaddress.ip_address(source)
        own = random.randrange(1024, 65536)
        batch.append(frame(mac, packet(kind, who, target, int(port), own)))
    start = time.monotonic()
    for i, each in enumerate(batch):
        sock.send(each)
        due = start + float(seconds) * i / times
        if i % 32 == 31:  # a veth's queue holds 256 packets
            time.sleep(max(0.0005, due - time.monotonic()))


def from_(dev, mac, target, port):
    sock, target = opened(dev), ipaddress.ip_address(target)
    for i, line in enumerate(sys.stdin):
        source = ipaddress.ip_address(line.strip())
        sock.send(frame(mac, packet("udp", source, target, int(port))))
        if i % 32 == 31:
            time.sleep(0.001)


def describe(data, tag):
    """Return one line about an IP packet, with whether its checksums are right."""
    if data[0] >> 4 == 4:
        size, protocol, ttl = (data[0] & 15) * 4, data[9], data[8]
        source, target = ipaddress.ip_address(data[12:16]), ipaddress.ip_address(data[16:20])
        total = struct.unpack("!H", data[2:4])[0]
        right = checksum(data[:size]) == 0
    else:
        size, protocol, ttl, right = 40, data[6], data[7], True
        source, target = ipaddress.ip_address(data[8:24]), ipaddress.ip_address(data[24:40])
        total = 40 + struct.unpack("!H", data[4:6])[0]
    body = data[size:total]
    head = b"" if protocol == 1 else pseudo(source, target, protocol, len(body))
    right = right and checksum(head + body) == 0 and ttl > 0
    if protocol == 6:
        ports, seq, ack, flags = body[:4], *struct.unpack("!IIxB", body[4:14])
        what = f"tcp {'%d>%d' % struct.unpack('!HH', ports)} flags={flags} seq={seq} ack={ack}"
    else:
        quoted = body[8:]
        inner = 20 if protocol == 1 else 40
        ports = struct.unpack("!HH", quoted[inner:inner + 4]) if len(quoted) > inner else (0, 0)
        what = f"icmp{'' if protocol == 1 else '6'} type={body[0]} code={body[1]} " \
               f"of={ports[0]}>{ports[1]}"
    return f"{source}>{target} {what} vlan={tag} sums={'right' if right else 'WRONG'}"


def vlan(ancillary):
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("=IIIHHHH", data[:20])
            return tci & 0xFFF if status & 0x10 else 0
    return 0


def answer(dev, mac, kind, source, target, port, *tags):
    sock = opened(dev)
    source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
    sock.send(frame(mac, packet(kind, source, target, int(port)), tags))
    for line in heard(sock):
        return print(line)
    print("nothing")


def answers(dev):
    sock, any_heard = opened(dev), False
    for line in sys.stdin:
        mac, kind, source, target, port = line.split()
        source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
        sock.send(frame(mac, packet(kind, source, target, int(port))))
    for line in heard(sock):
        any_heard = True
        print(line)
    if not any_heard:
        print("nothing")


def heard(sock):
    """Yield a line for each TCP segment and ICMP or ICMPv6 error of the next half second."""
    sock.settimeout(0.1)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        try:
            data, ancillary, _, sender = sock.recvmsg(2048, 256)
        except socket.timeout:
            continue
        tag, data = vlan(ancillary), data[12:]
        while data[:2] in (b"\x81\0", b"\x88\xa8"):
            tag, data = f"{tag}+{struct.unpack('!H', data[2:4])[0] & 0xFFF}", data[4:]
        known = data[:2] in (b"\x08\0", b"\x86\xdd")
        if sender[2] == PACKET_OUTGOING or not known:
            continue
        data = data[2:]
        if data[0] >> 4 == 4 and data[9] in (1, 6) or \
                data[0] >> 4 == 6 and (data[6] == 6 or data[6] == 58 and data[40] < 128):
            yield describe(data, tag)


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def refused(host, port, options="0"):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    sock.settimeout(0.5)
    if int(options):
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\1" * 4 * int(options))
    sock.connect((host, int(port)))
    sock.send(b"hello")
    try:
        print(sock.recv(2048).decode())
    except ConnectionRefusedError:
        print("refused")
    except socket.timeout:
        print("timeout")


def unconnected(host, port, text, size="0", own="0"):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    sock.bind(("", int(own)))
    sock.settimeout(0.7)
    sock.sendto(text.encode() + b"." * int(size), (host, int(port)))
    print(len(sock.recvfrom(65535)[0]))


def big(port, size):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("::", int(port)))
    while True:
        sock.sendto(bytes(int(size)), sock.recvfrom(2048)[1])


def echo(host, port):
    listener = socket.socket(family(host))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host == "::":
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((host, int(port)))
    listener.listen()
    while True:
        sock = listener.accept()[0]
        if os.fork():
            sock.close()
            continue
        while True:
            data = sock.recv(65535)
            if not data:
                os._exit(0)
            sock.sendall(data)


def hold(host, port, fifo):
    sock = socket.create_connection((host, int(port)), 2)
    print("connected", flush=True)
    with open(fifo) as lines:
        for line in lines:
            sock.sendall(line.encode())
            print(sock.recv(65535).decode().strip(), flush=True)


def close_first(host, port, times):
    for _ in range(int(times)):
        socket.create_connection((host, int(port)), 2).close()
        time.sleep(0.02)


def probe(host, port, size, times="1"):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    if family(host) == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: do
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, 23, 2)
    sock.connect((host, int(port)))
    for _ in range(int(times)):
        try:
            sock.send(b"x" * int(size))
        except OSError:  # larger than the path MTU that was just learned
            return
        time.sleep(0.1)


if __name__ == "__main__":
    globals()[sys.argv[1].replace("from", "from_")](*sys.argv[2:])
