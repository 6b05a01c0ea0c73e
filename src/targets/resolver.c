#include "targets/resolver.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

enum {
	LOOK_MS = 500,          /* how often it is looked whether a name is due */
	AT_ONCE_MAX = 4,        /* libuv has no more threads for names than that */
	ADDRESSES_MAX = 1000,   /* of one name */
	ADDRESS_TEXT_MAX = 128, /* with its port */
};

struct resolver {
	struct resolver_options options;
	uv_timer_t timer;
	struct list lookups; // lookup::link, under way
	size_t under_way;
	bool is_closing;
	bool has_timer;
	struct resolver_stats stats;
};

struct lookup {
	uv_getaddrinfo_t request;
	struct list link;
	struct resolver *resolver;
	struct target_id id; /* the target may go meanwhile */
	char *address;       /* as it was then: name:port */
	const char *port;    /* in there */
};

static void look(struct resolver *resolver);

/* ---- What an answer says ---- */

/* Who has both kinds is one host all the same. */
static int family_of(const struct addrinfo *answer)
{
	int family = AF_INET6;
	for (; answer != NULL; answer = answer->ai_next) {
		family = answer->ai_family == AF_INET ? AF_INET : family;
	}
	return family;
}

static struct slice address_text(const struct addrinfo *answer, const char *port, struct buf *text)
{
	char host[INET6_ADDRSTRLEN];
	bool is_v6 = answer->ai_family == AF_INET6;
	if (is_v6) {
		uv_ip6_name((const struct sockaddr_in6 *)(const void *)answer->ai_addr, host, sizeof(host));
	} else {
		uv_ip4_name((const struct sockaddr_in *)(const void *)answer->ai_addr, host, sizeof(host));
	}
	size_t before = text->len;
	buf_printf(text, is_v6 ? "[%s]:%s" : "%s:%s", host, port);
	return slice_make(text->ptr + before, text->len - before);
}

static struct addresses *read_answer(const struct addrinfo *answer, const char *port)
{
	struct slice all[ADDRESSES_MAX];
	size_t count = 0;
	int family = family_of(answer);
	struct buf text;
	buf_init(&text, 0);
	buf_reserve(&text, ADDRESSES_MAX * ADDRESS_TEXT_MAX);
	for (; answer != NULL && count < ADDRESSES_MAX; answer = answer->ai_next) {
		if (answer->ai_family == family) {
			all[count++] = address_text(answer, port, &text);
		}
	}
	struct addresses *addresses = count == 0 ? NULL : addresses_create(all, count);
	buf_finish(&text);
	return addresses;
}

/* ---- Look-ups ---- */

static bool is_gone(int status)
{
	return status == UV_EAI_NONAME || status == UV_EAI_NODATA;
}

/* NULL: it went meanwhile, or has another name. */
static struct target *find_target(const struct lookup *lookup)
{
	struct target *target = registry_find_by_id(lookup->resolver->options.registry, &lookup->id);
	bool is_same = target != NULL && target_is_named(target)
			&& slice_equal(target->config.address, slice_of_string(lookup->address));
	return is_same ? target : NULL;
}

static void take_answer(const struct lookup *lookup, int status, const struct addrinfo *answer)
{
	struct resolver *resolver = lookup->resolver;
	struct target *target = find_target(lookup);
	bool is_known = status == 0 || is_gone(status);
	resolver->stats.failures += !is_known;
	if (target == NULL) {
		return;
	}
	if (!is_known && !target->cannot_look_up) {
		log_warn("cannot look up a target's name address=%s error=%s", lookup->address,
				uv_strerror(status));
	}
	target->cannot_look_up = !is_known;
	if (is_known) {
		free(target->addresses);
		target->addresses = status == 0 ? read_answer(answer, lookup->port) : NULL;
	}
}

static void end_lookup(struct lookup *lookup, int status, const struct addrinfo *answer)
{
	struct resolver *resolver = lookup->resolver;
	resolver->under_way--;
	list_remove(&lookup->link);
	if (!resolver->is_closing) {
		take_answer(lookup, status, answer);
	}
	free(lookup->address);
	free(lookup);
}

