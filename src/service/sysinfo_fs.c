#include <mntent.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "service/sysinfo_internal.h"

enum { MOUNT_LINE_MAX = 4096 };

static bool is_one_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* Where files are kept, as opposed to what the kernel shows as files. */
static bool is_storage(const struct mntent *e)
{
	static const char *const types[] = {
		"overlay", "tmpfs", "ubifs", "jffs2", "zfs", "9p", "virtiofs", "fuse.mergerfs",
	};

	return e->mnt_fsname[0] == '/' || !strncmp(e->mnt_fsname, "ubi", 3) ||
	       is_one_of(types, ARRAY_LEN(types), e->mnt_type);
}

/* Asking one of these for its size can wait for ever for a server that has gone. */
static bool may_hang(const struct mntent *e)
{
	return !strncmp(e->mnt_type, "nfs", 3) || !strncmp(e->mnt_type, "fuse", 4) || !strcmp(e->mnt_type, "cifs") ||
	       !strcmp(e->mnt_type, "smb3") || !strcmp(e->mnt_type, "ceph") || !strcmp(e->mnt_type, "9p") ||
	       !strcmp(e->mnt_type, "autofs");
}

static void put_one(struct buf *out, const struct mntent *e)
{
	struct statvfs v;
	struct cbor_map g;

	cbor_map_begin(&g, out);
	sysinfo_put_text(&g, "device", SPAN_STR(e->mnt_fsname));
	sysinfo_put_text(&g, "mount", SPAN_STR(e->mnt_dir));
	sysinfo_put_text(&g, "type", SPAN_STR(e->mnt_type));
	if (!may_hang(e) && statvfs(e->mnt_dir, &v) >= 0) {
		cbor_map_uint(&g, "total", (uint64_t)v.f_blocks * v.f_frsize);
		cbor_map_uint(&g, "free", (uint64_t)v.f_bfree * v.f_frsize);
		cbor_map_uint(&g, "available", (uint64_t)v.f_bavail * v.f_frsize);
	}
	cbor_map_end(&g);
}

/* The list's length comes first in CBOR, so it is written apart. */
void sysinfo_put_fs(struct cbor_map *m)
{
	_cleanup_buf_ struct buf items = { .max = SYSINFO_LEN_MAX };
	FILE *f = setmntent("/proc/self/mounts", "re");
	char line[MOUNT_LINE_MAX];
	struct mntent e;
	struct buf *out;
	size_t n = 0;

	if (!f)
		return;
	while (n < SYSINFO_FS_MAX && getmntent_r(f, &e, line, sizeof line))
		if (is_storage(&e)) {
			put_one(&items, &e);
			n++;
		}
	endmntent(f);

	if (buf_err(&items) < 0)
		return;
	out = cbor_map_key(m, "fs");
	cbor_put_array(out, n);
	buf_add_span(out, buf_span(&items));
}
