#pragma once

/*
 * Queries of a flow's panels: patterns in which these stand for what is to be selected,
 *
 *	%N	site=~"$site",instance=~"(a|192\\.0\\.2\\.1)(:[0-9]+)?"		of hosts
 *		site=~"$site",target_switch=~"(s)"				of switches
 *	%P	the same, and their ports: device=~"(eth0)", ifName=~"(1/1)"
 *	%O	"(192\\.0\\.2\\.1)", the addresses of hosts' ports
 *	%V	"(100)", the VLANs of ports
 *
 * Interfaces are selected by name; no index has to be known. Names are data: they are quoted for
 * regular expressions, for strings of PromQL, and against Grafana's variables.
 */

#include "base/buf.h"
#include "cli/flow.h"

struct query_scope {
	const struct flow *flow;
	enum flow_kind kind;
	const struct flow_node *node; /* NULL: all of that kind */
};

void query_append(struct buf *out, const char *pattern, const struct query_scope *scope);

/* Whether there is any for %O, for %V. */
bool query_has_addresses(const struct flow *flow);
bool query_has_vlans(const struct flow *flow);
