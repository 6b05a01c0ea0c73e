# usage: awk -f snmp.awk [-v unknown=FILE] OIDS
#
# What snmp_exporter has to know of the OIDs in a file, a line each, as the inside of a module
# of its snmp.yml: what to ask a switch for, and which metrics come of it. The objects known here are those that
# every switch has, by their numbers; for others there are MIBs, and a generator that reads
# them. Ends with 3 if there are such, and names them in the file unknown.

BEGIN {
	subtree("system", "1.3.6.1.2.1.1")
	scalars("1.3.6.1.2.1.1", "1 sysDescr DisplayString, 3 sysUpTime gauge, 4 sysContact DisplayString," \
		"5 sysName DisplayString, 6 sysLocation DisplayString, 7 sysServices gauge")
	subtree("interfaces", "1.3.6.1.2.1.2")
	scalars("1.3.6.1.2.1.2", "1 ifNumber gauge")
	table("ifTable", "1.3.6.1.2.1.2.2", "ifEntry", "ifIndex gauge", "1 ifIndex gauge, 2 ifDescr lookup," \
		"3 ifType gauge, 4 ifMtu gauge, 5 ifSpeed gauge, 6 ifPhysAddress PhysAddress48," \
		"7 ifAdminStatus gauge, 8 ifOperStatus gauge, 9 ifLastChange gauge, 10 ifInOctets counter," \
		"11 ifInUcastPkts counter, 12 ifInNUcastPkts counter, 13 ifInDiscards counter," \
		"14 ifInErrors counter, 15 ifInUnknownProtos counter, 16 ifOutOctets counter," \
		"17 ifOutUcastPkts counter, 18 ifOutNUcastPkts counter, 19 ifOutDiscards counter," \
		"20 ifOutErrors counter, 21 ifOutQLen gauge")
	table("ifXTable", "1.3.6.1.2.1.31.1.1", "ifXEntry", "ifIndex gauge", "1 ifName lookup," \
		"2 ifInMulticastPkts counter, 3 ifInBroadcastPkts counter, 4 ifOutMulticastPkts counter," \
		"5 ifOutBroadcastPkts counter, 6 ifHCInOctets counter, 7 ifHCInUcastPkts counter," \
		"8 ifHCInMulticastPkts counter, 9 ifHCInBroadcastPkts counter, 10 ifHCOutOctets counter," \
		"11 ifHCOutUcastPkts counter, 12 ifHCOutMulticastPkts counter, 13 ifHCOutBroadcastPkts counter," \
		"14 ifLinkUpDownTrapEnable gauge, 15 ifHighSpeed gauge, 16 ifPromiscuousMode gauge," \
		"17 ifConnectorPresent gauge, 18 ifAlias lookup, 19 ifCounterDiscontinuityTime gauge")
	table("dot1dTpFdbTable", "1.3.6.1.2.1.17.4.3", "dot1dTpFdbEntry", "dot1dTpFdbAddress PhysAddress48",
		"1 dot1dTpFdbAddress PhysAddress48, 2 dot1dTpFdbPort gauge, 3 dot1dTpFdbStatus gauge")
}

function subtree(name, oid) {
	oid_of[name] = oid
}

function scalars(base, text) {
	objects(base, text, "")
}

function table(name, oid, entry, index_, text) {
	subtree(name, oid)
	subtree(entry, oid ".1")
	objects(oid ".1", text, index_)
}

# A lookup is a label of all objects of its index, and a metric only if it is asked for by itself.
function objects(base, text, index_,    count, i, row, field) {
	count = split(text, row, ",")
	for (i = 1; i <= count; i++) {
		split(row[i], field, " ")
		all++
		oid[all] = base "." field[1]
		name[all] = field[2]
		type[all] = field[3]
		index_of[all] = index_
		oid_of[field[2]] = oid[all]
	}
}

