# SPDX-License-Identifier: GPL-2.0-only
"""Searches the memory of a process: memory.py PID [exit] TEXT|hex:BYTES...

Prints each of them that is there, also a part of one (8 bytes of it). With "exit" it
waits until the process is about to exit, where whoever traces it has to hold it.
"""
import os
import sys
import time

EXIT_GROUP = {"x86_64": "231", "aarch64": "94"}
PART = 8


def wait_for_exit(pid):
    wanted = EXIT_GROUP[os.uname().machine]
    for _ in range(2000):
        with open(f"/proc/{pid}/syscall") as file:
            if file.read().split()[0] == wanted:
                return
        time.sleep(0.005)
    sys.exit("it does not exit")


def memory(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            where, access = line.split()[:2]
            first, last = (int(number, 16) for number in where.split("-"))
            if access[0] != "r" or "[v" in line:  # vvar cannot be read
                continue
            try:
                mem.seek(first)
                yield mem.read(last - first)
            except OSError:  # a device's, or of the BPF maps
                continue


def main():
    pid, wanted = sys.argv[1], sys.argv[2:]
    if wanted[0] == "exit":
        wait_for_exit(pid)
        wanted = wanted[1:]
    patterns = {
        text: bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
        for text in wanted
    }
    found = set()
    for region in memory(pid):
        for text, pattern in patterns.items():
            if any(pattern[i:i + PART] in region
                   for i in range(0, max(len(pattern) - PART, 0) + 1, PART)):
                found.add(text)
    for text in wanted:
        if text in found:
            print(text)


main()
