/* identity: who this machine is; with --new, identities for devices to come. ik convert. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/out.h"
#include "cli/qr.h"
#include "auth/claim.h"
#include "identity/convert.h"

enum { NEW_MAX = 100000 };

/* ---- this machine's ---- */

static int print_identity(const struct cli *c, const struct identity *id)
{
	char text[IDENTITY_STR_MAX], old[TEXT_STR_MAX], words[FINGERPRINT_STR_MAX];
	_cleanup_buf_ struct buf qr = {};
	struct out_object o;

	identity_format(text, id);
	text_format1(old, TEXT_IDENTITY, id->key);
	identity_fingerprint(words, id);
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "identity", text);
		out_str(&o, "generation1", old);
		out_str(&o, "fingerprint", words);
		out_end(&o);
		return CLI_OK;
	}
	if (cli_flag(c, "qr")) {
		int err = qr_print(&qr, text);
		if (err < 0)
			return cli_fail(CLI_FAILED, "QR code: %s", err_text(err));
		fputs(buf_str(&qr), stdout);
	}
	puts(cli_flag(c, "fingerprint") ? words : cli_flag(c, "gen1") ? old : text);
	return CLI_OK;
}

/* ---- a factory's ---- */

struct factory {
	char folder[1024];
	struct buf csv;
};

/* A home as a device takes it over: secret, and a configuration that asks for the code. */
static int make_home(struct factory *f, const struct sign_seed *seed, const char *id, const char *code,
		     struct home_error *error)
{
	_cleanup_(home_done) struct home h = { 0 };
	char path[1200], claim_hash[65];
	int err;

	snprintf(path, sizeof path, "%s/%s/carrier.toml", f->folder, id);
	claim_code_hash(claim_hash, code);
	err = home_open(&h, path, error);
	if (err >= 0)
		err = home_write_secret(&h, seed, SPAN_NONE, false, error);
	if (err >= 0)
		err = toml_set_string(toml_root(h.config), "claim", "code");
	if (err >= 0)
		err = toml_set_string(toml_root(h.config), "claim_hash", claim_hash);
	if (err >= 0)
		err = home_save(&h, error);
	if (err >= 0)
		buf_printf(&f->csv, "%s\n", h.secret_path);
	return err < 0 ? err : buf_err(&f->csv);
}

static int make_one(struct factory *f, const struct cli *c, struct home_error *error)
{
	char text[IDENTITY_STR_MAX], words[FINGERPRINT_STR_MAX], code[CLAIM_CODE_STR_MAX];
	struct sign_seed seed;
	struct identity id;
	struct out_object o;
	int err;

	sign_seed_new(&seed);
	identity_of_seed(&id, &seed);
	identity_format(text, &id);
	identity_fingerprint(words, &id);
	claim_code_new(code);
	buf_printf(&f->csv, "%s,%s,%s,", text, code, words);
	err = make_home(f, &seed, text, code, error);
	wipe(&seed, sizeof seed);
	if (err >= 0 && cli_json(c)) {
		out_begin(&o);
		out_str(&o, "identity", text);
		out_str(&o, "claim_code", code);
		out_str(&o, "fingerprint", words);
		out_end(&o);
	} else if (err >= 0) {
		puts(text);
	}
	wipe(code, sizeof code);
	return err;
}

static int make_new(const struct cli *c)
{
	struct home_error error = { "" };
	const char *manifest = cli_option(c, "manifest");
	struct factory f = { 0 };
	unsigned long n;
	struct stat st;
	int err = 0;

	if (!cli_number(c, "new", NEW_MAX, 0, &n))
		return CLI_USAGE;
	if (!manifest || !n)
		return cli_usage(c, "identity --new NUMBER needs --manifest FILE.csv");
	if (strlen(manifest) > sizeof f.folder - 16)
		return cli_fail(CLI_USAGE, "--manifest: the name is too long");
	if (stat(manifest, &st) == 0)
		return cli_fail(CLI_FAILED, "%s: exists already, and a manifest is never overwritten", manifest);

	size_t stem = strlen(manifest);
	if (stem > 4 && !strcmp(manifest + stem - 4, ".csv"))
		stem -= 4;
	snprintf(f.folder, sizeof f.folder, "%.*s.homes", (int)stem, manifest);
	buf_add_str(&f.csv, "identity,claim_code,fingerprint,secret_file\n");
	for (unsigned long i = 0; err >= 0 && i < n; i++)
		err = make_one(&f, c, &error);
	if (err >= 0)
		err = file_write_atomic(manifest, 0600, buf_span(&f.csv));
	buf_wipe(&f.csv);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s: %s", error.text[0] ? error.text : manifest, err_text(err));
	cli_note(c, "%s lists them with their claim codes; the homes to put on the devices are in %s", manifest, f.folder);
	return CLI_OK;
}

int cmd_identity(struct cli *c)
{
	_cleanup_(home_done) struct home h = { 0 };
	struct identity id;
	int status;

	if (cli_option(c, "new") || cli_option(c, "manifest"))
		return make_new(c);
	status = cli_home(c, &h);
	if (!status)
		status = cli_identity(c, &h, &id);
	return status ?: print_identity(c, &id);
}

/* ---- ik convert ---- */

static int list_conversions(const struct cli *c)
{
	struct out_object o;

	for (const struct conversion *v = conversions; v->name; v++) {
		if (cli_json(c)) {
			out_begin(&o);
			out_str(&o, "conversion", v->name);
			out_str(&o, "help", v->help);
			out_end(&o);
		} else {
			printf("%-24s%s\n", v->name, v->help);
		}
	}
	return CLI_OK;
}

int cmd_ik_convert(struct cli *c)
{
	char line[256], out[TEXT_STR_MAX];
	struct text_error detail = { "" };
	struct out_object o;

	if (!c->argc)
		return list_conversions(c);
	if (!conversion_find(c->argv[0]))
		return cli_fail(CLI_USAGE, "\"%s\" is no conversion; 'carrier ik convert' lists them", c->argv[0]);
	if (c->argc > 1) {
		snprintf(line, sizeof line, "%s", c->argv[1]);
	} else {
		if (!fgets(line, sizeof line, stdin))
			return cli_fail(CLI_USAGE, "nothing to convert on standard input");
		line[strcspn(line, "\n")] = 0;
	}
	int err = convert(out, c->argv[0], line, &detail);
	wipe(line, sizeof line);
	if (err < 0)
		return cli_fail(CLI_FAILED, "%s", detail.text[0] ? detail.text : err_text(err));
	if (cli_json(c)) {
		out_begin(&o);
		out_str(&o, "text", out);
		out_end(&o);
	} else {
		puts(out);
	}
	wipe(out, sizeof out);
	return CLI_OK;
}
