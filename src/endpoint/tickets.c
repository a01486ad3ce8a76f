#include "endpoint/tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "transport/transport.h"

enum { NAME_BYTES = 16, TICKET_FILE_MAX = HASH_LEN + TRANSPORT_TICKET_MAX };

static int ticket_path(struct buf *out, const struct home *h, const char *alpn, const struct identity *peer)
{
	_cleanup_buf_ struct buf in = {};
	uint8_t digest[HASH_LEN];

	buf_add_str(&in, alpn);
	buf_add_u8(&in, 0);
	buf_add(&in, peer->key, sizeof peer->key);
	if (buf_err(&in) < 0)
		return buf_err(&in);
	hash(digest, "carrier ticket name v1", buf_span(&in));
	buf_printf(out, "%s/tickets/", h->state_path);
	for (size_t i = 0; i < NAME_BYTES; i++)
		buf_printf(out, "%02x", digest[i]);
	return buf_err(out);
}

int tickets_load(const struct home *h, const char *alpn, const struct identity *peer, struct buf *out)
{
	_cleanup_(buf_wipe) struct buf file = {};
	_cleanup_buf_ struct buf path = {};
	uint8_t digest[HASH_LEN];
	int err = ticket_path(&path, h, alpn, peer);

	if (err >= 0)
		err = file_read(buf_str(&path), TICKET_FILE_MAX, &file);
	if (err < 0)
		return err;
	if (file.len <= HASH_LEN)
		return ERR_LENGTH;
	struct span blob = span_from(buf_span(&file), HASH_LEN);
	hash(digest, "carrier ticket v1", blob);
	if (memcmp(digest, file.data, HASH_LEN))
		return ERR_CHECKSUM;    /* cut short by a crash: it was not synced */
	buf_add_span(out, blob);
	return buf_err(out);
}

static int write_all(int fd, struct span s)
{
	while (s.len) {
		ssize_t n = write(fd, s.data, s.len);
		if (n < 0 && errno != EINTR)
			return -errno;
		s = span_from(s, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

/* Renamed into place but not synced: a command should not wait for the disk for what
 * only saves time; the checksum tells what a crash has spoilt. */
static int write_ticket(const char *path, struct span blob)
{
	uint8_t digest[HASH_LEN];
	char temporary[4096];

	if (snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid()) >= (int)sizeof temporary)
		return ERR_LENGTH;
	_cleanup_close_ int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	hash(digest, "carrier ticket v1", blob);
	int err = write_all(fd, SPAN_OF(digest));
	if (err >= 0)
		err = write_all(fd, blob);
	if (err >= 0 && rename(temporary, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(temporary);
	return err;
}

/* Failing costs a round trip next time, nothing else. */
void tickets_save(const struct home *h, const char *alpn, const struct identity *peer, struct span blob)
{
	_cleanup_buf_ struct buf path = {}, folder = {};

	if (ticket_path(&path, h, alpn, peer) < 0)
		return;
	int err = write_ticket(buf_str(&path), blob);
	if (err != -ENOENT)
		return;
	buf_printf(&folder, "%s/tickets", h->state_path);
	if (buf_err(&folder) >= 0 && file_make_dirs(buf_str(&folder)) >= 0)
		(void)!write_ticket(buf_str(&path), blob);
}
