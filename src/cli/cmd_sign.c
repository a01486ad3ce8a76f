/* sign and verify: Ed25519 over purpose and text, as in both books. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/out.h"

enum { STATEMENT_MAX = 256 << 20 };

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		uint8_t *room = buf_reserve(out, 65536);
		if (!room)
			return buf_err(out);
		ssize_t n = read(fd, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		buf_added(out, (size_t)n);
	}
}

/* purpose || text. 0 or the exit status. */
static int statement(struct buf *out, const char *purpose, const char *file)
{
	_cleanup_close_ int fd = -1;
	int err;

	out->max = STATEMENT_MAX;
	buf_add_str(out, purpose);
	if (file && strcmp(file, "-")) {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return cli_fail(CLI_FAILED, "%s: %s", file, strerror(errno));
	}
	err = read_all(fd < 0 ? STDIN_FILENO : fd, out);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s: %s", file ?: "standard input", err_text(err));
	if (!vault_is_statement(buf_span(out)))
		return cli_fail(CLI_USAGE, "a statement may not begin like a TLS signature or with \"carrier \": that would be "
				"a signature for another purpose");
	return 0;
}

int cmd_sign(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_(vault_freep) struct vault *v = NULL;
	_cleanup_buf_ struct buf text = {};
	char printed[TEXT_STR_MAX];
	struct sign_seed seed;
	struct signature sig;
	struct out_object o;
	int status = cli_home(c, &h), err;

	if (!status)
		status = cli_secret(c, &h, &seed);
	if (!status)
		status = statement(&text, c->argv[0], c->argv[1]);
	if (status)
		return status;
	err = vault_new_local(&v, &seed, 1u << VAULT_STATEMENT);
	wipe(&seed, sizeof seed);
	if (err >= 0)
		err = vault_sign(v, VAULT_STATEMENT, buf_span(&text), &sig);
	if (err < 0)
		return cli_fail(CLI_FAILED, "sign: %s", err_text(err));
	text_format2(printed, TEXT_SIGNATURE, sig.b);
	if (cli_json(c)) {
		out_begin(&o);
		out_identity(&o, "identity", vault_identity(v));
		out_str(&o, "purpose", c->argv[0]);
		out_str(&o, "signature", printed);
		out_end(&o);
	} else {
		puts(printed);
	}
	return CLI_OK;
}

int cmd_verify(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	_cleanup_buf_ struct buf text = {};
	struct text_error detail = { "malformed" };
	struct identity id;
	struct signature sig;
	struct out_object o;
	int status = cli_home(c, &h), err;

	if (!status)
		status = cli_subject(c, &h, c->argv[1], &id);
	if (status)
		return status;
	if (text_parse(sig.b, TEXT_SIGNATURE, c->argv[2], &detail) < 0)
		return cli_fail(CLI_USAGE, "signature: %s", detail.text);
	status = statement(&text, c->argv[0], c->argv[3]);
	if (status)
		return status;

	struct sign_public pk = identity_public(&id);
	err = sign_verify(&pk, "", buf_span(&text), &sig);
	if (cli_json(c)) {
		out_begin(&o);
		out_identity(&o, "identity", &id);
		out_bool(&o, "valid", err >= 0);
		out_end(&o);
	}
	if (err < 0)
		return cli_fail(CLI_FAILED, "the signature does not belong to this text, purpose and identity");
	cli_note(c, "the signature is good");
	return CLI_OK;
}
