/* vault export and restore; reset. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/net.h"
#include "cli/out.h"
#include "vault/backup.h"

static void print_identity(const struct cli *c, const struct identity *id)
{
	char text[IDENTITY_STR_MAX];
	struct out_object o;

	identity_format(text, id);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "identity", text);
		out_end(&o);
	} else {
		puts(text);
	}
}

int cmd_vault_export(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_(buf_wipe) struct buf passphrase = {};
	_cleanup_buf_ struct buf sealed = {};
	struct sign_seed seed;
	struct identity id;
	int status = cli_home(c, &h), err;

	if (!status)
		status = cli_secret(c, &h, &seed);
	if (status)
		return status;
	identity_of_seed(&id, &seed);
	err = cli_passphrase(c, "Passphrase for the backup", true, &passphrase);
	if (err >= 0) {
		if (!passphrase.len)
			status = cli_fail(CLI_USAGE, "the passphrase is empty");
		else if ((err = backup_export(&sealed, &h, &seed, buf_span(&passphrase))) < 0 ||
			 (err = file_write_atomic(c->argv[0], 0600, buf_span(&sealed))) < 0)
			status = cli_fail(CLI_FAILED, "%s: %s", c->argv[0], err_text(err));
	}
	wipe(&seed, sizeof seed);
	if (err < 0 || status)
		return status ?: cli_status_of(err);
	print_identity(c, &id);
	return CLI_OK;
}

int cmd_vault_restore(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_(buf_wipe) struct buf passphrase = {};
	_cleanup_buf_ struct buf sealed = {};
	struct home_error error = { "" };
	struct identity id;
	int status = cli_home(c, &h), err;

	if (status)
		return status;
	err = file_read(c->argv[0], BACKUP_SIZE_MAX, &sealed);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s: %s", c->argv[0], err_text(err));
	err = cli_passphrase(c, "Passphrase of the backup", false, &passphrase);
	if (err < 0)
		return cli_status_of(err);
	err = backup_restore(&h, buf_span(&sealed), buf_span(&passphrase), &error);
	if (err < 0)
		return cli_fail(err == ERR_EXISTS ? CLI_CONFIG : CLI_FAILED, "%s",
				error.text[0] ? error.text : err_text(err));
	status = cli_identity(c, &h, &id);
	if (status)
		return status;
	print_identity(c, &id);
	cli_note(c, "restored; the machine that had this identity before must not run any more");
	return CLI_OK;
}

/* ---- reset ---- */

/* state/ may be deleted at any time, with all that is in it. */
static int empty_folder(int at, const char *name)
{
	_cleanup_close_ int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	DIR *d;
	int err = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = fdopendir(dup(fd));
	if (!d)
		return -errno;
	while (err >= 0 && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		err = errno == EISDIR || errno == EPERM ? empty_folder(fd, e->d_name) : -errno;
		if (err >= 0 && unlinkat(fd, e->d_name, AT_REMOVEDIR) < 0)
			err = -errno;
	}
	closedir(d);
	return err;
}

static int confirm(const struct cli *c, const char *what)
{
	char line[16];

	if (cli_flag(c, "yes"))
		return 0;
	if (!isatty(STDIN_FILENO))
		return cli_fail(CLI_USAGE, "reset: give --yes where nobody can be asked");
	fprintf(stderr, "This forgets %s. Go on? [y/N] ", what);
	if (!fgets(line, sizeof line, stdin) || (line[0] != 'y' && line[0] != 'Y'))
		return cli_fail(CLI_FAILED, "nothing was changed");
	return 0;
}

static int new_key(struct home *h, struct home_error *error)
{
	struct sign_seed seed;
	int err = toml_remove(toml_root(h->config), "secret");

	sign_seed_new(&seed);
	if (err >= 0)
		err = home_write_secret(h, &seed, SPAN_NONE, true, error);
	wipe(&seed, sizeof seed);
	return err;
}

static int forget(struct home *h, bool with_key, struct home_error *error)
{
	struct toml_table *root = toml_root(h->config);
	int err = empty_folder(AT_FDCWD, h->state_path);

	if (err < 0)
		snprintf(error->text, sizeof error->text, "%.400s: %s", h->state_path, err_text(err));
	if (err >= 0)
		err = toml_remove(root, "authorize");
	if (err >= 0 && with_key)
		err = new_key(h, error);
	return err < 0 ? err : net_leave_here(h, error);
}

int cmd_reset(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct home_error error = { "" };
	bool with_key = cli_flag(c, "new-key");
	struct identity id;
	int status = cli_home(c, &h), err;

	if (!status)
		status = confirm(c, with_key ? "every rule, the network, and the identity itself" : "every rule and the network");
	if (status)
		return status;
	err = forget(&h, with_key, &error);
	if (err < 0)
		return cli_home_failed(&error, err);
	status = cli_identity(c, &h, &id);
	if (status)
		return status;
	print_identity(c, &id);
	cli_note(c, "nobody is authorized here any more: whoever comes first may claim this device");
	return CLI_OK;
}
