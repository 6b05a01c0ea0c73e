#pragma once

/*
 * Whether a group is already what a push would make of it, to the last digit.
 * Costs what comparing the texts costs.
 */

#include "store/push.h"

/* Before the first step of a push that was joined and has the group's times. */
bool push_changes_nothing(const struct store_push *op);
