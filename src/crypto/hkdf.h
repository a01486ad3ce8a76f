/* HKDF-SHA256 in its two halves, over inputs in pieces: what HPKE's labelled
 * forms are made of. Everybody else calls hkdf() of crypto.h. */
#pragma once

#include "crypto/crypto.h"

enum { HKDF_PRK_LEN = 32, HKDF_OUT_MAX = 255 * 32 };

/* The pieces count as one string, in their order. */
void hkdf_extract(uint8_t prk[static HKDF_PRK_LEN], struct span salt, const struct span *ikm,
		  size_t pieces);
/* out_len <= HKDF_OUT_MAX. */
void hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[static HKDF_PRK_LEN],
		 const struct span *info, size_t pieces);
