/* Notices edits of the configuration. The folder is watched, for editors write a new
 * file and rename it. */
#include <errno.h>
#include <sys/inotify.h>

#include "base/err.h"
#include "carrierd/monitor.h"

enum { SETTLE_MS = 100 };       /* several writes make one reload */

struct watch {
	struct monitor *monitor;
	int fd;
	struct source *io, *timer;
};
DEFINE_FREEP(struct watch *, watch_free)

static void on_event(void *userdata, unsigned events)
{
	struct watch *w = userdata;
	char drain[4096];

	(void)events;
	while (read(w->fd, drain, sizeof drain) > 0)
		;
	/* What changed does not matter: the content is compared. */
	if (source_arm(w->timer, loop_now(w->monitor->loop) + MILLIS(SETTLE_MS)) < 0)
		monitor_reload(w->monitor);
}

static void on_settled(void *userdata, tstamp now)
{
	struct watch *w = userdata;

	(void)now;
	monitor_reload(w->monitor);
}

static int add_folder(int fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");

	if (!dir)
		return -ENOMEM;
	if (inotify_add_watch(fd, dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) < 0)
		return -errno;
	return 0;
}

int watch_new(struct watch **ret, struct monitor *m)
{
	_cleanup_(watch_freep) struct watch *w = calloc(1, sizeof *w);
	int err;

	if (!w)
		return -ENOMEM;
	w->monitor = m;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	if ((err = add_folder(w->fd, m->home.config_path)) < 0 ||
	    (err = loop_add_timer(m->loop, &w->timer, on_settled, w)) < 0 ||
	    (err = loop_add_io(m->loop, &w->io, w->fd, LOOP_IN, on_event, w)) < 0)
		return err;
	*ret = take(w);
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	source_free(w->io);
	source_free(w->timer);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
