#include "api/rights.h"

#include "config/web_config.h"

static bool is_push(const struct route *route)
{
	bool is_action = route->endpoint == ENDPOINT_API_TARGET_ACTION
			|| (route->endpoint == ENDPOINT_HOSTS && route->id.len > 0);
	return route->endpoint == ENDPOINT_PUSH
			|| (is_action && slice_equal(route->action, SLICE("heartbeat")));
}

static unsigned needed(const struct route *route, enum http_method method)
{
	bool is_health = route->endpoint == ENDPOINT_HEALTHY || route->endpoint == ENDPOINT_READY;
	if (is_health || method == METHOD_OPTIONS) {
		return 0;
	}
	if (is_push(route)) {
		return WEB_MAY_PUSH;
	}
	bool reads =
			method == METHOD_GET || method == METHOD_HEAD || route->endpoint == ENDPOINT_API_QUERY;
	return reads ? WEB_MAY_READ : WEB_MAY_ADMINISTER;
}

bool rights_deny(struct exchange *exchange, const struct route *route)
{
	if (exchange->denied == 0) {
		return false; /* as of every push where nobody has a role */
	}
	unsigned denied = needed(route, exchange->request.method) & exchange->denied;
	if (denied == 0) {
		exchange->denied = 0;
		return false;
	}
	exchange_set_error(exchange, 403,
			denied == WEB_MAY_READ           ? SLICE("Forbidden: this takes the role read\n")
					: denied == WEB_MAY_PUSH ? SLICE("Forbidden: this takes the role push\n")
											 : SLICE("Forbidden: this takes the role admin\n"));
	return true;
}
