#pragma once

/*
 * How a flow is linked, as text: a diagram of Mermaid's, and a table in Markdown for whoever has no
 * program that draws the other. Each node, port and link is in the diagram once.
 *
 *     flowchart LR
 *       subgraph n0["a"]
 *         n0p0["eth0, vlan 100"]
 *       end
 *       n0p0 --- n1p0
 *
 * Names are data: what could mean something to Mermaid, Markdown, HTML or Grafana goes in by its
 * number.
 */

#include "base/buf.h"
#include "cli/flow.h"

void topology_append_mermaid(struct buf *out, const struct flow *flow);
void topology_append_table(struct buf *out, const struct flow *flow);
