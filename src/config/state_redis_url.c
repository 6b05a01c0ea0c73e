#include "config/state_redis_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	DEFAULT_PORT = 6379,
	PORT_MAX = 65535,
	SOCKET_PATH_MAX = 107, /* struct sockaddr_un's */
};

static const struct scheme {
	const char *name;
	bool is_tls;
	bool is_socket;
} schemes[] = {
	{ "redis://", .is_tls = false },
	{ "rediss://", .is_tls = true },
	{ "valkey://", .is_tls = false },
	{ "valkeys://", .is_tls = true },
	{ "redis+unix://", .is_socket = true },
	{ "valkey+unix://", .is_socket = true },
	{ "unix://", .is_socket = true },
};

static bool fail(struct buf *error, const char *why)
{
	buf_append_string(error, why);
	return false;
}

static const struct scheme *find_scheme(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncmp(text, schemes[i].name, strlen(schemes[i].name)) == 0) {
			return &schemes[i];
		}
	}
	return NULL;
}

bool state_redis_url_begins(const char *text)
{
	return strncmp(text, "redis", 5) == 0 || strncmp(text, "valkey", 6) == 0
			|| strncmp(text, "unix:", 5) == 0;
}

/* ---- Pieces ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In its place; a NUL would end what it is in. */
static bool decode(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		*to = *from;
		if (*from == '%') {
			int high = hex_value(from[1]);
			int low = high < 0 ? -1 : hex_value(from[2]);
			if (low < 0 || high + low == 0) {
				return false;
			}
			*to = (char)(high * 16 + low);
			from += 2;
		}
		to++;
	}
	*to = '\0';
	return true;
}

static bool read_number(const char *text, unsigned max, unsigned *ret_number)
{
	size_t len = strlen(text);
	if (len == 0 || len > 5 || strspn(text, "0123456789") != len) {
		return false;
	}
	unsigned number = (unsigned)strtoul(text, NULL, 10);
	if (number > max) {
		return false;
	}
	*ret_number = number;
	return true;
}

/* Cuts the text at the first such byte; what is behind it, or NULL. */
static char *cut(char *text, char byte)
{
	char *at = strchr(text, byte);
	if (at == NULL) {
		return NULL;
	}
	*at = '\0';
	return at + 1;
}

/* ---- Who ---- */

/* Gives what follows the user and the password; NULL when these do not fit. */
static char *take_user(struct state_url *url, char *authority, struct buf *error)
{
	char *at = strrchr(authority, '@');
	if (at == NULL) {
		return authority;
	}
	*at = '\0';
	char *password = cut(authority, ':');
	if (!decode(authority) || (password != NULL && !decode(password))) {
		fail(error,
				"a % in a user or password must be followed by two hex digits, itself it is %25");
		return NULL;
	}
	url->user = authority;
	url->password = password == NULL ? "" : password;
	return at + 1;
}

/* ---- Where ---- */

/* Cuts off the brackets of an IPv6 address; gives its port's text, "" without one. */
static bool split_host(char **host, const char **ret_port, struct buf *error)
{
	char *port;
	*ret_port = "";
	if (**host != '[') {
		port = cut(*host, ':');
	} else {
		char *end = strchr(++*host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			return fail(error, "an IPv6 address is written [::1] or [::1]:6379");
		}
		port = end[1] == ':' ? end + 2 : NULL;
		*end = '\0';
	}
	if (port != NULL && strchr(port, ':') != NULL) {
		return fail(error, "an IPv6 address is written [::1] or [::1]:6379");
	}
	if (port != NULL && *port == '\0') {
		return fail(error, "the port of a host must be 1 to 65535, as in host:6379");
	}
	*ret_port = port == NULL ? "" : port;
	return true;
}

static bool host_fits(const char *host, bool is_bracketed)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	size_t len = strspn(host, plain);
	while (is_bracketed && (host[len] == ':' || host[len] == '%')) {
		len++;
		len += strspn(host + len, plain);
	}
	return len > 0 && host[len] == '\0';
}

static bool add_host(struct state_url *url, char *host, struct buf *error)
{
	const char *port_text;
	unsigned port = DEFAULT_PORT;
	bool is_bracketed = *host == '[';
	if (!split_host(&host, &port_text, error)) {
		return false;
	}
	if (!host_fits(host, is_bracketed)) {
		return fail(error,
				"a host is missing, or is no name and no address; "
				"hosts are written host:6379,host:6379");
	}
	if (*port_text != '\0' && (!read_number(port_text, PORT_MAX, &port) || port == 0)) {
		return fail(error, "the port of a host must be 1 to 65535, as in host:6379");
	}
	url->addresses[url->address_count++] = (struct state_address){ host, (uint16_t)port };
	return true;
}

