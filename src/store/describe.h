#pragma once

/*
 * What is wrong with a sample, in Pushgateway's words:
 *
 *     collected metric "m" { label:{name:"job" value:"j"} gauge:{value:1}} is not a COUNTER
 */

#include "base/arena.h"
#include "model/batch.h"

/* `line` is a rendered line with its line feed. */
struct slice describe_line(struct arena *arena, struct slice family, enum metric_type type,
		const char *line, struct slice problem);
