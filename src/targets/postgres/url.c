#include "targets/postgres/url.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "targets/storage.h"

bool storage_check_postgres_url(const char *url, struct buf *reterr_why)
{
	struct slice text = slice_of_string(url);
	char *error = NULL; /* it shows the URL */
	if (!slice_starts_with(text, SLICE("postgres://"))
			&& !slice_starts_with(text, SLICE("postgresql://"))) {
		buf_append_string(reterr_why, "it does not begin with postgres://");
		return false;
	}
	PQconninfoOption *options = PQconninfoParse(url, &error);
	PQfreemem(error);
	PQconninfoFree(options);
	if (options == NULL) {
		buf_append_string(reterr_why,
				"libpq cannot read it: what is no plain character in a user or a password is "
				"written %XX, and parameters are those of libpq");
	}
	return options != NULL;
}

/* NULL: it does not say; nor does an empty value. */
static const char *option(const struct postgres_url *url, const char *keyword)
{
	for (const PQconninfoOption *each = url->options; each->keyword != NULL; each++) {
		if (strcmp(each->keyword, keyword) == 0) {
			return each->val != NULL && each->val[0] != '\0' ? each->val : NULL;
		}
	}
	return NULL;
}

/* ---- The hosts that are named ---- */

/* What stands before the next comma, which is taken off; NULL: nothing. */
static const char *take_part(struct slice *list, struct arena *arena)
{
	const char *comma = slice_find_byte(*list, ',');
	struct slice part = comma == NULL ? *list : slice_between(list->ptr, comma);
	*list = slice_skip(*list, part.len + (comma != NULL));
	return part.len == 0 ? NULL : arena_copy_string(arena, part);
}

static struct slice option_list(const struct postgres_url *url, const char *keyword)
{
	const char *value = option(url, keyword);
	return value == NULL ? SLICE("") : slice_of_string(value);
}

/* One port is for all; of lists that are too short the rest is libpq's default. */
static void split_hosts(struct postgres_url *url)
{
	struct slice hosts = option_list(url, "host");
	struct slice addresses = option_list(url, "hostaddr");
	struct slice ports = option_list(url, "port");
	bool has_ports = slice_find_byte(ports, ',') != NULL;
	if (hosts.len == 0 && addresses.len == 0 && getenv("PGHOST") != NULL) {
		hosts = slice_of_string(getenv("PGHOST")); /* as libpq does, which would look it up */
	}
	const char *port = NULL;
	url->host_count = 0;
	do {
		struct postgres_address *host = &url->hosts[url->host_count++];
		if (has_ports || port == NULL) {
			port = take_part(&ports, &url->arena);
		}
		host->host = take_part(&hosts, &url->arena);
		host->hostaddr = take_part(&addresses, &url->arena);
		host->port = port;
	} while ((hosts.len > 0 || addresses.len > 0) && url->host_count < POSTGRES_ADDRESSES_MAX);
}

static bool is_name(const struct postgres_address *address)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *host = address->host;
	return host != NULL && address->hostaddr == NULL && host[0] != '/' && host[0] != '@'
			&& inet_pton(AF_INET, host, bytes) != 1 && inet_pton(AF_INET6, host, bytes) != 1;
}

/* ---- Their addresses ---- */

static void add_address(struct postgres_url *url, struct postgres_address address)
{
	if (url->address_count < POSTGRES_ADDRESSES_MAX) {
		url->addresses[url->address_count++] = address;
	}
}

static void add_found(struct postgres_url *url, const struct addrinfo *found)
{
	for (; found != NULL; found = found->ai_next) {
		char text[NI_MAXHOST];
		struct postgres_address address = url->hosts[url->host_next];
		if (getnameinfo(
					found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST)
				== 0) {
			address.hostaddr = arena_copy_string(&url->arena, slice_of_string(text));
			add_address(url, address);
		}
	}
}

static void note_failure(struct postgres_url *url, int status)
{
	buf_printf(&url->why, "%scannot resolve %s: %s", url->why.len == 0 ? "" : "; ",
			url->hosts[url->host_next].host, uv_strerror(status));
}

