# shellcheck shell=sh
# usage: . scripts/lib/build.sh; build NAME MESON-OPTION...
#
# Builds build/NAME, which Meson sets up the first time. Shows the output only
# when it fails. Options that differ from last time set it up anew.

build() (
	directory=${root:?}/build/$1
	name=$1
	shift
	mkdir -p "$directory"
	log=$directory/build.log
	if [ ! -e "$directory/build.ninja" ] || [ "$(cat "$directory/options" 2>/dev/null)" != "$*" ]; then
		rm -rf "$directory"
		mkdir -p "$directory"
		echo "setting up build/$name" >&2
		if ! meson setup "$directory" "$root" "$@" >"$log" 2>&1; then
			cat "$log" >&2
			rm -rf "$directory"
			return 1
		fi
		echo "$*" >"$directory/options"
	fi
	echo "building build/$name" >&2
	if ! ninja -C "$directory" >"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
)
