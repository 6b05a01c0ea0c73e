# usage: awk -f text.awk -f community.awk FILE
#
# The one line of FILE, as it stands in YAML. It is read here, and by no shell, so that it is no
# argument of anything, which ps would show. Ends with 1 and says why if there is no such line.

NR == 1 {
	community = $0
}

NR > 1 && $0 != "" {
	is_longer = 1
}

function wrong(what) {
	print what >"/dev/stderr"
	is_wrong = 1
	exit 1
}

END {
	if (is_wrong) {
		exit 1
	} else if (community == "") {
		wrong("its first line is to be the community, and is empty")
	} else if (is_longer) {
		wrong("it has more than one line")
	} else if (length(community) > 255) {
		wrong("a community has 255 bytes at most")
	} else if (community ~ /[\001-\037\177]|\302[\200-\237]/ || !is_utf8(community)) {
		wrong("it has bytes that are no text, such as the CR of an end of line")
	}
	printf "\"%s\"\n", escaped(community)
}
