#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Send every example of openapi.yaml to a node, and hold the answers to the document.

usage: openapi_live.py --document FILE --ca FILE --secrets FOLDER --kid KID --done FILE
                       [--world NAME | --complete] PORT

A world is a node in a certain state (openapi.sh makes them); only the examples for it are sent.
--done remembers which were; --complete fails when some never were.  The secrets folder has a file
for each client (secret-CLIENT) and what the examples' "live" and "as" name.
"""
import argparse
import json
import pathlib
import sys
import urllib.parse

import caller as calls
from openapi import Document

VOLATILE = {"token", "access_token", "accessToken", "instance", "expires", "expires_in"}
# Every error of a dry run has the first, and the second when the body was read.
DRY_RUN = {"dry_run", "fingerprint_form"}
# On the face of RFC 9448 section 5.5, and nowhere else, these are 403.
AT_403 = {"no-such-account", "invalid-token"}


class World:
    """What the names in the examples stand for."""

    def __init__(self, caller, secrets, kid, is_open):
        self.caller, self.kid, self.is_open = caller, kid, is_open
        self.folder = pathlib.Path(secrets)

    def secret(self, client):
        return (self.folder / f"secret-{client}").read_text().split("\n")[0]

    def token(self, client="demo-kms", scope=None):
        return calls.access_token(self.caller, client, self.secret(client), scope)

    def kept_token(self):
        """One that was got in the open world, for those where none is to be had."""
        path = self.folder / "kept-token"
        if self.is_open and not path.exists():
            path.write_text(self.token())
        return path.read_text()

    def live(self, name):
        if name == "good":
            return self.secret("demo-kms")
        if name == "fresh-token":
            return self.token() if self.is_open else self.kept_token()
        if name == "password":
            return self.secret("demo-user")
        if name == "assertion":
            return calls.assertion(self.folder / "key.pem", "demo-kms", "demo-1",
                                   self.caller.base + "/oauth2/token")
        raise KeyError(name)

    def authorization(self, name, bare):
        word = "" if bare else "Bearer "
        if name == "none":
            return []
        if name == "good" and bare:
            return [("Authorization", self.kept_token())]
        if name == "good":
            return [calls.basic("demo-kms", self.secret("demo-kms"))]
        if name == "wrong":
            return [calls.basic("demo-kms", calls.secret_of("stipa_demo_"))]
        if name == "foreign":
            return [calls.basic("demo-kms", calls.secret_of("stipa_prod_"))]
        if name == "fresh-token":
            return [("Authorization", word + self.live(name))]
        if name == "wrong-token":
            return [("Authorization", word + calls.secret_of("stipa_demo_at_"))]
        if name == "revoke-token":
            return [("Authorization", word + self.token(scope="revoke"))]
        return [calls.basic(f"{name}-kms", self.secret(f"{name}-kms"))]


class Checker:
    def __init__(self, document, world):
        self.document, self.world = document, world
        self.caller = world.caller
        self.faults, self.sent = [], 0

    # ---- the request ----

    def default_as(self, operation):
        security = operation["security"]
        if not security:
            return "none", False
        return "good" if operation["operationId"] != "logout" else "fresh-token", \
            "bareAccessToken" in security[0]

    def path(self, path, request):
        name = request.get("name", self.world.kid)
        name += ".crt" if path.startswith("/download") else ".pem"
        return path.replace("{id}", request.get("id", "sp-demo")).replace("{name}", name)

    def body(self, operation, request):
        """The media type and the bytes: of the request, or of the operation's first example."""
        examples = list(self.document.request_examples(operation))
        media, value = (examples[0][0], examples[0][2]["value"]) if examples else (None, None)
        media = request.get("type", media)
        if "raw" in request:
            return media, request["raw"].encode()
        if "form" in request:
            return media, request["form"].encode()
        if "size" in request:
            return media, b" " * request["size"]
        value = request.get("body", value)
        if value is None:
            return None, b"" if operation["operationId"] == "logout" else None
        for member, name in request.get("live", {}).items():
            value = {**value, member: self.world.live(name)}
        if media == "application/x-www-form-urlencoded":
            return media, urllib.parse.urlencode(value).encode()
        return media, json.dumps(value).encode()

    def send(self, path, method, operation, request):
        name, bare = self.default_as(operation)
        name = request.get("as", name)
        headers = [("X-Request-Id", "example")]
        if operation["operationId"] not in ("login", "reportSecret"):
            headers += self.world.authorization(name, bare)
        headers += request.get("headers", {}).items()
        media, body = self.body(operation, request)
        if media:
            headers.append(("Content-Type", media))
        if request.get("etag"):
            first = self.caller.ask("GET", self.path(path, request))
            headers.append(("If-None-Match", first.headers["ETag"]))
        method = request.get("method", method).upper()
        if method == "DELETE":
            body = None
        self.sent += 1
        return self.caller.ask(method, self.path(path, request), headers, body)

    # ---- the answer ----

    def header_faults(self, response, answer):
        for name, header in response.get("headers", {}).items():
            header = self.document.resolve(header)
            values = answer.headers.get_all(name) or []
            if not values and header.get("required"):
                yield f"no {name}"
            for value in values:
                fault = self.document.fault_in(value, header["schema"])
                if fault:
                    yield f"{name}: {fault}"
        if answer.headers["X-Request-Id"] != "example":
            yield f"X-Request-Id {answer.headers['X-Request-Id']}"

    def code_faults(self, path, answer, value):
        code = value.get("code", value.get("errorCode"))
        told = self.document.root["x-problem-codes"].get(code)
        if told is None:
            return
        want = 403 if path.startswith("/at/") and code in AT_403 else told["status"]
        if answer.status != want:
            yield f"{code} with status {answer.status}, x-problem-codes says {want}"

    def told(self, value):
        """What can be compared: without what is new in each answer, under the example's name."""
        if isinstance(value, dict):
            return {name: "…" if name in VOLATILE else self.told(inner)
                    for name, inner in value.items() if name not in DRY_RUN}
        if isinstance(value, str):
            return value.replace(self.caller.base, "https://sti-pa.example")
        return value

    def body_faults(self, path, response, answer, media, example):
        contents = response.get("content", {})
        if not contents:
            if answer.body:
                yield f"a body: {answer.body[:60]}"
            return
        media = media or answer.media()
        if answer.media() != media:
            yield f"media type {answer.headers['Content-Type']}, want {media}"
            return
        value = answer.json() if media.endswith("json") else answer.body.decode()
        fault = self.document.fault_in(value, contents[media]["schema"])
        if fault:
            yield fault
        if media.endswith("json"):
            yield from self.code_faults(path, answer, value)
            if "dry-run" in path and answer.status >= 400 and answer.status != 405 and \
                    value.get("dry_run") not in (True, "true"):
                yield "a dry run's error without dry_run"
            if example is not None and self.told(value) != self.told(example):
                yield f"got {value}, the example says {example}"

    def check(self, where, path, answer, status, response, media=None, example=None):
        faults = []
        if str(answer.status) != status:
            faults.append(f"status {answer.status}, want {status}: {answer.body[:200]}")
        else:
            faults += self.header_faults(response, answer)
            faults += self.body_faults(path, response, answer, media, example)
        self.faults += [f"{where}: {fault}" for fault in faults]


