#include "targets/target_address.h"

#include <arpa/inet.h>

#include "base/number.h"
#include "targets/targets_reader.h"

enum { PORT_MAX = 65535 };

static bool is_ip(int family, struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char binary[sizeof(struct in6_addr)];
	if (text.len == 0 || text.len >= sizeof(copy)) {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, binary) == 1;
}

static bool is_number(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
	}
	return text.len > 0;
}

static bool is_port(struct slice text)
{
	int64_t port;
	return is_number(text) && number_parse_int(text, &port) && port >= 1 && port <= PORT_MAX;
}

/*
 * Who ends in a number is taken for an IPv4 address by whoever looks it up. A dot at the end is
 * that of a whole name.
 */
static bool is_name(struct slice text)
{
	struct slice part = SLICE("");
	struct slice rest = slice_first(text, text.len - slice_ends_with(text, SLICE(".")));
	const char *dot;
	do {
		dot = slice_find_byte(rest, '.');
		part = dot == NULL ? rest : slice_between(rest.ptr, dot);
		rest = slice_skip(rest, part.len + (dot != NULL));
		if (part.len == 0 || !targets_has_only(part, "-_")) {
			return false;
		}
	} while (dot != NULL);
	return !is_number(part);
}

bool target_address_is_v6(struct slice host)
{
	return targets_has_only(host, ":.") && is_ip(AF_INET6, host);
}

bool target_address_is_host(struct slice host)
{
	return is_name(host) || target_address_is_v6(host)
			|| (targets_has_only(host, ".") && is_ip(AF_INET, host));
}

/* What is behind the host: nothing, or a port. */
static bool is_rest(struct slice rest)
{
	return rest.len == 0 || (rest.ptr[0] == ':' && is_port(slice_skip(rest, 1)));
}

bool target_address_fits(struct slice address)
{
	struct slice host = target_address_host(address);
	if (host.len == 0) {
		return false;
	}
	if (host.ptr != address.ptr) {
		return target_address_is_v6(host) && is_rest(slice_skip(address, host.len + 2));
	}
	return target_address_is_host(host) && is_rest(slice_skip(address, host.len));
}

struct slice target_address_host(struct slice address)
{
	if (address.len > 0 && address.ptr[0] == '[') {
		const char *end = slice_find_byte(address, ']');
		return end == NULL ? slice_make(NULL, 0) : slice_between(address.ptr + 1, end);
	}
	const char *colon = slice_find_byte(address, ':');
	bool is_v6 = colon != NULL
			&& slice_find_byte(slice_skip(address, (size_t)(colon + 1 - address.ptr)), ':') != NULL;
	return colon == NULL || is_v6 ? address : slice_between(address.ptr, colon);
}
