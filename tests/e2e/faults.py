#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tools for the tests with fault injection, see helpers_faults.bash.

points TRACE kill|error      print the system calls of an strace log at which a fault can be injected
reader PORTCTL keep|restart  read the statistics until SIGTERM; fail if a counter decreases
                             (restart: interfaces may be attached anew, so don't compare)
pinned FOLDER                print the ids of all objects pinned below FOLDER
gone FILE                    wait until the kernel has none of the maps, programs and links in
                             FILE any more; fail after five seconds
"""
import collections
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time

# Calls that change something which outlives the process.
CHANGES = {"BPF_OBJ_PIN", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM", "BPF_LINK_CREATE",
           "BPF_LINK_UPDATE", "BPF_LINK_DETACH", "BPF_PROG_TEST_RUN", "BPF_PROG_RUN",
           "RTM_NEWQDISC", "RTM_NEWTFILTER", "RTM_DELTFILTER", "O_CREAT", "flock", "mkdir",
           "mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2",
           "write", "fsync", "munmap"}

# The error with which each call fails, and the calls to make fail in every run.
ERRORS = {"BPF_OBJ_PIN": "ENOSPC", "bpf": "ENOMEM", "mmap": "ENOMEM", "mkdir": "ENOSPC",
          "mkdirat": "ENOSPC", "O_CREAT": "ENOSPC", "openat": "EMFILE", "socket": "EMFILE",
          "sendto": "ENOBUFS", "write": "ENOSPC", "fsync": "EIO", "unlink": "EIO",
          "unlinkat": "EIO", "rmdir": "EIO", "rename": "EIO", "renameat": "EIO",
          "renameat2": "EIO", "ioctl": "EIO", "flock": "ENOLCK"}
FAIL = CHANGES | {"BPF_MAP_CREATE", "MAP_SHARED"}


def points(trace, kind):
    """Print a line for each point: + if the call changes something, else -; the call, which
    of these calls it is, the error, and its object."""
    numbers, locked, command = collections.Counter(), False, None
    for line in open(trace, errors="replace"):
        found = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not found:
            continue
        process, call, rest = found.groups()
        command = command or process
        if process != command:  # the child that waits for packets after a change
            continue
        numbers[call] += 1
        locked = locked or call == "flock"
        words = [call] + re.findall(r"\b(?:(?:BPF|RTM|O|MAP)_|SIOC)[A-Z_]+\b", rest)
        error = [ERRORS[word] for word in reversed(words) if word in ERRORS]
        matters = any(word in (CHANGES if kind == "kill" else FAIL) for word in words)
        if locked and (error or matters and kind == "kill"):
            what = " ".join([words[1] if call in ("bpf", "sendto", "ioctl") and words[1:] else "",
                             *re.findall(r'"[^"]*/([^/"]+)"', rest)[:1]]).strip()
            print("+" if matters else "-", call, numbers[call], (error or ["-"])[0], what)


def counts(interface):
    """Return the counters, none of which may decrease."""
    total = interface["total"]
    values = {"total": total["pass"]["packets"] + total["drop"]["packets"],
              "lines": sum(line["packets"] for line in interface["lines"])}
    for port in interface["ports"]:
        for verdict in ("pass", "drop"):
            values[port["proto"], port["port"], verdict] = port[verdict]["packets"]
    return values


def reader(portctl, mode):
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    seen, rounds = {}, 0
    while not ended:
        done = subprocess.run([portctl, "stats", "-j"], capture_output=True, timeout=60)
        if done.returncode and not ended:
            sys.exit(f"stats: exit code {done.returncode}: {done.stderr.decode()}")
        if done.returncode:
            break
        now = {i["name"]: counts(i) for i in json.loads(done.stdout)["interfaces"]}
        for name, before in seen.items() if mode == "keep" else ():
            if name not in now:
                sys.exit(f"{name} is not there any more")
            for key, value in before.items():
                if now[name].get(key, 0) < value:
                    sys.exit(f"{name}: {key} was {value}, is {now[name].get(key, 0)}")
        seen, rounds = now, rounds + 1
        time.sleep(0.05)
    print(rounds)


def pinned(folder):
    bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    for path, _, files in os.walk(folder):
        for name in files:
            fd = bpf.bpf_obj_get(os.path.join(path, name).encode())
            if fd < 0:
                continue
            with open(f"/proc/self/fdinfo/{fd}") as info:
                sys.stdout.writelines(line for line in info
                                      if re.match("(map|prog|link)_id:", line))
            os.close(fd)


def gone(file):
    bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
    ids = {tuple(line.split()) for line in open(file)}
    if not ids:
        sys.exit("no ids were seen")
    end = time.monotonic() + 5
    while ids and time.monotonic() < end:
        for kind, number in list(ids):
            get = getattr(bpf, f"bpf_{kind.partition('_')[0]}_get_fd_by_id")
            fd = get(int(number))
            if fd >= 0:
                os.close(fd)
            elif ctypes.get_errno() in (2, 11):  # ENOENT; EAGAIN: on its way out
                ids.discard((kind, number))
        time.sleep(0.05)
    if ids:
        sys.exit(f"still in the kernel: {sorted(ids)}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
