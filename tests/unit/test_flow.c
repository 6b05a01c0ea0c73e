/*
 * Flows: what is read of their descriptions, and how they are told as text: diagrams, tables and
 * queries. The whole of a dashboard is in tests/integration/test_flow_dashboard.py.
 */

#include "check.h"
#include "cli/dashboard_query.h"
#include "cli/dashboard_topology.h"
#include "cli/flow_read.h"

static struct flow flow;
static struct buf out;
static struct buf errors;
static struct buf warnings;

static bool begin(const char *text)
{
	buf_init(&out, 0);
	buf_init(&errors, 0);
	buf_init(&warnings, 0);
	return flow_read_text(&flow, "f", slice_of_string(text), &errors, &warnings);
}

static void end(void)
{
	flow_finish(&flow);
	buf_finish(&out);
	buf_finish(&errors);
	buf_finish(&warnings);
}

/* One of a kind, or all if there is none of that name. */
static void check_query(
		const char *pattern, enum flow_kind kind, const char *name, const char *wanted)
{
	struct query_scope scope = { &flow, kind, flow_find_node(&flow, name) };
	buf_reset(&out, 0);
	query_append(&out, pattern, &scope);
	CHECK_STRING(buf_slice(&out), wanted);
}

static void check_mermaid(const char *wanted)
{
	buf_reset(&out, 0);
	topology_append_mermaid(&out, &flow);
	CHECK_STRING(buf_slice(&out), wanted);
}

static void test_nodes(void)
{
	CHECK(begin(
			"flow: f\n"
			"node:\n"
			"- name: a\n"
			"  type: host\n"
			"  interface: {name: e0, vlan: 7, ip: 192.0.2.1/24, peer: {name: s, interface: p1}}\n"
			"- name: x:s\n"
			"  type: switch\n"
			"  interface: [{name: p1, peer: [{name: a, interface: e0}, {name: a}]}]\n"));
	CHECK_STRING(buf_slice(&errors), "");
	CHECK_STRING(buf_slice(&warnings), "");
	check_mermaid("flowchart LR\n"
				  "  subgraph n0[\"a\"]\n"
				  "    n0p0[\"e0, vlan 7\"]\n"
				  "  end\n"
				  "  subgraph n1[\"x:s\"]\n"
				  "    n1p0[\"p1\"]\n"
				  "  end\n"
				  "  n0p0 --- n1p0\n"
				  "  n1p0 --- n0\n");
	check_query("m{%P} % 2 %% %X %", FLOW_HOST, "a",
			"m{site=~\"$site\",instance=~\"(a|192\\\\.0\\\\.2\\\\.1)(:[0-9]+)?\",device=~\"(e0)\"}"
			" % 2 %% %X %");
	check_query("%P", FLOW_SWITCH, "x:s",
			"site=~\"$site\",target_switch=~\"(x:s|s)\",ifName=~\"(p1)\"");
	check_query("%N", FLOW_SWITCH, "", "site=~\"$site\",target_switch=~\"(x:s|s)\"");
	check_query("%O%V", FLOW_HOST, "", "\"(192\\\\.0\\\\.2\\\\.1)\"\"(7)\"");
	end();
}

static void test_chain(void)
{
	CHECK(begin("flow: f\n"
				"hostA: {nodeName: a, interfaceName: e0}\n"
				"hostB: {nodeName: b, interfaceName: e1, vlan: not used}\n"
				"switchDataAA: {target: t2, portIn: {ifName: i, ifVlan: Vlan 9}}\n"
				"switchDataB: {target: t1, portIn: {ifName: i}, portOut: {ifName: i, vlan: 9}}\n"));
	check_mermaid("flowchart LR\n"
				  "  subgraph n0[\"a\"]\n"
				  "    n0p0[\"e0\"]\n"
				  "  end\n"
				  "  subgraph n1[\"b\"]\n"
				  "    n1p0[\"e1\"]\n"
				  "  end\n"
				  "  subgraph n2[\"switch B t1\"]\n"
				  "    n2p0[\"i\"]\n"
				  "  end\n"
				  "  subgraph n3[\"switch AA t2\"]\n"
				  "    n3p0[\"i, Vlan 9\"]\n"
				  "  end\n"
				  "  n0p0 --- n2p0\n"
				  "  n2p0 --- n3p0\n"
				  "  n3 --- n1p0\n");
	CHECK(query_has_vlans(&flow));
	CHECK(!query_has_addresses(&flow));
	check_query("%O", FLOW_HOST, "", "\"()\"");
	end();
}

