# SPDX-License-Identifier: Apache-2.0
"""The chain of audit events, hashed anew, and what the events make."""
import hashlib
import json
import struct

from .history import ACTS, Event
from .source import US

EPOCH_2000 = 946684800 * US
BEFORE_ALL = "00" * 32


def text(member):
    data = member.encode()
    return struct.pack(">I", len(data)) + data


def digest(fields):
    """SHA-256 of the previous hash, number, time and texts, as docs/auditor.md says."""
    number, at_us, _, *texts, previous, _ = fields
    return hashlib.sha256(
        bytes.fromhex(previous) + struct.pack(">qq", int(number), int(at_us) - EPOCH_2000)
        + b"".join(map(text, texts))).hexdigest()


class Chain:
    def __init__(self, history, report, known=None):
        self.history, self.report = history, report
        self.known = known  # number and hash of an event, noted elsewhere
        self.last, self.hash, self.broken, self.time = 0, BEFORE_ALL, 0, 0
        self.known_seen = known is None

    def take(self, fields):
        number, at_us, _, _, action, subject, _, evidence, previous, own = fields
        where = f"event {number}"
        if int(number) != self.last + 1 or previous != self.hash or digest(fields) != own:
            self.report.find("audit-chain", where, "is not what it was, or not where it was")
        if int(at_us) < self.time:
            self.report.find("audit-chain", where, "is older than the event before it")
        if self.known and int(number) == self.known[0]:
            self.known_seen = own == self.known[1]
        self.last, self.hash, self.time = int(number), own, int(at_us)
        self.act(Event(int(number), int(at_us), action, subject, json.loads(evidence)))

    def act(self, event):
        if event.action not in ACTS:
            self.report.miss(f"an event of a kind that this program does not know: {event.action}")
            return
        function, takes = ACTS[event.action]
        self.report.takings[event.action] += takes
        try:
            function(self.history, event)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            self.report.find("audit-sense", f"event {event.number}",
                             f"{event.action} {event.subject}: {type(error).__name__} {error}")

    def end(self, head):
        """@head: number and hash that the database holds beside the chain."""
        if head is None or int(head[0]) != self.last or head[1] != self.hash:
            self.report.find("audit-head", f"event {self.last}", f"the head says {head}")
        if not self.known_seen:
            self.report.find("audit-head", f"event {self.known[0]}",
                             "is not there with the hash that was noted")
        self.report.takings = +self.report.takings
