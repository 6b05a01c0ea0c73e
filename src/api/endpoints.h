#pragma once

/*
 * The endpoints, one file each. Every one answers its exchange, now or later.
 */

#include "api/api.h"
#include "api/route.h"

/* Finds the endpoint and goes there; for requests that waited. */
void api_carry_out(struct api *api, struct exchange *exchange);

/* PUT and POST of /metrics/job/... */
void push_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* DELETE of /metrics/job/... */
void delete_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* GET /metrics */
void scrape_handle(struct api *api, struct exchange *exchange);

/* GET /-/healthy and /-/ready, under which it is counted */
void health_handle(struct api *api, struct exchange *exchange, enum stats_handler handler);

/* GET /api/v1/metrics */
void metrics_json_handle(struct api *api, struct exchange *exchange);

/* GET and POST /api/v1/query */
void query_handle(struct api *api, struct exchange *exchange);

/* GET /api/v1/export */
void export_handle(struct api *api, struct exchange *exchange);

/* POST /api/v1/import */
void import_handle(struct api *api, struct exchange *exchange);

/* GET / and /status */
void status_handle(struct api *api, struct exchange *exchange);

/* GET /static/... */
void static_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* GET and HEAD /openapi.json */
void openapi_handle(struct api *api, struct exchange *exchange);

/* PUT and POST /-/quit; a GET is told so */
void quit_handle(struct api *api, struct exchange *exchange);

/* GET and POST /api/v1/targets */
void targets_handle(struct api *api, struct exchange *exchange);

/* GET, PUT, PATCH and DELETE /api/v1/targets/ID */
void target_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* POST /api/v1/targets/ID/heartbeat, enable, disable */
void target_action_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* GET and POST /api/v1/services */
void services_handle(struct api *api, struct exchange *exchange);

/* GET, PUT, PATCH and DELETE /api/v1/services/NAME */
void service_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* GET /api/v1/targets/export */
void targets_export_handle(struct api *api, struct exchange *exchange);

/* POST /api/v1/targets/import */
void targets_import_handle(struct api *api, struct exchange *exchange);

/* GET /api/v1/sd and /service_discovery/targets/ */
void discovery_handle(struct api *api, struct exchange *exchange);

/* GET /service_discovery/collector */
void discovery_collector_handle(struct api *api, struct exchange *exchange);

/* GET /service_discovery/hosts */
void discovery_hosts_handle(struct api *api, struct exchange *exchange);

/* GET /api/v1/rules.yml */
void rules_handle(struct api *api, struct exchange *exchange);

/* GET /metrics/target/job/..., /metrics/ID and /metrics/NAME */
void target_page_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* GET, POST and PUT /hosts, GET, PUT and DELETE /hosts/ID, POST /hosts/image */
void orwell_hosts_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* The same of /images, and POST /images/collector */
void orwell_images_handle(struct api *api, struct exchange *exchange, const struct route *route);

/* The same of /collectors */
void orwell_collectors_handle(
		struct api *api, struct exchange *exchange, const struct route *route);

/* GET /api/v1/status */
void status_json_handle(struct api *api, struct exchange *exchange);

/* PUT /api/v1/admin/wipe */
void wipe_handle(struct api *api, struct exchange *exchange);
