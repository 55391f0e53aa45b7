-- SPDX-License-Identifier: Apache-2.0
-- wrk: the same token request again and again; what is not 200 is counted and printed.
wrk.method = "POST"
wrk.body = os.getenv("BENCH_BODY")
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
wrk.headers["Content-Type"] = "application/json"

local threads = {}

function setup(thread)
	table.insert(threads, thread)
end

function init()
	refused = 0
end

function response(status)
	if status ~= 200 then
		refused = refused + 1
	end
end

function done()
	local sum = 0
	for _, thread in ipairs(threads) do
		sum = sum + thread:get("refused")
	end
	io.write(string.format("refused: %d\n", sum))
end
