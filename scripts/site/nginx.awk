# usage: awk -v took=SECONDS -f nginx.awk STATUS
#
# Prints as metrics what nginx's stub_status answers, all of it or nothing:
#
#     Active connections: 291
#     server accepts handled requests
#      16630948 16630948 31070465
#     Reading: 6 Writing: 179 Waiting: 106

function metric(name, type, value) {
	text = text "# TYPE nginx_" name " " type "\nnginx_" name " " value "\n"
}

{
	sub(/[ \r]+$/, "")
	gsub(/ +/, " ")
	sub(/^ /, "")
}
NR == 1 && /^Active connections: [0-9]+$/ {
	metric("connections_active", "gauge", $3)
	good++
}
NR == 2 && $0 == "server accepts handled requests" { good++ }
NR == 3 && /^[0-9]+ [0-9]+ [0-9]+$/ {
	metric("connections_accepted", "counter", $1)
	metric("connections_handled", "counter", $2)
	metric("http_requests_total", "counter", $3)
	good++
}
NR == 4 && /^Reading: [0-9]+ Writing: [0-9]+ Waiting: [0-9]+$/ {
	metric("connections_reading", "gauge", $2)
	metric("connections_writing", "gauge", $4)
	metric("connections_waiting", "gauge", $6)
	good++
}

END {
	if (good != 4 || NR != 4) {
		exit 1
	}
	metric("status_duration_seconds", "gauge", took)
	metric("up", "gauge", 1)
	printf "%s", text
}
