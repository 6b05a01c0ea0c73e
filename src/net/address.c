#include "net/address.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/hash.h"

static bool parse_number(struct slice text, uint32_t max, uint32_t *ret_number)
{
	uint64_t number = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');
		number = number * 10 + digit;
		if (digit > 9 || number > max) {
			return false;
		}
	}
	*ret_number = (uint32_t)number;
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

/* Where the last colon is; false when there is none. */
static bool split_port(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
	size_t colon = text.len;
	while (colon > 0 && text.ptr[colon - 1] != ':') {
		colon--;
	}
	if (colon == 0) {
		return false;
	}
	*ret_host = slice_first(text, colon - 1);
	*ret_port = slice_skip(text, colon);
	return true;
}

static const char *parse_tcp(struct slice text, struct address *address)
{
	struct slice host;
	struct slice port;
	if (memmem(text.ptr, text.len, "://", 3) != NULL) {
		return "not an address to listen on: write HOST:PORT, unix:/PATH or vsock://:PORT";
	}
	if (!split_port(text, &host, &port)) {
		return "no port: write HOST:PORT or :PORT";
	}
	if (!parse_number(port, UINT16_MAX, &address->port)) {
		return "the port is not a number from 0 to 65535";
	}
	if (!unwrap_host(&host)) {
		return "an IPv6 address needs brackets: [::1]:9091";
	}
	if (host.len >= sizeof(address->host) || memchr(host.ptr, '\0', host.len) != NULL) {
		return "the host is not a name";
	}
	memcpy(address->host, host.ptr, host.len);
	return NULL;
}

static const char *parse_unix(struct slice path, struct address *address)
{
	/* As in a URL: unix:///run/weir.sock. */
	while (slice_starts_with(path, SLICE("//"))) {
		path = slice_skip(path, 1);
	}
	bool is_abstract = path.len > 1 && path.ptr[0] == '@';
	bool is_path = path.len > 1 && path.ptr[0] == '/' && path.ptr[path.len - 1] != '/';
	if ((!is_abstract && !is_path) || memchr(path.ptr, '\0', path.len) != NULL) {
		return "no absolute path: write unix:/run/weir.sock, or unix:@weir without a file";
	}
	if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		return "the path of a Unix socket has at most 107 bytes: choose a shorter one";
	}
	memcpy(address->host, path.ptr, path.len);
	return NULL;
}

static const char *parse_vsock(struct slice text, struct address *address)
{
	struct slice context;
	struct slice port;
	if (!split_port(text, &context, &port)) {
		return "no port: write vsock://:PORT or vsock://CID:PORT";
	}
	/* The largest number stands for any port. */
	if (!parse_number(port, VMADDR_PORT_ANY - 1, &address->port)) {
		return "the port is not a number from 0 to 4294967294: write vsock://:9091";
	}
	address->context = VMADDR_CID_ANY;
	if (context.len != 0 && !parse_number(context, VMADDR_CID_ANY - 1, &address->context)) {
		return "the context is not a number: write vsock://:9091 or vsock://3:9091";
	}
	return NULL;
}

bool address_parse(struct slice text, struct address *ret_address, const char **reterr_what)
{
	struct address address = { 0 };
	const char *what;
	if (slice_starts_with(text, SLICE("unix:"))) {
		address.kind = ADDRESS_UNIX;
		what = parse_unix(slice_skip(text, strlen("unix:")), &address);
	} else if (slice_starts_with(text, SLICE("vsock://"))) {
		address.kind = ADDRESS_VSOCK;
		what = parse_vsock(slice_skip(text, strlen("vsock://")), &address);
	} else {
		what = parse_tcp(text, &address);
	}
	if (what != NULL) {
		*reterr_what = what;
		return false;
	}
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

static int look_up(uv_loop_t *loop, const struct address *address, struct sockaddr *ret_socket)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char port[16];
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

static int resolve_tcp(
		uv_loop_t *loop, const struct address *address, struct socket_address *ret_socket)
{
	struct sockaddr *socket = (struct sockaddr *)&ret_socket->socket;
	int status;
	if (address->host[0] != '\0') {
		status = look_up(loop, address, socket);
	} else if (has_ipv6()) {
		status = uv_ip6_addr("::", (int)address->port, (struct sockaddr_in6 *)(void *)socket);
	} else {
		status = uv_ip4_addr("0.0.0.0", (int)address->port, (struct sockaddr_in *)(void *)socket);
	}
	ret_socket->len = socket->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
													: sizeof(struct sockaddr_in);
	return status;
}

static void resolve_unix(const struct address *address, struct socket_address *ret_socket)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&ret_socket->socket;
	size_t len = strlen(address->host);
	bool is_abstract = address->host[0] == '@';
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, address->host, len);
	if (is_abstract) {
		un->sun_path[0] = '\0';
	}
	ret_socket->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !is_abstract);
}