{
	asked = $1 in oid_of ? oid_of[$1] : $1
	if (!is_known(asked)) {
		is_unknown = 1
		print $1 >unknown
	} else if (!(asked in seen)) {
		seen[asked] = 1
		wish[++wishes] = asked
	}
}

function is_below(under, over) {
	return under == over || index(under, over ".") == 1
}

# A subtree that has known objects, but nothing which is none; an object, or a row of one.
function is_known(asked,    i) {
	for (i in oid_of) {
		if (asked == oid_of[i]) {
			return 1
		}
	}
	for (i = 1; i <= all; i++) {
		if (is_below(asked, oid[i])) {
			return index_of[i] != "" || asked == oid[i] ".0"
		}
	}
	return 0
}

# An object that is asked for: by itself, or one row of it, or below a subtree.
function is_wanted(i,    w) {
	for (w = 1; w <= wishes; w++) {
		if (is_below(wish[w], oid[i]) || (type[i] != "lookup" && is_below(oid[i], wish[w]))) {
			return 1
		}
	}
	return 0
}

# What is asked for as it stands, instead of all that is below it: scalars, and rows.
function ask(asked,    i, l) {
	for (i = 1; i <= all; i++) {
		if (index_of[i] == "" && is_below(asked, oid[i])) {
			add(get, oid[i] ".0")
			return
		} else if (asked != oid[i] && is_below(asked, oid[i])) {
			add(get, asked)
			for (l = 1; l <= all; l++) {
				if (type[l] == "lookup" && index_of[l] == index_of[i]) {
					add(get, oid[l] substr(asked, length(oid[i]) + 1))
				}
			}
			return
		}
	}
	add(walk, asked)
}

function add(list, asked) {
	if (!((list, asked) in listed)) {
		listed[list, asked] = 1
		list_of[list, ++count_of[list]] = asked
	}
}

function show_list(list,    i, k, is_covered, shown) {
	for (i = 1; i <= count_of[list]; i++) {
		is_covered = 0
		for (k = 1; k <= count_of[walk]; k++) {
			is_covered += list_of[list, i] != list_of[walk, k] && is_below(list_of[list, i], list_of[walk, k])
		}
		if (!is_covered) {
			printf "%s- %s\n", shown++ ? "" : list ":\n", list_of[list, i]
		}
	}
}

function show_index(i,    field) {
	split(index_of[i], field, " ")
	printf "  indexes:\n  - labelname: %s\n    type: %s\n", field[1], field[2]
	if (field[2] == "PhysAddress48") {
		print "    fixed_size: 6"
	}
}

function show_lookups(i,    l, field, shown) {
	split(index_of[i], field, " ")
	for (l = 1; l <= all; l++) {
		if (type[l] == "lookup" && index_of[l] == index_of[i]) {
			printf "%s  - labels: [%s]\n    labelname: %s\n    oid: %s\n    type: DisplayString\n",
				shown++ ? "" : "  lookups:\n", field[1], name[l], oid[l]
		}
	}
}

END {
	if (is_unknown) {
		exit 3
	}
	get = "get"
	walk = "walk"
	for (i = 1; i <= wishes; i++) {
		ask(wish[i])
	}
	add_lookups()
	show_list(walk)
	show_list(get)
	print "metrics:"
	for (i = 1; i <= all; i++) {
		if (!is_wanted(i)) {
			continue
		}
		printf "- name: %s\n  oid: %s\n  type: %s\n  help: SNMP object %s - %s\n", name[i], oid[i],
			type[i] == "lookup" ? "DisplayString" : type[i], name[i], oid[i]
		if (index_of[i] != "") {
			show_index(i)
			show_lookups(i)
		}
	}
}

# Their columns are walked with those that they are labels of.
function add_lookups(    i, w, l) {
	for (w = 1; w <= wishes; w++) {
		for (i = 1; i <= all; i++) {
			for (l = 1; is_below(oid[i], wish[w]) && l <= all; l++) {
				if (type[l] == "lookup" && index_of[l] == index_of[i]) {
					add(walk, oid[l])
				}
			}
		}
	}
}
