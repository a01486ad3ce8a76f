#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "files_rig.h"

#include "test.h"

struct tree_outcome {
	bool done;
	int err;
	unsigned skipped, links;
	uint64_t files, bytes;
};

static void on_progress(void *userdata, uint64_t files, uint64_t bytes)
{
	struct tree_outcome *o = userdata;

	CHECK(files >= o->files && bytes >= o->bytes);
	o->files = files;
	o->bytes = bytes;
}

static void on_skipped(void *userdata, const char *, int err, const char *)
{
	struct tree_outcome *o = userdata;

	o->skipped++;
	o->links += err == -ELOOP;
}

static void on_done(void *userdata, int err)
{
	struct tree_outcome *o = userdata;

	CHECK(!o->done);
	o->done = true;
	o->err = err;
}

static const struct sft_tree_ops ops = { .progress = on_progress, .skipped = on_skipped, .done = on_done };
static bool is_done(void *o) { return ((struct tree_outcome *)o)->done; }

static struct sft_tree *start(struct files_rig *f, struct tree_outcome *o, bool pull, const char *here, const char *there)
{
	struct sft_request rq = {
		.streams = wire_client(f->r->wire), .loop = f->r->loop, .files = f->local, .local = here, .remote = there,
	};
	struct sft_tree *t;

	*o = (struct tree_outcome){ 0 };
	CHECK_ERR((pull ? sft_pull_tree : sft_push_tree)(&t, &rq, &ops, o), 0);
	return t;
}

static int run(struct files_rig *f, struct tree_outcome *o, bool pull, const char *here, const char *there)
{
	start(f, o, pull, here, there);
	CHECK(rig_until(f->r, is_done, o));
	return o->err;
}

static bool same_tree(const char *a, const char *b)
{
	char cmd[1200];

	snprintf(cmd, sizeof cmd, "cd '%s' && find . -type l -prune -o -printf '%%y %%m %%p\\n' | sort > '%s.list'; "
		 "cd '%s' && find . -type l -prune -o -printf '%%y %%m %%p\\n' | sort | cmp -s - '%s.list' && "
		 "diff -r --no-dereference '%s' '%s' | grep -v '^Only in .*: link$' | wc -l | grep -qx 0", a, a, b, a, a, b);
	return system(cmd) == 0;
}

static void make_tree(const char *top, unsigned files)
{
	char path[600];

	mkdir(top, 0755);
	for (unsigned i = 0; i < files; i++) {
		if (i % 50 == 0) {
			snprintf(path, sizeof path, "%s/d%u", top, i / 50);
			mkdir(path, i % 100 ? 0700 : 0755);
		}
		snprintf(path, sizeof path, "%s/d%u/f%u", top, i / 50, i);
		file_make(path, i * 37 % 5000, i, i % 2 ? 0600 : 0755);
	}
	snprintf(path, sizeof path, "%s/empty", top);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "%s/not \xff utf-8", top);
	file_make(path, 3000000, 1, 0644);
	snprintf(path, sizeof path, "%s/link", top);
	CHECK(symlink("empty", path) == 0);
}

static void test_a_tree_there_and_back(void **state)
{
	struct files_rig *f = *state;
	struct tree_outcome o;

	make_tree(files_rig_path(f->here, "tree"), 500);
	CHECK_ERR(run(f, &o, false, files_rig_path(f->here, "tree/"), "deep/er/copy"), 0);
	CHECK(o.files == 501 && o.links == 1 && o.skipped == 1);
	CHECK(same_tree(files_rig_path(f->here, "tree"), files_rig_path(f->there, "deep/er/copy")));
	CHECK_ERR(run(f, &o, true, files_rig_path(f->here, "back"), "deep/er/copy"), 0);
	CHECK(o.files == 501 && o.skipped == 0);
	CHECK(same_tree(files_rig_path(f->here, "tree"), files_rig_path(f->here, "back")));
	CHECK(f->workers == 2);
	/* Again, over what is there. */
	CHECK_ERR(run(f, &o, false, files_rig_path(f->here, "tree"), "deep/er/copy"), 0);
	CHECK(o.files == 501);
}

