#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The control of the battery: Python's own http.server, which takes what it is given.  It prints its
port, and at the end of its input how many hidden requests were run."""
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ran = []


class Gullible(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 1

    def answer(self):
        length = self.headers.get("Content-Length", "0")
        if length.isdigit() and self.command != "GET":
            self.rfile.read(min(int(length), 65536))
        if self.path == "/readyz":
            ran.append(1)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", 0), Gullible)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    print(len(ran))


if __name__ == "__main__":
    main()
