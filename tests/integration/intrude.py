# SPDX-License-Identifier: Apache-2.0
"""Try what an intruder would: memory PID, trace PID, file PATH.  Exit 0: it worked; 1: refused."""
import ctypes
import errno
import os
import sys

ATTACH, DETACH, WAIT_ALL = 16, 17, 0x40000000


def memory(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        start = next(int(line.split("-")[0], 16) for line in maps if " rw-p " in line)
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.seek(start)
        assert len(file.read(16)) == 16


def trace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(ATTACH, int(pid), None, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    os.waitpid(int(pid), WAIT_ALL)
    libc.ptrace(DETACH, int(pid), None, None)


def file(path):
    with open(path, "rb") as opened:
        assert opened.read(1)


try:
    {"memory": memory, "trace": trace, "file": file}[sys.argv[1]](sys.argv[2])
except OSError as error:
    if error.errno not in (errno.EACCES, errno.EPERM):
        raise
    sys.exit(1)
