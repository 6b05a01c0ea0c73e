# shellcheck shell=sh
# usage: here=...; . "$here/lib.sh", from the scripts beside it
#
# What the scripts for sites have in common: settings, one run at a time, runs
# in turn, and by requests.sh requests to weir. Needs a POSIX shell and tools, and curl.

# Options of all scripts for sites:
#
#   --instance=NAME      the label instance; default MYIP, or the host's name
#   --site=NAME          the label site, for several sites on one weir; default WEIR_SITE,
#                        or no such label
#   --server=URL         weir; default PUSHGATEWAY_SERVER, or http://localhost:9091
#   --curl-config=FILE   what curl -K reads, for passwords and certificates;
#                        default WEIR_CURL_CONFIG
#   --timeout=DURATION   for the source; default 10, or --every if that is less
#   --push-timeout=...   for weir; default 10
#   --ttl=DURATION       how long weir shows what was pushed; default 3m, or four times
#                        --every and the timeouts; 0: as weir is set up
#   --every=DURATION     runs again and again, until SIGTERM
#   --for=DURATION       only so long: --every=15 --for=50 is for cron
#   --splay=DURATION     waits for up to so long first, at random
#   --longest-wait=...   between two tries while weir is away; default 1m
#   --state-dir=DIR      for locks and passing files; default WEIR_SITE_DIR, or a
#                        directory below /run, XDG_RUNTIME_DIR or /tmp
#
# Durations are written as 15, 0.5s, 90s, 1h30m or 7d.
# Exits with 0, with 1 if something failed, with 2 if it was called wrongly.

LC_ALL=C # to awk and tr a byte is a byte, whatever language the site speaks
export LC_ALL
# A proxy of the site's, in http_proxy, is for what is elsewhere.
no_proxy=localhost,127.0.0.1,::1,${no_proxy:-${NO_PROXY:-}}
export no_proxy
callers_umask=$(umask)
umask 077

me=${0##*/}
server=${PUSHGATEWAY_SERVER:-http://localhost:9091}
instance=${MYIP:-$(uname -n)}
site=${WEIR_SITE:-}
curl_config=${WEIR_CURL_CONFIG:-}
state_dir=${WEIR_SITE_DIR:-}
# Times are in hundredths of a second.
every='' for_='' ttl='' timeout='' push_timeout=1000 splay=0 longest_wait=6000
gzip_from=65536 # bytes
page_limit=67108864
lock_file='' lock_is_mine='' tmp='' children='' fractions=''

say() {
	printf '%s: %s\n' "$me" "$*" >&2
}

fail() {
	say "$*"
	exit 1
}

misused() {
	say "$* ($me -h tells how it is called)"
	exit 2
}

# The comment at the top of the script is its help, and one above.
show_help() {
	sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$0"
	echo
	sed -n -e '/^# Options of all/,/^$/s/^#* \{0,1\}//p' "${here:?}/lib.sh"
	exit 0
}

need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed, and is needed"
	done
}

# --- settings ---

# An option that all scripts know; false if it is none.
common_option() {
	case $1 in
	-h | --help) show_help ;;
	--server=?*) server=${1#*=} ;;
	--instance=?*) instance=${1#*=} ;;
	--site=*) site=${1#*=} ;;
	--curl-config=?*) curl_config=${1#*=} ;;
	--state-dir=?*) state_dir=${1#*=} ;;
	--every=?*) every=$(duration "$1") || exit ;;
	--for=?*) for_=$(duration "$1") || exit ;;
	--ttl=?*) ttl=$(duration "$1") || exit ;;
	--timeout=?*) timeout=$(duration "$1") || exit ;;
	--push-timeout=?*) push_timeout=$(duration "$1") || exit ;;
	--splay=?*) splay=$(duration "$1") || exit ;;
	--longest-wait=?*) longest_wait=$(duration "$1") || exit ;;
	*) return 1 ;;
	esac
}

# Hundredths of a second, of --name=15, 0.5s, 90s, 1h30m or 7d.
duration() {
	text=${1#*=}
	case $text in
	0 | *[!0-9]* | 0* | ?????????*) ;;
	*)
		echo "${text}00"
		return
		;;
	esac
	text=$text awk 'BEGIN {
		text = ENVIRON["text"]
		if (text ~ /^[0-9]+(\.[0-9]+)?$/) { text = text "s" }
		if (text !~ /^([0-9]+(\.[0-9]+)?[smhd])+$/) exit 1
		unit["s"] = 100; unit["m"] = 6000; unit["h"] = 360000; unit["d"] = 8640000
		while (match(text, /^[0-9.]+/)) {
			sum += substr(text, 1, RLENGTH) * unit[substr(text, RLENGTH + 1, 1)]
			text = substr(text, RLENGTH + 2)
		}
		if (sum > 1e12) exit 1
		printf "%.0f", sum
	}' || misused "'$1': a duration is written as 15, 0.5s, 90s, 1h30m or 7d"
}