def plan(document):
    """Yield a name, its request, and what to check: (path, method, operation, status, …)."""
    for path, method, operation, _ in document.operations():
        responses = dict(document.responses(operation))
        success = next(status for status in responses if status.startswith("2"))
        for _, name, example in document.request_examples(operation):
            request = {"body": example["value"], **example.get("x-request", {})}
            yield (f"{method} {path} request {name}", request,
                   (path, method, operation, success, responses[success], None, None))
        for status, response in responses.items():
            if "x-request" in response:
                yield (f"{method} {path} {status}", response["x-request"],
                       (path, method, operation, status, response, None, None))
            for media, content in response.get("content", {}).items():
                for name, example in content.get("examples", {}).items():
                    value = example["value"] if media.endswith("json") else None
                    yield (f"{method} {path} {status} {media} {name}", example["x-request"],
                           (path, method, operation, status, response, media, value))


def run(document, world, only, done):
    checker = Checker(document, world)
    for where, request, (path, method, operation, status, response, media, value) in \
            plan(document):
        if request.get("world", "open") != only:
            continue
        answer = checker.send(path, method, operation, request)
        while only == "limited" and answer.status != 429 and checker.sent < 500:
            answer = checker.send(path, method, operation, request)  # until the burst is spent
        checker.check(where, path, answer, status, response, media, value)
        done.add(where)
    return checker


def main():
    parser = argparse.ArgumentParser()
    for name in ("document", "ca", "secrets", "kid", "done"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--world", default="open")
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    document = Document(args.document)
    path = pathlib.Path(args.done)
    done = set(path.read_text().split("\n")) if path.exists() else set()
    if args.complete:
        missed = sorted({where for where, _, _ in plan(document)} - done)
        for where in missed:
            print("  FAULT: never sent:", where)
        sys.exit(bool(missed))
    caller = calls.Caller(args.port, args.ca, patient=args.world != "down")
    checker = run(document, World(caller, args.secrets, args.kid, args.world == "open"),
                  args.world, done)
    path.write_text("\n".join(sorted(done)))
    for fault in checker.faults[:40]:
        print("  FAULT:", fault)
    print(f"  {checker.sent} requests, {len(checker.faults)} faults")
    sys.exit(bool(checker.faults) or checker.sent == 0)


main()
