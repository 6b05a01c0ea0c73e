# usage: awk -f text.awk -f ANOTHER
#
# What the others need to know of text. Bytes are characters: LC_ALL is C.

# A value as it stands between the quotes of a label.
function escaped(text,    out, i, c) {
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		out = out (c == "\\" ? "\\\\" : c == "\"" ? "\\\"" : c == "\n" ? "\\n" : c)
	}
	return out
}

# As RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
function is_utf8(text) {
	if (text !~ /[\200-\377]/) {
		return 1
	}
	gsub(/[\302-\337][\200-\277]/, "", text)
	gsub(/\340[\240-\277][\200-\277]/, "", text)
	gsub(/\355[\200-\237][\200-\277]/, "", text)
	gsub(/[\341-\354\356\357][\200-\277][\200-\277]/, "", text)
	gsub(/\360[\220-\277][\200-\277][\200-\277]/, "", text)
	gsub(/[\361-\363][\200-\277][\200-\277][\200-\277]/, "", text)
	gsub(/\364[\200-\217][\200-\277][\200-\277]/, "", text)
	return text !~ /[\200-\377]/
}

# The value that stands so between quotes.
function unescaped(text,    out, c) {
	while (match(text, /\\./)) {
		c = substr(text, RSTART + 1, 1)
		out = out substr(text, 1, RSTART - 1) (c == "n" ? "\n" : c)
		text = substr(text, RSTART + 2)
	}
	return out text
}
