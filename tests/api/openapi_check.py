#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold openapi.yaml to itself and to the code: openapi_check.py SRCDIR

To itself: references lead somewhere and nothing is left unused, operations are named, every status
has its media type and an example that fits its schema.  To the code: the paths are those of the
table of routes, the codes and their sentences those of the tables of verdicts and defects.
"""
import pathlib
import re
import sys

from openapi import Document

TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+|NULL)'


def c_text(source):
    """The text of adjacent C literals; None for NULL."""
    if source.strip() == "NULL":
        return None
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', source)).replace('\\"', '"')


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def check_references(document):
    used = set(references(document.root))
    for reference in used:
        try:
            document.resolve({"$ref": reference})
        except KeyError:
            yield f"{reference}: leads nowhere"
    for kind, members in document.root["components"].items():
        if kind == "securitySchemes":
            continue
        for name in members:
            if f"#/components/{kind}/{name}" not in used:
                yield f"components/{kind}/{name}: nobody uses it"


def check_operation(document, path, method, operation, parameters):
    where = f"{method} {path}"
    for member in ("operationId", "summary", "tags", "security", "responses"):
        if member not in operation:
            yield f"{where}: no {member}"
    for tag in operation.get("tags", []):
        if tag not in {tag["name"] for tag in document.root["tags"]}:
            yield f"{where}: tag {tag} is not declared"
    for requirement in operation.get("security", []):
        for scheme in requirement:
            if scheme not in document.root["components"]["securitySchemes"]:
                yield f"{where}: security scheme {scheme} is not declared"
    declared = {document.resolve(parameter)["name"] for parameter in parameters}
    if declared != set(re.findall(r"\{(\w+)\}", path)):
        yield f"{where}: parameters {declared}"
    if method == "post" and "requestBody" in operation and \
            not list(document.request_examples(operation)):
        yield f"{where}: no request example"
    if not any(status.startswith("2") for status, _ in document.responses(operation)):
        yield f"{where}: no success"


def check_examples(document, path, method, operation):
    body = document.resolve(operation.get("requestBody", {}))
    for media, name, example in document.request_examples(operation):
        fault = document.fault_in(example["value"], body["content"][media]["schema"])
        if fault:
            yield f"{method} {path} request {name}: {fault}"
    for status, response in document.responses(operation):
        for media, content in response.get("content", {}).items():
            examples = content.get("examples", {})
            if status != "default" and not examples:
                yield f"{method} {path} {status} {media}: no example"
            for name, example in examples.items():
                fault = document.fault_in(example["value"], content["schema"])
                if fault:
                    yield f"{method} {path} {status} {name}: {fault}"
                if "x-request" not in example:
                    yield f"{method} {path} {status} {name}: not said how to bring it about"


def check_operations(document):
    names = []
    for path, method, operation, parameters in document.operations():
        names.append(operation.get("operationId"))
        yield from check_operation(document, path, method, operation, parameters)
        yield from check_examples(document, path, method, operation)
    if len(set(names)) != len(names):
        yield f"an operationId stands twice: {sorted(names, key=str)}"


def check_routes(document, source):
    text = (source / "src/edge/routes.c").read_text(encoding="utf-8")
    public = text[text.index("edge_public_routes[]"):text.index("edge_local_routes[]")]
    routed = {(method.lower(), path)
              for method, path in re.findall(r'\{\s*"([A-Z]+)",\s*"(/[^"]*)"', public)}
    told = {(method, path) for path, method, _, _ in document.operations()}
    if len(routed) < 4:
        yield "src/edge/routes.c: its table was not understood"
    for method, path in sorted(routed - told):
        yield f"{method} {path}: served, but not described"
    for method, path in sorted(told - routed):
        yield f"{method} {path}: described, but not served"


def codes_of_tables(source):
    """What src/ipc/verdict.c tells a client: code -> sentence, None where it is made on the way."""
    text = (source / "src/ipc/verdict.c").read_text(encoding="utf-8")
    codes = {}
    for code, told, detail in re.findall(
            r'\[VERDICT_\w+\] = \{\s*"([a-z0-9-]+)",\s*ERROR_\w+,\s*(NULL|"[a-z-]+"),\s*' + TEXT,
            text):
        codes[c_text(told) or code] = c_text(detail)
    for code, detail in re.findall(r'\[DEFECT_\w+\] = \{\s*"([a-z0-9-]+)",\s*' + TEXT, text):
        codes[code] = c_text(detail)
    for inner in ("issued", "malformed", "none", "replayed",
                  "scope-not-permitted"):  # OAuth has words of its own for these
        codes.pop(inner, None)
    return codes


def codes_of_calls(source):
    """Codes that stand beside the place where they are said."""
    codes = set()
    for folder in ("edge", "http", "ipc"):
        for path in sorted((source / "src" / folder).glob("*.c")):
            text = path.read_text(encoding="utf-8")
            codes |= set(re.findall(r'(?:error_set_code|refuse)\([^;"]*"([a-z0-9-]+)"', text))
            for pair in re.findall(r'json_text \w+ = \{ "\w+", "([a-z-]+)", "([a-z-]+)"', text):
                codes |= set(pair)
    return codes


def literals(source):
    found = set()
    for path in sorted((source / "src").rglob("*.c")):
        found |= set(re.findall(r'"([a-z0-9-]+)"', path.read_text(encoding="utf-8")))
    return found


def check_codes(document, source):
    told = document.root["x-problem-codes"]
    tables = codes_of_tables(source)
    if len(tables) < 40:
        yield "src/ipc/verdict.c: its tables were not understood"
    for code in sorted((set(tables) | codes_of_calls(source)) - set(told)):
        yield f"{code}: in the code, but not in x-problem-codes"
    for code in sorted(set(told) - literals(source)):
        yield f"{code}: in x-problem-codes, but not in the code"
    for code, detail in sorted(tables.items()):
        if detail and "%" not in detail and code in told and told[code]["detail"] != detail:
            yield f"{code}: the code says {detail!r}"


def main():
    source = pathlib.Path(sys.argv[1])
    document = Document(source / "openapi.yaml")
    faults = [*check_references(document), *check_operations(document),
              *check_routes(document, source), *check_codes(document, source)]
    for fault in faults:
        print("  FAULT:", fault)
    print(f"  {len(list(document.operations()))} operations, "
          f"{len(document.root['x-problem-codes'])} codes, {len(faults)} faults")
    sys.exit(bool(faults))


main()
