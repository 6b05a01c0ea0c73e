#include "targets/postgres/fault.h"

#include <string.h>

#include "base/buf.h"
#include "targets/postgres/conn.h"

enum { MESSAGE_BYTES = 500 /* of the server's: it may show a whole row */ };

/* https://www.postgresql.org/docs/current/errcodes-appendix.html */
enum postgres_fault postgres_fault_of(const PGresult *result)
{
	static const struct {
		const char *code; /* or its beginning */
		enum postgres_fault fault;
	} known[] = {
		/* A target was deleted between its being looked for and what was seen of it. */
		{ "23503", POSTGRES_FAULT_OF_MOMENT },
		{ "21", POSTGRES_FAULT_OF_ROW },       /* the same key twice */
		{ "22", POSTGRES_FAULT_OF_ROW },       /* no such value of that type */
		{ "23", POSTGRES_FAULT_OF_ROW },       /* constraints */
		{ "54", POSTGRES_FAULT_OF_ROW },       /* too large */
		{ "P0", POSTGRES_FAULT_OF_ROW },       /* a trigger objects */
		{ "40", POSTGRES_FAULT_OF_MOMENT },    /* rolled back */
		{ "08", POSTGRES_FAULT_OF_SERVER },    /* the connection */
		{ "25006", POSTGRES_FAULT_OF_SERVER }, /* read-only */
		{ "57P0", POSTGRES_FAULT_OF_SERVER },  /* it ends, or begins */
	};
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	for (size_t i = 0; code != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(code, known[i].code, strlen(known[i].code)) == 0) {
			return known[i].fault;
		}
	}
	return POSTGRES_FAULT_OF_SCHEMA;
}

struct slice postgres_fault_message(const PGresult *result, struct arena *arena)
{
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	struct buf text;
	buf_init(&text, 0);
	postgres_append_message(&text, primary != NULL ? primary : PQresultErrorMessage(result));
	if (detail != NULL) {
		buf_append_string(&text, ": ");
		postgres_append_message(&text, detail);
	}
	struct slice message = arena_copy(arena, slice_first(buf_slice(&text), MESSAGE_BYTES));
	buf_finish(&text);
	return message;
}
