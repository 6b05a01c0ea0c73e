#pragma once

/*
 * The half of a session that turns answers into output; for session.c only.
 */

#include <stdbool.h>

struct http_session;

/* Makes output of the answers that are due, unless earlier output is being written. */
void http_session_emit(struct http_session *session);

/* 100 Continue, if that is what the client waits for. */
void http_session_emit_continue(struct http_session *session);

/* Whether emitting would get any further once what there is was written. */
bool http_session_may_emit(const struct http_session *session);

bool http_session_has_output(const struct http_session *session);

/* What is being read is given up. */
void http_session_drop_current(struct http_session *session);

/* Answered exchanges are gone, the others have no session any more. */
void http_session_drop_exchanges(struct http_session *session);
