/* A rig whose host starts files workers in one folder, and a worker for the caller in
 * another; files, transfers and cuts. */
#pragma once

#include "rig.h"
#include "service/sft.h"

struct files_rig {
	struct rig *r;
	struct files_client *local;
	char top[40], there[48], here[48];      /* the device's root; the caller's */
	unsigned workers;               /* that the host started */
};

int files_rig_setup(void **state);
int files_rig_teardown(void **state);
/* The connection is lost, and a new one made. Nobody of the old one is left. */
void files_rig_reconnect(struct files_rig *f);
const char *files_rig_path(const char *folder, const char *name);       /* valid for a while */

/* Random, but the same for the same seed. */
void file_make(const char *path, size_t size, unsigned seed, unsigned mode);
void file_poke(const char *path, size_t at);    /* changes one byte */
bool file_same(const char *a, const char *b);
size_t file_size(const char *path);             /* SIZE_MAX: none */
unsigned file_mode(const char *path);
unsigned folder_len(const char *path);          /* hidden ones too */

struct outcome {
	struct files_rig *f;
	struct sft_transfer *t;
	bool done;
	int err;
	char text[200];
	struct sft_progress last;
	uint64_t stop_at;               /* cut when this much is done; 0: never */
	bool stopped;
	uint64_t first;                 /* the first progress that was heard */
	bool has_first;
};
extern const struct sft_ops outcome_ops;
/* Runs to the end, or to the cut. */
int transfer_run(struct files_rig *f, struct outcome *o, bool pull, const char *here, const char *there,
		 const uint8_t *sha256);
void transfer_start(struct files_rig *f, struct outcome *o, bool pull, const char *here, const char *there,
		    const uint8_t *sha256);
bool outcome_is_done(void *o);
bool files_rig_is_empty(void *f);         /* nothing on the device any more */