# Seconds, as others are told them.
seconds() {
	printf '%d.%02d' $(($1 / 100)) $(($1 % 100))
}

# Calls a function with the words of a list, which are between blanks, commas or lines, and no patterns.
for_words() {
	function=$2
	set -f
	# shellcheck disable=SC2046 # one word each
	set -- $(printf %s "$1" | tr ',' ' ')
	set +f
	"$function" "$@"
}

# Looks at what was set, and sets what was not.
settle() {
	need curl awk od
	settle_server
	[ -z "$every" ] || [ "$every" -ge 10 ] || misused "--every is at least 0.1 seconds"
	[ -z "$for_" ] || [ -n "$every" ] || misused "--for is how long --every goes on"
	if [ -z "$timeout" ]; then
		timeout=1000
		if [ "${every:-0}" -ge 100 ] && [ "$every" -lt 1000 ]; then
			timeout=$every
		fi
	fi
	[ "$timeout" -gt 0 ] || misused "--timeout is more than 0"
	[ "$push_timeout" -gt 0 ] || misused "--push-timeout is more than 0"
	usual_ttl=18000 # what cron calls once a minute may fail twice
	[ -z "$every" ] || usual_ttl=$((every * 4 + timeout + push_timeout + 1000))
	[ -n "$ttl" ] || ttl=$usual_ttl
	check_config "$curl_config" --curl-config
}

# A file for curl -K, if there is one.
check_config() { # FILE OPTION
	[ -n "$1" ] || return 0
	[ -r "$1" ] || fail "$1: cannot be read ($2)"
	[ -z "$(find -H "$1" -prune -perm -004)" ] ||
		say "$1: everybody can read it; chmod 600 makes it private"
}

