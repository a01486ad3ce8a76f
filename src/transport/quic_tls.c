/* GnuTLS for the QUIC adapter: raw public keys, tickets, 0-RTT replay defence. */
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "base/err.h"
#include "base/map.h"
#include "transport/quic.h"

#define PRIORITY_HEAD "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CTYPE-ALL:+CTYPE-RAWPK:-CIPHER-ALL:"
#define PRIORITY_TAIL ":-GROUP-ALL:+GROUP-X25519:-SIGN-ALL:+SIGN-EDDSA-ED25519:%DISABLE_TLS13_COMPAT_MODE"

/* SubjectPublicKeyInfo of an Ed25519 key, RFC 8410 section 4, up to the key. */
static const uint8_t spki_prefix[12] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
enum { SPKI_LEN = 44 };

/* ---- 0-RTT: each ClientHello counts once (RFC 8446 8.2) ---- */

struct replay_entry {
	uint8_t key[32];
	time_t expires;
	bool used;
};

struct replay_cache {
	struct map seen;
	struct replay_entry ring[QUIC_ANTI_REPLAY_ENTRIES];
	size_t next;
};

static int replay_add(void *userdata, time_t expires, const gnutls_datum_t *key, const gnutls_datum_t *data)
{
	struct replay_cache *cache = userdata;
	struct replay_entry *e = &cache->ring[cache->next];
	uint8_t id[32];

	(void)data;
	hash(id, "carrier anti-replay", SPAN(key->data, key->size));
	if (map_get(&cache->seen, id))
		return GNUTLS_E_DB_ENTRY_EXISTS;
	if (e->used && e->expires > time(NULL))
		return GNUTLS_E_DB_ERROR;       /* full: no early data for now, the handshake goes on */
	if (e->used)
		map_del(&cache->seen, e->key);
	memcpy(e->key, id, sizeof id);
	e->expires = expires;
	e->used = map_put(&cache->seen, e) >= 0;
	if (!e->used)
		return GNUTLS_E_DB_ERROR;
	cache->next = (cache->next + 1) % QUIC_ANTI_REPLAY_ENTRIES;
	return 0;
}

/* ---- credentials: the key stays behind the vault ---- */

static int sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *userdata, unsigned flags,
		     const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	struct transport_context *c = userdata;
	struct signature sig;

	(void)key;
	(void)flags;
	if (algo != GNUTLS_SIGN_EDDSA_ED25519)
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	if (vault_sign(c->vault, VAULT_TLS, SPAN(data->data, data->size), &sig) < 0)
		return GNUTLS_E_PK_SIGN_FAILED;

	signature->data = gnutls_malloc(sizeof sig.b);
	if (!signature->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(signature->data, sig.b, sizeof sig.b);
	signature->size = sizeof sig.b;
	return 0;
}

static int key_info(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	(void)key;
	(void)userdata;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_EDDSA_ED25519;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 256;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_EDDSA_ED25519;
	return -1;
}

static int verify_peer(gnutls_session_t s)
{
	struct transport *t = ((ngtcp2_crypto_conn_ref *)gnutls_session_get_ptr(s))->user_data;

	return quic_admit(t) ? 0 : -1;
}

static int set_key(struct transport_context *c)
{
	uint8_t spki[SPKI_LEN];
	gnutls_datum_t der = { spki, sizeof spki };
	gnutls_privkey_t key = NULL;

	memcpy(spki, spki_prefix, sizeof spki_prefix);
	memcpy(spki + sizeof spki_prefix, vault_identity(c->vault)->key, PUBLIC_KEY_LEN);

	/* set_key takes the key and the contents of pcert only when it succeeds */
	gnutls_pcert_st *pcert = gnutls_calloc(1, sizeof *pcert);
	if (!pcert)
		return -ENOMEM;
	if (gnutls_pcert_import_rawpk_raw(pcert, &der, GNUTLS_X509_FMT_DER, 0, 0) < 0 ||
	    gnutls_privkey_init(&key) < 0 ||
	    gnutls_privkey_import_ext4(key, c, sign_data, NULL, NULL, NULL, key_info, 0) < 0 ||
	    gnutls_certificate_set_key(c->cred, NULL, 0, pcert, 1, key) < 0) {
		gnutls_privkey_deinit(key);
		gnutls_pcert_deinit(pcert);
		gnutls_free(pcert);
		return ERR_CRYPTO;
	}
	gnutls_free(pcert);
	return 0;
}

