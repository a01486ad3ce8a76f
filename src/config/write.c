/* Spelling keys and values; documents from and to files. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "config/document.h"

void toml_spell_string(struct buf *out, struct span s)
{
	static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";

	buf_add_u8(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		const char *hit = c ? strchr(from, c) : NULL;

		if (hit) {
			buf_add_u8(out, '\\');
			buf_add_u8(out, (uint8_t)to[hit - from]);
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04X", c);
		} else {
			buf_add_u8(out, c);
		}
	}
	buf_add_u8(out, '"');
}

void toml_spell_key(struct buf *out, struct span key)
{
	static const char bare[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
	bool quoted = key.len == 0;

	for (size_t i = 0; i < key.len; i++)
		quoted |= !key.data[i] || !strchr(bare, key.data[i]);
	if (quoted)
		toml_spell_string(out, key);
	else
		buf_add_span(out, key);
}

int toml_load(struct toml **ret, const char *path, struct toml_error *error)
{
	_cleanup_(buf_wipe) struct buf text = {};
	int err = file_read(path, TOML_SIZE_MAX, &text);

	if (err == -ENOENT)
		return toml_new(ret);
	if (err == ERR_LIMIT) {
		if (error) {
			*error = (struct toml_error){ .line = 1, .column = 1 };
			snprintf(error->text, sizeof error->text, "larger than %d bytes", TOML_SIZE_MAX);
		}
		return ERR_CONFIG;
	}
	return err < 0 ? err : toml_parse(ret, buf_span(&text), error);
}

int toml_write(const struct toml *t, struct buf *out)
{
	buf_add(out, t->text, t->len);
	return buf_err(out);
}

int toml_save(const struct toml *t, const char *path, unsigned mode)
{
	return file_write_atomic(path, mode, SPAN(t->text, t->len));
}
