#pragma once

/*
 * Answers of the JSON API, in the shape that Prometheus' has:
 *
 *     {"status":"success","data":...}
 *     {"status":"error","errorType":"not_found","error":"there is no such target"}
 */

#include "base/buf.h"
#include "http/exchange.h"

/* The text is a sentence without a full stop, of any bytes. */
void json_answer_error(struct exchange *exchange, int status, struct slice text);

/* The same with Prometheus' word for what is wrong, and without a line feed, as Prometheus has it.
 */
void json_answer_fault(
		struct exchange *exchange, int status, struct slice error_type, struct slice text);

/* The data is JSON; it is copied. */
void json_answer_data(struct exchange *exchange, int status, struct slice data);
