#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Notice when the machine or its disk stands still, so that what a client is told meanwhile is not
put down to the service.

usage: stalls.py watch FOLDER          append "FROM TO" to FOLDER/stalls, until FOLDER goes
       stalls.py lost LOG STALLS       the lines of a client's log (stream.py) that are no token, but
                                       for those 503 and lost connections that a standstill explains

The service refuses what has waited for a second or two: no promise of it holds for a time in which
nothing runs at all.
"""
import json
import os
import sys
import threading
import time

STALL_S = 0.5  # where 0.05 was asked for, or where a sync takes so long
BEFORE_S, AFTER_S = 3.0, 5.0  # an order's life; until the service has looked again


class Stalls:
    def __init__(self, folder):
        self.folder = folder
        self.file = open(f"{folder}/stalls", "a", buffering=1, encoding="ascii")

    def took(self, begun):
        if time.time() - begun > STALL_S:
            self.file.write(f"{begun:.3f} {time.time():.3f}\n")

    def watch_time(self):
        while os.path.isdir(self.folder):
            begun = time.time()
            time.sleep(0.05)
            self.took(begun)

    def watch_disk(self):
        with open(f"{self.folder}/stalls.sync", "wb", buffering=0) as file:
            while os.path.isdir(self.folder):
                begun = time.time()
                file.write(b".")
                os.fdatasync(file.fileno())
                self.took(begun)
                time.sleep(0.5)


def watch(folder):
    stalls = Stalls(folder)
    threading.Thread(target=stalls.watch_disk, daemon=True).start()
    stalls.watch_time()


def is_explained(line, stalls):
    told = line["status"] == 0 or line["status"] == 503 and (line["retry_after"] or "").isdigit()
    return told and any(line["at"] > begun - BEFORE_S and line["asked"] < ended + AFTER_S
                        for begun, ended in stalls)


def lost(log, stalls):
    with open(stalls, encoding="ascii") as file:
        stalls = [tuple(map(float, line.split())) for line in file]
    explained = 0
    with open(log, encoding="ascii") as file:
        for text in file:
            line = json.loads(text)
            if line["status"] == 200:
                continue
            if is_explained(line, stalls):
                explained += 1
            else:
                print(text, end="")
    if explained:
        print(f"  {explained} requests met a machine that stood still", file=sys.stderr)


{"watch": watch, "lost": lost}[sys.argv[1]](*sys.argv[2:])
