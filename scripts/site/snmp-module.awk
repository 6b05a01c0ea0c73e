# usage: awk -f snmp-module.awk FILE
#
# The inside of the one module of an snmp.yml that snmp_exporter's generator made, in either of
# the forms that it has had, without what is written anew: who asks, how often and for how long.

/^#/ {
	next
}

/^[a-z]/ {
	is_nested = $1 == "modules:"
	is_left_out = $1 == "auths:" || $1 == "version:"
	depth = is_nested ? 4 : 2
	next
}

is_left_out || match($0, /^ */) && RLENGTH < depth {
	next
}

{
	line = substr($0, depth + 1)
	if (line ~ /^[a-z]/) {
		is_other = line ~ /^(version|auth|retries|timeout):/
	}
	if (!is_other) {
		print line
	}
}
