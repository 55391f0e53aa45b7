# SPDX-License-Identifier: Apache-2.0
"""The three parts of a compact JWS, as text."""
import base64
import json


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(token, index):
    return json.loads(decode(token.split(".")[index]))
