# usage: [wanted='NAME=BASE64 ...'] awk -f groups.awk [-v now=TIME -v older=SECONDS]
#          [-v escaping=yes] FILE
#
# Reads what GET /api/v1/metrics answers and prints of each group its age in seconds, or -
# if that is not known, its path, and its labels for people. Only of groups that have all
# the wanted labels, and are older. Ends with 1 if the answer is not whole. Escaping: the server
# takes names of any kind.
#
# JSON is read as it comes, with a quote as the end of a record, so that an answer of any size
# takes the memory of one group. Values are handled as numbers of bytes, since not
# every awk can have a NUL in a string.

BEGIN {
	RS = "\""
	for (i = 1; i < 256; i++) {
		code_of[sprintf("%c", i)] = i
	}
	digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	wishes = split(ENVIRON["wanted"], wish, " ")
	last = "{"
}

in_string {
	string = string $0
	match($0, /\\*$/)
	if (RLENGTH % 2) { # that quote was an escaped one
		string = string "\""
		next
	}
	in_string = 0
	take_string(string)
	next
}

{
	for (i = 1; i <= length($0); i++) {
		c = substr($0, i, 1)
		if (c == "{" || c == "[") {
			depth++
			if (depth == 3) {
				begin_group()
			}
		} else if (c == "}" || c == "]") {
			if (depth == 3 && key[1] == "data") {
				end_group()
			}
			depth--
		}
		if (c !~ /[ \t\r\n]/) {
			last = c
		}
	}
	in_string = 1
	string = ""
}

# A key of an object, or a value.
function take_string(text) {
	if (last == "{" || last == ",") {
		key[depth] = text
	} else if (depth == 1 && key[1] == "status") {
		is_success = text == "success"
	} else if (depth == 4 && key[3] == "labels") {
		add_label(key[4], text)
	} else if (depth == 6 && key[4] == "metrics" && key[6] == "value" &&
			key[3] ~ /^push_(failure_)?time_seconds$/) {
		time[key[3]] = text + 0
	}
}

function begin_group() {
	job = rest = shown = ""
	split("", time)
	split("", have)
}

function add_label(name, value,    encoded, part) {
	encoded = base64(decode(value))
	have[name "=" encoded] = 1
	shown = shown (shown == "" ? "" : ",") name "=\"" value "\""
	part = value ~ /^[A-Za-z0-9_:-][A-Za-z0-9._:-]*$/ ? "/" value : "@base64/" encoded
	if (name == "job") {
		job = part
	} else {
		rest = rest "/" path_name(name) part
	}
}

function end_group(    age, i) {
	for (i = 1; i <= wishes; i++) {
		if (!(wish[i] in have)) {
			return
		}
	}
	# One that was only ever refused is as old as its last try.
	age = time["push_time_seconds"] ? time["push_time_seconds"] : time["push_failure_time_seconds"]
	age = age ? int(now - age) : "-"
	if (older != "" && (age == "-" || age < older)) {
		return
	}
	print age, (job == "" ? "-" : "/metrics/job" job rest), "{" shown "}"
}

# The bytes of a JSON string, in byte[]; gives how many they are.
function decode(text,    i, c, count, code) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c != "\\") {
			byte[count++] = code_of[c]
			continue
		}
		c = substr(text, ++i, 1)
		if (c != "u") {
			byte[count++] = index("bfnrt", c) ? substr("0812101309", index("bfnrt", c) * 2 - 1, 2) + 0 : code_of[c]
			continue
		}
		code = hex(substr(text, i + 1, 4))
		i += 4
		if (code >= 55296 && code < 56320 && substr(text, i + 1, 2) == "\\u") {
			code = 65536 + (code - 55296) * 1024 + hex(substr(text, i + 3, 4)) - 56320
			i += 6
		}
		count = add_utf8(code, count)
	}
	return count + 0
}

function hex(text,    i, number) {
	for (i = 1; i <= length(text); i++) {
		number = number * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
	}
	return number
}

function add_utf8(code, count) {
	if (code < 128) {
		byte[count++] = code
	} else if (code < 2048) {
		byte[count++] = 192 + int(code / 64)
		byte[count++] = 128 + code % 64
	} else if (code < 65536) {
		byte[count++] = 224 + int(code / 4096)
		byte[count++] = 128 + int(code / 64) % 64
		byte[count++] = 128 + code % 64
	} else {
		byte[count++] = 240 + int(code / 262144)
		byte[count++] = 128 + int(code / 4096) % 64
		byte[count++] = 128 + int(code / 64) % 64
		byte[count++] = 128 + code % 64
	}
	return count
}

# byte[] as it may stand in a path.
function base64(count,    i, bits, place, text) {
	for (i = 0; i < count; i += 3) {
		bits = byte[i] * 65536 + (i + 1 < count ? byte[i + 1] : 0) * 256 + (i + 2 < count ? byte[i + 2] : 0)
		# Not every awk has powers.
		for (place = 262144; place >= (count - i > 2 ? 1 : count - i > 1 ? 64 : 4096); place /= 64) {
			text = text substr(digits, int(bits / place) % 64 + 1, 1)
		}
	}
	return count ? text : "="
}

# A name as it stands in a path: one that is not of letters and digits is U__, and what is not is _HEX_.
# Where that is understood, one that begins so has to be escaped as well, or would be that of another group.
function path_name(name,    i, count, code, further, is_plain, text) {
	if (name ~ /^[a-zA-Z_][a-zA-Z0-9_]*$/ && !(escaping && name ~ /^U__/)) {
		return name
	}
	count = decode(name)
	for (i = 0; i < count; i++) {
		code = byte[i]
		further = code < 192 ? 0 : code < 224 ? 1 : code < 240 ? 2 : 3
		code = further ? code % (64 / (further == 1 ? 2 : further == 2 ? 4 : 8)) : code
		for (; further; further--) {
			code = code * 64 + byte[++i] % 64
		}
		is_plain = code < 128 && sprintf("%c", code) ~ (text == "" ? "[a-zA-Z:]" : "[a-zA-Z0-9:]")
		text = text (code == 95 ? "__" : sprintf(is_plain ? "%c" : "_%x_", code))
	}
	return "U__" text
}

END {
	exit depth != 0 || !is_success
}
