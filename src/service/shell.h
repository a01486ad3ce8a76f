/* A shell on a device (docs/protocol/services.md): what its messages are, and the
 * asking half. Terminals are not its business: who asks brings the window size,
 * raw mode and the bytes.
 *
 * The answering half is a row of the service table; it asks the host for the
 * descriptors (HOST_SHELL) and carries bytes between them and the stream. */
#pragma once

#include "stream/stream.h"

#define SHELL_PATH "/v0/shell"

enum {
	SHELL_COMMAND_MAX = 7168,
	SHELL_TERM_MAX = 64,
	SHELL_ENV_MAX = 64, SHELL_ENV_NAME_MAX = 64, SHELL_ENV_VALUE_MAX = 1024,
	SHELL_DATA_MAX = 64 << 10,      /* bytes in one message */
	SHELL_STATUS_LEN = 4,           /* what the host's status descriptor says: big endian */
	SHELL_STATUS_LOST = -1,         /* the host ended without saying it */
};

/* The first byte of a message. */
enum shell_kind {
	SHELL_DATA = 1,                 /* to the device: input, empty: its end; from it: output */
	SHELL_STDERR = 2,
	SHELL_EXIT = 9,                 /* i32 big endian, the last message */
	SHELL_WINDOW = 10,              /* rows, columns, x and y pixels: u16 big endian each */
};

struct shell_window {
	uint16_t row, col, xpixel, ypixel;
};

struct shell_message {
	enum shell_kind kind;
	struct span data;
	int32_t exit;
	struct shell_window window;
};

/* ERR_PROTOCOL: not one that this side may send; ERR_LIMIT: too long. */
int shell_message_parse(struct shell_message *ret, struct span m, bool to_device) _must_check_;

enum { SHELL_WINDOW_LEN = 9, SHELL_EXIT_LEN = 5 };
void shell_window_format(uint8_t out[static SHELL_WINDOW_LEN], const struct shell_window *w);
void shell_exit_format(uint8_t out[static SHELL_EXIT_LEN], int32_t status);

/* May a caller set this variable? Capitals, digits and '_'; none that changes who
 * the user is, which programs run or how they are loaded. */
bool shell_env_allowed(struct span name);

/* ---- the asking half ---- */
struct shell_request {
	const char *command;            /* NULL: the user's login shell */
	bool pty;
	const char *term;               /* NULL: none */
	struct shell_window window;     /* with pty */
	const char *const *env;         /* "NAME=value", NULL at the end; NULL: none */
};

/* The header block. Variables that the device would drop are left out here already.
 * ERR_LIMIT: command or environment are too long. */
int shell_request_headers(struct buf *out, const struct shell_request *rq) _must_check_;

struct shell_client_ops {
	void (*opened)(void *userdata, unsigned status, struct span error);
	void (*output)(void *userdata, struct span data);
	void (*error_output)(void *userdata, struct span data);
	void (*exited)(void *userdata, int status);     /* 128 + n for a signal */
	void (*writable)(void *userdata);               /* after ERR_AGAIN */
	/* Last call. 0: exited() came before, or the device refused; ERR_PROTOCOL: it broke
	 * the protocol, or ended without a status; else what became of the stream. */
	void (*closed)(void *userdata, int err);
};

struct shell_client {
	const struct shell_client_ops *ops;
	void *userdata;
	struct stream *stream;          /* NULL once closed; pause and resume it to slow the device down */
	unsigned status;
	bool exited;
	int err;                        /* what the device did wrong */
};

/* c is the caller's and lives until closed(). */
int shell_client_open(struct shell_client *c, struct streams *ss, const struct shell_request *rq,
		      const struct shell_client_ops *ops, void *userdata) _must_check_;
/* How many bytes were taken, all up to SHELL_DATA_MAX; ERR_AGAIN: none, wait for writable. */
int shell_client_write(struct shell_client *c, struct span data) _must_check_;
int shell_client_end_input(struct shell_client *c) _must_check_;
int shell_client_resize(struct shell_client *c, const struct shell_window *w) _must_check_;
/* Hangs up. */
void shell_client_cancel(struct shell_client *c);
