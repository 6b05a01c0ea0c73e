# usage: host1=... host2=... switch1=... awk -f text.awk -f l2.awk -v now=TIME -v max_age=SECONDS PAGE
#
# The checks of a layer 2 path from a page of weir's. What is older than max_age is not
# there; 0 is for ever. Takes what push-arp, push-snmp and push-page push, and what
# sense-rtmon's own exporters do: those with a job each, and those whose tasks push
# arp_state and mac_table_info, all to the job `single`.

BEGIN {
	host[1] = ENVIRON["host1"]
	host[2] = ENVIRON["host2"]
	address[1] = ENVIRON["address1"] != "" ? ENVIRON["address1"] : host[1]
	address[2] = ENVIRON["address2"] != "" ? ENVIRON["address2"] : host[2]
	mac[1] = ENVIRON["mac1"]
	mac[2] = ENVIRON["mac2"]
	switches = split(ENVIRON["switch1"] " " ENVIRON["switch2"], switch_address, " ")
	for (s = 1; s <= switches; s++) {
		is_switch[switch_address[s]] = 1
	}
	kind["arpMetrics"] = "arp"
	kind["snmp-exporter"] = "snmp"
	kind["node-exporter"] = "node"
	vlan = ENVIRON["vlan"] == "" ? "" : "_" ENVIRON["vlan"]
	m = switches > 1 ? "m_" : ""
}

# Samples of no interest are most of the page: those of other metrics or instances are not kept.
/^(arp_|ARP_|ping_success|Success_1_failure_0|dot1|mac_table_info|go_gc|node_|push_time_seconds)/ && /[{,]instance="/ {
	if (!read_sample($0)) {
		next
	}
	which = number_of_host()
	if (metric == "push_time_seconds") {
		if (which != 0 || label["instance"] == "" || label["instance"] in is_switch) {
			keep_group()
		}
	} else if (metric == "mac_table_info" ? is_of_path() : which != 0 && kind_of_sample() != "") {
		samples++
		sample[samples] = $0
	}
}

# 1 or 2; 0: the sample is of another instance.
function number_of_host() {
	return label["instance"] == host[1] ? 1 : label["instance"] == host[2] ? 2 : 0
}

function kind_of_sample() {
	if (metric == "arp_state" || metric == "mac_table_info") {
		return metric
	}
	if (label["job"] != "single") {
		return kind[label["job"]]
	}
	return metric ~ /^dot1/ ? "snmp" : metric ~ /^(go_gc|node_)/ ? "node" : "arp"
}

# The switch that a row of a table of hardware addresses is from, if it names one of the path.
function switch_of_row() {
	return label["target_switch"] in is_switch ? label["target_switch"] : \
		label["hostname"] in is_switch ? label["hostname"] : \
		label["instance"] in is_switch ? label["instance"] : ""
}

# It is from a switch of the path, or names none, and is of the VLAN, if it names one.
function is_of_path(    of) {
	of = label["vlan"]
	sub(/^[Vv][Ll][Aa][Nn][ _-]*/, "", of)
	if (of != "" && ENVIRON["vlan"] != "" && of != ENVIRON["vlan"]) {
		return 0
	}
	return switch_of_row() != "" || \
		label["target_switch"] == "" && (label["instance"] == "" || number_of_host() != 0)
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

# A group by its labels. Of the labels of a sample some are those of its group. An empty one is none.
function keep_group(    name) {
	groups++
	pushed_at[groups] = value
	groups_of[label["job"]] = groups_of[label["job"]] " " groups
	for (name in label) {
		if (label[name] != "") {
			group_label[groups, name] = label[name]
			names_of[groups] = names_of[groups] " " name
		}
	}
}

# When the group of the sample that was read was pushed: that with most labels which are all the sample's.
function sample_time(    number, g, i, count, word, most, found, all, j) {
	all = split(groups_of[label["job"]], number, " ")
	for (j = 1; j <= all; j++) {
		g = number[j]
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
function take(    me, of) {
	me = number_of_host()
	of = kind_of_sample()
	if (of == "arp_state") {
		arp_on[me] = 1
		if (digits(label["HWaddress"]) !~ /^0*$/) {
			row[me, label["IPaddress"]] = label["HWaddress"]
		}
	} else if (of == "mac_table_info") {
		take_mac_table(me)
	} else if (of == "arp") {
		take_arp(me, 3 - me)
	} else if (of == "snmp" && metric ~ /^dot1/) {
		snmp_on[me] = 1
		if (label["dot1dTpFdbAddress"] != "") {
			forwards[label["target_switch"], digits(label["dot1dTpFdbAddress"])] = 1
		}
	} else if (of == "node" && metric ~ /^(go_gc|node_)/) {
		node_on[me] = 1
	}
}

# What no host of the path has pushed is on for both. A table that names no switch is that of each.
function take_mac_table(me,    s) {
	if (me != 0) {
		snmp_on[me] = 1
	} else {
		snmp_on[1] = snmp_on[2] = 1
	}
	for (s = 1; s <= switches; s++) {
		if (switch_of_row() == "" || switch_of_row() == switch_address[s]) {
			forwards[switch_address[s], digits(label["macaddress"])] = 1
		}
	}
}

# A hardware address in whatever way it is written.
function digits(text) {
	gsub(/[^0-9A-Fa-f]/, "", text)
	return toupper(text)
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
		hardware = digits(mac[h] != "" ? mac[h] : has_row(o, address[h]) ? row[o, address[h]] : "")
		for (s = 1; s <= switches; s++) {
			show(m "switch_host" h "_mac" vlan, switch_address[s],
				hardware != "" && ((switch_address[s], hardware) in forwards))
		}
	}
}
