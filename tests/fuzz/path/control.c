/* Control datagrams as a device and as a broker meet them: control_decode(),
 * control_verify(), registration_read(), knock_open(), transport_peek(). */
#include "path/control.h"
#include "path/knock.h"
#include "path/registration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct vault *device(void)
{
	static struct vault *v;
	static const struct sign_seed seed = { { 7 } };

	if (!v && (crypto_init() < 0 || vault_new_local(&v, &seed, 0) < 0))
		abort();
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct mac_key key = { { 1 } };
	static const struct token id = { { 0xa1, 0xa1, 0xa1, 0xa1, 0xa1, 0xa1, 0xa1, 0xa1 } };
	struct span d = SPAN(data, len);
	struct addr seen = {}, local = {};
	struct registration r;
	struct control c;
	struct token t;

	struct vault *v = device();
	if (transport_peek(&t, d) >= 0 && control_is(d))
		abort();                /* one or the other */
	if (control_decode(&c, d) >= 0) {
		uint8_t again[CONTROL_MAX];
		size_t n = control_encode(again, &c, &key);
		bool has_mac = c.type != CONTROL_FORGOTTEN && c.type != CONTROL_ROUTE_GONE;

		if (n != len || memcmp(again, data, has_mac ? n - MAC_LEN : n))
			abort();        /* each datagram has one meaning and each meaning one datagram */
		registration_start(&r, &id, &key, 25, &seen, &local, 0);
		r.seq = 5;
		registration_read(&r, d, &c, SECONDS(1));
		registration_stop(&r);
	}
	if (len == KNOCK_LEN) {
		static struct knock_seen knocks;
		struct knock k;

		if (knock_open(&k, d, v, &knocks) >= 0)
			abort();        /* nobody has sealed one for this key */
	}
	return 0;
}
