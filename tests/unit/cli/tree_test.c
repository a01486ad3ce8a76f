/* Do answers look as the two books print them? */
#include "cli/tree.h"
#include "stream/headers.h"
#include "test.h"
#include "wire/json.h"

static void encode(struct buf *out, const char *json)
{
	size_t at;

	CHECK_ERR(json_to_cbor(out, SPAN_STR(json), &at), 0);
}

static const char sysinfo[] =
	"{\"mem\": {\"free\": 2, \"total\": 10, \"available\": 3},"
	" \"netdev\": [{\"name\": \"eth0\", \"mac\": \"02:00:00:00:00:01\","
	"   \"addrs\": [{\"addr\": \"192.0.2.7\", \"prefix\": 24, \"broadcast\": \"192.0.2.255\"},"
	"              {\"addr\": \"2001:db8::1\", \"prefix\": 64}]}],"
	" \"new\": {\"field\": true}}";

static const char generation1[] =
	"Sysinfo {\n"
	"    mem: Mem {\n"
	"        total: 10,\n"
	"        free: 2,\n"
	"        available: 3,\n"
	"    },\n"
	"    netdev: [\n"
	"        Netdev {\n"
	"            name: \"eth0\",\n"
	"            macaddr: \"02:00:00:00:00:01\",\n"
	"            addrs: [\n"
	"                NetAddress {\n"
	"                    addr: \"192.0.2.7\",\n"
	"                    mask: \"255.255.255.0\",\n"
	"                    broadcast: \"192.0.2.255\",\n"
	"                },\n"
	"                NetAddress {\n"
	"                    addr: \"2001:db8::1\",\n"
	"                    mask: \"/64\",\n"
	"                },\n"
	"            ],\n"
	"        },\n"
	"    ],\n"
	"    new: New {\n"
	"        field: true,\n"
	"    },\n"
	"}\n";

static const char generation2[] =
	"Sysinfo {\n"
	"    mem: Some(\n"
	"        Mem {\n"
	"            total: 10,\n"
	"            free: 2,\n"
	"            available: 3,\n"
	"        },\n"
	"    ),\n"
	"}\n";

static void test_sysinfo_of_generation_1(void **)
{
	_cleanup_buf_ struct buf cbor = {}, out = {};

	encode(&cbor, sysinfo);
	CHECK_ERR(tree_print(&out, buf_span(&cbor), "Sysinfo", TREE_GENERATION_1), 0);
	assert_string_equal(buf_str(&out), generation1);
}

static void test_sysinfo_of_generation_2(void **)
{
	_cleanup_buf_ struct buf cbor = {}, out = {};

	encode(&cbor, "{\"mem\": {\"free\": 2, \"total\": 10, \"available\": 3}}");
	CHECK_ERR(tree_print(&out, buf_span(&cbor), "Sysinfo", TREE_GENERATION_2), 0);
	assert_string_equal(buf_str(&out), generation2);
}

static void test_discovery(void **)
{
	_cleanup_buf_ struct buf cbor = {}, out = {};

	encode(&cbor, "{\"paths\": [\"/v0/shell\", \"/v0/tcp\"], \"carrier_revision\": 1, \"application\": \"carrier-cli\","
	       " \"carrier_build_id\": \"0.1-1\", \"application_version\": \"0.1\"}");
	CHECK_ERR(tree_print(&out, buf_span(&cbor), "DiscoveryResponse", TREE_GENERATION_1), 0);
	assert_string_equal(buf_str(&out),
			    "DiscoveryResponse {\n"
			    "    carrier_revision: 1,\n"
			    "    carrier_build_id: \"0.1-1\",\n"
			    "    application: \"carrier-cli\",\n"
			    "    application_version: \"0.1\",\n"
			    "    paths: [\n"
			    "        \"/v0/shell\",\n"
			    "        \"/v0/tcp\",\n"
			    "    ],\n"
			    "}\n");
}

static void test_what_is_no_map_is_refused(void **)
{
	_cleanup_buf_ struct buf cbor = {}, out = {};

	encode(&cbor, "[1]");
	CHECK_ERR(tree_print(&out, buf_span(&cbor), "Sysinfo", TREE_GENERATION_1), ERR_TYPE);
	CHECK(tree_print(&out, SPAN("\xff", 1), "Sysinfo", TREE_GENERATION_1) < 0);
	assert_int_equal(out.len, 0);
}

static void test_a_terminal_is_safe_from_texts(void **)
{
	_cleanup_buf_ struct buf cbor = {}, out = {};

	encode(&cbor, "{\"name\": \"\\u001b[2Jgone\"}");
	CHECK_ERR(tree_print(&out, buf_span(&cbor), "Fs", TREE_GENERATION_1), 0);
	CHECK(!memchr(out.data, 0x1b, out.len));
}

static void test_header_line(void **)
{
	_cleanup_buf_ struct buf block = {}, out = {};
	struct headers h;

	headers_put_status(&block, 200, NULL);
	CHECK_ERR(headers_parse(&h, buf_span(&block)), 0);
	tree_print_headers(&out, &h);
	assert_string_equal(buf_str(&out), "[:status = 200, ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sysinfo_of_generation_1),
		cmocka_unit_test(test_sysinfo_of_generation_2),
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_what_is_no_map_is_refused),
		cmocka_unit_test(test_a_terminal_is_safe_from_texts),
		cmocka_unit_test(test_header_line),
	};

	return RUN_TESTS(tests);
}
