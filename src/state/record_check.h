#pragma once

/*
 * Whether texts that were read can stand where they would be exposed.
 */

#include <stdbool.h>

#include "model/batch.h"

/* Quotes, line feeds and backslashes only escaped: it cannot end the quotes around it. */
bool record_text_is_escaped(struct slice text);

/* An escaped name that is not empty. */
bool record_text_is_name(struct slice text);

/* What can stand on a HELP line. */
bool record_text_is_help(struct slice text);

/* {name="value"} 1 1520879607.789, as OpenMetrics has it behind a line. */
bool record_text_is_exemplar(struct slice text);

/* Decimal digits, with a sign and an exponent or without: no NaN, no infinity. */
bool record_text_is_real(struct slice text);

/* Whether the type has samples of that kind. */
bool record_role_fits(enum metric_type type, enum sample_role role);

/* Whether its last line can be followed by the time it was created, and by what is native. */
bool record_ends_metric(
		enum metric_type type, const struct sample *sample, const struct sample *next);
