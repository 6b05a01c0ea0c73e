# usage: host1=... host2=... switch1=... awk -f text.awk -f l2.awk -v now=TIME -v max_age=SECONDS PAGE
#
# The checks of a layer 2 path from a page of weir's. What is older than max_age is not
# there; 0 is for ever. Takes what push-arp, push-snmp and push-page push, and what
# sense-rtmon's own exporters do.

BEGIN {
	host[1] = ENVIRON["host1"]
	host[2] = ENVIRON["host2"]
	address[1] = ENVIRON["address1"] != "" ? ENVIRON["address1"] : host[1]
	address[2] = ENVIRON["address2"] != "" ? ENVIRON["address2"] : host[2]
	mac[1] = ENVIRON["mac1"]
	mac[2] = ENVIRON["mac2"]
	switches = split(ENVIRON["switch1"] " " ENVIRON["switch2"], switch_address, " ")
	vlan = ENVIRON["vlan"] == "" ? "" : "_" ENVIRON["vlan"]
	m = switches > 1 ? "m_" : ""
}

# Samples of no interest are most of the page: those of other metrics or instances are not kept.
/^(arp_|ARP_|ping_success|Success_1_failure_0|dot1|go_gc|node_|push_time_seconds)/ && /[{,]instance="/ {
	if (!read_sample($0)) {
		next
	}
	which = label["instance"] == host[1] ? 1 : label["instance"] == host[2] ? 2 : 0
	if (which == 0) {
		next
	}
	if (metric == "push_time_seconds") {
		keep_group()
	} else if (label["job"] ~ /^(arpMetrics|snmp-exporter|node-exporter)$/) {
		samples++
		sample[samples] = $0
	}
}

# Reads a line to metric, label[] and value.
function read_sample(line,    name, text) {
	split("", label)
	match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)
	metric = substr(line, 1, RLENGTH)
	line = substr(line, RLENGTH + 2)
	while (match(line, /^[a-zA-Z_][a-zA-Z0-9_]*="/)) {
		name = substr(line, 1, RLENGTH - 2)
		line = substr(line, RLENGTH + 1)
		if (!match(line, /^([^"\\]|\\.)*"/)) {
			return 0
		}
		text = substr(line, 1, RLENGTH - 1)
		line = substr(line, RLENGTH + 1)
		label[name] = unescaped(text)
		sub(/^,/, "", line)
	}
	value = substr(line, 3) + 0
	return substr(line, 1, 2) == "} "
}

# A group by its labels. Of the labels of a sample some are those of its group.
function keep_group(    name) {
	groups++
	pushed_at[groups] = value
	for (name in label) {
		group_label[groups, name] = label[name]
		names_of[groups] = names_of[groups] " " name
	}
}

# When the group of the sample that was read was pushed: that with most labels which are all the sample's.
function sample_time(    g, i, count, word, most, found) {
	for (g = 1; g <= groups; g++) {
		count = split(names_of[g], word, " ")
		for (i = 1; i <= count; i++) {
			if (label[word[i]] != group_label[g, word[i]]) {
				break
			}
		}
		if (i > count && count > most) {
			most = count
			found = pushed_at[g]
		}
	}
	return found + 0
}

# What one fresh sample tells of the host that it is from.
function take(    me, other) {
	me = label["instance"] == host[1] ? 1 : 2
	if (label["job"] == "arpMetrics") {
		take_arp(me, 3 - me)
	} else if (label["job"] == "snmp-exporter" && metric ~ /^dot1/) {
		snmp_on[me] = 1
		if (label["dot1dTpFdbAddress"] != "") {
			forwards[label["target_switch"], toupper(label["dot1dTpFdbAddress"])] = 1
		}
	} else if (label["job"] == "node-exporter" && metric ~ /^(go_gc|node_)/) {
		node_on[me] = 1
	}
}

function take_arp(me, other) {
	if (metric == "arp_table_up") {
		is_unread[me] = value == 0
		return
	}
	arp_on[me] = 1
	if (metric == "arp_entry_info" || metric == "ARP_Table") {
		row[me, label["ip_address"]] = label["mac_address"]
	} else if (metric == "ping_success" && label["target"] == address[other] && value == 1 ||
			metric == "Success_1_failure_0" && label["ping_this_ip"] == address[other] && label["ping_status"] == 1) {
		reaches[me] = 1
	}
}

function show(name, of, is_true) {
	printf "%s{host=\"%s\"} %d\n", name, escaped(of), is_true
}

function has_row(me, of) {
	return of != "" && ((me, of) in row)
}

END {
	for (s = 1; s <= samples; s++) {
		read_sample(sample[s])
		if (max_age == 0 || now - sample_time() <= max_age) {
			take()
		}
	}
	for (h = 1; h <= 2; h++) {
		o = 3 - h
		show(m "host" h "_arp_on", host[h], arp_on[h] && !is_unread[h])
		show(m "host" h "_ping_status", host[h], reaches[h])
		show(m "host" h "_snmp_mac_status", host[h], has_row(h, switch_address[1]))
		if (switches > 1) {
			show(m "host" h "_snmp_mac_status2", host[h], has_row(h, switch_address[2]))
		}
		show(m "host" h "_has_host" o "_arp", host[h], has_row(h, address[o]))
		show(m "host" h "_snmp_on" vlan, host[h], snmp_on[h])
		show(m "host" h "_node_on", host[h], node_on[h])
		hardware = toupper(mac[h] != "" ? mac[h] : has_row(o, address[h]) ? row[o, address[h]] : "")
		for (s = 1; s <= switches; s++) {
			show(m "switch_host" h "_mac" vlan, switch_address[s],
				hardware != "" && ((switch_address[s], hardware) in forwards))
		}
	}
}