static bool add_hosts(struct state_url *url, char *hosts, struct buf *error)
{
	size_t count = 1;
	for (const char *next = hosts; (next = strchr(next, ',')) != NULL; next++) {
		count++;
	}
	url->addresses = memory_zalloc(count, sizeof(url->addresses[0]));
	for (char *next; hosts != NULL; hosts = next) {
		next = cut(hosts, ',');
		if (!add_host(url, hosts, error)) {
			return false;
		}
	}
	return true;
}

static bool add_socket(struct state_url *url, char *path, struct buf *error)
{
	if (!decode(path)) {
		return fail(error, "a % in a path must be followed by two hex digits, itself it is %25");
	}
	size_t len = strlen(path);
	if (len < 2 || path[len - 1] == '/' || len > SOCKET_PATH_MAX) {
		return fail(error,
				"the path of a socket begins at the root, has at most 107 bytes "
				"and does not end with /, as in redis+unix:///run/redis.sock");
	}
	url->addresses = memory_zalloc(1, sizeof(url->addresses[0]));
	url->addresses[url->address_count++] = (struct state_address){ path, 0 };
	return true;
}

/* ---- What ---- */

static bool read_database(struct state_url *url, const char *text, struct buf *error)
{
	return read_number(text, STATE_DATABASE_MAX, &url->database)
			|| fail(error,
					"the number of the database must be 0 to 65535, as in "
					"redis://host:6379/0 or redis+unix:///run/redis.sock?db=0");
}

static bool read_prefix(struct state_url *url, const char *text, struct buf *error)
{
	static const char plain[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:";
	size_t len = strlen(text);
	if (len == 0 || len > STATE_PREFIX_MAX || strspn(text, plain) != len) {
		return fail(error, "the prefix has 1 to 64 letters, digits and ._-:");
	}
	url->prefix = text;
	return true;
}

static bool read_query(
		struct state_url *url, const struct scheme *scheme, char *query, struct buf *error)
{
	bool has_prefix = false;
	bool has_database = false;
	for (char *next; query != NULL; query = next) {
		next = cut(query, '&');
		char *value = cut(query, '=');
		bool *has = NULL;
		bool (*take)(struct state_url *, const char *, struct buf *) = NULL;
		if (strcmp(query, "prefix") == 0) {
			has = &has_prefix;
			take = read_prefix;
		} else if (scheme->is_socket && strcmp(query, "db") == 0) {
			has = &has_database;
			take = read_database;
		}
		if (has == NULL || *has || value == NULL) {
			return fail(error,
					scheme->is_socket ? "behind the ? belong db=0 and prefix=weir, once"
									  : "behind the ? belongs prefix=weir, once");
		}
		*has = true;
		if (!take(url, value, error)) {
			return false;
		}
	}
	return true;
}

/* ---- The whole ---- */

/* The authority may be empty; the path is, or begins with a slash. */
struct parts {
	char *authority;
	char *path;
	char *query; /* NULL: none */
};

/* Moves the authority, which is followed by its path, so that both have an end. */
static struct parts split(char *rest, char *ret_room)
{
	struct parts parts = { .authority = rest };
	size_t len = strcspn(rest, "/?");
	parts.authority = memmove(ret_room, rest, len);
	ret_room[len] = '\0';
	parts.path = rest + len;
	parts.query = cut(parts.path, '?');
	return parts;
}

static bool split_network(struct state_url *url, struct parts *parts, struct buf *error)
{
	if (strchr(parts->path, '@') != NULL
			|| (parts->query != NULL && strchr(parts->query, '@') != NULL)) {
		return fail(error, "a /, ? or # in a user or password is written %2F, %3F or %23");
	}
	char *hosts = take_user(url, parts->authority, error);
	if (hosts == NULL || !add_hosts(url, hosts, error)) {
		return false;
	}
	return parts->path[0] == '\0' || parts->path[1] == '\0'
			|| read_database(url, parts->path + 1, error);
}

static bool split_socket(struct state_url *url, struct parts *parts, struct buf *error)
{
	char *host = take_user(url, parts->authority, error);
	if (host == NULL) {
		return false;
	}
	if (*host != '\0') {
		return fail(error, "a socket has no host: write redis+unix:///run/redis.sock");
	}
	return add_socket(url, parts->path, error);
}

bool state_redis_url_split(struct state_url *url, struct buf *error)
{
	const struct scheme *scheme = find_scheme(url->text);
	if (scheme == NULL) {
		return fail(error,
				"a Redis is written redis://host:6379, rediss://host:6379 with TLS, "
				"or redis+unix:///run/redis.sock");
	}
	char *rest = url->text + strlen(scheme->name);
	if (strchr(rest, '#') != NULL) {
		return fail(
				error, "a # has no meaning here; where it is part of a password it is written %23");
	}
	/* The scheme, no longer needed, makes room for the end of what is in front of the path. */
	struct parts parts = split(rest, url->text);
	url->is_tls = scheme->is_tls;
	bool fits = scheme->is_socket ? split_socket(url, &parts, error)
								  : split_network(url, &parts, error);
	return fits && (parts.query == NULL || read_query(url, scheme, parts.query, error));
}
