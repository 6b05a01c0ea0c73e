#pragma once

/*
 * A running weir, or a Pushgateway, that a subcommand talks to by HTTP: one
 * request after the other, over one connection where possible.
 */

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "cli/flags.h"

/* The flags of all who talk to one; NULL: not given. */
struct remote_options {
	const char *url; /* default: http://localhost:9091 */
	const char *user;
	const char *password_file;
	const char *token_file;
	const char *cacert;
};

/* Their rows in a table of flags, and their lines in a help text. */
#define REMOTE_FLAGS(options)                                                                      \
	{ "--url", CLI_FLAG_TEXT, &(options).url }, { "--user", CLI_FLAG_TEXT, &(options).user },      \
			{ "--password-file", CLI_FLAG_TEXT, &(options).password_file },                        \
			{ "--token-file", CLI_FLAG_TEXT, &(options).token_file },                              \
	{                                                                                              \
		"--cacert", CLI_FLAG_TEXT, &(options).cacert                                               \
	}
#define REMOTE_HELP                                                                                \
	"  --url=URL                   Where the weir is, with its prefix if it has one.\n"            \
	"                              Default: http://localhost:9091\n"                               \
	"  --user=NAME[:PASSWORD]      For basic auth; or in the URL. Others see what is on a\n"       \
	"                              command line.\n"                                                \
	"  --password-file=FILE        Its first line is the user's password.\n"                       \
	"  --token-file=FILE           Its first line is a bearer token, instead of a user.\n"         \
	"  --cacert=FILE               Certificates to trust, in PEM; for https.\n"

struct remote {
	const char *command; /* for messages */
	CURL *curl;
	char *url;  /* without a slash at the end, and without user and password */
	char *user; /* NULL: none */
	char *password;
	char *token; /* NULL: none; then there is no user */
	bool is_loopback;
	char error[CURL_ERROR_SIZE];
};

/* False when the options are of no use, which has been said on stderr. */
bool remote_open(struct remote *remote, const char *command, const struct remote_options *options);
void remote_close(struct remote *remote);

/* Takes some of a body; false to go no further. */
typedef bool remote_on_data(void *data, struct slice bytes);

/*
 * GETs URL + path. The status, or 0 when there was no whole answer: then
 * remote->error says why. Only the body of a 200 goes to on_data; of others, the
 * beginning is put into `text`.
 */
long remote_get(struct remote *remote, const char *path, remote_on_data *on_data, void *data,
		struct buf *text);

/* POSTs lines of JSON likewise; the body of the answer is put into `text`. */
long remote_post(struct remote *remote, const char *path, struct slice body, struct buf *text);

/* Says on stderr what came of a request that did not go well, and what would be right. */
void remote_complain(const struct remote *remote, const char *what, long status, struct slice text);
