#include "net/address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"

static bool parse_port(struct slice text, uint16_t *ret_port)
{
	unsigned port = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');
		if (digit > 9 || port * 10 + digit > UINT16_MAX) {
			return false;
		}
		port = port * 10 + digit;
	}
	*ret_port = (uint16_t)port;
	return text.len != 0;
}

/* Without its brackets; false when it needs some. */
static bool unwrap_host(struct slice *host)
{
	if (host->len >= 2 && host->ptr[0] == '[' && host->ptr[host->len - 1] == ']') {
		*host = slice_make(host->ptr + 1, host->len - 2);
		return true;
	}
	return slice_find_byte(*host, ':') == NULL;
}

bool address_parse(struct slice text, struct address *ret_address, const char **reterr_what)
{
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':') {
		colon--;
	}
	if (colon == 0) {
		*reterr_what = "no port: write HOST:PORT or :PORT";
		return false;
	}
	struct slice host = slice_first(text, colon - 1);
	struct address address = { 0 };
	if (!parse_port(slice_skip(text, colon), &address.port)) {
		*reterr_what = "the port is not a number from 0 to 65535";
		return false;
	}
	if (!unwrap_host(&host)) {
		*reterr_what = "an IPv6 address needs brackets: [::1]:9091";
		return false;
	}
	if (host.len >= sizeof(address.host) || memchr(host.ptr, '\0', host.len) != NULL) {
		*reterr_what = "the host is not a name";
		return false;
	}
	memcpy(address.host, host.ptr, host.len);
	*ret_address = address;
	return true;
}

/* Containers are often without. */
static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	bool binds = bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0;
	close(fd);
	return binds;
}

static int look_up(
		uv_loop_t *loop, const struct address *address, struct sockaddr_storage *ret_socket)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char port[8];
	snprintf(port, sizeof(port), "%u", (unsigned)address->port);

	uv_getaddrinfo_t request;
	int status = uv_getaddrinfo(loop, &request, NULL, address->host, port, &hints);
	if (status != 0) {
		return status;
	}
	/* A name with both kinds of address means IPv4, as in Go. */
	struct addrinfo *found = request.addrinfo;
	for (struct addrinfo *info = found; info != NULL; info = info->ai_next) {
		if (info->ai_family == AF_INET) {
			found = info;
			break;
		}
	}
	memcpy(ret_socket, found->ai_addr, found->ai_addrlen);
	uv_freeaddrinfo(request.addrinfo);
	return 0;
}

int address_resolve(
		uv_loop_t *loop, const struct address *address, struct sockaddr_storage *ret_socket)
{
	*ret_socket = (struct sockaddr_storage){ 0 };
	if (address->host[0] != '\0') {
		return look_up(loop, address, ret_socket);
	}
	if (has_ipv6()) {
		return uv_ip6_addr("::", address->port, (struct sockaddr_in6 *)(void *)ret_socket);
	}
	return uv_ip4_addr("0.0.0.0", address->port, (struct sockaddr_in *)(void *)ret_socket);
}

void address_format(const struct sockaddr *socket, char ret_text[static ADDRESS_TEXT_BYTES])
{
	char host[INET6_ADDRSTRLEN] = "";
	if (socket->sa_family == AF_INET6) {
		const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)socket;
		uv_ip6_name(ip6, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "[%s]:%u", host, (unsigned)ntohs(ip6->sin6_port));
	} else {
		const struct sockaddr_in *ip4 = (const struct sockaddr_in *)(const void *)socket;
		uv_ip4_name(ip4, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "%s:%u", host, (unsigned)ntohs(ip4->sin_port));
	}
}

uint64_t address_owner(const struct sockaddr *socket)
{
	enum { NETWORK_BYTES = 8, MAPPED_AT = 12 };
	const struct sockaddr_in *v4 = (const void *)socket;
	const struct sockaddr_in6 *v6 = (const void *)socket;
	struct slice bytes = SLICE("");
	if (socket->sa_family == AF_INET) {
		bytes = slice_make((const char *)&v4->sin_addr, sizeof(v4->sin_addr));
	} else if (socket->sa_family == AF_INET6) {
		const char *address = (const char *)&v6->sin6_addr;
		bytes = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)
				? slice_make(address + MAPPED_AT, sizeof(v4->sin_addr))
				: slice_make(address, NETWORK_BYTES);
	}
	return hash64(bytes) | 1;
}
