#pragma once

/*
 * Who stores targets, as far as the api has to know: changes by request are answered when
 * they are stored, and refused while nothing can be. Without one they are in memory, and answered
 * at once.
 *
 * What becomes of a change is told by struct registry_events; this is only about who waits.
 */

#include "base/slice.h"

struct targets_keeper {
	/* Why no target may be changed at present; ptr NULL: it may. */
	struct slice (*why_away)(void *data);
	/*
	 * Calls done once, now or later, when all that was changed of targets so far is stored;
	 * or, with the reason, when that failed. It is in memory either way.
	 */
	void (*when_stored)(
			void *data, void (*done)(void *done_data, struct slice why_not), void *done_data);
	void *data;
};
