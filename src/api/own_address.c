#include "api/own_address.h"

#include "http/session.h"

static bool is_host_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| (c != '\0' && strchr(".-_:[]", c) != NULL);
}

static bool is_host(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_host_byte(text.ptr[i])) {
			return false;
		}
	}
	return text.len > 0 && text.len <= 255;
}

/* A colon behind the brackets that an IPv6 address has. */
static bool has_port(struct slice host)
{
	const char *bracket = memrchr(host.ptr, ']', host.len);
	const char *start = bracket == NULL ? host.ptr : bracket;
	return memchr(start, ':', (size_t)(host.ptr + host.len - start)) != NULL;
}

static struct slice add_port(struct slice host, bool is_https, struct arena *arena)
{
	return has_port(host) ? host : ARENA_JOIN(arena, host, is_https ? SLICE(":443") : SLICE(":80"));
}

/* scheme://host:port/path; it was checked when it was set. */
static void split_url(struct slice url, struct slice *ret_host, bool *ret_is_https)
{
	const char *separator = memmem(url.ptr, url.len, "://", 3);
	*ret_is_https = slice_equal_nocase(slice_between(url.ptr, separator), SLICE("https"));
	struct slice rest = slice_skip(url, (size_t)(separator + 3 - url.ptr));
	const char *slash = slice_find_byte(rest, '/');
	*ret_host = slash == NULL ? rest : slice_between(rest.ptr, slash);
}

bool own_address_find(const struct api *api, const struct exchange *exchange, struct arena *arena,
		struct slice *ret_address, struct slice *ret_scheme, struct slice *reterr_text)
{
	struct slice url = slice_of_string(api->options.config->web_external_url);
	struct slice host = exchange_header(exchange, SLICE("Host"));
	bool is_https = exchange->session != NULL && exchange->session->is_secure;
	if (memmem(url.ptr, url.len, "://", 3) != NULL) {
		split_url(url, &host, &is_https);
	}
	if (!is_host(host)) {
		*reterr_text = SLICE("the Host header tells no address, and there is no "
							 "--web.external-url");
		return false;
	}
	*ret_address = add_port(arena_copy(arena, host), is_https, arena);
	*ret_scheme = is_https ? SLICE("https") : SLICE("http");
	return true;
}