static void resolve_next(struct postgres_url *url);

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct postgres_url *url = request->data;
	url->is_resolving = false;
	if (url->is_closing) {
		uv_freeaddrinfo(found);
		url->on_closed(url);
		return;
	}
	if (status < 0) {
		note_failure(url, status);
	} else {
		add_found(url, found);
	}
	uv_freeaddrinfo(found);
	url->host_next++;
	resolve_next(url);
}

static bool begin_look_up(struct postgres_url *url)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *host = url->hosts[url->host_next].host;
	int status = uv_getaddrinfo(url->loop, &url->request, on_found, host, NULL, &hints);
	if (status < 0) {
		note_failure(url, status);
	}
	url->is_resolving = status == 0;
	return status == 0;
}

static void resolve_next(struct postgres_url *url)
{
	for (; url->host_next < url->host_count; url->host_next++) {
		const struct postgres_address *host = &url->hosts[url->host_next];
		if (!is_name(host)) {
			add_address(url, *host);
		} else if (begin_look_up(url)) {
			return;
		}
	}
	url->on_resolved(url);
}

void postgres_url_resolve(struct postgres_url *url)
{
	arena_reset(&url->arena);
	buf_reset(&url->why, 0);
	split_hosts(url);
	url->address_count = 0;
	url->host_next = 0;
	resolve_next(url);
}

/* ---- What libpq is given ---- */

struct parameters {
	const char **keywords;
	const char **values;
	size_t count;
};

/* One that is NULL is left out. */
static void add(struct parameters *parameters, const char *keyword, const char *value)
{
	if (value != NULL && parameters->count < POSTGRES_KEYWORDS_MAX - 1) {
		parameters->keywords[parameters->count] = keyword;
		parameters->values[parameters->count++] = value;
	}
}

static bool is_replaced(const struct postgres_url *url, const char *keyword)
{
	static const char *const replaced[] = { "host", "hostaddr", "port", "client_encoding" };
	for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
		if (strcmp(keyword, replaced[i]) == 0) {
			return true;
		}
	}
	return url->password != NULL && strcmp(keyword, "password") == 0;
}

static void add_default(struct parameters *parameters, const struct postgres_url *url,
		const char *keyword, const char *value)
{
	if (option(url, keyword) == NULL) {
		add(parameters, keyword, value);
	}
}

void postgres_url_parameters(const struct postgres_url *url, size_t address,
		const char *keywords[static POSTGRES_KEYWORDS_MAX],
		const char *values[static POSTGRES_KEYWORDS_MAX])
{
	struct parameters all = { .keywords = keywords, .values = values };
	const struct postgres_address *chosen = &url->addresses[address];
	for (const PQconninfoOption *each = url->options; each->keyword != NULL; each++) {
		if (!is_replaced(url, each->keyword)) {
			add(&all, each->keyword, option(url, each->keyword));
		}
	}
	add(&all, "host", chosen->host);
	add(&all, "hostaddr", chosen->hostaddr);
	add(&all, "port", chosen->port);
	add(&all, "password", url->password);
	add(&all, "client_encoding", "UTF8");
	add(&all, "fallback_application_name", "weir");
	/* Of several, the one that can be written. */
	add_default(&all, url, "target_session_attrs", "read-write");
	/* Asking for tickets would wait for others. */
	add_default(&all, url, "gssencmode", "disable");
	/* A connection on which nothing is sent is to be missed as well. */
	add_default(&all, url, "keepalives_idle", "10");
	add_default(&all, url, "keepalives_interval", "5");
	add_default(&all, url, "keepalives_count", "3");
	keywords[all.count] = NULL;
	values[all.count] = NULL;
}

/* ---- Life ---- */

void postgres_url_init(
		struct postgres_url *url, const char *text, const char *password, uv_loop_t *loop)
{
	*url = (struct postgres_url){
		.options = PQconninfoParse(text, NULL),
		.password = password,
		.loop = loop,
	};
	arena_init(&url->arena);
	buf_init(&url->why, 0);
	url->request.data = url;
}

static void finish(struct postgres_url *url)
{
	PQconninfoFree(url->options);
	arena_finish(&url->arena);
	buf_finish(&url->why);
}

void postgres_url_close(struct postgres_url *url)
{
	url->is_closing = true;
	finish(url);
	if (url->is_resolving) {
		uv_cancel((uv_req_t *)&url->request); /* whether it can be or not, it calls back */
	} else {
		url->on_closed(url);
	}
}
