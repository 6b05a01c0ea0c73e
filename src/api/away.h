#pragma once

/*
 * Lanes whose groups cannot be kept at present, and must not change therefore.
 *
 * Pushes to them and deletions are refused: at once, where the head of a request
 * tells its group; those that were let in before, when they would be applied. A
 * change of which slices are in the store already is not undone. What is for
 * several groups is refused while any lane is away. Pages are made as ever.
 */

#include <stdbool.h>
#include <stddef.h>

#include "api/route.h"
#include "base/arena.h"
#include "base/slice.h"

struct api;
struct exchange;
struct group_key;

/* ---- For who keeps groups ---- */

/* From now on; or for another reason than before. Why, in words for who pushes. */
void api_set_away(struct api *api, size_t lane, struct slice why);
void api_set_back(struct api *api, size_t lane);

/* ---- For who changes them ---- */

/* Why that group must not change, or, key NULL, several; ptr NULL: it may. */
struct slice away_text(const struct api *api, const struct group_key *key, struct arena *arena);

/* The same for a request, as far as its head tells. */
struct slice away_text_of_request(
		const struct api *api, struct exchange *exchange, const struct route *route);
