/* A passphrase to a key, slowly on purpose. */
#include <errno.h>
#include <sodium.h>

#include "base/err.h"
#include "crypto/crypto.h"

int passphrase_key(uint8_t out[static AEAD_KEY_LEN], struct span passphrase,
		   const uint8_t salt[static 16], uint64_t ops, uint64_t mem_bytes)
{
	const char *text = passphrase.len ? (const char *)passphrase.data : "";
	uint8_t key[AEAD_KEY_LEN];

	if (ops < crypto_pwhash_argon2id_OPSLIMIT_MIN || ops > crypto_pwhash_argon2id_OPSLIMIT_MAX ||
	    mem_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    mem_bytes > crypto_pwhash_argon2id_MEMLIMIT_MAX ||
	    passphrase.len > crypto_pwhash_argon2id_PASSWD_MAX)
		return ERR_LIMIT;

	if (crypto_pwhash(key, sizeof key, text, passphrase.len, salt, ops,
			  (size_t)mem_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return -ENOMEM;

	memcpy(out, key, sizeof key);
	wipe(key, sizeof key);
	return 0;
}
