/* What a device says about itself: one CBOR map, asked by polling. Groups and fields
 * that the device cannot tell are absent, so a reader takes what is there.
 *
 *   uname     sysname nodename release version machine          text
 *   mem       total free available swap_total swap_free         bytes
 *   load      avg1 avg5 avg15 (hundredths), clock (unix s), uptime idletime (s),
 *             running procs, cores, threads
 *   firmware  name id version pretty build                      text, os-release(5)
 *   board     model vendor name                                 text
 *   fs        [device mount type total free available]          bytes; no sizes: not asked (network)
 *   netdev    [name mac mtu up state speed duplex rx_bytes tx_bytes rx_packets tx_packets
 *              rx_errors tx_errors addrs: [addr prefix broadcast]]
 */
#pragma once

#include "base/buf.h"

enum {
	SYSINFO_FS_MAX = 64,
	SYSINFO_NETDEV_MAX = 128,
	SYSINFO_ADDRS_MAX = 32,         /* of one device */
	SYSINFO_LEN_MAX = 192 << 10,    /* fits one message */
};

/* Appends the map. Reads /proc, /sys, /etc/os-release and the interfaces; runs in the
 * privileged half, and in a chroot where some of them are missing. Nothing is left in
 * out on failure. */
int sysinfo_collect(struct buf *out) _must_check_;
