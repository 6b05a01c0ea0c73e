# What a request asks for, of what has come of it and a line behind. For probe-scripts: the status, or
# "more" as long as it is not known; a sentence for it; the method; "yes" if nothing of the request is left
# to read; in hundredths of a second how long whoever asks waits, or 0; and the name of a script.

function refuse(number, why) {
	if (status == "more") { status = number; sentence = why }
}

function hex(digit) {
	return index("0123456789abcdef", tolower(digit)) - 1
}

# Empty, too, if there is half an escape, or a control character.
function decoded(text, result, at, byte) {
	gsub(/[+]/, " ", text)
	while ((at = index(text, "%")) > 0) {
		if (substr(text, at + 1, 2) !~ /^[0-9A-Fa-f][0-9A-Fa-f]$/) { return "" }
		byte = hex(substr(text, at + 1, 1)) * 16 + hex(substr(text, at + 2, 1))
		if (byte < 32 || byte == 127) { return "" }
		result = result substr(text, 1, at - 1) sprintf("%c", byte)
		text = substr(text, at + 3)
	}
	return result text
}

# The first of that name.
function parameter(query, name, pairs, count, i) {
	count = split(query, pairs, "&")
	for (i = 1; i <= count; i++) {
		if (index(pairs[i], name "=") == 1) { return decoded(substr(pairs[i], length(name) + 2)) }
	}
	return ""
}

# Of GET /probe?script=NAME HTTP/1.1
function first_line(line, words, path, query) {
	if (line !~ /^[A-Za-z-]+ [!-~]+ HTTP\/1\.[0-9]$/) {
		refuse(400, "this is no request of HTTP/1.1 or 1.0")
		return
	}
	split(line, words, " ")
	method = words[1]
	path = words[2]
	sub(/^[hH][tT][tT][pP]:\/\/[^\/?]*/, "", path)
	if (index(path, "?")) {
		query = substr(path, index(path, "?") + 1)
		path = substr(path, 1, index(path, "?") - 1)
	}
	name = parameter(query, "script")
	if (method != "GET" && method != "HEAD") {
		answer = 405
		answer_why = "only GET and HEAD are for /probe"
	} else if (path != "/probe") {
		answer = 404
		answer_why = "there is /probe?script=NAME, and nothing else"
	} else if (name == "") {
		answer = 400
		answer_why = "it is /probe?script=NAME, with the name of a script"
	} else if (name ~ /^[.-]/ || name ~ /\// || index(name, "..")) {
		answer = 400
		answer_why = "this is no name of a script: it has a slash or two dots, or begins with . or -"
	} else {
		answer = 200
	}
}

function further_line(line, field, value) {
	if (line !~ /^[!-9;-~]+:/) {
		refuse(400, "a line of the request is no header")
		return
	}
	field = tolower(substr(line, 1, index(line, ":") - 1))
	value = substr(line, index(line, ":") + 1)
	gsub(/^[ \t]+|[ \t]+$/, "", value)
	if (field == "content-length" || field == "transfer-encoding") { has_body = 1 }
	if (field == "x-prometheus-scrape-timeout-seconds" && value ~ /^[0-9]+(\.[0-9]+)?$/) {
		patience = value < 86400 ? int(value * 100) : 8640000
	}
}

function take(line) {
	sub(/\r$/, "", line)
	if (NR == 2) {
		first_line(line)
	} else if (line != "") {
		further_line(line)
	} else {
		is_read = has_body || answer == 405 ? "" : "yes"
		refuse(answer, answer_why)
	}
}

BEGIN { status = "more" }
length($0) > 8192 { refuse(431, "a line of a request has 8192 bytes at most") }
NR == 1 && $0 !~ /^[A-Za-z.]/ { refuse(400, "this is no request of HTTP/1.1 or 1.0") }
NR > 1 { take(held) }
status != "more" { exit }
{ held = $0 }
END { printf "%s\n%s\n%s\n%s\n%d\n%s\n", status, sentence, method, is_read, patience, status == 200 ? name : "" }