static void resolve_vsock(const struct address *address, struct socket_address *ret_socket)
{
	struct sockaddr_vm *vm = (struct sockaddr_vm *)(void *)&ret_socket->socket;
	vm->svm_family = AF_VSOCK;
	vm->svm_cid = address->context;
	vm->svm_port = address->port == 0 ? VMADDR_PORT_ANY : address->port;
	ret_socket->len = sizeof(*vm);
}

int address_resolve(
		uv_loop_t *loop, const struct address *address, struct socket_address *ret_socket)
{
	*ret_socket = (struct socket_address){ 0 };
	switch (address->kind) {
	case ADDRESS_TCP:
		return resolve_tcp(loop, address, ret_socket);
	case ADDRESS_UNIX:
		resolve_unix(address, ret_socket);
		break;
	case ADDRESS_VSOCK:
		resolve_vsock(address, ret_socket);
		break;
	}
	return 0;
}

static void format_unix(const struct socket_address *socket, char *ret_text)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&socket->socket;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	int len = socket->len > head ? (int)(socket->len - head) : 0;
	bool is_abstract = len > 1 && un->sun_path[0] == '\0';
	snprintf(ret_text, ADDRESS_TEXT_BYTES, "unix:%s%.*s", is_abstract ? "@" : "",
			is_abstract ? len - 1 : len, un->sun_path + is_abstract);
}

static void format_vsock(const struct socket_address *socket, char *ret_text)
{
	const struct sockaddr_vm *vm = (const struct sockaddr_vm *)(const void *)&socket->socket;
	if (vm->svm_cid == VMADDR_CID_ANY) {
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "vsock://:%u", vm->svm_port);
	} else {
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "vsock://%u:%u", vm->svm_cid, vm->svm_port);
	}
}

void address_format(const struct socket_address *socket, char ret_text[static ADDRESS_TEXT_BYTES])
{
	char host[INET6_ADDRSTRLEN] = "";
	unsigned port = address_port(socket);
	switch (socket->socket.ss_family) {
	case AF_UNIX:
		format_unix(socket, ret_text);
		break;
	case AF_VSOCK:
		format_vsock(socket, ret_text);
		break;
	case AF_INET6:
		uv_ip6_name((const struct sockaddr_in6 *)(const void *)&socket->socket, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "[%s]:%u", host, port);
		break;
	default:
		uv_ip4_name((const struct sockaddr_in *)(const void *)&socket->socket, host, sizeof(host));
		snprintf(ret_text, ADDRESS_TEXT_BYTES, "%s:%u", host, port);
		break;
	}
}

void address_format_host(const struct sockaddr *socket, char *ret_text, size_t size)
{
	static const char mapped[] = "::ffff:";
	ret_text[0] = '\0';
	if (uv_ip_name(socket, ret_text, size) != 0) {
		ret_text[0] = '\0';
	}
	const char *dotted = ret_text + sizeof(mapped) - 1;
	if (strncmp(ret_text, mapped, sizeof(mapped) - 1) == 0 && strchr(dotted, '.') != NULL) {
		memmove(ret_text, dotted, strlen(dotted) + 1);
	}
}

uint32_t address_port(const struct socket_address *socket)
{
	const void *address = &socket->socket;
	switch (socket->socket.ss_family) {
	case AF_VSOCK:
		return ((const struct sockaddr_vm *)address)->svm_port;
	case AF_INET:
	case AF_INET6: /* the port is at the same place in both */
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	default:
		return 0;
	}
}

const char *address_path(const struct socket_address *socket)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&socket->socket;
	bool has_path = un->sun_family == AF_UNIX
			&& socket->len > offsetof(struct sockaddr_un, sun_path) && un->sun_path[0] != '\0';
	return has_path ? un->sun_path : NULL;
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
