#pragma once

/*
 * Which endpoint a path leads to, and where a path leads that is nearly one:
 * cleaned paths, other cases and trailing slashes are redirected, as Go's
 * ServeMux and httprouter do for a Pushgateway.
 *
 * All may stand below a prefix. Unlike a Pushgateway's, redirects below one keep
 * the method and have the whole path.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "http/exchange.h"

enum endpoint {
	ENDPOINT_NONE,
	ENDPOINT_METRICS,
	ENDPOINT_PUSH, /* put, post, delete */
	ENDPOINT_HEALTHY,
	ENDPOINT_READY,
	ENDPOINT_QUIT, /* put, post; get says so */
	ENDPOINT_PAGE, /* the web page */
	ENDPOINT_STATIC,
	ENDPOINT_OPENAPI, /* get, head: the description of all this */
	ENDPOINT_API_EXPORT,
	ENDPOINT_API_IMPORT,
	ENDPOINT_API_METRICS,
	ENDPOINT_API_QUERY, /* get, post */
	ENDPOINT_API_STATUS,
	ENDPOINT_API_TARGETS,       /* get: a list; post: one more */
	ENDPOINT_API_TARGET,        /* get, put, patch, delete of one */
	ENDPOINT_API_TARGET_ACTION, /* post: what is behind its id */
	ENDPOINT_API_SERVICES,      /* get: a list; post: one more */
	ENDPOINT_API_SERVICE,       /* get, put, patch, delete of one */
	ENDPOINT_API_TARGETS_EXPORT,
	ENDPOINT_API_TARGETS_IMPORT,
	ENDPOINT_DISCOVERY, /* of targets, for Prometheus */
	ENDPOINT_DISCOVERY_COLLECTOR,
	ENDPOINT_DISCOVERY_HOSTS,
	ENDPOINT_RULES,
	ENDPOINT_TARGET_PAGE, /* one target's part of the scrape page */
	ENDPOINT_API_WIPE,
	ENDPOINT_API_OPTIONS,
	/* Of ORWELL's middleware: get, post, put of all; get, put, delete of one. */
	ENDPOINT_HOSTS,  /* post to "image": the image of a host; to "heartbeat" of one: it lives */
	ENDPOINT_IMAGES, /* post to "collector": one more of an image */
	ENDPOINT_COLLECTORS,
};

/* Where what is; prepared once. */
struct routes {
	struct slice prefix;      /* of all paths: "", or "/prefix" without a slash at the end */
	struct slice scrape_path; /* below it: "/metrics" */
	bool has_admin;           /* the admin API is there */
};

enum route_result {
	ROUTE_FOUND,
	ROUTE_MOVED,       /* to the location, by the status */
	ROUTE_OPTIONS,     /* 200 with the allowed methods, if any */
	ROUTE_NOT_ALLOWED, /* 405 with the allowed methods */
	ROUTE_NOT_FOUND,
};

struct route {
	enum endpoint endpoint;
	struct slice job; /* of a push, as it is in the path */
	bool job_is_base64;
	struct slice labels; /* of a push: "", "/", or "/name/value..." */
	struct slice id;     /* of one target, service, host, image or collector, as it is in the path;
	                      * empty:	 the target's key is, or all of them are meant */
	struct slice action; /* on it, or, without an id, posted to all of them */
	struct slice file;   /* of ENDPOINT_STATIC: what is behind /static/ */
	bool is_near_push;   /* for other methods it is not there, as a Pushgateway has it */
	int status;          /* 301 or 307 */
	bool is_outer;       /* settled before a content coding is looked at */
	struct slice location; /* percent-encoded, in the arena */
	struct slice allowed;  /* "GET, OPTIONS"; of ENDPOINT_API_OPTIONS empty: as a Pushgateway */
};

enum route_result route_find(const struct routes *routes, const struct http_request *request,
		struct arena *arena, struct route *ret_route);

/* A path as descriptions of an API have it, with {names} in it: "/metrics/job/{job}". */
struct route_place {
	struct slice path; /* below the prefix; the scrape path is where it usually is */
	unsigned methods;  /* 1 << METHOD_GET and others; all have OPTIONS besides */
};

/* All that there are, admin API or not, by number from 0 on. False: there are no more. */
bool route_describe(size_t number, struct route_place *ret_place);
