#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Play the service manager: print what comes to a notify socket, a line for each message.

usage: notified.py ADDRESS

ADDRESS is a path, or an abstract name with @ in front, as in NOTIFY_SOCKET.  The lines of a message
are joined by spaces.
"""
import socket
import sys


def main():
    address = sys.argv[1]
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind("\0" + address[1:] if address[0] == "@" else address)
    print("listening", flush=True)
    while True:
        print(server.recv(4096).decode().strip().replace("\n", " "), flush=True)


main()
