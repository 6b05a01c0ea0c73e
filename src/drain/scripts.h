#pragma once

/*
 * What runs in Redis: hold.lua, release.lua, peek.lua and trim.lua, as they are in their files.
 */

extern const char drain_hold[];
extern const char drain_release[];
extern const char drain_peek[];
extern const char drain_trim[];
