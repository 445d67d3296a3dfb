# SPDX-License-Identifier: GPL-2.0-only
"""Runs one suite to its end, within a time limit, and leaves nothing of it behind.

A process of its own supervises each suite. It is the "subreaper" of everything that the suite
starts (prctl(2)): a process whose parent has ended becomes its child, in whatever process group
or session it is, so it can be found and ended.
"""
import ctypes
import glob
import json
import os
import shutil
import signal
import subprocess
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WATCHED = ENDING | {signal.SIGCHLD}


def start(suite, folder, seconds, grace):
    """Starts a process that supervises SUITE.command, and returns its process ID.

    The suite gets FOLDER/tmp as its TMPDIR. Its output goes to FOLDER/output. FOLDER/status says
    as JSON how it ended: "exit" (its exit code, or minus a signal number), "why" ("hung" after
    SECONDS, "stopped" by a signal to the supervisor, or null), "seconds" (its run time), "left"
    (names of processes that had to be killed). GRACE is the time in seconds between TERM and KILL.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)  # Ctrl-C is for the parent, which passes it on.
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        supervise(suite, folder, seconds, grace)
        if os.getppid() != parent:
            shutil.rmtree(os.path.dirname(folder), ignore_errors=True)
    finally:
        os._exit(0)


def supervise(suite, folder, seconds, grace):
    begin = time.monotonic()
    tmp = folder + "/tmp"
    os.mkdir(tmp)
    os.chmod(tmp, 0o1777)  # as /tmp: some tests run as other users
    with open(folder + "/output", "wb") as output:
        child = subprocess.Popen(
            suite.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | suite.environment | {"TMPDIR": tmp, "SUITE_FOLDERS": tmp + "/folders"},
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, []),
        )
    status = {"why": wait_for(child.pid, begin + seconds)}
    if status["why"]:
        signal_group(child.pid, signal.SIGTERM)
    reap_until(time.monotonic() + grace)
    status["left"] = kill_all()
    status["exit"] = ended.get(child.pid)
    status["seconds"] = round(time.monotonic() - begin)
    clean(tmp)
    with open(folder + "/status.new", "w", encoding="utf-8") as file:
        json.dump(status, file)
    os.rename(folder + "/status.new", folder + "/status")


ended = {}  # exit codes of the children that have ended


def reap():
    """Takes note of all children that have ended. False when there is none left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not pid:
            return True
        ended[pid] = os.waitstatus_to_exitcode(status)


def wait_for(pid, deadline):
    """Waits until that child has ended: None, or why it is to be ended."""
    while reap() and pid not in ended:
        info = signal.sigtimedwait(WATCHED, max(0, deadline - time.monotonic()))
        if not info:
            return "hung"
        if info.si_signo in ENDING:
            return "stopped"
    return None


def reap_until(deadline):
    """Waits until no child is left, or that time; a signal to end cuts the wait short."""
    while reap():
        info = signal.sigtimedwait(WATCHED, max(0, deadline - time.monotonic()))
        if not info or info.si_signo in ENDING:
            return


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def descendants():
    """(number, name) of each process below this one that has not ended."""
    children, names = {}, {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                before, _, after = file.read().rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        pid, _, name = before.partition(" (")
        state, parent = after.split()[:2]
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(pid))
            names[int(pid)] = name
    found, look = [], [os.getpid()]
    while look:
        below = children.get(look.pop(), [])
        found += below
        look += below
    return [(pid, names[pid]) for pid in found]


def kill_all():
    """Kills every process that is left of the suite, and returns their names."""
    names = []
    for _ in range(100):  # Killing a process can show others, which it had started.
        if not reap():
            break
        for pid, name in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
                names.append(name)
            except (ProcessLookupError, PermissionError):
                pass
        time.sleep(0.05)
    return sorted(set(names))


def clean(folder):
    """Removes FOLDER, the folders that end-to-end tests named in it, and their namespaces."""
    remove = os.path.join(os.path.dirname(__file__), "e2e", "remove.bash")
    try:
        with open(folder + "/folders", encoding="utf-8") as file:
            named = file.read().split()
    except OSError:
        named = []
    for left in filter(os.path.exists, named):
        prefix = "pc-" + left.rpartition(".")[2]
        command = ["bash", "-c", '. "$0" && remove_all "$@"', remove, prefix, left]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False)
    shutil.rmtree(folder, ignore_errors=True)
