#pragma once

/*
 * What a connection writes: the output of its session, by way of TLS if it has that. The
 * socket takes what it can at once; libuv writes the rest, and then a deadline runs.
 */

#include "net/conn.h"

/* Writes all output that there is, now or later. Nothing may be being written; it may close. */
void conn_output_write(struct conn *conn);

/* The deadline passed: cut, unless the client has taken something meanwhile. */
void conn_output_expire(struct conn *conn);
