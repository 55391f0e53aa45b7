# SPDX-License-Identifier: Apache-2.0
"""The command line: read everything once, in order, and say what was found."""
import argparse
import sys

from . import source
from .audit import Chain
from .history import History
from .received import Comparison, Received
from .registry import Registry
from .report import Report
from .rules import Rules

VERSION = "1"
OLDEST_SCHEMA, NEWEST_SCHEMA = 10, 13


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog="stipa-ledger-check",
        description="Judge every row of an STI-PA's ledger anew, by the audit's own history, and "
                    "hold what clients received against it.",
        epilog="Exit status: 0 consistent, 1 there are findings, 2 the check could not run.")
    parser.add_argument("--database", metavar="CONNINFO",
                        help="what psql connects to, as the role stipa_auditor "
                             "[the environment's PGHOST, PGDATABASE and so on]")
    parser.add_argument("--export", metavar="FILE",
                        help="write all that is needed for the check, and do not check")
    parser.add_argument("--from", metavar="FILE", dest="file",
                        help="check what --export wrote, without a database ('-': standard input)")
    parser.add_argument("--received", metavar="FILE", action="append", default=[],
                        help="what clients received: a token a line, or a JSON object a line "
                             "with \"token\"; may be given again")
    parser.add_argument("--audit-head", metavar="NUMBER:HASH",
                        help="an event's number and hash that were noted before")
    parser.add_argument("--life-limit", metavar="DAYS", type=int, default=398,
                        help="no token may live longer [398]")
    parser.add_argument("--show", metavar="N", type=int, default=20,
                        help="findings shown of each rule; all are counted [20]")
    parser.add_argument("--scratch", metavar="FOLDER", help="for sorting what was received")
    parser.add_argument("--json", action="store_true", help="output for scripts")
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    return parser.parse_args(argv)


def noted_head(text):
    if text is None:
        return None
    number, _, noted = text.partition(":")
    if not number.isdigit() or len(noted) != 64:
        raise source.CannotRun("--audit-head: a number, a colon and 64 hex digits")
    return int(number), noted.lower()


def lines_of(args):
    if args.file is None:
        return source.Psql(args.database)
    return sys.stdin.buffer if args.file == "-" else open(args.file, "rb")


def export(args):
    with open(args.export, "wb") as file:
        for line in source.Psql(args.database):
            file.write(line)


class Check:
    def __init__(self, args):
        self.report = Report(args.show)
        self.history = History()
        self.registry = Registry(self.history, self.report)
        self.chain = Chain(self.history, self.report, noted_head(args.audit_head))
        self.received = Received(args.received, self.report, args.scratch)
        self.rules = Rules(self.history, self.registry.names, self.report,
                           source.Interval(0, args.life_limit, 0))
        self.comparison = Comparison(self.history, self.registry.names, self.report)
        self.rows = self.matched = 0

    def schema(self, rows):
        version = int(next(iter(rows))[0])
        if version < OLDEST_SCHEMA:
            raise source.CannotRun(f"the schema is version {version}: run stipactl db migrate")
        if version > NEWEST_SCHEMA:
            self.report.miss(f"what the schema has had since version {NEWEST_SCHEMA}, the last "
                             "that this program knows")

    def audit(self, rows):
        for row in rows:
            self.chain.take(row)

    def audit_head(self, rows):
        self.chain.end(next(iter(rows), None))
        self.registry.compare()

    def token(self, rows):
        for fields in rows:
            row = source.token(fields)
            self.rules.judge(row)
            self.rows += 1
            records = self.received.of(row.jti)
            if records:
                self.matched += 1
                self.comparison.compare(row, records)
        self.received.drop(None)

    def run(self, lines):
        for name, rows in source.tables(lines):
            own = getattr(self, name, None)
            if own:
                own(rows)
            else:
                self.registry.take(name, rows)
        names = self.registry.names
        self.report.counts = {
            "ledger rows judged": self.rows,
            "audit events hashed": self.chain.last,
            "accounts": len(names.accounts), "clients": len(names.clients),
            "tokens received": self.received.count, "of them with their row": self.matched,
            "signatures verified": self.comparison.verified,
            "ledger rows that nobody received": self.rows - self.matched,
        }


def main(argv=None):
    args = arguments(argv)
    try:
        if args.export:
            export(args)
            return 0
        check = Check(args)
        check.run(lines_of(args))
    except (source.CannotRun, OSError, ImportError) as error:
        print(f"stipa-ledger-check: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(check.report.as_json())
    else:
        check.report.print(sys.stdout)
    return check.report.exit_code()
