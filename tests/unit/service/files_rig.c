#include "files_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "service/files_worker.h"

#include "test.h"

static struct files_rig *current;

static int host_files(struct rig_host *h, struct span args, int *fds, size_t *len)
{
	struct cbor c = cbor_map_find(args, "method");
	int err;

	if (h->what != HOST_FILES)
		return ERR_UNKNOWN;
	err = files_worker_spawn(&fds[0], current->there, span_is(cbor_text(&c), "PUT"));
	*len = err >= 0;
	current->workers++;
	return err;
}

static void connect_rig(struct files_rig *f)
{
	static const struct wire_config config = { .window = 512 << 10, .piece = 64 << 10 };

	f->r = rig_new(&config, true);
	f->r->host.carry_out = host_files;
	struct auth_rule rule = { .kind = AUTH_IDENTITY, .identity = f->r->caller, .path = (char *)SFT_PATH,
				  .root = f->there };
	CHECK(auth_add(f->r->auth, NULL, &rule) >= 0);
	CHECK_ERR(files_client_spawn(&f->local, f->r->loop, "/", true), 0);
}

int files_rig_setup(void **state)
{
	struct files_rig *f = calloc(1, sizeof *f);

	signal(SIGPIPE, SIG_IGN);
	strcpy(f->top, "/tmp/carrier-sft-XXXXXX");
	if (!mkdtemp(f->top) || crypto_init() < 0)
		return -1;
	snprintf(f->there, sizeof f->there, "%s/there", f->top);
	snprintf(f->here, sizeof f->here, "%s/here", f->top);
	mkdir(f->there, 0755);
	mkdir(f->here, 0755);
	current = f;
	connect_rig(f);
	*state = f;
	return 0;
}

static void disconnect(struct files_rig *f)
{
	wire_free(f->r->wire);
	f->r->wire = NULL;
	for (int i = 0; i < 20; i++)
		CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(1)) >= 0);
	CHECK(!files_client_is_shared(f->local));
	files_client_unref(f->local);
	rig_free(f->r);
}

/* Workers tidy up when their sockets close; a lock that is still held says so. */
void files_rig_reconnect(struct files_rig *f)
{
	disconnect(f);
	usleep(20000);
	connect_rig(f);
}

int files_rig_teardown(void **state)
{
	struct files_rig *f = *state;
	char cmd[64];

	disconnect(f);
	snprintf(cmd, sizeof cmd, "rm -rf %s", f->top);
	int r = system(cmd);
	free(f);
	return r;
}

const char *files_rig_path(const char *folder, const char *name)
{
	static char path[64][512];
	static unsigned i;

	i = (i + 1) % 64;
	snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
	return path[i];
}

/* ---- files ---- */

void file_make(const char *path, size_t size, unsigned seed, unsigned mode)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	_cleanup_free_ uint8_t *b = malloc(size + 8);
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < size; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(b + i, &x, 8);
	}
	CHECK(fd >= 0 && write(fd, b, size) == (ssize_t)size && fchmod(fd, mode) == 0);
}

void file_poke(const char *path, size_t at)
{
	_cleanup_close_ int fd = open(path, O_RDWR);
	uint8_t b = 0;

	CHECK(fd >= 0 && pread(fd, &b, 1, (off_t)at) == 1);
	b ^= 1;
	CHECK(pwrite(fd, &b, 1, (off_t)at) == 1);
}

bool file_same(const char *a, const char *b)
{
	char cmd[1100];

	snprintf(cmd, sizeof cmd, "cmp -s '%s' '%s'", a, b);
	return system(cmd) == 0;
}

size_t file_size(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? SIZE_MAX : (size_t)st.st_size;
}

unsigned file_mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? ~0u : st.st_mode & 07777;
}

unsigned folder_len(const char *path)
{
	char cmd[600];
	unsigned n = 0;

	snprintf(cmd, sizeof cmd, "ls -A '%s' | wc -l", path);
	FILE *f = popen(cmd, "r");
	CHECK(f && fscanf(f, "%u", &n) == 1);
	pclose(f);
	return n;
}

/* ---- transfers ---- */

static void on_progress(void *userdata, const struct sft_progress *p)
{
	struct outcome *o = userdata;

	CHECK(p->done <= p->total && p->resumed_at <= p->done && p->done >= o->last.done);
	o->last = *p;
	if (!o->has_first)
		o->first = p->done;
	o->has_first = true;
	if (o->stop_at && p->done >= o->stop_at)
		o->stopped = true;
}

static void on_done(void *userdata, int err, const char *text)
{
	struct outcome *o = userdata;

	CHECK(!o->done);
	o->done = true;
	o->err = err;
	snprintf(o->text, sizeof o->text, "%s", text ?: "");
}

const struct sft_ops outcome_ops = { .progress = on_progress, .done = on_done };
bool outcome_is_done(void *o) { return ((struct outcome *)o)->done; }
static bool is_done_or_cut(void *o) { return ((struct outcome *)o)->done || ((struct outcome *)o)->stopped; }

void transfer_start(struct files_rig *f, struct outcome *o, bool pull, const char *here, const char *there,
		    const uint8_t *sha256)
{
	struct sft_request rq = {
		.streams = wire_client(f->r->wire), .loop = f->r->loop, .files = f->local,
		.local = here, .remote = there, .sha256 = sha256,
	};
	uint64_t stop_at = o->stop_at;

	*o = (struct outcome){ .f = f, .stop_at = stop_at };
	CHECK_ERR((pull ? sft_pull : sft_push)(&o->t, &rq, &outcome_ops, o), 0);
}

int transfer_run(struct files_rig *f, struct outcome *o, bool pull, const char *here, const char *there,
		 const uint8_t *sha256)
{
	transfer_start(f, o, pull, here, there, sha256);
	/* In small steps: rig_until() lets everything go that can. */
	for (tstamp end = time_monotonic() + SECONDS(20); !is_done_or_cut(o);) {
		bool moved = wire_turn(f->r->wire);

		CHECK(time_monotonic() < end);
		if (!is_done_or_cut(o))
			CHECK(loop_turn(f->r->loop, moved ? 0 : time_monotonic() + MILLIS(2)) >= 0);
	}
	return o->err;
}

bool files_rig_is_empty(void *f) { return folder_len(((struct files_rig *)f)->there) == 0; }
