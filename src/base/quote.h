#pragma once

/*
 * Text quoted for a message, as Go's %q does: "a\"b\xff". What a user sees is
 * printable whatever a client sent.
 */

#include "base/buf.h"
#include "base/slice.h"

/* In double quotes. */
void quote_append(struct buf *out, struct slice text);

/* One byte in single quotes: 'x', '\n', 'é' for 0xe9. */
void quote_append_byte(struct buf *out, unsigned char byte);
