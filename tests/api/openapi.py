# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as the tests read it."""
import jsonschema
import yaml

METHODS = ("get", "post", "put", "delete", "patch", "head")


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.safe_load(file)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def operations(self):
        """Yield path, method, operation, the parameters of the path."""
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method], item.get("parameters", [])

    def request_examples(self, operation):
        """Yield media type, name, example."""
        body = self.resolve(operation.get("requestBody", {}))
        for media, content in body.get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                yield media, name, example

    def responses(self, operation):
        for status, response in operation["responses"].items():
            yield status, self.resolve(response)

    def fault_in(self, value, schema):
        """What is wrong with a value, or None."""
        resolver = jsonschema.RefResolver("", self.root)
        validator = jsonschema.Draft202012Validator(
            schema, resolver=resolver, format_checker=jsonschema.FormatChecker())
        fault = jsonschema.exceptions.best_match(validator.iter_errors(value))
        return None if fault is None else f"{fault.json_path}: {fault.message}"
