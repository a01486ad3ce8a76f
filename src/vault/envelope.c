#include <errno.h>

#include "base/err.h"
#include "vault/backup.h"

static const char magic[] = "carrier envelope 1\n";

enum {
	MAGIC_LEN = sizeof magic - 1,
	SALT_AT = ENVELOPE_OPS_AT + 1, SALT_LEN = 16,
	NONCE_AT = SALT_AT + SALT_LEN, NONCE_LEN = 24,
};
_Static_assert(ENVELOPE_MEM_AT == (int)MAGIC_LEN && (int)ENVELOPE_HEAD_LEN == NONCE_AT + NONCE_LEN, "layout");

static int check_cost(unsigned mem_mib, unsigned ops)
{
	bool ok = mem_mib >= 1 && mem_mib <= BACKUP_MEM_MAX_MIB && ops >= 1 && ops <= BACKUP_OPS_MAX;

	return ok ? 0 : ERR_LIMIT;
}

static int key_of(uint8_t key[static AEAD_KEY_LEN], const uint8_t *head, struct span passphrase)
{
	unsigned mem_mib = (unsigned)head[ENVELOPE_MEM_AT] << 8 | head[ENVELOPE_MEM_AT + 1];
	unsigned ops = head[ENVELOPE_OPS_AT];
	int err = check_cost(mem_mib, ops);

	if (err < 0)
		return err;
	if (!passphrase.len)
		return ERR_LENGTH;
	return passphrase_key(key, passphrase, head + SALT_AT, ops, (uint64_t)mem_mib << 20);
}

static int associated(struct buf *out, const char *purpose, const uint8_t *head)
{
	buf_add(out, purpose, strlen(purpose) + 1);
	buf_add(out, head, ENVELOPE_HEAD_LEN);
	return buf_err(out);
}

bool envelope_is(struct span file)
{
	return span_starts(file, magic);
}

int envelope_seal(struct buf *out, const char *purpose, struct span passphrase, struct span plain,
		  unsigned mem_mib, unsigned ops)
{
	uint8_t head[ENVELOPE_HEAD_LEN], key[AEAD_KEY_LEN];
	_cleanup_buf_ struct buf ad = { 0 };
	int err = check_cost(mem_mib, ops);

	if (err < 0)
		return err;
	if (plain.len > BACKUP_SIZE_MAX)
		return ERR_LIMIT;
	memcpy(head, magic, MAGIC_LEN);
	head[ENVELOPE_MEM_AT] = (uint8_t)(mem_mib >> 8);
	head[ENVELOPE_MEM_AT + 1] = (uint8_t)mem_mib;
	head[ENVELOPE_OPS_AT] = (uint8_t)ops;
	random_bytes(head + SALT_AT, SALT_LEN + NONCE_LEN);

	err = associated(&ad, purpose, head);
	if (err < 0)
		return err;
	uint8_t *p = buf_reserve(out, ENVELOPE_HEAD_LEN + plain.len + AEAD_TAG_LEN);
	if (!p)
		return buf_err(out);
	err = key_of(key, head, passphrase);
	if (err < 0)
		return err;

	memcpy(p, head, ENVELOPE_HEAD_LEN);
	secretbox_seal(p + ENVELOPE_HEAD_LEN, key, head + NONCE_AT, buf_span(&ad), plain);
	buf_added(out, ENVELOPE_HEAD_LEN + plain.len + AEAD_TAG_LEN);
	wipe(key, sizeof key);
	return 0;
}

int envelope_open(struct buf *out, const char *purpose, struct span passphrase, struct span sealed)
{
	uint8_t key[AEAD_KEY_LEN];
	_cleanup_buf_ struct buf ad = { 0 };
	int err;

	if (!envelope_is(sealed))
		return ERR_PREFIX;
	if (sealed.len < ENVELOPE_HEAD_LEN + AEAD_TAG_LEN)
		return ERR_LENGTH;
	if (sealed.len > ENVELOPE_HEAD_LEN + BACKUP_SIZE_MAX + AEAD_TAG_LEN)
		return ERR_LIMIT;

	struct span box = span_from(sealed, ENVELOPE_HEAD_LEN);
	err = associated(&ad, purpose, sealed.data);
	if (err < 0)
		return err;
	/* one more, because room for nothing may be NULL without an error */
	uint8_t *p = buf_reserve(out, box.len - AEAD_TAG_LEN + 1);
	if (!p)
		return buf_err(out);
	err = key_of(key, sealed.data, passphrase);
	if (err < 0)
		return err;
	err = secretbox_open(p, key, sealed.data + NONCE_AT, buf_span(&ad), box);
	wipe(key, sizeof key);
	if (err < 0)
		return ERR_CRYPTO;
	buf_added(out, box.len - AEAD_TAG_LEN);
	return 0;
}
