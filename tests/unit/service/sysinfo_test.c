#include "rig.h"
#include "service/sysinfo.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "test.h"

static uint64_t number(struct span map, const char *group, const char *key)
{
	struct cbor g = cbor_map_find(map, group);
	struct cbor c = cbor_map_find(cbor_skip(&g), key);
	uint64_t v = cbor_uint(&c);

	if (g.err || c.err)
		fail_msg("%s.%s is missing", group, key);
	return v;
}

static struct span text(struct span map, const char *group, const char *key)
{
	struct cbor g = cbor_map_find(map, group);
	struct cbor c = cbor_map_find(cbor_skip(&g), key);

	return cbor_text(&c);
}

static void test_the_numbers_are_those_of_the_kernel(void **)
{
	_cleanup_buf_ struct buf b = {};
	struct sysinfo si;
	struct utsname u;

	CHECK_ERR(sysinfo_collect(&b), 0);
	CHECK_ERR(cbor_validate(buf_span(&b)), 0);
	CHECK(sysinfo(&si) == 0 && uname(&u) == 0);
	struct span m = buf_span(&b);

	CHECK(span_is(text(m, "uname", "sysname"), u.sysname));
	CHECK(span_is(text(m, "uname", "machine"), u.machine));
	CHECK(span_is(text(m, "uname", "release"), u.release));
	uint64_t total = number(m, "mem", "total");
	CHECK(total == (uint64_t)si.totalram * si.mem_unit);
	CHECK(number(m, "mem", "free") <= total && number(m, "mem", "available") <= total);
	CHECK(llabs((long long)number(m, "load", "uptime") - si.uptime) < 10);
	CHECK(number(m, "load", "threads") == (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(number(m, "load", "cores") >= 1 && number(m, "load", "cores") <= number(m, "load", "threads"));
	CHECK(number(m, "load", "procs") >= 1);
	CHECK(number(m, "load", "avg1") < 1000000);
	CHECK(number(m, "load", "clock") > 1600000000);
}

static void test_the_loopback_device_is_listed_with_its_address(void **)
{
	_cleanup_buf_ struct buf b = {};
	bool lo = false;

	CHECK_ERR(sysinfo_collect(&b), 0);
	struct cbor c = cbor_map_find(buf_span(&b), "netdev");
	for (size_t n = cbor_array(&c, SYSINFO_NETDEV_MAX); n; n--) {
		struct span dev = cbor_skip(&c);
		struct cbor name = cbor_map_find(dev, "name"), addrs = cbor_map_find(dev, "addrs"), mtu = cbor_map_find(dev, "mtu");

		if (!span_is(cbor_text(&name), "lo"))
			continue;
		lo = true;
		CHECK(cbor_uint(&mtu) > 1000 && !mtu.err);
		CHECK(cbor_array(&addrs, SYSINFO_ADDRS_MAX) >= 1 && !addrs.err);
		struct span first = cbor_skip(&addrs);
		struct cbor a = cbor_map_find(first, "addr"), p = cbor_map_find(first, "prefix");
		CHECK(span_is(cbor_text(&a), "127.0.0.1") && cbor_uint(&p) == 8);
	}
	CHECK(lo && !c.err);
}

static void test_file_systems_have_sizes(void **)
{
	_cleanup_buf_ struct buf b = {};
	size_t sized = 0;

	CHECK_ERR(sysinfo_collect(&b), 0);
	struct cbor c = cbor_map_find(buf_span(&b), "fs");
	for (size_t n = cbor_array(&c, SYSINFO_FS_MAX); n; n--) {
		struct span fs = cbor_skip(&c);
		struct cbor total = cbor_map_find(fs, "total"), available = cbor_map_find(fs, "available");
		if (total.in.len) {
			CHECK(cbor_uint(&available) <= cbor_uint(&total));
			sized++;
		}
	}
	CHECK(!c.err && sized > 0);
}

static void test_it_fits_one_message_and_appends(void **)
{
	_cleanup_buf_ struct buf b = {}, small = { .max = 16 };

	buf_add_str(&b, "x");
	CHECK_ERR(sysinfo_collect(&b), 0);
	CHECK(b.data[0] == 'x' && b.len < STREAM_MESSAGE_MAX);
	CHECK_ERR(cbor_validate(span_from(buf_span(&b), 1)), 0);
	CHECK_ERR(sysinfo_collect(&small), ERR_LIMIT);
	CHECK(!small.len);
}

/* In an empty folder there is neither /proc nor /sys nor /etc. */
static void test_it_does_without_files_that_are_not_there(void **)
{
	char dir[] = "/tmp/carrier-empty-XXXXXX";
	int status;

	if (geteuid() != 0)
		skip();
	CHECK(mkdtemp(dir) != NULL);
	pid_t child = fork();
	if (!child) {
		struct buf b = {};
		if (chroot(dir) < 0 || chdir("/") < 0)
			_exit(errno == EPERM ? 77 : 1);
		if (sysinfo_collect(&b) < 0 || cbor_validate(buf_span(&b)) < 0)
			_exit(2);
		if (cbor_map_find(buf_span(&b), "mem").in.len || !cbor_map_find(buf_span(&b), "uname").in.len)
			_exit(3);
		buf_done(&b);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	rmdir(dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_the_service_answers_one_message(void **)
{
	struct rig *r = rig_new(NULL, true);
	struct seen s;

	rig_allow(r, &r->caller, "/v3/*", NULL);
	seen_ask(r, &s, "/v3/carrier.sysinfo.v1/sysinfo", "GET");
	CHECK(rig_until(r, seen_is_closed, &s));
	CHECK(s.status == 200 && s.messages == 1 && s.end && s.err == 0);
	CHECK(number(buf_span(&s.last), "mem", "total") > 0);
	CHECK(r->host.what == HOST_SYSINFO);
	assert_string_equal(r->host.path, "/v3/carrier.sysinfo.v1/sysinfo");
	seen_done(&s);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_numbers_are_those_of_the_kernel),
		cmocka_unit_test(test_the_loopback_device_is_listed_with_its_address),
		cmocka_unit_test(test_file_systems_have_sizes),
		cmocka_unit_test(test_it_fits_one_message_and_appends),
		cmocka_unit_test(test_it_does_without_files_that_are_not_there),
		cmocka_unit_test(test_the_service_answers_one_message),
	};

	return RUN_TESTS(tests);
}
