#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seek secrets, whole or in pieces and in the usual encodings, in files and in the memory of
processes.

usage: canary_search.py SECRETS [NAME=FILE... | NAME=pid:PID...] [--only PREFIX]

SECRETS has a line for each: name, a tab, its bytes in hex.  Prints a line for each place and secret
that was found there: "place: secret, encoding, how often".  The exit status is 0 either way.
"""
import argparse
import base64
import collections
import os
import re
import subprocess
import tempfile

PREFIX = re.compile(rb"stipa_[a-z]+_(pw_|at_)?")
PIECE = 16  # characters of text; as many bytes as make sense in other encodings


def pieces(text, size):
    """Pieces of a text, the last one a whole one too."""
    starts = list(range(0, len(text) - size + 1, size))
    if starts and starts[-1] + size < len(text):
        starts.append(len(text) - size)
    return {text[start:start + size] for start in starts} if starts else {text}


def base64_of(data):
    """As it stands in a longer base64 text, wherever it begins there."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)[(before * 8 + 5) // 6:]
        text = text.rstrip(b"=")[:-1]
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))


def encodings(data):
    """Pairs of an encoding's name and a piece."""
    is_text = all(0x20 <= byte < 0x7F for byte in data)
    if is_text:
        if data.count(b".") == 2:  # a JWS: without its signature it is worth nothing
            data = data.rsplit(b".", 1)[1]
        data = PREFIX.sub(b"", data, count=1)
        for piece in pieces(data, PIECE):
            yield "text", piece
    for piece in pieces(data.hex().encode(), 2 * PIECE):
        yield "hex", piece
        yield "hex", piece.upper()
    colons = data.hex(":").encode()
    for piece in pieces(colons, 3 * 8 - 1):
        yield "hex with colons", piece
        yield "hex with colons", piece.upper()
    for text in base64_of(data):
        for piece in pieces(text, 20):
            yield "base64", piece


def read_secrets(path, only):
    with open(path, encoding="ascii") as file:
        for line in file:
            name, data = line.rstrip("\n").split("\t")
            if name.startswith(only):
                yield name, bytes.fromhex(data)


class Search:
    def __init__(self, secrets):
        self.raw = [(name, data) for name, data in secrets
                    if not all(0x20 <= byte < 0x7F for byte in data)]
        self.meaning = {}
        for name, data in secrets:
            for encoding, piece in encodings(data):
                self.meaning.setdefault(piece, (name, encoding))
        self.patterns = tempfile.NamedTemporaryFile()
        self.patterns.write(b"\n".join(self.meaning) + b"\n")
        self.patterns.flush()

    def in_file(self, path):
        found = collections.Counter()
        done = subprocess.run(["grep", "-aoF", "-f", self.patterns.name, path],
                              capture_output=True, check=False, env={"LC_ALL": "C",
                                                                     "PATH": "/usr/bin:/bin"})
        if done.returncode > 1:
            raise SystemExit(f"{path}: {done.stderr.decode()}")
        for piece in done.stdout.splitlines():
            found[self.meaning[piece]] += 1
        with open(path, "rb") as file:
            data = file.read()
        for name, secret in self.raw:  # as in a file, and as a number in memory
            for encoding, text in (("bytes", secret), ("bytes reversed", secret[::-1])):
                if text in data:
                    found[name, encoding] += data.count(text)
        return found

    def in_process(self, pid):
        """All memory that can be read, through a file."""
        with tempfile.NamedTemporaryFile() as copy, open(f"/proc/{pid}/mem", "rb", 0) as memory, \
                open(f"/proc/{pid}/maps", encoding="ascii") as maps:
            for line in maps:
                ends, rights, *_ = line.split()
                start, end = (int(part, 16) for part in ends.split("-"))
                if "r" not in rights or "[v" in line:
                    continue
                try:
                    os.lseek(memory.fileno(), start, os.SEEK_SET)
                    copy.write(memory.read(end - start) or b"")
                except OSError:
                    continue  # such as memfd_secret, or a guard
            copy.flush()
            return self.in_file(copy.name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("secrets")
    parser.add_argument("places", nargs="+")
    parser.add_argument("--only", default="")
    args = parser.parse_args()

    search = Search(list(read_secrets(args.secrets, args.only)))
    for place in args.places:
        name, _, where = place.partition("=")
        found = search.in_process(where[4:]) if where.startswith("pid:") else search.in_file(where)
        for (secret, encoding), count in sorted(found.items()):
            print(f"{name}: {secret}, {encoding}, {count}")


main()
