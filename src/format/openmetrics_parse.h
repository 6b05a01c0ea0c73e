#pragma once

/*
 * Decodes OpenMetrics 1.0, strictly by its specification: what it forbids
 * (MUST NOT) is refused.
 *
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */

#include "format/format.h"

format_decode openmetrics_parse;
