#include "server/redis_place.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"

char *redis_place_name(const struct state_url *url)
{
	struct buf name;
	buf_init(&name, 0);
	buf_append_string(&name, url->is_tls ? "rediss://" : "redis://");
	for (size_t i = 0; i < url->address_count; i++) {
		const struct state_address *address = &url->addresses[i];
		buf_append_string(&name, i == 0 ? "" : ",");
		if (address->port == 0) {
			buf_append_string(&name, address->host);
		} else {
			bool is_ipv6 = strchr(address->host, ':') != NULL;
			buf_printf(&name, is_ipv6 ? "[%s]:%u" : "%s:%u", address->host, address->port);
		}
	}
	buf_printf(&name, "/%u", url->database);
	buf_append_byte(&name, '\0');
	return name.ptr;
}

bool redis_place_read_password(struct state_url *url, const char *path)
{
	struct buf why;
	buf_init(&why, 0);
	bool is_good = path[0] == '\0' || state_url_read_password(url, path, &why);
	if (!is_good) {
		log_error("cannot read the password of Redis path=%s error=" SLICE_FMT, path,
				SLICE_ARG(buf_slice(&why)));
	}
	buf_finish(&why);
	return is_good;
}

struct redis_address *redis_place_addresses(const struct state_url *url)
{
	struct redis_address *addresses = memory_zalloc(url->address_count, sizeof(*addresses));
	for (size_t i = 0; i < url->address_count; i++) {
		addresses[i].host = url->addresses[i].host;
		addresses[i].port = url->addresses[i].port;
	}
	return addresses;
}

struct redis_options redis_place_options(
		const struct state_url *url, const struct redis_address *addresses)
{
	return (struct redis_options){
		.addresses = addresses,
		.address_count = url->address_count,
		.user = url->user,
		.password = url->password,
		.database = url->database,
		.tls = { .is_used = url->is_tls },
		.name = "weir",
	};
}
