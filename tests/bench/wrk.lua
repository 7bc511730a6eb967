-- SPDX-License-Identifier: LGPL-2.1-or-later
-- wrk … URL -- [BODY-FILE]: a POST of the file, or a GET; the last line is one of JSON as farm's, which begins
-- with a brace. Only keeps connections where the server does: tangd does not heed "Connection: close".
function init(args)
	if args[1] then
		local file = io.open(args[1])
		wrk.method = "POST"
		wrk.headers["Content-Type"] = "application/jwk+json"
		wrk.body = file:read("*a")
		file:close()
	end
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('{"failed":%d,"rate":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"max_ms":%.2f}\n',
		e.connect + e.read + e.write + e.status + e.timeout, summary.requests / summary.duration * 1e6,
		latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
