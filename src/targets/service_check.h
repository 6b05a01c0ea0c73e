#pragma once

/*
 * What is wrong with services: with one that is there, and with what is asked for.
 *
 * A change is held to what it changes. It is refused when it makes something wrong, of the service
 * itself or of one that inherits from it; what was wrong before, since somebody wrote it into the
 * database, does not stand in its way.
 */

#include "targets/service.h"

enum service_fault {
	SERVICE_OK,
	SERVICE_E_MISSING,  /* a parent or a dependency is not there */
	SERVICE_E_WRONG,    /* what does not go together, or is too deep */
	SERVICE_E_CIRCLE,   /* of parents or of dependencies */
	SERVICE_E_IN_USE,   /* another one needs it */
	SERVICE_E_TOO_MANY, /* services */
};

/* The service of that name as it was, or config NULL, becomes what the view has. */
enum service_fault service_check_change(const struct service_view *view,
		const struct service *before, struct arena *arena, struct slice *reterr_text);

enum service_fault service_check_deletion(const struct registry *registry, struct slice name,
		struct arena *arena, struct slice *reterr_text);

/* So many services are looked at for one that is shown, and for each of a list, lest it take long.
 */
enum { SERVICE_LOOKED_AT_MAX = 1000, SERVICE_LOOKED_AT_MAX_LISTED = 100 };

/* What is wrong with one that is there. */
struct service_problems {
	struct slice all[SERVICE_FIELD_COUNT + SERVICE_DEPENDENCIES_MAX + 5];
	size_t count;
};

/* A circle of dependencies is found if it is among the next so many services. */
void service_find_problems(const struct service_view *view, const struct service_whole *whole,
		size_t looked_at_max, struct arena *arena, struct service_problems *ret_problems);