static void close_if_done(struct resolver *resolver);

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *answer)
{
	struct lookup *lookup = request->data;
	struct resolver *resolver = lookup->resolver;
	end_lookup(lookup, status, answer);
	uv_freeaddrinfo(answer);
	if (resolver->is_closing) {
		close_if_done(resolver);
	} else {
		look(resolver);
	}
}

/* Owned. */
static char *copy_text(struct slice text)
{
	char *copy = memory_alloc(text.len + 1);
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

static void begin_lookup(struct resolver *resolver, const struct target *target)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct lookup *lookup = memory_zalloc(1, sizeof(*lookup));
	char *name = copy_text(target->config.address);
	lookup->request.data = lookup;
	lookup->resolver = resolver;
	lookup->id = target->id;
	lookup->address = copy_text(target->config.address);
	lookup->port = strrchr(lookup->address, ':') + 1;
	*strrchr(name, ':') = '\0';
	list_append(&resolver->lookups, &lookup->link);
	resolver->under_way++;
	resolver->stats.lookups++;
	int fault =
			uv_getaddrinfo(resolver->options.loop, &lookup->request, on_answer, name, NULL, &hints);
	free(name);
	if (fault != 0) {
		end_lookup(lookup, fault, NULL);
	}
}

/* It may take longer than the interval: one name must not have all the threads. */
static bool is_under_way(const struct resolver *resolver, const struct target *target)
{
	LIST_EACH (link, &resolver->lookups) {
		const struct lookup *lookup = LIST_ENTRY(link, struct lookup, link);
		if (target_id_equal(&lookup->id, &target->id)
				&& slice_equal(slice_of_string(lookup->address), target->config.address)) {
			return true;
		}
	}
	return false;
}

/* The list begins with the one that is due first. */
static void look(struct resolver *resolver)
{
	struct list *named = &resolver->options.registry->named;
	uint64_t now_ns = clock_monotonic_ns();
	while (resolver->under_way < AT_ONCE_MAX && !list_is_empty(named)) {
		struct target *target = LIST_ENTRY(named->next, struct target, named);
		if (target->look_up_ns > now_ns) {
			return;
		}
		target->look_up_ns = now_ns + (uint64_t)resolver->options.interval_ns;
		list_remove(&target->named);
		list_append(named, &target->named);
		if (!is_under_way(resolver, target)) {
			begin_lookup(resolver, target);
		}
	}
}

static void on_timer(uv_timer_t *timer)
{
	look(timer->data);
}

/* ---- Life ---- */

struct resolver *resolver_open(const struct resolver_options *options)
{
	struct resolver *resolver = memory_zalloc(1, sizeof(*resolver));
	resolver->options = *options;
	list_init(&resolver->lookups);
	uv_timer_init(options->loop, &resolver->timer);
	resolver->timer.data = resolver;
	resolver->has_timer = true;
	uv_timer_start(&resolver->timer, on_timer, 0, LOOK_MS);
	return resolver;
}

void resolver_set_interval(struct resolver *resolver, int64_t interval_ns)
{
	resolver->options.interval_ns = interval_ns;
}

static void close_if_done(struct resolver *resolver)
{
	if (!resolver->has_timer && resolver->under_way == 0) {
		free(resolver);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct resolver *resolver = handle->data;
	resolver->has_timer = false;
	close_if_done(resolver);
}

void resolver_close(struct resolver *resolver)
{
	resolver->is_closing = true;
	LIST_EACH (link, &resolver->lookups) {
		uv_cancel((uv_req_t *)&LIST_ENTRY(link, struct lookup, link)->request);
	}
	uv_close((uv_handle_t *)&resolver->timer, on_timer_closed);
}

void resolver_collect(const struct resolver *resolver, struct resolver_stats *ret_stats)
{
	*ret_stats = resolver->stats;
}
