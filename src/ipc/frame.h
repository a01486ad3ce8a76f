/* One datagram of the channel, docs/protocol/processes.md:
 *
 *   0  kind        1 request, 2 reply, 3 notice
 *   1  descriptors how many came along
 *   2  type        big endian; a reply has 0
 *   4  id          of the request; a notice has 0
 *   8  error       of a reply, two's complement; else 0
 *  12  body */
#pragma once

#include "ipc/ipc.h"

enum frame_kind { FRAME_REQUEST = 1, FRAME_REPLY, FRAME_NOTICE };
enum { FRAME_HEADER_LEN = 12, FRAME_MAX = FRAME_HEADER_LEN + IPC_BODY_MAX };

struct frame {
	enum frame_kind kind;
	size_t fds_len;
	uint16_t type;
	uint32_t id;
	int err;
	struct span body;       /* inside the datagram */
};

/* ERR_PROTOCOL: nothing that we would send. */
int frame_parse(struct frame *ret, struct span datagram) _must_check_;
void frame_write_header(uint8_t out[static FRAME_HEADER_LEN], const struct frame *f);

/* ERR_AGAIN: no room now. ERR_CLOSED: nobody there. */
int frame_send(int fd, const struct frame *f, const int *fds) _must_check_;
/* Descriptors come with close-on-exec into fds; on every error there are none.
 * ERR_AGAIN: nothing there. ERR_CLOSED: hang-up. ERR_PROTOCOL: malformed. */
int frame_recv(int fd, struct ipc_area *area, struct frame *ret, int fds[static IPC_FDS_MAX]) _must_check_;
