/* Authenticated encryption. Opening into place (out == in.data) is fine. */
#include <sodium.h>

#include "base/err.h"
#include "crypto/crypto.h"

void aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY_LEN], const uint8_t nonce[static 12],
	       struct span ad, struct span in)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in.data, in.len, ad.data, ad.len, NULL,
						  nonce, key);
}

int aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY_LEN], const uint8_t nonce[static 12],
	      struct span ad, struct span in)
{
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in.data, in.len, ad.data, ad.len,
						      nonce, key) != 0)
		return ERR_CRYPTO;
	return 0;
}

void secretbox_seal(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 24],
		    struct span ad, struct span in)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in.data, in.len, ad.data, ad.len, NULL,
						   nonce, key);
}

int secretbox_open(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 24],
		   struct span ad, struct span in)
{
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in.data, in.len, ad.data, ad.len,
						       nonce, key) != 0)
		return ERR_CRYPTO;
	return 0;
}
