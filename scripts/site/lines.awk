# usage: prefix=PREFIX [grouping='NAME ...'] [own='NAME ...'] [unwanted='METRIC ...'] awk -f text.awk -f lines.awk [-v most=N] [FILE]
#
# Keeps the lines of an exposition that weir would take, and drops the others one by one,
# so that one bad line does not cost the rest. What is kept goes to stdout, in its
# shortest form; behind it PREFIX_rejected_lines{reason} of each reason, and PREFIX_lines.
# What is dropped goes to stderr, the first five.
#
# Stricter than weir: no histograms and summaries as such (their TYPE is dropped, their
# lines are metrics of their own), no timestamps, no quoted names. Two lines that differ only
# in labels of the grouping key are one series. PREFIX_NAME of each own name is the caller's.
# Unwanted are metrics that contradict what others push.

BEGIN {
	wishes = split("job instance " ENVIRON["grouping"], name, " ")
	for (i = 1; i <= wishes; i++) {
		is_grouping[name[i]] = 1
	}
	prefix = ENVIRON["prefix"]
	wishes = split("lines rejected_lines " ENVIRON["own"], name, " ")
	for (i = 1; i <= wishes; i++) {
		own[prefix "_" name[i]] = 1
	}
	wishes = split(ENVIRON["unwanted"], name, " ")
	for (i = 1; i <= wishes; i++) {
		unwanted[name[i]] = 1
	}
	most = most ? most : 10000
	total = split("length control utf8 comment name label value timestamp duplicate own inconsistent many", reasons, " ")
}

# The reasons are one word, and counted.
function reject(reason,    text) {
	rejected[reason]++
	if (++shown <= 5) {
		text = substr($0, 1, 80)
		gsub(/[\001-\037\177]/, "?", text)
		printf "line %d dropped (%s): %s\n", NR, reason, text | "cat >&2"
	}
}

/^[ \t]*$/ {
	next
}

length($0) > 4096 {
	reject("length")
	next
}

/[\001-\010\013-\037]/ {
	reject("control")
	next
}

!is_utf8($0) {
	reject("utf8")
	next
}

/^[ \t]*#/ {
	take_comment()
	next
}

{
	take_sample()
}

# HELP and TYPE of what comes later, once each; all else is for people.
function take_comment(    word, count) {
	count = split($0, word)
	if (word[1] != "#" || (word[2] != "TYPE" && word[2] != "HELP") || word[3] in unwanted) {
		return
	}
	if (word[3] !~ /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ || (word[2] word[3]) in seen ||
			word[3] in has_samples || word[3] in own ||
			(word[2] == "TYPE" && (count != 4 || word[4] !~ /^(counter|gauge|untyped)$/)) ||
			(word[2] == "HELP" && !is_help($0))) {
		reject("comment")
		return
	}
	seen[word[2] word[3]] = 1
	if (word[2] == "TYPE") {
		print "# TYPE " word[3] " " word[4]
	} else if (count > 3) {
		print
	}
}

function is_help(text) {
	gsub(/\\[\\n"]/, "", text)
	return text !~ /\\/
}

function take_sample(    text, metric, labels, value) {
	text = $0
	sub(/^[ \t]+/, "", text)
	if (!match(text, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) {
		reject("name")
		return
	}
	metric = substr(text, 1, RLENGTH)
	rest = substr(text, RLENGTH + 1)
	if (rest ~ /^[ \t]+\{/) {
		sub(/^[ \t]+/, "", rest)
	}
	if (!take_labels()) {
		reject("label")
		return
	}
	sub(/^[ \t]+/, "", rest)
	sub(/[ \t]+$/, "", rest)
	value = rest
	if (value ~ /^[^ \t]+[ \t]+-?[0-9]+$/) {
		reject("timestamp")
	} else if (!is_value(value)) {
		reject("value")
	} else if (metric in own) {
		reject("own")
	} else if (metric in unwanted) {
		reject("inconsistent")
	} else if (series_of(metric) in has) {
		reject("duplicate")
	} else if (lines >= most) {
		reject("many")
	} else {
		has[series_of(metric)] = has_samples[metric] = 1
		lines++
		print metric pairs() " " value
	}
}

# Reads what is in braces at the start of rest, to label_name[], label_value[] and labels.
function take_labels(    name) {
	labels = 0
	split("", value_of)
	if (rest !~ /^\{/) {
		return rest ~ /^[ \t]/
	}
	rest = substr(rest, 2)
	while (match(rest, /^[ \t]*[a-zA-Z_][a-zA-Z0-9_]*[ \t]*=[ \t]*"/)) {
		name = substr(rest, 1, RLENGTH)
		gsub(/[ \t="]/, "", name)
		rest = substr(rest, RLENGTH + 1)
		if (name ~ /^__/ || name in value_of || !match(rest, /^([^"\\]|\\[\\"n])*"/)) {
			return 0
		}
		label_name[++labels] = name
		value_of[name] = substr(rest, 1, RLENGTH - 1)
		rest = substr(rest, RLENGTH + 1)
		if (!sub(/^[ \t]*,/, "", rest)) {
			break
		}
	}
	return sub(/^[ \t]*\}/, "", rest)
}

function pairs(    i, text) {
	for (i = 1; i <= labels; i++) {
		text = text (i > 1 ? "," : "") label_name[i] "=\"" value_of[label_name[i]] "\""
	}
	return labels ? "{" text "}" : ""
}

# What tells it from others: labels in order, without empty ones and those that the group has.
function series_of(metric,    i, k, name, count, order, text) {
	for (i = 1; i <= labels; i++) {
		name = label_name[i]
		if (value_of[name] == "" || name in is_grouping) {
			continue
		}
		for (k = ++count; k > 1 && order[k - 1] > name; k--) {
			order[k] = order[k - 1]
		}
		order[k] = name
	}
	for (i = 1; i <= count; i++) {
		text = text "," order[i] "=\"" value_of[order[i]] "\""
	}
	return metric text
}

# A number as Go reads it, in the range of a double.
function is_value(text,    number) {
	text = tolower(text)
	if (text ~ /^([+-]?inf(inity)?|nan)$/) {
		return 1
	}
	if (text !~ /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/) {
		return 0
	}
	if (match(text, /e\+?[0-9]+$/)) { # not every awk can tell that it is too large
		number = substr(text, RSTART + 1)
		if (number + 0 > 308) {
			return 0
		}
	}
	number = text + 0
	return number <= 1.7976931348623157e308 && number >= -1.7976931348623157e308
}

END {
	printf "# TYPE %s_lines gauge\n%s_lines %d\n# TYPE %s_rejected_lines gauge\n", prefix, prefix, lines, prefix
	for (i = 1; i <= total; i++) {
		printf "%s_rejected_lines{reason=\"%s\"} %d\n", prefix, reasons[i], rejected[reasons[i]]
	}
}