static bool cpu_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & (1 << 3);  /* HWCAP_AES */
#elif defined(__arm__)
	return getauxval(AT_HWCAP2) & (1 << 0); /* HWCAP2_AES */
#else
	return false;
#endif
}

int transport_context_new(struct transport_context **ret, struct vault *vault)
{
	_cleanup_(transport_context_freep) struct transport_context *c = calloc(1, sizeof *c);
	uint64_t seed[2];
	int err;

	if (!c)
		return -ENOMEM;
	c->vault = vault;
	c->replay = calloc(1, sizeof *c->replay);
	if (!c->replay)
		return -ENOMEM;
	random_bytes(seed, sizeof seed);
	map_init(&c->replay->seen, offsetof(struct replay_entry, key), sizeof c->replay->ring[0].key, seed);
	random_bytes(c->reset_secret, sizeof c->reset_secret);

	if (gnutls_certificate_allocate_credentials(&c->cred) < 0)
		return -ENOMEM;
	err = set_key(c);
	if (err < 0)
		return err;
	gnutls_certificate_set_verify_function(c->cred, verify_peer);

	const char *priority = cpu_has_aes() ? PRIORITY_HEAD "+AES-128-GCM:+CHACHA20-POLY1305" PRIORITY_TAIL
					     : PRIORITY_HEAD "+CHACHA20-POLY1305:+AES-128-GCM" PRIORITY_TAIL;
	if (gnutls_priority_init(&c->priority, priority, NULL) < 0 ||
	    gnutls_session_ticket_key_generate(&c->ticket_key) < 0 ||
	    gnutls_anti_replay_init(&c->anti_replay) < 0)
		return ERR_CRYPTO;
	gnutls_anti_replay_set_add_function(c->anti_replay, replay_add);
	gnutls_anti_replay_set_ptr(c->anti_replay, c->replay);

	*ret = take(c);
	return 0;
}

void transport_context_free(struct transport_context *c)
{
	if (!c)
		return;
	if (c->anti_replay)
		gnutls_anti_replay_deinit(c->anti_replay);
	if (c->ticket_key.data) {
		wipe(c->ticket_key.data, c->ticket_key.size);
		gnutls_free(c->ticket_key.data);
	}
	if (c->priority)
		gnutls_priority_deinit(c->priority);
	if (c->cred)
		gnutls_certificate_free_credentials(c->cred);
	if (c->replay)
		map_done(&c->replay->seen);
	free(c->replay);
	wipe(c->reset_secret, sizeof c->reset_secret);
	free(c);
}

/* ---- the peer's key ---- */

int quic_peer_identity(gnutls_session_t s, struct identity *ret)
{
	unsigned n = 0;

	if (gnutls_certificate_type_get2(s, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_RAWPK)
		return ERR_TYPE;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);
	if (!list || n != 1 || list[0].size != SPKI_LEN || memcmp(list[0].data, spki_prefix, sizeof spki_prefix))
		return ERR_PARSE;
	memcpy(ret->key, list[0].data + sizeof spki_prefix, sizeof ret->key);
	return 0;
}

bool quic_admit(struct transport *t)
{
	struct identity who;

	if (t->admitted)
		return true;
	if (quic_peer_identity(t->tls, &who) < 0)
		return false;
	if (!t->is_server || t->config.expect_peer) {
		if (!identity_equal(&who, &t->config.peer)) {
			t->wrong_peer = true;
			return false;
		}
	}
	t->peer = who;
	if (t->is_server && !t->config.ops->admit(t->config.userdata, &who)) {
		t->refused = true;
		return false;
	}
	t->admitted = true;
	return true;
}

