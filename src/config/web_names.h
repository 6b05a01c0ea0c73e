#pragma once

/*
 * How Go and OpenSSL call the same cipher suites and curves.
 */

/* "" for a suite of TLS 1.3, which cannot be chosen; NULL for one Go has not. */
const char *web_cipher_of_go(const char *name);

/* NULL when there is none of that name. */
const char *web_curve_of_go(const char *name);

/* The nearest name of either, or NULL. */
const char *web_suggest_cipher(const char *name);
const char *web_suggest_curve(const char *name);