# URLs are in the list of processes, and in what is said of faults.
refuse_password_in() { # URL WHAT-ELSE
	authority=${1#*://}
	case ${authority%%[/?#]*} in
	*@*) misused "the URL of ${1##*@} has a password, which the list of processes would show$2" ;;
	esac
}

settle_server() {
	case $server in
	*[[:space:]\"\\]*) misused "'$server' is no URL" ;;
	http://* | https://*) ;;
	*://*) misused "'$server': a URL of weir begins with http:// or https://" ;;
	*) server=http://$server ;;
	esac
	case ${server#*://} in
	/* | '') misused "'$server' names no host" ;;
	esac
	: "$instance" "$callers_umask" # which only the scripts read
	refuse_password_in "$server" "; put it into a file: --curl-config"
	while [ "$server" != "${server%/}" ]; do
		server=${server%/}
	done
}

# --- one run at a time ---

# Makes this the only run of that name, and $tmp, a directory that goes with it.
begin() {
	make_state_dir
	trap 'leave' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	trap 'exit 129' HUP
	lock_file=$state_dir/$1.lock
	if command -v flock >/dev/null 2>&1; then
		true 2>/dev/null >>"$lock_file" || fail "$lock_file: cannot be written (--state-dir)"
		exec 9>>"$lock_file"
		flock -n 9 || busy
	else
		lock_by_link || busy
	fi
	tmp=$state_dir/$1.tmp
	rm -rf "$tmp" # of a run that was killed
	mkdir "$tmp" || fail "$tmp: cannot be made"
}

# For what may run several times at once: a name of its own, which goes with the run.
begin_one_of_many() {
	begin "$1-$$"
	lock_is_mine=yes
}

busy() {
	fail "another run is not done yet ($lock_file); nothing was done"
}

leave() {
	end_children
	[ -z "$tmp" ] || rm -rf "$tmp"
	[ -z "$lock_is_mine" ] || rm -f "$lock_file"
}

make_state_dir() {
	if [ -n "$state_dir" ]; then
		mkdir -p "$state_dir" || fail "$state_dir: cannot be made (--state-dir)"
		found=$(find -H "$state_dir" -prune -type d -user "$(id -u)")
	else
		state_dir=${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/weir-site-$(id -u)
		[ "$(id -u)" -ne 0 ] || [ ! -d /run ] || state_dir=/run/weir-site
		mkdir -p "$state_dir" || fail "$state_dir: cannot be made (--state-dir)"
		# In /tmp somebody else may have made it first, or a link of that name.
		found=$(find "$state_dir" -prune -type d -user "$(id -u)")
	fi
	[ -n "$found" ] || fail "$state_dir: is not a directory of this user (--state-dir)"
}

# A process by its number and the time of its start, since numbers are used again.
process_mark() {
	if [ -r "/proc/$1/stat" ]; then
		sed -e 's/.*) //' "/proc/$1/stat" | awk -v id="$1" '{ print id, $20 }'
	elif kill -0 "$1" 2>/dev/null; then
		echo "$1"
	fi
}

# True if the process of a lock is gone.
is_stale() {
	mark=$(cat "$1" 2>/dev/null) || return 1
	[ -n "$mark" ] && [ "$(process_mark "${mark%% *}")" != "$mark" ]
}

# Without flock: a link can be made once, and has its content from the start, as a directory has not.
# Only who has the link .next may replace a stale lock, so that no two do, one of them too late.
lock_by_link() {
	own=$lock_file.$$
	process_mark $$ >"$own" || fail "$own: cannot be written"
	if ln "$own" "$lock_file" 2>/dev/null; then
		lock_is_mine=yes
	elif is_stale "$lock_file"; then
		! is_stale "$lock_file.next" || rm -f "$lock_file.next"
		if ln "$own" "$lock_file.next" 2>/dev/null; then
			if is_stale "$lock_file"; then
				say "the run before was killed; its lock is taken over"
				mv -f "$lock_file.next" "$lock_file"
				lock_is_mine=yes
			else
				rm -f "$lock_file.next"
			fi
		fi
	fi
	rm -f "$own"
	[ -n "$lock_is_mine" ]
}

# --- runs in turn ---

# Runs a command once, or with --every again and again. It ends with 0, with 1 if something failed, and
# with 2 if weir was not there.
run() {
	[ "$splay" -eq 0 ] || pause "$(random_below "$splay")"
	[ -n "$every" ] || run_once "$@"
	trap 'exit 0' TERM INT HUP
	began=$(now)
	misses=0
	while :; do
		outcome=0
		"$@" || outcome=$?
		[ "$outcome" -eq 2 ] && misses=$((misses + 1)) || misses=0
		next=$(next_time)
		[ -z "$for_" ] || [ $((next - began)) -lt "$for_" ] || exit 0
		pause $((next - $(now)))
	done
}

run_once() {
	"$@" || exit 1
	exit 0
}

# Turns are counted from the start, so that what one takes does not move the next; each has up to a
# fiftieth of jitter. While weir is away the waits double, and are random, so that sites do not return
# all at once.
next_time() {
	time=$(now)
	if [ "$misses" -gt 0 ]; then
		wait=$((every << (misses < 10 ? misses : 10)))
		longest=$longest_wait
		[ "$longest" -gt "$every" ] || longest=$every
		[ "$wait" -lt "$longest" ] || wait=$longest
		echo $((time + wait / 2 + $(random_below $((wait / 2)))))
	else
		turn=$(((time - began + every / 50) / every + 1))
		echo $((began + turn * every - every / 50 + $(random_below $((every / 25)))))
	fi
}

# Hundredths of a second on a clock that nobody sets, where there is one.
now() {
	if read -r uptime _ 2>/dev/null </proc/uptime; then
		echo "${uptime%.*}${uptime#*.}"
	else
		echo "$(date +%s)00"
	fi
}

random_below() {
	[ "$1" -gt 1 ] || {
		echo 0
		return
	}
	od -An -N3 -tu1 /dev/urandom | awk -v below="$1" '{ print ($1 * 65536 + $2 * 256 + $3) % below }'
}

# Waits so many hundredths; a signal ends it at once, as it would not end a sleep in front of the shell.
pause() {
	[ "$1" -gt 0 ] || return 0
	if [ -z "$fractions" ]; then
		fractions=no
		! sleep 0.01 2>/dev/null || fractions=yes
	fi
	for_seconds=$(($1 / 100 + 1))
	[ "$fractions" = no ] || for_seconds=$(seconds "$1")
	patiently sleep "$for_seconds" || :
}

# Runs a command that may take long; in front of the shell it would keep signals waiting. The lock is not its own.
patiently() {
	"$@" 9>&- &
	began_too $!
	outcome_of $!
}

# A process in the background that ends with this one.
began_too() {
	children="$children $1 "
}

outcome_of() {
	ended_with=0
	wait "$1" || ended_with=$?
	children=${children%" $1 "*}${children##*" $1 "}
	return "$ended_with"
}

# Waits for their end, too, so that the next run finds nothing of this one.
end_children() {
	for child in $children; do
		kill "$child" 2>/dev/null || :
	done
	for child in $children; do
		wait "$child" 2>/dev/null || :
	done
	children=''
}

# Makes a subshell that is to end with this one end what it began itself.
is_child() {
	children=''
	trap - EXIT
	trap 'end_children; exit 143' TERM
	trap - INT HUP
}

# shellcheck source=scripts/site/requests.sh
. "$here/requests.sh"
