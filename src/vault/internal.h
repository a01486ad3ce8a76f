#pragma once

#include "vault/home.h"

/* Fills error and returns ERR_CONFIG, so that a refusal is one expression. */
int home_refuse(struct home_error *error, const char *fmt, ...) _printf_(2, 3) _must_check_;
/* The same with "FILE:LINE: " before it; v NULL: no line. */
int home_refuse_at(struct home_error *error, const struct home *h, const struct toml_value *v,
		   const char *fmt, ...) _printf_(4, 5) _must_check_;
/* For a failed system call or the like: "PATH: what: text of err"; returns err. */
int home_failed(struct home_error *error, int err, const char *path, const char *what) _must_check_;

char *home_named_path(const struct home *h);     /* to be freed; NULL: no memory */

/* Makes the folder if need be and locks it against other writers of this home; the
 * lock ends with the descriptor. Not reentrant: home_save() takes it. */
int home_lock(const struct home *h, int *ret_fd, struct home_error *error) _must_check_;

/* What the disk holds, whatever the environment says: 1 and the seed, 0 there is
 * none, SECRET_SEALED an envelope that ask (or NULL) was not asked about. */
enum { SECRET_SEALED = 2 };
int secret_stored(const struct home *h, struct sign_seed *ret, home_ask_fn *ask, void *userdata,
		  struct home_error *error) _must_check_;
/* What the environment holds: 1 or 0. */
int secret_from_environment(struct sign_seed *ret, struct home_error *error) _must_check_;
int network_from_environment(struct network_secret *ret, struct home_error *error) _must_check_;
/* ERR_EXISTS unless the home is empty or has this secret. */
int secret_refuse_other(const struct home *h, const struct sign_seed *seed, struct span passphrase,
			struct home_error *error) _must_check_;
int secret_write_file(const struct home *h, const struct sign_seed *seed, struct span passphrase,
		      struct home_error *error) _must_check_;

/* "host:port", "[::1]:port". */
int host_port_parse(char host[static 256], uint16_t *ret_port, const char *text,
		    struct text_error *detail) _must_check_;
int refuse_text(struct text_error *detail, const char *fmt, ...) _printf_(2, 3) _must_check_;  /* ERR_PARSE */

struct settings;
int settings_services(struct settings *s, const struct home *h, struct home_error *error) _must_check_;
int names_check_all(const struct home *h, struct home_error *error) _must_check_;
