// SPDX-License-Identifier: Apache-2.0
// A control of the battery: the HTTP server of Node.  As gullible.py it prints its port, and at the
// end of its input how many hidden requests were run.
import { createServer } from "node:http";

let ran = 0;

const server = createServer((request, response) => {
	if (request.url === "/readyz")
		ran++;
	request.resume();
	request.on("end", () => response.end("ok"));
});

server.keepAliveTimeout = 1000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => {
	console.log(ran);
	process.exit(0);
});
