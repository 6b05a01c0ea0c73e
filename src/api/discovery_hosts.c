#include <arpa/inet.h>

#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/targets_list.h"
#include "base/hash.h"
#include "targets/target_address.h"

/*
 * Active targets as hosts(5) has them:
 *
 *     192.0.2.7	db1
 *
 * The address is the one that was configured, or else the instance if that is one, or else the
 * one that the last push came from, which may be that of a gateway on its way. The name is the
 * instance, or else the attribute hostname. A target without the two is left out.
 */

enum { NAME_BYTES_MAX = 253 };

/* A line that is there already. */
struct seen_line {
	struct map_node node;
};

static bool is_ip(struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char binary[sizeof(struct in6_addr)];
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL) {
		return false; /* of what has an end inside, the rest would not be looked at */
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET, copy, binary) == 1 || inet_pton(AF_INET6, copy, binary) == 1;
}

/* What pushes from weir's own machine is there for weir alone. */
static bool is_loopback(struct slice ip)
{
	return slice_starts_with(ip, SLICE("127.")) || slice_equal(ip, SLICE("::1"));
}

static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		bool is_inside = i > 0 && i + 1 < text.len && (c == '-' || c == '.' || c == '_');
		if (!is_plain && !is_inside) {
			return false;
		}
	}
	return text.len > 0 && text.len <= NAME_BYTES_MAX && !is_ip(text);
}

static struct slice instance_of(const struct target *target)
{
	return target_address_host(target_label(target, SLICE("instance")));
}

static struct slice ip_of(const struct target *target)
{
	struct slice configured = target_address_host(target->config.address);
	struct slice instance = instance_of(target);
	struct slice source = slice_of_string(target->fresh.source);
	if (is_ip(configured)) {
		return configured;
	}
	if (is_ip(instance)) {
		return instance;
	}
	return is_ip(source) && !is_loopback(source) ? source : slice_make(NULL, 0);
}

static struct slice name_of(const struct target *target)
{
	struct slice instance = instance_of(target);
	struct slice hostname = labels_find(&target->config.attributes, SLICE("hostname"));
	return is_name(instance) ? instance : is_name(hostname) ? hostname : slice_make(NULL, 0);
}

/* Several jobs of one host have the same line. */
static bool is_new(struct targets_list *list, struct slice line)
{
	uint64_t hash = hash64(line);
	if (map_first(&list->seen, hash) != NULL) {
		return false;
	}
	struct seen_line *seen = arena_alloc(&list->arena, sizeof(*seen));
	map_insert(&list->seen, &seen->node, hash);
	return true;
}

static bool append_host(struct targets_list *list, struct buf *out, const struct target *target)
{
	struct slice ip = ip_of(target);
	struct slice name = name_of(target);
	size_t start = out->len;
	if (ip.len == 0 || name.len == 0
			|| registry_state(list->api->targets, target) != TARGET_ACTIVE) {
		return false;
	}
	buf_append(out, ip);
	buf_append_byte(out, '\t');
	buf_append(out, name);
	buf_append_byte(out, '\n');
	return is_new(list, slice_skip(buf_slice(out), start));
}

static const struct targets_writer as_hosts = {
	.content_type = SLICE_INIT("text/plain; charset=utf-8"),
	.modes = TARGET_MODES_WATCHED,
	.append = append_host,
};

void discovery_hosts_handle(struct api *api, struct exchange *exchange)
{
	if (!targets_are_loading(api, exchange)) {
		targets_list_answer(api, exchange, STATS_HANDLER_DISCOVERY, &as_hosts, false);
	}
}
