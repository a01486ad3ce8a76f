#include "carrierd/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>

/* The whole attribute of ABI 6; older kernels take the beginning of it, and headers
 * may be older than the kernel. */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};

enum { ABI_MAX = 7 };

static const struct {
	unsigned fs_rights, net_rights, scopes;         /* how many bits there are */
	size_t size;
} abis[ABI_MAX + 1] = {
	[1] = { 13, 0, 0, 8 },
	[2] = { 14, 0, 0, 8 },          /* refer */
	[3] = { 15, 0, 0, 8 },          /* truncate */
	[4] = { 15, 2, 0, 16 },         /* TCP bind, connect */
	[5] = { 16, 2, 0, 16 },         /* ioctl of devices */
	[6] = { 16, 2, 2, 24 },         /* abstract sockets, signals */
	[7] = { 16, 2, 2, 24 },
};

static uint64_t bits(unsigned n)
{
	return ((uint64_t)1 << n) - 1;
}

int landlock_deny_all(int *ret_abi)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	*ret_abi = 0;
	if (abi < 1)
		return 1;
	if (abi > ABI_MAX)
		abi = ABI_MAX;

	struct ruleset_attr attr = {
		.fs = bits(abis[abi].fs_rights), .net = bits(abis[abi].net_rights), .scoped = bits(abis[abi].scopes),
	};
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, abis[abi].size, 0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	*ret_abi = (int)abi;
	return 0;
}
