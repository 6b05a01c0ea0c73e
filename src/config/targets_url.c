#include "config/targets_url.h"

#include <string.h>

#include "config/state_url.h"

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

enum targets_scheme targets_url_scheme(const char *text)
{
	if (strcmp(text, "none") == 0) {
		return TARGETS_SCHEME_NONE;
	}
	return begins_with(text, "sqlite:") ? TARGETS_SCHEME_SQLITE : TARGETS_SCHEME_POSTGRES;
}

/* A password that is found when the URL is shown, or none. */
static bool check_postgres(const char *text, struct buf *error)
{
	const char *authority = strstr(text, "://") + 3;
	const char *rest = authority + strcspn(authority, "/?#");
	const char *query = strchr(rest, '?');
	if (strchr(rest, '@') != NULL) {
		buf_append_string(error, "a /, ? or # in a user or password is written %2F, %3F or %23");
		return false;
	}
	if (query != NULL && (strstr(query, "pass") != NULL || strchr(query, '%') != NULL)) {
		buf_append_string(error,
				"a password stands before the @, or in --targets.password-file, and options of the "
				"URL have no %");
		return false;
	}
	return true;
}

bool targets_url_check(const char *text, struct buf *error)
{
	if (strcmp(text, "none") == 0 || begins_with(text, "sqlite:")) {
		return state_url_check(text, error);
	}
	if (!begins_with(text, "postgres://") && !begins_with(text, "postgresql://")) {
		buf_append_string(error, "must be sqlite:PATH, sqlite:, postgres://HOST:PORT/NAME or none");
		return false;
	}
	return check_postgres(text, error);
}
