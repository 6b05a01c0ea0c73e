#pragma once

/*
 * Which bytes may stand where in a request (RFC 9110, section 5.6.2).
 */

#include <stdbool.h>

#include "base/slice.h"

/* Letters, digits and !#$%&'*+-.^_`|~ */
bool http_is_token(struct slice text);

/* What may stand in no line of a head: below 32 but for the tab, and 127. */
static inline bool http_is_control(unsigned char byte)
{
	return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* The value of a hexadecimal digit; -1 for others. */
static inline int http_hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9') {
		return byte - '0';
	}
	if (byte >= 'a' && byte <= 'f') {
		return byte - 'a' + 10;
	}
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}
