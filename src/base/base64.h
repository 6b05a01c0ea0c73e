#pragma once

/*
 * Digits of base64 (RFC 4648). What is a digit is the same for all who read it;
 * padding, blanks and bits left over are not, so the reading is theirs.
 */

/* The last two digits: section 4, and section 5 for URLs. */
#define BASE64_STANDARD "+/"
#define BASE64_URL "-_"

/* 0 to 63; -1 for what is no digit. */
static inline int base64_digit(char c, const char *last_two)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == last_two[0] ? 62 : c == last_two[1] ? 63 : -1;
}
