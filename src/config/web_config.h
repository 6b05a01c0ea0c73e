#pragma once

/*
 * --web.config.file: TLS, basic auth, headers and a rate limit, in the format of
 * Prometheus' exporter-toolkit, which all of Prometheus' programs share.
 *
 * Strict, as there: a key that nobody knows is an error. Whether the files that
 * are named hold certificates and keys is for who loads them to say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* What a client has to show of itself; as Go's crypto/tls. */
enum web_client_auth {
	WEB_CLIENT_AUTH_NONE,
	WEB_CLIENT_AUTH_REQUEST,         /* asked for, not looked at */
	WEB_CLIENT_AUTH_REQUIRE_ANY,     /* any certificate */
	WEB_CLIENT_AUTH_VERIFY_IF_GIVEN, /* none, or one of the client CA */
	WEB_CLIENT_AUTH_REQUIRE_VERIFIED,
};

enum web_tls_version {
	WEB_TLS_1_0,
	WEB_TLS_1_1,
	WEB_TLS_1_2,
	WEB_TLS_1_3,
};

/* PEM, in a file or inline; the file wins. Both NULL: none. */
struct web_pem {
	char *file;  /* absolute, or relative to the working directory */
	char *where; /* the file was named, as in "web.yml:2: cert_file"; NULL: nowhere */
	char *text;
};

struct web_strings {
	char **items;
	size_t count;
};

struct web_tls {
	bool is_on;
	struct web_pem cert;
	struct web_pem key;
	struct web_pem client_ca;
	enum web_client_auth client_auth;
	struct web_strings allowed_sans; /* of the client's certificate; none: any */
	enum web_tls_version min_version;
	enum web_tls_version max_version;
	bool restricts_ciphers; /* the list was given */
	char *ciphers;          /* up to TLS 1.2, as OpenSSL names them, colons between; "" for none */
	char *curves;           /* the same; NULL: OpenSSL's own */
	bool prefers_server_ciphers;
};

struct web_header {
	struct slice name;
	struct slice value;
};

/* What somebody may do: any of these. */
enum web_right {
	WEB_MAY_READ = 1,
	WEB_MAY_PUSH = 2,
	WEB_MAY_ADMINISTER = 4,
	WEB_MAY_ALL = WEB_MAY_READ | WEB_MAY_PUSH | WEB_MAY_ADMINISTER,
};

struct web_user {
	struct slice name;
	char *hash; /* bcrypt */
	unsigned rights;
};

enum { WEB_TOKEN_BYTES = 32 };

struct web_token {
	struct slice name;
	unsigned char digest[WEB_TOKEN_BYTES]; /* SHA-256 of it */
	unsigned rights;
};

struct web_config {
	struct arena arena; /* of all below */
	struct web_tls tls;
	struct web_header *headers;
	size_t header_count;
	struct web_user *users; /* no users and no tokens: no authentication */
	size_t user_count;
	struct web_token *tokens;
	size_t token_count;
	int64_t rate_interval_ns; /* between two requests; 0: no limit */
	uint64_t rate_burst;
};

/*
 * Reads the file into a config that needs no initialising; web_config_finish()
 * whatever the result. False: `errors` has what is wrong, a line each, as
 * "FILE:LINE: what".
 */
bool web_config_read(struct web_config *config, const char *path, struct buf *errors);

/* The same from memory. */
bool web_config_read_text(
		struct web_config *config, const char *path, struct slice text, struct buf *errors);
void web_config_finish(struct web_config *config);
