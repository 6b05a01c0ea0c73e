#pragma once

/*
 * What a target has, and what of it is free: its resources, read off what its group has in the
 * store now, which is what it pushed last. By the names of node_exporter:
 *
 *     {"available":true,"cpus":4,"load1":0.21,
 *      "memory_bytes":16e9,"memory_available_bytes":9e9,
 *      "filesystem_bytes":1e11,"filesystem_available_bytes":5e10,
 *      "boot_time":"2026-11-20T07:55:40Z",
 *      "system":{"nodename":"db1","sysname":"Linux","release":"6.1.0","machine":"x86_64"}}
 *
 * What is not there, or not finite, is left out; of a file system, that at / counts.
 */

#include "base/buf.h"
#include "targets/registry.h"

/* Lines of one family that are looked at: a host with 512 CPUs has as many of them. */
enum { RESOURCES_LINES_MAX = 4096 };

/* On the loop thread. In a family with more lines nothing is found. */
void resources_append(
		struct buf *out, const struct registry *registry, const struct target *target);
