#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stand between a node and PostgreSQL, and break a batch at a message that was named.

usage: cut.py LISTEN-SOCKET SERVER-SOCKET FOLDER

A test moves a file with "SIDE MESSAGE ACTION" to FOLDER/arm; the next batch of issue_tokens is broken
there, and FOLDER/fired says so: "SIDE MESSAGE ACTION ISSUED", ISSUED being how many orders the rows that had
already reached the node called issued.

SIDE      node (what it sends) or server
MESSAGE   of the protocol: B Bind, D Describe, E Execute, S Sync; 2 BindComplete, T RowDescription,
          D DataRow, C CommandComplete, Z ReadyForQuery (PostgreSQL, 55.7)
ACTION    cut     the connection ends before it
          half    in the midst of it
          garble  the message has a type that there is not
          delay   it comes after 2.6 s
          flush   (of Sync) the server is asked for its rows, but never to commit; then cut
"""
import os
import socket
import struct
import sys
import threading
import time

DELAY = 2.6


class Cut(Exception):
    pass


class Session:
    def __init__(self, node, server, folder):
        self.node, self.server, self.folder = node, server, folder
        self.armed = None  # (side, message, action) of the batch under way
        self.issued = 0
        self.lock = threading.Lock()

    # ---- what happens at the place that was named ----

    def fire(self):
        with open(self.folder + "/fired.new", "w", encoding="ascii") as file:
            file.write(" ".join(self.armed) + f" {self.issued}\n")
        os.rename(self.folder + "/fired.new", self.folder + "/fired")

    def break_at(self, to, message):
        action = self.armed[2]
        if action == "delay":
            time.sleep(DELAY)
            self.fire()
            self.armed = None
            to.sendall(message)
            return
        if action == "flush":
            to.sendall(b"H\0\0\0\4")
            self.wait_for_rows()
        elif action == "half":
            to.sendall(message[:max(1, len(message) // 2)])
        elif action == "garble":
            to.sendall(b"!" + message[1:])
            time.sleep(0.3)
        self.fire()
        raise Cut

    def wait_for_rows(self):
        """Until they reach the node."""
        for _ in range(200):
            if self.issued:
                break
            time.sleep(0.05)
        time.sleep(0.3)

    def pass_on(self, side, to, message):
        if self.armed and self.armed[:2] == (side, chr(message[0])):
            self.break_at(to, message)
        else:
            to.sendall(message)

    # ---- what is looked at ----

    def look_at_node(self, message):
        """A batch begins with the Bind of its statement."""
        if message[0:1] != b"B" or b"\0issue_tokens\0" not in message[:40]:
            return
        self.armed, self.issued = None, 0
        mine = f"{self.folder}/arm.{id(self)}"
        try:
            os.rename(self.folder + "/arm", mine)  # no other session takes it too
        except FileNotFoundError:
            return
        with open(mine, encoding="ascii") as file:
            self.armed = tuple(file.read().split())

    def look_at_server(self, message):
        """The second column of a row is the verdict, an int2; 0 is issued."""
        if self.armed and message[0:1] == b"D":
            n_len = struct.unpack_from(">i", message, 7)[0]
            at = 11 + n_len
            self.issued += message[at:at + 6] == b"\0\0\0\2\0\0"

    # ---- bytes ----

    def messages(self, source, first):
        data = b""
        while True:
            while first and len(data) >= 4 and len(data) >= struct.unpack(">i", data[:4])[0]:
                size = struct.unpack(">i", data[:4])[0]
                yield None, data[:size]
                data, first = data[size:], False
            while not first and len(data) >= 5:
                size = 1 + struct.unpack(">i", data[1:5])[0]
                if len(data) < size:
                    break
                yield True, data[:size]
                data = data[size:]
            more = source.recv(65536)
            if not more:
                return
            data += more

    def pump(self, side):
        source, to = (self.node, self.server) if side == "node" else (self.server, self.node)
        look = self.look_at_node if side == "node" else self.look_at_server
        try:
            for typed, message in self.messages(source, side == "node"):
                if typed:
                    look(message)
                    self.pass_on(side, to, message)
                else:
                    to.sendall(message)
        except (OSError, Cut):
            pass
        for end in (self.node, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main():
    listen, target, folder = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(listen)
    os.chmod(listen, 0o777)
    listener.listen(16)
    listener.settimeout(1)
    while os.path.isdir(folder):
        try:
            node, _ = listener.accept()
        except TimeoutError:
            continue
        node.setblocking(True)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(target)
        except OSError:
            node.close()
            continue
        session = Session(node, server, folder)
        for side in ("node", "server"):
            threading.Thread(target=session.pump, args=(side,), daemon=True).start()


main()
