# usage: oids='["1.3.6.1.2.1.2", ...]' awk -f oids.awk
#
# Prints what a JSON array of OIDs names, a line each and each once: numbers between dots, or
# a name of a MIB's. Ends with 1 if it is no such array, and says where on stderr.

BEGIN {
	text = ENVIRON["oids"]
	at = 1
	expect("[")
	if (next_is("]")) {
		wrong("names no OID")
	}
	do {
		take(string())
	} while (next_is(","))
	expect("]")
	skip_blanks()
	if (at <= length(text)) {
		wrong("goes on behind its end")
	}
}

function wrong(what) {
	printf "%s, at character %d: it is to be as [\"1.3.6.1.2.1.2\", \"ifXTable\"]\n", what, at >"/dev/stderr"
	exit 1
}

function skip_blanks() {
	while (substr(text, at, 1) ~ /[ \t\r\n]/) {
		at++
	}
}

function next_is(c) {
	skip_blanks()
	if (substr(text, at, 1) != c) {
		return 0
	}
	at++
	return 1
}

function expect(c) {
	if (!next_is(c)) {
		wrong("has no " c " where there should be one")
	}
}

# No OID needs an escape.
function string(    begin) {
	if (!next_is("\"")) {
		wrong("has something that is not between quotes")
	}
	begin = at
	while (substr(text, at, 1) !~ /["\\]/ && at <= length(text)) {
		at++
	}
	if (substr(text, at, 1) != "\"") {
		at = begin
		wrong("has a string that does not end, or has a backslash")
	}
	at++
	return substr(text, begin, at - begin - 1)
}

function take(oid) {
	sub(/^\./, "", oid)
	if (!is_name(oid) && !is_number(oid)) {
		at -= length(oid) + 1
		wrong("has '" substr(oid, 1, 60) "', which is no OID")
	}
	if (!(oid in seen)) {
		seen[oid] = 1
		print oid
	}
}

function is_name(oid) {
	return length(oid) <= 64 && oid ~ /^[a-zA-Z][a-zA-Z0-9-]*$/
}

# As X.660 has it, and of numbers of 32 bits.
function is_number(oid,    count, part, i) {
	if (oid !~ /^[0-2](\.(0|[1-9][0-9]*))+$/) {
		return 0
	}
	count = split(oid, part, ".")
	if (count > 128 || (part[1] < 2 && part[2] > 39)) {
		return 0
	}
	for (i = 1; i <= count; i++) {
		if (length(part[i]) > 10 || part[i] + 0 > 4294967295) {
			return 0
		}
	}
	return 1
}
