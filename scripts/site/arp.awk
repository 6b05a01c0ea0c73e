# usage: awk -f text.awk -f arp.awk -v hosts=FILE TABLE
#
# The complete rows of a table as /proc/net/arp has it, as samples. Ends with 1 if it is
# no such table, or is not whole. hosts is a file as /etc/hosts.

BEGIN {
	while ((getline line < hosts) > 0) {
		sub(/#.*/, "", line)
		count = split(line, word)
		if (count > 1 && !(word[1] in name_of) && is_utf8(word[2])) {
			name_of[word[1]] = word[2]
		}
	}
}

NR == 1 {
	has_head = $1 == "IP" && $2 == "address"
	next
}

NF != 6 || $1 !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ || $3 !~ /^0x[0-9a-fA-F]+$/ ||
		$4 !~ /^(\*|[0-9a-fA-F][0-9a-fA-F](:[0-9a-fA-F][0-9a-fA-F])*)$/ {
	is_broken = 1
	exit
}

# Complete is the second bit of the flags.
$3 ~ /[2367abefABEF]$/ && $4 !~ /^(\*|[0:]*)$/ {
	printf "arp_entry_info{hostname=\"%s\",ip_address=\"%s\",mac_address=\"%s\"} 1\n",
		escaped($1 in name_of ? name_of[$1] : "no_name"), $1, $4
}

END {
	exit is_broken || !has_head
}