/* ---- tickets ---- */

/* version, 16-bit length of the session, session, remembered transport parameters */
static int on_ticket(gnutls_session_t s, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *msg)
{
	struct transport *t = ((ngtcp2_crypto_conn_ref *)gnutls_session_get_ptr(s))->user_data;
	uint8_t blob[TRANSPORT_TICKET_MAX];
	gnutls_datum_t session = {};

	(void)when;
	(void)msg;
	if (type != GNUTLS_HANDSHAKE_NEW_SESSION_TICKET || !incoming || !t->config.ops->ticket)
		return 0;
	if (gnutls_session_get_data2(s, &session) < 0)
		return 0;
	if (session.size <= sizeof blob - 256) {
		blob[0] = QUIC_TICKET_VERSION;
		blob[1] = (uint8_t)(session.size >> 8);
		blob[2] = (uint8_t)session.size;
		memcpy(blob + 3, session.data, session.size);
		size_t at = 3 + session.size;
		ngtcp2_ssize n = quic_early_params_save(t->conn, blob + at, sizeof blob - at);
		if (n > 0)
			t->config.ops->ticket(t->config.userdata, SPAN(blob, at + (size_t)n));
		wipe(blob, sizeof blob);
	}
	wipe(session.data, session.size);
	gnutls_free(session.data);
	return 0;
}

void quic_tls_resume(struct transport *t, struct span ticket)
{
	if (ticket.len < 4 || ticket.data[0] != QUIC_TICKET_VERSION)
		return;

	size_t n = (size_t)ticket.data[1] << 8 | ticket.data[2];
	if (n > ticket.len - 3)
		return;
	/* a ticket that does not fit is only a slower handshake */
	if (gnutls_session_set_data(t->tls, ticket.data + 3, n) == 0 &&
	    quic_early_params_load(t->conn, ticket.data + 3 + n, ticket.len - 3 - n) == 0)
		t->early_on = true;
}

/* ---- a session ---- */

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref)
{
	return ((struct transport *)ref->user_data)->conn;
}

int quic_tls_new(struct transport *t)
{
	struct transport_context *c = t->config.context;
	gnutls_datum_t alpn = { (unsigned char *)(uintptr_t)t->config.alpn, (unsigned)strlen(t->config.alpn) };
	unsigned flags = GNUTLS_ENABLE_RAWPK | GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA |
			 (t->is_server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT);

	if (gnutls_init(&t->tls, flags) < 0)
		return -ENOMEM;
	if (gnutls_priority_set(t->tls, c->priority) < 0)
		return ERR_CRYPTO;
	t->ref.get_conn = conn_of;
	t->ref.user_data = t;
	gnutls_session_set_ptr(t->tls, &t->ref);

	if (t->is_server) {
		gnutls_db_set_cache_expiration(t->tls, QUIC_TICKET_LIFETIME);
		if (gnutls_session_ticket_enable_server(t->tls, &c->ticket_key) < 0 ||
		    ngtcp2_crypto_gnutls_configure_server_session(t->tls) != 0)
			return ERR_CRYPTO;
		gnutls_anti_replay_enable(t->tls, c->anti_replay);
		gnutls_record_set_max_early_data_size(t->tls, 0xffffffffu);
		gnutls_certificate_server_set_request(t->tls, GNUTLS_CERT_REQUIRE);
	} else {
		gnutls_handshake_set_hook_function(t->tls, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST, on_ticket);
		if (ngtcp2_crypto_gnutls_configure_client_session(t->tls) != 0)
			return ERR_CRYPTO;
	}
	if (gnutls_credentials_set(t->tls, GNUTLS_CRD_CERTIFICATE, c->cred) < 0 ||
	    gnutls_alpn_set_protocols(t->tls, &alpn, 1, GNUTLS_ALPN_MANDATORY) < 0)
		return ERR_CRYPTO;
	ngtcp2_conn_set_tls_native_handle(t->conn, t->tls);
	return 0;
}
