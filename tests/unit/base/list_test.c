#include "base/list.h"

#include "test.h"

struct item {
	int n;
	struct list link;
};

static void test_keeps_the_order_of_adding(void **state)
{
	struct item items[5], *it;
	struct list head;
	int want = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head, struct item, link));
	for (int i = 0; i < 5; i++) {
		items[i].n = i;
		list_add_tail(&head, &items[i].link);
	}
	assert_false(list_empty(&head));
	assert_ptr_equal(list_first(&head, struct item, link), &items[0]);
	list_for_each(it, &head, link)
		assert_int_equal(it->n, want++);
	assert_int_equal(want, 5);
}

static void test_the_current_element_may_go_in_the_loop(void **state)
{
	struct item *it;
	struct list head;
	int seen = 0, left = 0;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 6; i++) {
		struct item *item = malloc(sizeof *item);

		assert_non_null(item);
		item->n = i;
		list_add_tail(&head, &item->link);
	}
	list_for_each(it, &head, link) {
		seen++;
		if (it->n % 2 == 0) {
			list_del(&it->link);
			free(it);
		}
	}
	assert_int_equal(seen, 6);
	list_for_each(it, &head, link) {
		assert_int_equal(it->n % 2, 1);
		left++;
		list_del(&it->link);
		free(it);
	}
	assert_int_equal(left, 3);
	assert_true(list_empty(&head));
}

static void test_deleting_twice_is_harmless(void **state)
{
	struct item a = { .n = 1 }, b = { .n = 2 };
	struct list head;

	(void)state;
	list_init(&head);
	list_add_tail(&head, &a.link);
	list_add_tail(&head, &b.link);
	list_del(&a.link);
	list_del(&a.link);
	assert_true(list_empty(&a.link));
	assert_ptr_equal(list_first(&head, struct item, link), &b);
	list_add_tail(&head, &a.link);
	assert_ptr_equal(list_entry(head.prev, struct item, link), &a);
}

static void test_break_leaves_the_element_found(void **state)
{
	struct item items[3], *it = NULL;
	struct list head;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 3; i++) {
		items[i].n = i;
		list_add_tail(&head, &items[i].link);
	}
	list_for_each(it, &head, link)
		if (it->n == 1)
			break;
	assert_ptr_equal(it, &items[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_order_of_adding),
		cmocka_unit_test(test_the_current_element_may_go_in_the_loop),
		cmocka_unit_test(test_deleting_twice_is_harmless),
		cmocka_unit_test(test_break_leaves_the_element_found),
	};

	return RUN_TESTS(tests);
}
