# SPDX-License-Identifier: GPL-2.0-only
"""Writes a capture file: capture.py FILE [--ng] [--snap N] [--link N] FRAME...

--ng writes pcapng in place of pcap; --snap N keeps N bytes of each frame; --link N is the link
type (1 Ethernet, 101 raw IP, 113 Linux cooked). A FRAME is
TIME:PROTO:SOURCE:SPORT:DESTINATION:DPORT[:FLAGS[:BYTES]], IPv4 only. TIME is in seconds since
1970, FLAGS are TCP's as a number, BYTES is the size of the payload.
"""
import struct
import sys


def frame(text, link):
    time, proto, source, sport, destination, dport, *rest = text.split(":")
    flags = int(rest[0]) if rest and rest[0] else 2
    payload = b"x" * (int(rest[1]) if len(rest) > 1 else 0)
    if proto == "tcp":
        number = 6
        data = struct.pack(">HHIIBBHHH", int(sport), int(dport), 1, 1, 0x50, flags, 1, 0, 0)
    else:
        number = 17
        data = struct.pack(">HHHH", int(sport), int(dport), 8 + len(payload), 0)
    data += payload
    address = [bytes(map(int, a.split("."))) for a in (source, destination)]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0, 64, number, 0)
    ip += b"".join(address) + data
    if link == 1:
        ip = bytes(12) + b"\x08\x00" + ip
    elif link == 113:
        outgoing = source == "10.77.0.2"
        ip = struct.pack(">HHH8sH", 4 if outgoing else 0, 1, 6, bytes(8), 0x0800) + ip
    return float(time), ip


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def main():
    path, *words = sys.argv[1:]
    new, snap, link, frames = False, 65535, 1, []
    while words:
        word = words.pop(0)
        if word == "--ng":
            new = True
        elif word == "--snap":
            snap = int(words.pop(0))
        elif word == "--link":
            link = int(words.pop(0))
        else:
            frames.append(frame(word, link))
    with open(path, "wb") as out:
        if new:
            out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
            out.write(block(1, struct.pack("<HHI", link, 0, snap)))
        else:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, link))
        for time, data in frames:
            micro = round(time * 1e6)
            got = data[:snap]
            if new:
                out.write(block(6, struct.pack("<IIIII", 0, micro >> 32, micro & 0xFFFFFFFF,
                                               len(got), len(data)) + got))
            else:
                out.write(struct.pack("<IIII", micro // 10**6, micro % 10**6, len(got),
                                      len(data)) + got)


main()
