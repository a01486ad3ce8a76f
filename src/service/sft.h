/* Files to a device and from it, whole or not at all (docs/protocol/push.md): what was
 * transferred before a cut need not be again, a file takes its place only when it is
 * complete, verified and on the disk. This is the asking half; the answering half is a
 * row of the service table.
 *
 * Local files are reached through a files worker as well, so that neither end's loop
 * waits for a disk to be synced. */
#pragma once

#include "service/files_client.h"
#include "stream/stream.h"

#define SFT_PATH "/v0/sft"

enum {
	SFT_PARALLEL = 8,               /* transfers at once of a tree */
	SFT_ERROR_MAX = 160,
};

struct sft_progress {
	uint64_t done, total;
	uint64_t resumed_at;            /* what was there before */
};

struct sft_ops {
	void (*progress)(void *userdata, const struct sft_progress *p);         /* or NULL */
	/* Once, last. text: the device's own words, or NULL. ERR_AGAIN: it is being written
	 * by another transfer; ERR_CHANGED: the source changed on the way, go on by asking
	 * again; ERR_CHECKSUM; else what the file system of either side said. */
	void (*done)(void *userdata, int err, const char *text);
};

struct sft_request {
	struct streams *streams;        /* when they go, cancel before the turn is over */
	struct loop *loop;
	struct files_client *files;     /* writable for a pull */
	const char *local, *remote;
	bool parents;                   /* make the folders that miss */
	const uint8_t *sha256;          /* 32 bytes, NULL: none; whoever receives checks it */
};

struct sft_transfer;
/* Strings are copied. done() never runs before this has returned. */
int sft_push(struct sft_transfer **ret, const struct sft_request *rq, const struct sft_ops *ops, void *userdata)
	_must_check_;
int sft_pull(struct sft_transfer **ret, const struct sft_request *rq, const struct sft_ops *ops, void *userdata)
	_must_check_;
/* A folder on the device (mode), and parents; there already: fine. */
int sft_make_folder(struct sft_transfer **ret, const struct sft_request *rq, unsigned mode,
		    const struct sft_ops *ops, void *userdata) _must_check_;
/* done() comes with -ECANCELED unless it was over. */
void sft_cancel(struct sft_transfer *t);

/* ---- what is on the device ---- */
struct sft_list_ops {
	void (*entry)(void *userdata, const struct files_entry *e);
	void (*done)(void *userdata, int err, const char *text);        /* once, last */
};
struct sft_list;
int sft_list_open(struct sft_list **ret, struct streams *ss, const char *remote, unsigned depth,
		  const struct sft_list_ops *ops, void *userdata) _must_check_;
void sft_list_pause(struct sft_list *l, bool pause);
void sft_list_cancel(struct sft_list *l);

/* ---- whole trees ---- */
struct sft_tree_ops {
	void (*progress)(void *userdata, uint64_t files, uint64_t bytes);       /* or NULL */
	/* One thing that was not transferred, and why; -ELOOP: a link, ERR_TYPE: a device. */
	void (*skipped)(void *userdata, const char *path, int err, const char *text);
	void (*done)(void *userdata, int err);  /* err: the first of what went wrong; links do not count */
};
struct sft_tree;
/* From or to the folder *local*; every file's path below it is kept. */
int sft_push_tree(struct sft_tree **ret, const struct sft_request *rq, const struct sft_tree_ops *ops,
		  void *userdata) _must_check_;
int sft_pull_tree(struct sft_tree **ret, const struct sft_request *rq, const struct sft_tree_ops *ops,
		  void *userdata) _must_check_;
void sft_tree_cancel(struct sft_tree *t);
