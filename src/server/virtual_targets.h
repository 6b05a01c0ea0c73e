#pragma once

/*
 * Targets that nobody in particular pushes, as --targets.virtual names them.
 */

struct server;

/*
 * Makes those that are missing, in memory: whoever stores targets hears of them. To be called at
 * the start, and once more when it is known what is stored: one that pushed and that nobody has
 * configured becomes virtual then.
 */
void virtual_targets_make(struct server *server);
