#include "api/own_address.h"

#include <arpa/inet.h>

#include "base/number.h"
#include "http/session.h"

enum { HOST_BYTES_MAX = 255, PORT_MAX = 65535 };

/* db1.example or 192.0.2.7 */
static bool is_name(struct slice text)
{
	bool has_sign = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_sign = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_sign && c != '.' && c != '-' && c != '_') {
			return false;
		}
		has_sign = has_sign || is_sign;
	}
	return has_sign && text.len <= HOST_BYTES_MAX;
}

/* [2001:db8::7] */
static bool is_bracketed(struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	if (text.len < 2 || text.len - 2 >= sizeof(copy) || text.ptr[text.len - 1] != ']') {
		return false;
	}
	memcpy(copy, text.ptr + 1, text.len - 2);
	copy[text.len - 2] = '\0';
	return inet_pton(AF_INET6, copy, &binary) == 1;
}

/* With its colon; a colon alone is no port, and neither is nothing. */
static bool is_port(struct slice text)
{
	int64_t number;
	return text.len < 2
			|| (text.ptr[1] != '-' && text.ptr[1] != '+'
					&& number_parse_int(slice_skip(text, 1), &number) && number > 0
					&& number <= PORT_MAX);
}

/* Takes host:port apart; the port with its colon, or empty. */
static bool split_host(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
	bool has_bracket = text.len > 0 && text.ptr[0] == '[';
	const char *bracket = has_bracket ? slice_find_byte(text, ']') : NULL;
	const char *colon = slice_find_byte(
			bracket == NULL ? text : slice_between(bracket, text.ptr + text.len), ':');
	*ret_host = colon == NULL ? text : slice_between(text.ptr, colon);
	*ret_port = slice_skip(text, ret_host->len);
	return (has_bracket ? is_bracketed(*ret_host) : is_name(*ret_host)) && is_port(*ret_port);
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
	struct slice port;
	if (!split_host(host, &host, &port)) {
		*reterr_text = SLICE("the Host header tells no address, and there is no "
							 "--web.external-url");
		return false;
	}
	struct slice usual = is_https ? SLICE(":443") : SLICE(":80");
	*ret_address = ARENA_JOIN(arena, host, port.len > 1 ? port : usual);
	*ret_scheme = is_https ? SLICE("https") : SLICE("http");
	return true;
}