/* However the switches are written down. */
static void test_chains_alike(void)
{
	static const char *const switches[] = {
		"switchDataB: {target: t2, portIn: {ifName: i}, portOut: {ifName: o}}\n"
		"switchDataA: {target: t1, portIn: {ifName: i}, portOut: {ifName: o}}\n",
		"switchData:\n"
		"  B: {target: t2, portIn: {ifName: i}, portOut: {ifName: o}}\n"
		"  A: {target: t1, portIn: {ifName: i}, portOut: {ifName: o}}\n",
		"switchData:\n"
		"- {target: t1, portIn: {ifName: i}, portOut: {ifName: o}}\n"
		"- {target: t2, portIn: {ifName: i}, portOut: {ifName: o}}\n",
	};
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		struct buf text;
		buf_init(&text, 0);
		buf_append_string(&text,
				"flow: f\nswitchNum: 2\nhostA: {nodeName: a, interfaceName: e}\n"
				"hostB: {nodeName: b, interfaceName: e}\n");
		buf_append_string(&text, switches[i]);
		buf_append_byte(&text, '\0');
		CHECK(begin(text.ptr));
		CHECK_INT(flow.node_count, 4);
		CHECK_STRING(buf_slice(&warnings), "");
		topology_append_table(&out, &flow);
		CHECK(slice_ends_with(buf_slice(&out),
				i < 2 ? SLICE("| a | e | switch A t1 | i |\n"
							  "| switch A t1 | o | switch B t2 | i |\n"
							  "| switch B t2 | o | b | e |\n")
					  : SLICE("| a | e | switch 1 t1 | i |\n"
							  "| switch 1 t1 | o | switch 2 t2 | i |\n"
							  "| switch 2 t2 | o | b | e |\n")));
		end();
		buf_finish(&text);
	}
}

static void test_odd_names(void)
{
	CHECK(begin("flow: f\n"
				"node: [{name: '$site\"[[a]] <b>`#;|\\_*', type: host,\n"
				"        interface: [{name: 'a.b+c(d)?^{e}', peer: [{name: é}]}]}]\n"));
	check_mermaid("flowchart LR\n"
				  "  subgraph n0[\"#36;site#34;#91;#91;a#93;#93; "
				  "#60;b#62;#96;#35;#59;#124;#92;_#42;\"]\n"
				  "    n0p0[\"a.b+c#40;d#41;#63;#94;#123;e#125;\"]\n"
				  "  end\n"
				  "  n1[\"\xc3\xa9\"]\n"
				  "  n0p0 --- n1\n");
	buf_reset(&out, 0);
	topology_append_table(&out, &flow);
	CHECK_STRING(buf_slice(&out),
			"| from | port | to | port |\n"
			"|---|---|---|---|\n"
			"| &#36;site&#34;&#91;&#91;a&#93;&#93; &#60;b&#62;&#96;&#35;&#59;&#124;&#92;&#95;&#42; "
			"| a&#46;b+c&#40;d&#41;&#63;&#94;&#123;e&#125; | \xc3\xa9 |  |\n");
	check_query("%P", FLOW_HOST, "",
			"site=~\"$site\",instance=~\"([$]site\\\"\\\\[\\\\[a\\\\]\\\\] "
			"<b>`#;\\\\|\\\\\\\\_\\\\*)"
			"(:[0-9]+)?\",device=~\"(a\\\\.b\\\\+c\\\\(d\\\\)\\\\?\\\\^\\\\{e\\\\})\"");
	end();
}

static void test_links_once(void)
{
	CHECK(begin(
			"flow: f\n"
			"node:\n"
			"- {name: a, type: host, interface: [{name: e, peer: [{name: b, interface: e},"
			" {name: b, interface: e}]}]}\n"
			"- {name: b, type: host, interface: [{name: e, peer: [{name: a, interface: e}]}]}\n"));
	CHECK_INT(flow.links.next->next == &flow.links, true);
	end();
}

