/* A home in a temporary folder that goes away with the test. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "test.h"
#include "vault/home.h"

struct place {
	char dir[64];
	char config[128];
	char secret[128];
};

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline void place_done(struct place *p)
{
	nftw(p->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
#define _cleanup_place_ _cleanup_(place_done)

static inline void place_new(struct place *p)
{
	static const char *const variables[] = {
		"CARRIER_CONFIG", "CARRIER_SECRET", "CARRIER_SECRETKIT", "CARRIER_BROKERS",
	};

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	snprintf(p->dir, sizeof p->dir, "%.30s/carrier-test-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	CHECK(mkdtemp(p->dir));
	snprintf(p->config, sizeof p->config, "%s/h/carrier.toml", p->dir);
	snprintf(p->secret, sizeof p->secret, "%s/h/carrier.secret", p->dir);
}

static inline void put_file(const char *path, const char *text, mode_t mode)
{
	char dir[128];

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	CHECK_ERR(file_make_dirs(dir), 0);
	CHECK_ERR(file_write_atomic(path, mode, SPAN_STR(text)), 0);
}

static inline char *get_file(const char *path)
{
	struct buf b = { 0 };

	if (file_read(path, 1 << 20, &b) < 0) {
		buf_done(&b);
		return NULL;
	}
	return buf_take_str(&b);
}

static inline int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int)(st.st_mode & 07777);
}

static inline void open_home(struct home *h, const struct place *p)
{
	struct home_error error;

	if (home_open(h, p->config, &error) < 0)
		fail_msg("%s", error.text);
}

static inline struct sign_seed seed_of(uint8_t n)
{
	struct sign_seed s = { { 1, 2, 3, n } };

	return s;
}

static inline void seed_text(char out[static TEXT_STR_MAX], uint8_t n)
{
	struct sign_seed s = seed_of(n);

	text_format2(out, TEXT_SECRET, s.b);
}
