/* Private to the collector: one function a group. */
#pragma once

#include "service/sysinfo.h"
#include "wire/cbor.h"

/* What is not UTF-8 becomes '?', so that a mount point cannot spoil the whole. */
void sysinfo_put_text(struct cbor_map *m, const char *key, struct span text);
/* The file's first line without blanks at its ends; false if there is none. */
bool sysinfo_read_line(const char *path, char *out, size_t size);

void sysinfo_put_fs(struct cbor_map *m);
void sysinfo_put_netdev(struct cbor_map *m);