static void test_one_failure_does_not_stop_the_others(void **state)
{
	struct files_rig *f = *state;
	struct tree_outcome o;

	make_tree(files_rig_path(f->here, "tree"), 20);
	CHECK(mkdir(files_rig_path(f->there, "t"), 0755) == 0 && mkdir(files_rig_path(f->there, "t/d0"), 0755) == 0);
	CHECK(mkfifo(files_rig_path(f->there, "t/d0/f7"), 0644) == 0);
	CHECK_ERR(run(f, &o, false, files_rig_path(f->here, "tree"), "t"), ERR_TYPE);
	CHECK(o.files == 20 && o.skipped == 2);
	CHECK_ERR(run(f, &o, true, files_rig_path(f->here, "x"), "missing"), -ENOENT);
	CHECK_ERR(run(f, &o, false, files_rig_path(f->here, "missing"), "x"), -ENOENT);
}

static void test_a_tree_that_is_one_file(void **state)
{
	struct files_rig *f = *state;
	struct tree_outcome o;

	file_make(files_rig_path(f->here, "f"), 100, 1, 0644);
	CHECK_ERR(run(f, &o, false, files_rig_path(f->here, "f"), "g"), 0);
	CHECK(file_same(files_rig_path(f->here, "f"), files_rig_path(f->there, "g")) && o.files == 1);
	CHECK_ERR(run(f, &o, true, files_rig_path(f->here, "h"), "g"), 0);
	CHECK(file_same(files_rig_path(f->here, "f"), files_rig_path(f->here, "h")));
}

static void test_cancelled_at_any_point(void **state)
{
	struct files_rig *f = *state;
	struct tree_outcome o;

	make_tree(files_rig_path(f->here, "tree"), 60);
	make_tree(files_rig_path(f->there, "tree"), 60);
	for (int pull = 0; pull < 2; pull++)
		for (unsigned turns = 0; turns < 60; turns += 3) {
			struct sft_tree *t = start(f, &o, pull, files_rig_path(f->here, pull ? "to" : "tree"),
						   pull ? "tree" : "to");

			for (unsigned i = 0; i < turns && !o.done; i++) {
				CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(1)) >= 0);
				wire_turn(f->r->wire);
			}
			if (!o.done)
				sft_tree_cancel(t);
			CHECK(rig_until(f->r, is_done, &o));
		}
}

static void test_a_lost_connection_ends_it(void **state)
{
	struct files_rig *f = *state;

	make_tree(files_rig_path(f->here, "tree"), 60);
	make_tree(files_rig_path(f->there, "tree"), 60);
	for (int pull = 0; pull < 2; pull++)
		for (unsigned turns = 0; turns < 40; turns += 7) {
			struct tree_outcome o;

			struct sft_tree *t = start(f, &o, pull, files_rig_path(f->here, pull ? "to" : "tree"),
						   pull ? "tree" : "to");
			for (unsigned i = 0; i < turns && !o.done; i++) {
				CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(1)) >= 0);
				wire_turn(f->r->wire);
			}
			bool was_done = o.done;
			wire_free(take(f->r->wire));
			if (!was_done)
				sft_tree_cancel(t);
			for (tstamp end = time_monotonic() + SECONDS(20); !o.done && time_monotonic() < end;)
				CHECK(loop_turn(f->r->loop, time_monotonic() + MILLIS(5)) >= 0);
			CHECK(o.done && (was_done || o.err < 0));
			files_rig_reconnect(f);
		}
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, files_rig_setup, files_rig_teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_tree_there_and_back),
		T(test_one_failure_does_not_stop_the_others),
		T(test_a_tree_that_is_one_file),
		T(test_cancelled_at_any_point),
		T(test_a_lost_connection_ends_it),
	};

	return RUN_TESTS(tests);
}
