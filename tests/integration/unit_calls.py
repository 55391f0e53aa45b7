#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print the system calls that a unit's SystemCallFilter= lets through, a line each.

usage: unit_calls.py UNIT
"""
import subprocess
import sys


def expand(name):
    """The calls of a set, with those of the sets in it; or the call itself."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name],
                          check=True, capture_output=True, text=True).stdout
    calls = set()
    for line in text.splitlines()[1:]:
        if line.strip() and not line.strip().startswith("#"):
            calls |= expand(line.strip())
    return calls


def main():
    allowed = expand("@default")
    with open(sys.argv[1], encoding="ascii") as file:
        for line in file:
            if line.startswith("SystemCallFilter="):
                names = line.split("=", 1)[1].strip()
                calls = set().union(*map(expand, names.lstrip("~").split()))
                allowed = allowed - calls if names.startswith("~") else allowed | calls
    print("\n".join(sorted(allowed)))


main()
