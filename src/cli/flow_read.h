#pragma once

/*
 * Reads the description of a flow, a YAML file in either of two forms. Nodes that name their peers,
 * of any number:
 *
 *     flow: f1
 *     title: From a to b
 *     node:
 *       - name: a
 *         type: host
 *         interface:
 *           - {name: eth0, vlan: 100, ip: 192.0.2.1, peer: [{name: s, interface: "1/1"}]}
 *       - name: s
 *         type: switch
 *         interface: [{name: "1/1", vlan: 100}]
 *
 * or two hosts and the switches between them, in the order of their letters:
 *
 *     flow: f1
 *     dashTitle: From a to b
 *     hostA: {nodeName: a, IP: 192.0.2.1, interfaceName: eth0, vlan: 100}
 *     hostB: {nodeName: b, IP: 192.0.2.2, interfaceName: eth1, vlan: 100}
 *     switchDataA: {target: 192.0.2.9, portIn: {ifName: "1/1"}, portOut: {ifName: "1/2"}}
 */

#include <stdbool.h>

#include "base/buf.h"
#include "cli/flow.h"

/*
 * False when the file is no flow. Errors and warnings are lines, FILE:LINE: what is wrong; the bufs
 * are the caller's. The flow is initialised in any case.
 */
bool flow_read(struct flow *flow, const char *path, struct buf *errors, struct buf *warnings);

/* The same from memory. */
bool flow_read_text(struct flow *flow, const char *path, struct slice text, struct buf *errors,
		struct buf *warnings);