static void test_faults(void)
{
	static const struct {
		const char *text;
		const char *errors;
	} cases[] = {
		{ "", "f:1: no flow: it needs the keys 'flow' and 'node', or 'hostA' and 'hostB'\n" },
		{ "- 1\n", "f:1: no flow: it needs the keys 'flow' and 'node', or 'hostA' and 'hostB'\n" },
		{ "flow: f\n", "f:1: no nodes: a flow has them below 'node', or as 'hostA' and 'hostB'\n" },
		{ "flow: f\nnode: []\n", "f:2: 'node' has no nodes\n" },
		{ "flow: f\nnode: x\n",
				"f:2: 'node' must be a list, not a value\nf:2: 'node' has no nodes\n" },
		{ "flow: f\nnode: [{name: a, type: host}]\nhostA: {}\n",
				"f:1: either 'node' or 'hostA' and 'hostB', not both\n" },
		{ "node: [{name: a, type: host}]\n", "f:1: a flow has no 'flow'\n" },
		{ "flow: [x]\nnode: [{name: a, type: host}]\n",
				"f:1: 'flow' must be a value, not a list\n" },
		{ "flow: f\nnode:\n- x\n", "f:3: a node must be keys and values\n" },
		{ "flow: f\nnode:\n- {type: host}\n", "f:3: a node has no 'name'\n" },
		{ "flow: f\nnode:\n- {name: a}\n", "f:3: a node has no 'type'\n" },
		{ "flow: f\nnode:\n- name: a\n  type: router\n",
				"f:4: 'type' must be host or switch, not 'router'\n" },
		{ "flow: f\nnode:\n- {name: a, type: host}\n- {name: a, type: switch}\n",
				"f:4: there is a second node 'a'\n" },
		{ "flow: f\nnode:\n- {name: a, typ: host}\n",
				"f:3: unknown key 'typ' in a node, did you mean 'type'?\nf:3: a node has no "
				"'type'\n" },
		{ "flow: f\nnode:\n- {name: a, type: host, interface: [{name: e}, {name: e}]}\n",
				"f:3: 'a' has a second interface 'e'\n" },
		{ "flow: f\nnode:\n- {name: a, type: host, interface: [{vlan: 3}]}\n",
				"f:3: an interface has no 'name'\n" },
		{ "flow: f\nnode:\n- {name: a, type: host, interface: [{name: e, peer: 7}]}\n",
				"f:3: 'peer' must be a list, not a value\n" },
		{ "flow: f\nnode:\n- {name: a, type: host, interface: [{name: e, peer: {name: a, "
		  "interface: e}}]}\n",
				"f:3: 'e' is its own peer\n" },
		{ "flow: f\nnode:\n- {name: \"a\\nb\", type: host}\n",
				"f:3: 'name' must be one line, without tabs\n" },
		{ "flow: f\nnode:\n\t- x\n", "f:3: indented by a tab: YAML takes blanks only\n" },
		{ "flow: f\nhostA: {nodeName: a, interfaceName: e}\n", "f:1: there is no 'hostB'\n" },
		{ "flow: f\nhostA: {nodeName: a, interfaceName: e}\nhostB: {nodeName: a, interfaceName: "
		  "e}\n",
				"f:3: 'a' is both hosts\n" },
		{ "flow: f\nhostA: {nodeName: a}\nhostB: 7\n",
				"f:2: hostA has no 'interfaceName'\nf:3: hostB must be keys and values\n" },
		{ "flow: f\nswitchNum: 2\nhostA: {nodeName: a, interfaceName: e}\n"
		  "hostB: {nodeName: b, interfaceName: e}\nswitchData: {target: t}\n",
				"f:2: 'switchNum' is 2, but there are 1 of 'switchData'\n" },
		{ "flow: f\nhostA: {nodeName: a, interfaceName: e}\nhostB: {nodeName: b, interfaceName: "
		  "e}\n"
		  "switchData: {portIn: {vlan: 1}}\n",
				"f:4: switchData has no 'target'\nf:4: portIn has no 'ifName'\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(!begin(cases[i].text));
		CHECK_STRING(buf_slice(&errors), cases[i].errors);
		end();
	}
}

static void test_warnings(void)
{
	CHECK(begin(
			"flow: f\n"
			"colour: red\n"
			"node:\n"
			"- name: a\n"
			"  type: host\n"
			"  interface:\n"
			"  - name: e\n"
			"    peer: [{name: b, interface: x}, {name: gone, interface: y}, {name: , vlan: 3}]\n"
			"- {name: b, type: host}\n"));
	CHECK_STRING(buf_slice(&warnings),
			"f:2: unknown key 'colour' in a flow is left alone\n"
			"f:8: 'b' has no interface 'x'\n"
			"f:8: the peer 'gone' is no node of this flow\n");
	end();
}

/* A short name that several nodes may have is told by the interface. */
static void test_short_names(void)
{
	CHECK(begin("flow: f\n"
				"node:\n"
				"- {name: one:s, type: switch, interface: [{name: p}]}\n"
				"- {name: two:s, type: switch, interface: [{name: q}]}\n"
				"- {name: a, type: host, interface: [{name: e, peer: [{name: s, interface: q},"
				" {name: s, interface: r}]}]}\n"));
	CHECK_STRING(buf_slice(&warnings), "f:5: the peer 's' is no node of this flow\n");
	check_mermaid("flowchart LR\n"
				  "  subgraph n0[\"one:s\"]\n"
				  "    n0p0[\"p\"]\n"
				  "  end\n"
				  "  subgraph n1[\"two:s\"]\n"
				  "    n1p0[\"q\"]\n"
				  "  end\n"
				  "  subgraph n2[\"a\"]\n"
				  "    n2p0[\"e\"]\n"
				  "  end\n"
				  "  subgraph n3[\"s\"]\n"
				  "    n3p0[\"r\"]\n"
				  "  end\n"
				  "  n2p0 --- n1p0\n"
				  "  n2p0 --- n3p0\n");
	end();
}

static void test_too_many(void)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append_string(&text, "flow: f\nnode:\n");
	for (int i = 0; i <= FLOW_NODES_MAX; i++) {
		buf_printf(&text, "- {name: n%d, type: host}\n", i);
	}
	buf_append_byte(&text, '\0');
	CHECK(!begin(text.ptr));
	CHECK_STRING(buf_slice(&errors), "f:1: more than 500 nodes, or more than 5000 interfaces\n");
	end();
	buf_finish(&text);
}

int main(void)
{
	RUN(test_nodes);
	RUN(test_chain);
	RUN(test_chains_alike);
	RUN(test_odd_names);
	RUN(test_links_once);
	RUN(test_faults);
	RUN(test_warnings);
	RUN(test_short_names);
	RUN(test_too_many);
	return check_done();
}
