#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One request after the other, evenly in time, over a ring of connections, until it is ended.

usage: flood.py PORT RATE PATH BODY-FILE [HEADER]

A connection whose answer is not there yet is passed over.  Prints "ready" when all are connected.
"""
import pathlib
import socket
import ssl
import sys
import time

CONNECTIONS = 500


def connect(port, context):
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(raw)
    connection.setblocking(False)
    return connection


def is_answered(connection):
    try:
        if not connection.recv(65536):
            raise ConnectionResetError("the node has closed a connection")
        return True
    except ssl.SSLWantReadError:
        return False


def main():
    port, rate, path, body = sys.argv[1:5]
    body = pathlib.Path(body).read_bytes()
    request = "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1",
                           "Content-Type: application/json", f"Content-Length: {len(body)}",
                           *sys.argv[5:], "", ""]).encode() + body
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    ring = [connect(int(port), context) for _ in range(CONNECTIONS)]
    waiting = [False] * CONNECTIONS
    print("ready", flush=True)
    start, n = time.monotonic(), 0
    while True:
        time.sleep(max(0, start + n / int(rate) - time.monotonic()))
        i, n = n % CONNECTIONS, n + 1
        if not waiting[i] or is_answered(ring[i]):
            ring[i].send(request)
            waiting[i] = True


if __name__ == "__main__":
    main()
