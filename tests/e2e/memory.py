# SPDX-License-Identifier: GPL-2.0-only
"""Searches the memory of a process: memory.py PID [exit] TEXT|hex:BYTES...

Prints each text of which the memory has at least an aligned part of 8 bytes. With "exit" it
first waits until the process is in exit_group(), where a tracer must stop it.
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
    sys.exit("the process does not exit")


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
            except OSError:  # memory of a device or of BPF maps
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
