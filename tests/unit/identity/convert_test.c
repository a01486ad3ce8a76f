#include "test.h"

#include "identity/convert.h"

#define SEED1 "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define SECRET1 "cCOOWDMM5576VUYF2QRFPJEXMFTCEISOFNF5TE2IZOA52YAY4VZ7WBJA"
#define SECRET1_OLD "oP1xtfgs4eeJa71QWKXX3hY4AvX87JZsvFmNecX1yctANt7"
#define PUBLIC1 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ID1 "cDHLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUTA"
#define ID1_OLD "oXBUPpxoaRixVSgEdtPxhUNRfUY5KDztGqjEmEmc6Pp3vX1"
#define SECRET2 "cCOMZM5Z2HHCSVE65EDABQYXZHFA4AFH7NCTFG2VJ6V5OX7OXI33PMUQ"
#define XSECRET2 "cCSMZM5Z2HHCSVE65EDABQYXZHFA4AFH7NCTFG2VJ6V5OX7OXI33PMDY"
#define ID2 "cDFXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYFWY"

static void test_converts_the_known_keys(void **state)
{
	static const struct { const char *name, *in, *out; } table[] = {
		{ "hex2secret", SEED1, SECRET1 },
		{ "hex2secret", "9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60", SECRET1 },
		{ "hex2identity", PUBLIC1, ID1 },
		{ "id32to58", ID1, ID1_OLD },
		{ "id32to58", ID2, "oWeWc711EJWeLpotksaVnbiHb3tKQ1tVYdfUqiVEdCv1Y5D" },
		{ "id32to58", ID1_OLD, ID1_OLD },
		{ "id58to32", ID1_OLD, ID1 },
		{ "id58to32", SECRET1_OLD, SECRET1 },
		{ "id58to32", "oT136mPPVYptwoMvnjb2AUXird6tsKsyQ2S46TCTNYr7WwH",
		  "cC2TT3PZXTBKG7YGBNCCJFA4LB3J5SJA62XGXVXKY6DCI2BAAP3RWIJI" },
		{ "secret2public", SECRET1, ID1 },
		{ "secret2public", SECRET1_OLD, ID1 },
		{ "secret2public", SECRET2, ID2 },
		{ "secret2address", SECRET2, "cCZXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYE7Q" },
		{ "secret2address", XSECRET2, "cCZXSA73D3H4MOM7HPVUYWUOABQI7D5ERUR7QXOQPJD2HOYYSJCIYE7Q" },
		{ "secret2address-carrier", SECRET2, "cCZIRH5OJ4EVFYRVMIQWX2QX65NPPSCJ2YTNUN2EZBGIKX7L35HBB3VY" },
		{ "secret2address-carrier", XSECRET2, "cCZIRH5OJ4EVFYRVMIQWX2QX65NPPSCJ2YTNUN2EZBGIKX7L35HBB3VY" },
		{ "secret2address-ik", SECRET2, "cCY3EPULIB3QTUBBTNCL3CMWRJPKUEFYRUTWTOWQC3PBCV5RTKHTX2XA" },
		{ "serial2number", "+P5DQ", "18303" },
		{ "serial2number", "+ai", "2" },
		{ "number2serial", "18303", "+P5DQ" },
		{ "number2serial", "18446744073709551615", "+7777777777776" },
		{ "alias2number", "aAAAAAAAAAAAAC", "1" },
		{ "number2alias", "1", "aAAAAAAAAAAAAC" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char out[TEXT_STR_MAX] = "";
		struct text_error e = {};
		int err = convert(out, table[i].name, table[i].in, &e);

		if (err < 0)
			fail_msg("%s %s: %s", table[i].name, table[i].in, e.text);
		assert_string_equal(out, table[i].out);
	}
}

static void test_refuses_with_a_reason_and_writes_nothing(void **state)
{
	static const struct { const char *name, *in; int err; const char *detail; } table[] = {
		{ "hex2base64", SEED1, ERR_UNKNOWN, "no such conversion" },
		{ "hex2secret", "9d61", ERR_LENGTH, "64 hexadecimal digits, this has 4" },
		{ "hex2secret", "xd61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ERR_ALPHABET, "'x' at position 1" },
		{ "hex2secret", "0000000000000000000000000000000000000000000000000000000000000000", ERR_WEAK, "placeholder" },
		{ "hex2identity", "0200000000000000000000000000000000000000000000000000000000000000", ERR_WEAK, "Ed25519" },
		{ "hex2identity", "", ERR_LENGTH, "this has 0" },
		{ "id32to58", SECRET1, ERR_TYPE, "this is a secret (type 3), an identity was expected" },
		{ "id58to32", "blurpington", ERR_PREFIX, "neither" },
		{ "secret2public", ID1, ERR_TYPE, "an identity (type 9), a secret was expected" },
		{ "secret2public", XSECRET2, ERR_TYPE, "a network secret (type 4), a secret was expected" },
		{ "secret2address", ID1, ERR_TYPE, "a network secret was expected" },
		{ "secret2address-carrier", ID1, ERR_TYPE, "a network secret was expected" },
		{ "secret2address-ik", "c", ERR_LENGTH, "" },
		{ "serial2number", "P5DQ", ERR_PREFIX, "'+'" },
		{ "number2serial", "", ERR_LENGTH, "empty" },
		{ "number2serial", "12x", ERR_ALPHABET, "'x' at position 3" },
		{ "number2serial", "-1", ERR_ALPHABET, "'-' at position 1" },
		{ "number2serial", "18446744073709551616", ERR_LIMIT, "64 bits" },
		{ "number2alias", "184467440737095516150", ERR_LIMIT, "64 bits" },
		{ "alias2number", "+AI", ERR_PREFIX, "'a'" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char out[TEXT_STR_MAX] = "untouched";
		struct text_error e = {};
		int err = convert(out, table[i].name, table[i].in, &e);

		if (err != table[i].err || !strstr(e.text, table[i].detail))
			fail_msg("%s %s: %s \"%s\"", table[i].name, table[i].in, err_name(err), e.text);
		assert_string_equal(out, "untouched");
		CHECK_ERR(convert(out, table[i].name, table[i].in, NULL), table[i].err);
	}
}

static void test_every_conversion_is_listed_with_help(void **state)
{
	unsigned n = 0;
	(void)state;

	for (const struct conversion *c = conversions; c->name; c++, n++) {
		CHECK(c->help && *c->help && c->run);
		CHECK(conversion_find(c->name) == c);
	}
	assert_int_equal(n, 12);
	CHECK(!conversion_find("hex"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_converts_the_known_keys),
		cmocka_unit_test(test_refuses_with_a_reason_and_writes_nothing),
		cmocka_unit_test(test_every_conversion_is_listed_with_help),
	};

	if (crypto_init() < 0)
		return 1;
	return RUN_TESTS(tests);
}
