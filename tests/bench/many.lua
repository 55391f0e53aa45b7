-- SPDX-License-Identifier: Apache-2.0
-- wrk: a token for one of many accounts, each time another; lines of $BENCH_REQUESTS are account,
-- credentials and TNAuthList.
local requests, n = {}, 0
local threads = {}

function setup(thread)
	table.insert(threads, thread)
end

function init()
	local fingerprint = string.rep("56:", 31) .. "56"
	refused = 0
	for line in io.lines(os.getenv("BENCH_REQUESTS")) do
		local account, basic, tkvalue = line:match("(%S+) (%S+) (%S+)")
		table.insert(requests, wrk.format("POST", "/sti-pa/account/" .. account .. "/token", {
			["Host"] = "127.0.0.1",
			["Content-Type"] = "application/json",
			["Authorization"] = "Basic " .. basic,
		}, '{"atc":{"tktype":"TNAuthList","tkvalue":"' .. tkvalue ..
			'","ca":false,"fingerprint":"SHA256 ' .. fingerprint .. '"}}'))
	end
end

function request()
	n = n % #requests + 1
	return requests[n]
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
