# shellcheck shell=sh
# usage: by lib.sh, which has their settings
# shellcheck disable=SC2154
#
# Requests of the scripts for sites: to weir, and to whom they have a page from.

# The bytes of stdin, as they may stand in a path.
base64url() {
	od -An -v -tu1 | awk '
		BEGIN { digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" }
		{ for (i = 1; i <= NF; i++) byte[count++] = $i }
		END {
			for (i = 0; i < count; i += 3) {
				bits = byte[i] * 65536 + byte[i + 1] * 256 + byte[i + 2]
				# Not every awk has powers.
				for (place = 262144; place >= (count - i > 2 ? 1 : count - i > 1 ? 64 : 4096); place /= 64) {
					text = text substr(digits, int(bits / place) % 64 + 1, 1)
				}
			}
			print count ? text : "="
		}'
}

# A short name for a long one, that of a lock.
digest() {
	printf %s "$1" | od -An -v -tu1 | awk '
		{ for (i = 1; i <= NF; i++) { a = (a * 257 + $i) % 2147483647; b = (b * 263 + $i) % 2147483629 } }
		END { printf "%.0f-%.0f", a, b }'
}

# A part of a path: /VALUE, or @base64/VALUE if the value cannot stand there as it is.
path_value() {
	case $1 in
	'' | .* | *[!A-Za-z0-9._:-]*) printf '@base64/%s' "$(printf %s "$1" | base64url)" ;;
	*) printf '/%s' "$1" ;;
	esac
}

# Where the group of a job and of further NAME VALUE is pushed to, at this site.
group_path() {
	[ -n "$1" ] || misused "a job needs a name"
	path=/metrics/job$(path_value "$1")
	shift
	[ -z "$site" ] || set -- "$@" site "$site"
	while [ $# -gt 1 ]; do
		case $1 in
		'' | [!a-zA-Z_]* | *[!a-zA-Z0-9_]* | __*) misused "'$1' is no name of a label" ;;
		esac
		path=$path/$1$(path_value "$2")
		shift 2
	done
	printf %s "$path"
}

# A value as it stands between the quotes of a label.
escaped() {
	printf '%s\n' "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' |
		awk 'NR > 1 { printf "%s", "\\n" } { printf "%s", $0 }'
}

# The first lines of what somebody answered, in one.
words_of() {
	sed -n -e '1,4p' "$1" 2>/dev/null | tr -d '\000-\010\013-\037' | tr '\n' ' ' | cut -c 1-400
}

# True if the last line of a file has its end, which it has not if the file was cut.
is_whole() {
	[ "$(tail -c 1 "$1" | wc -l)" -eq 1 ]
}

# Asks somebody by curl, whose -w is the status, which is to be in $code.
ask() {
	patiently curl "$@" >"$tmp/code" 2>"$tmp/curl" || return
	code=$(cat "$tmp/code")
}

# Sends METHOD PATH [FILE] to weir. 0: done; 1: refused, and would be again; 2: weir is not there.
send() {
	method=$1 path=$2 body=${3:-} code=''
	rm -f "$tmp/answer"
	set -- -q -sS -g -X "$method" --max-time "$(seconds "$push_timeout")" \
		-o "$tmp/answer" -w '%{http_code}' -H 'Expect:'
	[ -z "$curl_config" ] || set -- "$@" -K "$curl_config"
	if [ -n "$body" ]; then
		if [ "$(wc -c <"$body")" -ge "$gzip_from" ] && gzip -c "$body" >"$tmp/packed" 2>/dev/null; then
			body=$tmp/packed
			set -- "$@" -H 'Content-Encoding: gzip'
		fi
		set -- "$@" -H 'Content-Type: text/plain; version=0.0.4; charset=utf-8' --data-binary "@$body"
		[ "$ttl" -eq 0 ] || set -- "$@" -H "Weir-TTL: $(seconds "$ttl")s"
	fi
	ask "$@" --url "$server$path" || code=000
	case $code in
	200 | 202)
		[ -z "$body" ] || was_taken
		return 0
		;;
	000)
		say "$method $server$path: $(words_of "$tmp/curl")"
		return 2
		;;
	408 | 429 | 5??)
		say "$method $server$path: answered $code: $(words_of "$tmp/answer")"
		return 2
		;;
	30?) say "$method $server$path: answered $code, weir is somewhere else; is $server its URL?" ;;
	401 | 403) say "$method $server$path: answered $code: $(words_of "$tmp/answer") (--curl-config)" ;;
	*) say "$method $server$path: answered $code: $(words_of "$tmp/answer")" ;;
	esac
	return 1
}

# Until when what was pushed is shown, which is-pushing reads.
was_taken() {
	lives=$ttl
	[ "$lives" -gt 0 ] || lives=$usual_ttl
	{ echo $(($(now) + lives)) >"$tmp/taken" && mv -f "$tmp/taken" "${lock_file%.lock}.taken"; } || :
}

# Has the page at URL in FILE, whole, or says why not. Nothing of an earlier page can be in it. Usually
# the page is an exporter's, which gets no password of weir's.
fetch() { # URL FILE [CURL-CONFIG]
	rm -f "$2"
	ask -q -sS -g ${3:+-K "$3"} --max-time "$(seconds "$timeout")" --max-filesize "$page_limit" \
		--proto =http,https -H 'Accept: text/plain; version=0.0.4' \
		-o "$2" -w '%{http_code}' --url "$1" || {
		say "$1: $(words_of "$tmp/curl")"
		return 1
	}
	if [ "$code" != 200 ]; then
		say "$1: answered $code: $(words_of "$2")"
	elif [ ! -s "$2" ]; then
		say "$1: the page is empty"
	elif ! is_whole "$2"; then
		say "$1: the page is cut in its last line"
	else
		return 0
	fi
	return 1
}

# Pushes the page at a URL to a path, with a line that says that it is there; or that line alone, that it
# is not: then the group has nothing that looks alive.
relay() { # URL PATH METRIC DURATION [CURL-CONFIG]
	fetched=$(now)
	if fetch "$1" "$tmp/page" "${5:-}"; then
		printf '# TYPE %s gauge\n%s 1\n# TYPE %s gauge\n%s %s\n' "$3" "$3" \
			"$4" "$4" "$(seconds $(($(now) - fetched)))" >>"$tmp/page"
		pushed=0
		send PUT "$2" "$tmp/page" || pushed=$?
		[ "$pushed" -eq 1 ] || return "$pushed"
	fi
	printf '# TYPE %s gauge\n%s 0\n' "$3" "$3" >"$tmp/marker"
	send PUT "$2" "$tmp/marker" || return
	return 1
}

# Keeps those lines of a script's that are metrics, and counts the others: lines.awk says how.
keep_good_lines() { # PREFIX OWN-NAMES FILE [GROUPING-LABEL...]
	prefix=$1 own=$2
	lines=$3
	shift 3
	tr '\000' '\001' <"$lines" | # not every awk can read it
		prefix=$prefix own=$own unwanted=${unwanted:-} grouping="$*${site:+ site}" awk -f "$here/text.awk" -f "$here/lines.awk" 2>"$tmp/dropped"
	while read -r line; do
		say "$line"
	done <"$tmp/dropped"
}

# Prints a page, or pushes it.
publish() { # IS-PRINTED PATH FILE
	if [ -n "$1" ]; then
		cat "$3"
	else
		send PUT "$2" "$3"
	fi
}
