/* What most commands begin with: the configuration, the secret, the passphrase. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "vault/settings.h"

enum { PASSPHRASE_MAX = 1024 };

int cli_home_failed(const struct home_error *error, int err)
{
	int status = err == ERR_CONFIG || err == ERR_CRYPTO || err == -ENOENT ? CLI_CONFIG : cli_status_of(err);

	return cli_fail(status, "%s", error->text[0] ? error->text : err_text(err));
}

int cli_home(struct cli *c, struct home *ret)
{
	struct home_error error = { "" };
	int err = home_open(ret, cli_option(c, "config"), &error);

	return err < 0 ? cli_home_failed(&error, err) : 0;
}

/* ---- passphrases ---- */

static int first_line(const char *path, struct buf *ret)
{
	_cleanup_(buf_wipe) struct buf all = {};
	int err = file_read(path, PASSPHRASE_MAX, &all);

	if (err < 0) {
		cli_fail(CLI_CONFIG, "%s: %s", path, err_text(err));
		return ERR_CONFIG;
	}
	const uint8_t *end = all.len ? memchr(all.data, '\n', all.len) : NULL;
	buf_add(ret, all.data, end ? (size_t)(end - all.data) : all.len);
	return buf_err(ret);
}

static int read_line(int fd, struct buf *ret)
{
	char ch;

	while (ret->len < PASSPHRASE_MAX) {
		ssize_t n = read(fd, &ch, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n || ch == '\n')
			return buf_err(ret);
		buf_add_u8(ret, (uint8_t)ch);
	}
	return ERR_LIMIT;
}

static int ask_terminal(int fd, const char *prompt, struct buf *ret)
{
	struct termios was, quiet;
	int err;

	if (tcgetattr(fd, &was) < 0)
		return -errno;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	dprintf(fd, "%s: ", prompt);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	err = read_line(fd, ret);
	tcsetattr(fd, TCSAFLUSH, &was);
	return err;
}

int cli_passphrase(const struct cli *c, const char *prompt, bool confirm, struct buf *ret)
{
	const char *file = cli_option(c, "passphrase-file") ?: getenv("CARRIER_PASSPHRASE_FILE");
	_cleanup_(buf_wipe) struct buf again = {};
	int err;

	if (file && *file)
		return first_line(file, ret);
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		cli_fail(CLI_CONFIG, "no terminal to ask for the passphrase; give --passphrase-file");
		return ERR_STATE;
	}
	err = ask_terminal(fd, prompt, ret);
	if (err >= 0 && confirm) {
		err = ask_terminal(fd, "Again", &again);
		if (err >= 0 && !span_equal(buf_span(ret), buf_span(&again))) {
			cli_fail(CLI_FAILED, "the two passphrases differ");
			err = ERR_PARSE;
		}
	}
	return err;
}

static int ask(void *userdata, const char *prompt, struct buf *ret)
{
	return cli_passphrase(userdata, prompt, false, ret);
}

int cli_secret(struct cli *c, const struct home *h, struct sign_seed *ret)
{
	struct home_error error = { "" };
	int err = home_secret(h, ret, ask, c, &error);

	if (err == -ENOENT)
		return cli_fail(CLI_CONFIG, "there is no identity here yet (%s); 'carrier setup' makes one", h->secret_path);
	if (err == ERR_STATE && !error.text[0])
		return CLI_CONFIG;      /* said by cli_passphrase() */
	return err < 0 ? cli_home_failed(&error, err) : 0;
}

int cli_identity(struct cli *c, const struct home *h, struct identity *ret)
{
	struct sign_seed seed;
	int status = cli_secret(c, h, &seed);

	if (status)
		return status;
	identity_of_seed(ret, &seed);
	wipe(&seed, sizeof seed);
	return 0;
}

int cli_subject(struct cli *c, const struct home *h, const char *text, struct identity *ret)
{
	struct home_error error = { "" };
	struct identity self;
	struct target t;
	bool is_self = !strcmp(text, "self");
	int err;

	if (is_self) {
		int status = cli_identity(c, h, &self);
		if (status)
			return status;
	}
	err = target_parse(&t, h, is_self ? &self : NULL, text, &error);
	if (err >= 0 && t.has_addr)
		return cli_fail(CLI_USAGE, "\"%s\": an identity without an address was expected", text);
	if (err < 0)
		return cli_fail(err == ERR_CONFIG ? CLI_CONFIG : CLI_USAGE, "%s", error.text[0] ? error.text : err_text(err));
	*ret = t.id;
	return 0;
}
