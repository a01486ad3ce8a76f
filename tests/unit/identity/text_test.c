#include "test.h"

#include "identity/base32.h"
#include "identity/crc8.h"
#include "identity/text.h"

enum { GEN1 = 1, GEN2 };

static const struct good {
	const char *text;
	int form;
	enum text_type type;
	const char *payload;
} good[] = {
	/* the books' */
	{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9", GEN1, TEXT_IDENTITY,
	  "1c6373783b34445ad9ff800d4bd0b40f3d6675d182c000a771ba604b843ecd20" },
	{ "oW9mVQjsTauUNjweCww5GMoXHKhpbM4CCAos1HSJSy8rkr3", GEN1, TEXT_IDENTITY,
	  "0e5e3e46999b813fd972ff6194d2050d44cd73d50ab3dae0e0c4539e4925c790" },
	{ "oT136mPPVYptwoMvnjb2AUXird6tsKsyQ2S46TCTNYr7WwH", GEN1, TEXT_ADDRESS,
	  "a73dbf3798546fe0c1688492838b0ed3d9241ed5cd7add58f0c48d04007ee364" },
	{ "oWBx6jaNJo3XLCvs56EnwBb6uBhJZVEYbnXJNrz9nsFHyrf", GEN1, TEXT_IDENTITY,
	  "15b76b7476a6df2d2d099f090c92fa56b31e10ff3e426398fc33e9a4b6bd81da" },
	{ "cDEOGG43YHM2EIWWZ76AA2S6QWQHT2ZTV2GBMAAFHOG5GAS4EH3GSBMY", GEN2, TEXT_IDENTITY,
	  "1c6373783b34445ad9ff800d4bd0b40f3d6675d182c000a771ba604b843ecd20" },
	{ "cDEHF4PSGTGNYCP6ZOL7WDFGSAUGUJTLT2UFLHWXA4DCFHHSJEXDZBOI", GEN2, TEXT_IDENTITY,
	  "0e5e3e46999b813fd972ff6194d2050d44cd73d50ab3dae0e0c4539e4925c790" },
	{ "cC2TT3PZXTBKG7YGBNCCJFA4LB3J5SJA62XGXVXKY6DCI2BAAP3RWIJI", GEN2, TEXT_ADDRESS,
	  "a73dbf3798546fe0c1688492838b0ed3d9241ed5cd7add58f0c48d04007ee364" },
	/* key pair 1 */
	{ "oXBUPpxoaRixVSgEdtPxhUNRfUY5KDztGqjEmEmc6Pp3vX1", GEN1, TEXT_IDENTITY,
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
	{ "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTA", GEN2, TEXT_IDENTITY,
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
	{ "oP1xtfgs4eeJa71QWKXX3hY4AvX87JZsvFmNecX1yctANt7", GEN1, TEXT_SECRET,
	  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60" },
	{ "cCOOWDMM5576VUYF2QRFPJEXMFTCEISOFNF5TE2IZOA52YAY4VZ7WBJA", GEN2, TEXT_SECRET,
	  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60" },
	/* key pair 2 */
	{ "cCOMZM5Z2HHCSVE65EDABQYXZHFA4AFH7NCTFG2VJ6V5OX7OXI33PMUQ", GEN2, TEXT_SECRET,
	  "9996773a39c52a93dd20c01862f93941c014ff68a6536aa9f57aebfdd746f6f6" },
	{ "cDFXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYFWY", GEN2, TEXT_IDENTITY,
	  "6f207f63d9f8c733e77d698b51c00c11f1f491a47f0bba0f48f4776312489182" },
	{ "oWeWc711EJWeLpotksaVnbiHb3tKQ1tVYdfUqiVEdCv1Y5D", GEN1, TEXT_IDENTITY,
	  "6f207f63d9f8c733e77d698b51c00c11f1f491a47f0bba0f48f4776312489182" },
	{ "cCZIRH5OJ4EVFYRVMIQWX2QX65NPPSCJ2YTNUN2EZBGIKX7L35HBB3VY", GEN2, TEXT_ADDRESS,
	  "5113f5c9e12a5c46ac442d7d42feeb5ef9093ac4db46e8990990abfd7be9c21d" },
	{ "cCY3EPULIB3QTUBBTNCL3CMWRJPKUEFYRUTWTOWQC3PBCV5RTKHTX2XA", GEN2, TEXT_ADDRESS,
	  "3647d1680ee13a04336897b132d14bd5421711a4ed375a02dbc22af63351e77d" },
	/* edges */
	{ "oSD2kh5E3HRNLusGSQHmV3ReRVBBHSZY7QK8hYv7uog6hSK", GEN1, TEXT_ADDRESS, NULL },
	{ "cDE4VMOBKDTYU2NE3AOQBFJ4PO4YRE3RUTTCLLT5YDMICQSXPZYHQJKQ", GEN2, TEXT_IDENTITY,
	  "3956382a1cf14d349b03a012a78f7731126e349cc4b5cfb81b10284aefce0f04" },
	{ "cDHNJJ4Y7C32AXYUNADYIDJCJ3KOOA5RIF4LM6QVY3UBDQB62LO22UHA", GEN2, TEXT_IDENTITY, NULL },
};

/* A sample of the encoding alone: its key is no point of the curve, so both
 * spellings must get as far as that and no further. */
#define ZEROS_FULL "cDEAAAAAAAAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWPY"
#define ZEROS_SHORT "cDEAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWPY"
#define ZEROS_KEY "00000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b"

static void test_reads_every_known_text_and_writes_it_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct good *g = &good[i];
		uint8_t payload[64], any[64], want[32];
		enum text_type type;
		struct text_error e = {};
		char text[TEXT_STR_MAX];

		if (text_parse(payload, g->type, g->text, &e) < 0)
			fail_msg("%s: %s", g->text, e.text);
		if (g->payload) {
			unhex(want, sizeof want, g->payload);
			assert_memory_equal(payload, want, sizeof want);
		}
		CHECK_ERR(text_parse_any(any, &type, g->text, NULL), 0);
		assert_int_equal(type, g->type);
		assert_memory_equal(any, payload, 32);

		text_format1(text, g->type, payload);
		if (g->form == GEN1)
			assert_string_equal(text, g->text);
		text_format2(text, g->type, payload);
		if (g->form == GEN2)
			assert_string_equal(text, g->text);
	}
}

#define KEY1 "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUT"
#define A50 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct bad {
	const char *text;
	enum text_type want;
	int err;
	const char *detail;     /* what the sentence must contain */
} bad[] = {
	/* the books' samples that are no keys */
	{ "cDFI098BIVQAW2YVI82NG27DPTG45TZNNUAB84QM5UIXMUB9NADBQA", TEXT_IDENTITY, ERR_ALPHABET, "'0' at position 5" },
	{ "cDEF23B", TEXT_IDENTITY, ERR_LENGTH, "an identity has 56 characters, this has 7" },
	{ "cDH8HHYUMW", TEXT_IDENTITY, ERR_ALPHABET, "'8' at position 4" },
	{ "xC71A123", TEXT_ADDRESS, ERR_PREFIX, "neither with 'c'" },
	{ "oWBx6jaNJo3XLCvs56EnwBb6uBhJZVEYbnXJNrz9nsFHyrf", TEXT_SECRET, ERR_TYPE, "this is an identity (type 9), a secret was expected" },
	/* the list of what must be refused */
	{ "oWVXR9hGa6QgKLGrPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TEXT_IDENTITY, ERR_CHECKSUM, "checksum" },
	{ "oWVXR9hGa6QgKLGrPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TEXT_SECRET, ERR_CHECKSUM, "checksum" },
	{ "cDFIOBGBIVQAW2YVIWVLMV19203819028390182390128312312313QA", TEXT_IDENTITY, ERR_ALPHABET, "'1' at position 23" },
	{ "blurpington", TEXT_IDENTITY, ERR_PREFIX, "neither" },
	{ KEY1 "B", TEXT_IDENTITY, ERR_CANON, "last character" },
	{ KEY1 "A", TEXT_SECRET, ERR_TYPE, "this is an identity (type 9), a secret was expected" },
	{ KEY1 "A", TEXT_ADDRESS, ERR_TYPE, "a network address was expected" },
	/* prefix */
	{ "", TEXT_IDENTITY, ERR_LENGTH, "empty" },
	{ "DHNJJ4Y7C32AXYUNADYIDJCJ3KOOA5RIF4LM6QVY3UBDQB62LO22UHA", TEXT_IDENTITY, ERR_PREFIX, "'c' in front is missing" },
	{ "CDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTA", TEXT_IDENTITY, ERR_PREFIX, "lower-case 'c'" },
	{ "Egon", TEXT_IDENTITY, ERR_PREFIX, "neither" },
	{ " " KEY1 "A", TEXT_IDENTITY, ERR_PREFIX, "neither" },
	{ "aAAAAAAAAAAAAC", TEXT_IDENTITY, ERR_TYPE, "alias" },
	{ "uJqjPNNBsJT7Yr99AmRLbjo59cq8VrX5DPrrSt54wzJLFHR", TEXT_IDENTITY, ERR_VERSION, "version 9" },
	{ "11111111111111111111111111111111111111111111111", TEXT_IDENTITY, ERR_PREFIX, "neither" },
	{ "0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TEXT_IDENTITY, ERR_PREFIX, "neither" },
	/* alphabet */
	{ "cdhlvvgabqkyqvn6vjp7nhslea45a5yls6pnkmizfv4bbu2hxa5iruta", TEXT_IDENTITY, ERR_ALPHABET, "position 2 is lower case" },
	{ KEY1 "A\n", TEXT_IDENTITY, ERR_ALPHABET, "byte 0x0a at position 57" },
	{ KEY1 "\xc3\x84", TEXT_IDENTITY, ERR_ALPHABET, "byte 0xc3 at position 56" },
	{ KEY1 "\x7f", TEXT_IDENTITY, ERR_ALPHABET, "byte 0x7f" },
	{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV0", TEXT_IDENTITY, ERR_ALPHABET, "'0' at position 47 is not base58" },
	/* length */
	{ "c", TEXT_IDENTITY, ERR_LENGTH, "56 characters, this has 1" },
	{ "cD", TEXT_IDENTITY, ERR_LENGTH, "56 characters, this has 2" },
	{ "cDE", TEXT_IDENTITY, ERR_LENGTH, "56 characters, this has 3" },
	{ "cDEAQ", TEXT_IDENTITY, ERR_LENGTH, "this has 5" },
	{ "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUT", TEXT_IDENTITY, ERR_LENGTH, "an identity has 56 characters, this has 55" },
	{ KEY1 "AA", TEXT_IDENTITY, ERR_LENGTH, "this has 57" },
	{ "cCM" A50, TEXT_SECRET, ERR_LENGTH, "a secret has 56 characters, this has 53" },
	{ "cCE" A50, TEXT_SECRET_KIT, ERR_LENGTH, "a secret kit has 107 characters, this has 53" },
	{ "c" A50 A50 A50, TEXT_IDENTITY, ERR_LENGTH, "longer than any key" },
	{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV", TEXT_IDENTITY, ERR_LENGTH, "47 characters, this has 46" },
	{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV99", TEXT_IDENTITY, ERR_LENGTH, "47 characters, this has 48" },
	{ "oRwHHVSXpfRzAMnAC2fM1gpKe8UBcH43AYuzcTnEq7sEYUX", TEXT_IDENTITY, ERR_TYPE, "type 5 is not defined in generation 1" },
	/* version and type */
	{ "cEE" A50 "AAA", TEXT_IDENTITY, ERR_VERSION, "version 2, only version 1" },
	{ "cAE" A50 "AAA", TEXT_IDENTITY, ERR_VERSION, "version 0" },
	{ "c77" A50 "AAA", TEXT_IDENTITY, ERR_VERSION, "version 15" },
	{ "oA111111111111111111111111111111111111111111111", TEXT_IDENTITY, ERR_VERSION, "version 7" },
	{ "cCA" A50 "AAA", TEXT_IDENTITY, ERR_TYPE, "type 0 is not defined" },
	{ "cC4" A50 "AAA", TEXT_IDENTITY, ERR_TYPE, "type 7 is not defined" },
	{ "cDQ" A50 "AAA", TEXT_IDENTITY, ERR_TYPE, "type 12 is not defined" },
	{ "cD4" A50 "AAA", TEXT_IDENTITY, ERR_TYPE, "type 15 is not defined" },
	{ "cCU" A50 "AAA", TEXT_IDENTITY, ERR_TYPE, "an RSA secret (type 5)" },
	{ "cDYCWQZLMNRXXO33SNRSNG", TEXT_IDENTITY, ERR_TYPE, "a message (type 14)" },
	/* leading zeros left out that were not there, or not only those */
	{ "cDEAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3H4", TEXT_IDENTITY, ERR_LENGTH, "this has 51" },
	{ ZEROS_FULL, TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
	{ ZEROS_SHORT, TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
	{ ZEROS_SHORT, TEXT_SECRET, ERR_TYPE, "a secret was expected" },
	/* weak: zeros, ones, a point of small order, off the curve */
	{ "cDEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAANI", TEXT_IDENTITY, ERR_WEAK, "placeholder" },
	{ "cCP777777777777777777777777777777777777777777777777776QI", TEXT_SECRET, ERR_WEAK, "this secret is a placeholder" },
	{ "cDEAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABBY", TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
	{ "cDEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAANA", TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
	{ "cDHYP77777777777777777777777777777777777777777777777X7AA", TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
	{ "oW66PitgMUB2JemZRnRrrVzHsn3hHxSQSE5BuoHW2Up86WK", TEXT_IDENTITY, ERR_WEAK, "not a usable Ed25519 key" },
};

static void test_refuses_each_kind_of_bad_text_with_its_own_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct bad *b = &bad[i];
		uint8_t payload[64], untouched[64];
		struct text_error e = {};
		enum text_type type = 77;

		memset(payload, 0x5a, sizeof payload);
		memset(untouched, 0x5a, sizeof untouched);
		int err = text_parse(payload, b->want, b->text, &e);
		if (err != b->err || (b->detail && !strstr(e.text, b->detail)))
			fail_msg("%s: got %s \"%s\", want %s \"%s\"", b->text, err_name(err), e.text,
				 err_name(b->err), b->detail ?: "");
		CHECK_ERR(text_parse(payload, b->want, b->text, NULL), b->err);
		assert_memory_equal(payload, untouched, sizeof payload);
		if (b->err != ERR_TYPE || strstr(e.text, "expected") == NULL) {
			CHECK_ERR(text_parse_any(payload, &type, b->text, &e), b->err);
			assert_memory_equal(payload, untouched, sizeof payload);
			assert_int_equal(type, 77);
		}
	}
}

static const enum text_type sized[] = {
	TEXT_SECRET_KIT, TEXT_IDENTITY_KIT, TEXT_SECRET, TEXT_XSECRET, TEXT_ADDRESS, TEXT_IDENTITY, TEXT_SIGNATURE,
};

static void random_payload(uint8_t payload[static 64], enum text_type type)
{
	struct sign_seed seed;
	struct sign_public pk;

	random_bytes(payload, 64);
	if (type != TEXT_IDENTITY && type != TEXT_IDENTITY_KIT)
		return;
	sign_seed_new(&seed);
	sign_public_of(&pk, &seed);
	memcpy(payload, pk.b, sizeof pk.b);
}

static void test_random_keys_come_back_in_both_generations(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++)
		for (size_t i = 0; i < ARRAY_LEN(sized); i++) {
			uint8_t payload[64], got[64] = {};
			char text[TEXT_STR_MAX];
			size_t len = text_payload_len(sized[i]);

			random_payload(payload, sized[i]);
			text_format2(text, sized[i], payload);
			assert_int_equal(strlen(text), len == 32 ? 56 : 107);
			CHECK_ERR(text_parse(got, sized[i], text, NULL), 0);
			assert_memory_equal(got, payload, len);

			text_format1(text, sized[i], payload);
			if (!text[0])
				continue;
			memset(got, 0, sizeof got);
			assert_int_equal(strlen(text), len == 32 ? 47 : 91);
			CHECK_ERR(text_parse(got, sized[i], text, NULL), 0);
			assert_memory_equal(got, payload, len);
		}
}

/* Text, generation, type: by the first characters people learn to tell them. */
static void test_the_first_characters_tell_the_type(void **state)
{
	static const struct { enum text_type type; const char *low1, *high1, *low2, *high2; } table[] = {
		{ TEXT_SECRET_KIT, "", "", "cCE", "cCH" },
		{ TEXT_IDENTITY_KIT, "", "", "cCI", "cCL" },
		{ TEXT_SECRET, "oNDDG", "oPXG3", "cCM", "cCP" },
		{ TEXT_XSECRET, "o", "o", "cCQ", "cCT" },
		{ TEXT_ADDRESS, "oS9Mb", "oTTQN", "cCY", "cC3" },
		{ TEXT_IDENTITY, "oW5Vw", "oXPYi", "cDE", "cDH" },
		{ TEXT_SIGNATURE, "Em", "Em", "cDI", "cDL" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (int high = 0; high < 2; high++) {
			const char *want1 = high ? table[i].high1 : table[i].low1;
			const char *want2 = high ? table[i].high2 : table[i].low2;
			uint8_t payload[64];
			char text[TEXT_STR_MAX];

			memset(payload, high ? 0xff : 0, sizeof payload);
			text_format1(text, table[i].type, payload);
			assert_memory_equal(text, want1, strlen(want1));
			text_format2(text, table[i].type, payload);
			assert_memory_equal(text, want2, strlen(want2));
		}
}

static void test_types_without_a_payload_have_no_text(void **state)
{
	static const enum text_type none[] = {
		0, TEXT_RSA_SECRET, 7, TEXT_RSA_PUBLIC, TEXT_ALIAS, 12, 13, TEXT_MESSAGE, 15, 16, 1000, (enum text_type)-1,
	};
	char text[TEXT_STR_MAX];
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_int_equal(text_payload_len(none[i]), 0);
		CHECK(text_type_name(none[i])[0]);
		memset(text, 'x', sizeof text);
		text_format2(text, none[i], NULL);
		assert_string_equal(text, "");
		memset(text, 'x', sizeof text);
		text_format1(text, none[i], NULL);
		assert_string_equal(text, "");
	}
	assert_string_equal(text_type_name(TEXT_SECRET), "secret");
	assert_string_equal(text_type_name(7), "undefined type");
}

static void test_leading_zeros_may_be_missing_only_where_they_once_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sized); i++) {
		bool allowed = sized[i] == TEXT_SECRET || sized[i] == TEXT_ADDRESS;
		uint8_t payload[64] = {}, got[64];
		char text[TEXT_STR_MAX], cut[TEXT_STR_MAX];

		if (text_payload_len(sized[i]) != 32 || sized[i] == TEXT_IDENTITY)
			continue;
		/* five zero bytes are exactly eight characters, so the rest keeps its spelling */
		random_bytes(payload + 5, 27);
		payload[5] = 0;
		payload[6] |= 1;
		text_format2(text, sized[i], payload);
		snprintf(cut, sizeof cut, "%.3s%s", text, text + 11);
		CHECK_ERR(text_parse(got, sized[i], cut, NULL), ERR_LENGTH);
		payload[5] = 1;
		text_format2(text, sized[i], payload);
		snprintf(cut, sizeof cut, "%.3s%s", text, text + 11);
		CHECK_ERR(text_parse(got, sized[i], cut, NULL), allowed ? 0 : ERR_LENGTH);
		if (allowed)
			assert_memory_equal(got, payload, 32);
	}
}

static void test_a_short_identity_is_its_full_one(void **state)
{
	struct sign_seed seed;
	struct sign_public pk;
	uint8_t raw[33], full[33], got[32];
	char text[TEXT_STR_MAX], short_text[TEXT_STR_MAX] = "c";
	(void)state;

	do {
		sign_seed_new(&seed);
		sign_public_of(&pk, &seed);
	} while (pk.b[0] || !pk.b[1]);
	raw[0] = full[0] = 0x10 | TEXT_IDENTITY;
	memcpy(full + 1, pk.b, 32);
	memcpy(raw + 1, pk.b + 1, 31);
	raw[32] = crc8_koop(full, sizeof full);
	base32_encode(short_text + 1, raw, sizeof raw);
	assert_int_equal(strlen(short_text), 54);
	CHECK_ERR(text_parse(got, TEXT_IDENTITY, short_text, NULL), 0);
	assert_memory_equal(got, pk.b, sizeof got);
	text_format2(text, TEXT_IDENTITY, got);
	assert_int_equal(strlen(text), 56);

	/* the checksum is that of the full width */
	raw[32] = crc8_koop(raw, 32);
	if (raw[32] != crc8_koop(full, sizeof full)) {
		base32_encode(short_text + 1, raw, sizeof raw);
		CHECK_ERR(text_parse(got, TEXT_IDENTITY, short_text, NULL), ERR_LENGTH);
	}
}

static void test_the_leading_zero_sample_is_written_in_full(void **state)
{
	uint8_t key[32];
	char text[TEXT_STR_MAX];
	(void)state;

	unhex(key, sizeof key, ZEROS_KEY);
	text_format2(text, TEXT_IDENTITY, key);
	assert_string_equal(text, ZEROS_FULL);
}

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* A change within one character is a burst the CRC always sees, at every place
 * of these lengths: it is linear, so a few keys stand for all. */
static void test_one_mistyped_character_is_always_noticed(void **state)
{
	uint8_t got[64];
	enum text_type type;
	(void)state;

	for (int round = 0; round < 5; round++)
		for (size_t i = 0; i < ARRAY_LEN(sized); i++) {
			uint8_t payload[64];
			char text[TEXT_STR_MAX];

			random_payload(payload, sized[i]);
			text_format2(text, sized[i], payload);
			for (size_t at = 0; text[at]; at++) {
				char was = text[at];

				for (int c = 1; c < 256; c++)
					if (text[at] = (char)c, text[at] != was)
						CHECK(text_parse_any(got, &type, text, NULL) < 0);
				text[at] = was;
			}
		}
}

static void test_of_three_mistyped_characters_one_in_256_passes(void **state)
{
	enum { TRIES = 100000 };
	unsigned passed = 0;
	uint8_t payload[64], got[64], pick[6];
	enum text_type type;
	(void)state;

	for (int round = 0; round < TRIES; round++) {
		char text[TEXT_STR_MAX], typo[TEXT_STR_MAX];

		random_payload(payload, TEXT_SECRET);
		text_format2(text, TEXT_SECRET, payload);
		memcpy(typo, text, sizeof typo);
		random_bytes(pick, sizeof pick);
		for (int i = 0; i < 6; i += 2)
			typo[1 + pick[i] % 55] = base32[pick[i + 1] % 32];
		passed += strcmp(text, typo) && text_parse_any(got, &type, typo, NULL) >= 0;
	}
	if (passed > TRIES / 256 * 3 / 2)
		fail_msg("%u of %d typos passed", passed, TRIES);
}

static void test_no_cut_or_doubled_text_is_a_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[2 * TEXT_STR_MAX];
		uint8_t payload[64];

		for (size_t len = 0; len < strlen(good[i].text); len++) {
			snprintf(text, sizeof text, "%.*s", (int)len, good[i].text);
			CHECK(text_parse(payload, good[i].type, text, NULL) < 0);
		}
		snprintf(text, sizeof text, "%s%s", good[i].text, good[i].text);
		CHECK(text_parse(payload, good[i].type, text, NULL) < 0);
	}
}

/* No six characters of the secret in a row, whatever is wrong with it. */
static void check_silent(const char *secret, const char *given)
{
	struct text_error e = {};
	uint8_t payload[64];
	char part[7] = {};

	CHECK(text_parse(payload, TEXT_IDENTITY, given, &e) < 0);
	for (size_t i = 1; i + 6 <= strlen(secret); i++) {
		memcpy(part, secret + i, 6);
		if (strstr(e.text, part))
			fail_msg("\"%s\" tells %s", e.text, part);
	}
}

static void test_a_secret_given_by_mistake_is_not_repeated(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++)
		for (int generation = 1; generation <= 2; generation++) {
			uint8_t payload[64];
			char text[TEXT_STR_MAX], given[TEXT_STR_MAX];

			random_bytes(payload, sizeof payload);
			(generation == 1 ? text_format1 : text_format2)(text, TEXT_SECRET, payload);
			check_silent(text, text);
			check_silent(text, text + 1);
			memcpy(given, text, sizeof given);
			given[strlen(given) - 1] = 0;
			check_silent(text, given);
			memcpy(given, text, sizeof given);
			given[20] = '!';
			check_silent(text, given);
		}
}

static void test_generation_1_notices_only_the_last_bit(void **state)
{
	uint8_t payload[64] = { 1 }, got[64];
	char even[TEXT_STR_MAX], odd[TEXT_STR_MAX];
	(void)state;

	text_format1(even, TEXT_SECRET, payload);
	CHECK_ERR(text_parse(got, TEXT_SECRET, even, NULL), 0);
	payload[31] = 1;
	text_format1(odd, TEXT_SECRET, payload);
	CHECK_ERR(text_parse(got, TEXT_SECRET, odd, NULL), 0);
	/* 0x54 is 84 = 58 + 26: the checksum is the last digits. */
	odd[strlen(odd) - 1] = odd[strlen(odd) - 1] == '5' ? '6' : '5';
	CHECK_ERR(text_parse(got, TEXT_SECRET, odd, NULL), ERR_CHECKSUM);
}

static void test_a_generation_1_signature_is_type_2_and_nothing_else_is_so_long(void **state)
{
	uint8_t payload[64] = { 5 }, got[64];
	char text[TEXT_STR_MAX];
	struct text_error e = {};
	(void)state;

	text_format1(text, TEXT_SIGNATURE, payload);
	CHECK_ERR(text_parse(got, TEXT_SIGNATURE, text, NULL), 0);
	CHECK_ERR(text_parse(got, TEXT_IDENTITY_KIT, text, &e), ERR_TYPE);
	CHECK(strstr(e.text, "this is a signature (type 10), an identity kit was expected"));
	/* "En..." is type 3 and up in 67 bytes, "oL..." a signature in 35. */
	text[1] = 'n';
	CHECK_ERR(text_parse(got, TEXT_SECRET, text, &e), ERR_LENGTH);
	CHECK_ERR(text_parse(got, TEXT_SIGNATURE, "oN18xEoL1LiFv3c6rdrtFM9k87vGL4quLLJZVt3DPAQd1Sf", &e), ERR_LENGTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_every_known_text_and_writes_it_back),
		cmocka_unit_test(test_refuses_each_kind_of_bad_text_with_its_own_error),
		cmocka_unit_test(test_random_keys_come_back_in_both_generations),
		cmocka_unit_test(test_the_first_characters_tell_the_type),
		cmocka_unit_test(test_types_without_a_payload_have_no_text),
		cmocka_unit_test(test_leading_zeros_may_be_missing_only_where_they_once_were),
		cmocka_unit_test(test_a_short_identity_is_its_full_one),
		cmocka_unit_test(test_the_leading_zero_sample_is_written_in_full),
		cmocka_unit_test(test_one_mistyped_character_is_always_noticed),
		cmocka_unit_test(test_of_three_mistyped_characters_one_in_256_passes),
		cmocka_unit_test(test_no_cut_or_doubled_text_is_a_key),
		cmocka_unit_test(test_a_secret_given_by_mistake_is_not_repeated),
		cmocka_unit_test(test_generation_1_notices_only_the_last_bit),
		cmocka_unit_test(test_a_generation_1_signature_is_type_2_and_nothing_else_is_so_long),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
