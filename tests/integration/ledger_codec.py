#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger checker's own codecs: its DER beside the cases of the service's, its JSON beside texts
that are nearly right, its calendar beside PostgreSQL's.

usage: ledger_codec.py TOOLS TESTS-DATA
"""
import os
import random
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from stipa_ledger import der, jose, rules, source  # noqa: E402

DATA = sys.argv[2]
faults = []


def fault(what):
    faults.append(what)
    print("  FAULT:", what)


def spc_in(data):
    """As rules.py reads it: None for what is no list of one well-formed SPC."""
    spc = rules.spc_of_tkvalue(jose.encode(data))
    return spc if isinstance(spc, str) and rules.SPC.match(spc) else None


def der_cases():
    count = 0
    for kind in ("good", "bad"):
        for case in sorted(os.listdir(f"{DATA}/tnauthlist/{kind}")):
            folder = f"{DATA}/tnauthlist/{kind}/{case}"
            with open(f"{folder}/input.hex", encoding="ascii") as file:
                spc = spc_in(bytes.fromhex(file.read()))
            want = None
            if kind == "good":
                name = next(name for name in os.listdir(folder) if name != "input.hex")
                with open(f"{folder}/{name}", encoding="ascii") as file:
                    want = file.read().strip()
            if spc != want:
                fault(f"TNAuthList {case}: {spc}, not {want}")
            count += 1
    return count


def every_change_of_a_byte():
    """Of 2,550 changes of one byte, those that are left are other SPCs."""
    right = bytes.fromhex("3008a006160431323334")
    taken = 0
    for place in range(len(right)):
        for change in range(1, 256):
            data = bytearray(right)
            data[place] ^= change
            spc = spc_in(bytes(data))
            if spc is not None and (place < 6 or data[6:] != spc.encode()):
                fault(f"{data.hex()} is {spc}")
            taken += spc is not None
    return taken


TEXTS = [  # what jansson and many others take, and a token of ours never has
    b'{"a":1,"a":2}', b'{"a": 1}', b'{"a":1} ', b' {"a":1}', b'{"a":01}', b'{"a":1.0}', b'{"a":1e3}',
    b'{"a":+1}', b'{"a":null}', b'{"a":"\\u0061"}', b'{"a":"\\""}', b'{"a":"\x00"}', b'{"a":"\xc3"}',
    b'{"a":1,}', b'{,"a":1}', b'{"a"}', b'{"a":}', b'{a:1}', b"{'a':1}", b'{"a":[1,]}', b'{"a":[1}',
    b'[1]', b'1', b'', b'{"a":1}{"b":2}', b'{"a":1', b'{"a":"b}', b'{"a":True}', b'{}', b'\xef\xbb\xbf{"a":1}',
]


def json_texts():
    for text in TEXTS:
        try:
            fault(f"JSON {text}: {jose.scan(text)}")
        except jose.BadToken:
            pass
    assert jose.scan(b'{"a":1,"b":{"c":["d",true]},"e":-2}') == {
        "a": 1, "b": {"c": ["d", True]}, "e": -2}
    return len(TEXTS)


def psql(query):
    return subprocess.run(
        ["psql", "-XqAt", "-c", "SET timezone = 'UTC'; SET intervalstyle = 'postgres'; " + query],
        capture_output=True, check=True).stdout.decode().splitlines()


def calendar():
    """Moments and intervals drawn by chance: what we read and add is what PostgreSQL does."""
    chance = random.Random(20)
    pairs = [(chance.randrange(0, 4102444800) * 1000000 + chance.randrange(1000000),
              chance.randrange(-14, 30), chance.randrange(-40, 400), chance.randrange(-10**11, 10**11))
             for _ in range(400)]
    values = ", ".join(f"({us}, {months}, {days}, {micro})" for us, months, days, micro in pairs)
    answers = psql(
        "SELECT m, m + i, i, (extract(epoch FROM m) * 1000000)::bigint, "
        "(extract(epoch FROM m + i) * 1000000)::bigint FROM (SELECT '1970-01-01 00:00Z'::timestamptz "
        "+ (us / 1000000) * interval '1 s' + (us % 1000000) * interval '1 us' AS m, make_interval("
        "months => months, days => days) + micro * interval '1 us' AS i FROM (VALUES "
        f"{values}) AS v (us, months, days, micro)) AS made")
    for answer in answers:
        begin, end, length, begin_us, end_us = answer.split("|")
        if source.moment(begin) != int(begin_us) or source.moment(end) != int(end_us):
            fault(f"read {begin} {end}")
        if source.add(int(begin_us), source.interval(length)) != int(end_us):
            fault(f"{begin} + {length} = {end}")
    return len(answers)


print(f"  {der_cases()} TNAuthLists; of 2550 changes of a byte {every_change_of_a_byte()} are other "
      f"SPCs; {json_texts()} texts; {calendar()} sums")
sys.exit(bool(faults))
