#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sslscan (XML) or testssl (JSON) have written, held against what the TLS of an edge is to be.

usage: scans.py sslscan FILE | scans.py testssl FILE
"""
import json
import sys
import xml.etree.ElementTree

PROTOCOLS = {"1.2", "1.3"}
AEAD = ("GCM", "CHACHA20")
# what the report says of the certificate of a test
EXCUSED = {
    "cert_revocation": "a root that is made by the test has neither CRL nor OCSP",
}


def faults_of_sslscan(path):
    root = xml.etree.ElementTree.parse(path).getroot().find("ssltest")
    ciphers = root.findall("cipher")
    for protocol in root.findall("protocol"):
        enabled = protocol.get("enabled") == "1"
        wanted = protocol.get("type") == "tls" and protocol.get("version") in PROTOCOLS
        if enabled != wanted:
            yield f"{protocol.get('type')} {protocol.get('version')}: enabled={enabled}"
    renegotiation = root.find("renegotiation")
    if renegotiation is None or renegotiation.get("supported") != "0":
        yield "renegotiation"
    for found in root.findall("heartbleed"):
        if found.get("vulnerable") != "0":
            yield f"heartbleed: {found.attrib}"
    if len(ciphers) < 4 or {cipher.get("sslversion") for cipher in ciphers} != \
            {f"TLSv{version}" for version in PROTOCOLS}:
        yield f"{len(ciphers)} ciphers were seen"
    for cipher in ciphers:
        name = cipher.get("cipher")
        if cipher.get("strength") not in ("strong", "acceptable") or \
                not any(mode in name for mode in AEAD) or \
                not (name.startswith("ECDHE") or name.startswith("TLS_")):
            yield f"cipher {name}: {cipher.get('strength')}"
    for group in root.findall("group"):
        if int(group.get("bits")) < 128:
            yield f"group {group.get('name')}: {group.get('bits')} bits"


def faults_of_testssl(path):
    with open(path, encoding="utf-8") as file:
        findings = json.load(file)
    if len(findings) < 80 or not any(finding["id"] == "scanTime" for finding in findings):
        yield f"it did not end: {len(findings)} findings"
    for finding in findings:
        if finding["severity"] in ("OK", "INFO") or finding["id"].split(" ")[0] in EXCUSED:
            continue
        yield f"{finding['id']}: {finding['severity']}: {finding['finding']}"


def main():
    faults = list({"sslscan": faults_of_sslscan, "testssl": faults_of_testssl}[sys.argv[1]](
        sys.argv[2]))
    for fault in faults:
        print(f"  {sys.argv[1]}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
