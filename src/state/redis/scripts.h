#pragma once

/*
 * What runs in Redis: join.lua, hello.lua and lease.lua, as they are in their files.
 */

extern const char script_join[];
extern const char script_hello[];
extern const char script_lease[];
