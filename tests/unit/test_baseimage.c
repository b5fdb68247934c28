/* The catalogue holds together: every name is unique and complete, and the seeds' ids and filters
 * find something. */
#include "base/clock.h"
#include "base/str.h"
#include "cloud/baseimage/baseimage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void rows_are_complete(void **state UNUSED)
{
	for (size_t i = 0; i < base_images_n; i++) {
		const struct base_image *b = &base_images[i];
		int64_t when;

		assert_non_null(b->key);
		assert_non_null(b->name);
		assert_int_equal(strlen(b->owner_id), 12);
		assert_non_null(b->user);
		assert_non_null(b->root_device);
		assert_non_null(b->volume_type);
		assert_true(strstr(b->description, "stand-in") != NULL);
		assert_true(clock_parse_rfc3339(str_from(b->creation_date), &when));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(base_images[j].name, b->name);
	}
}

static void ids_are_found(void **state UNUSED)
{
	static const struct {
		const char *id, *user;
	} cases[] = {
		{ "ami-dac312b4", "ec2-user" },
		{ "ami-cbf90ecb", "ec2-user" },
		{ "ami-859bbfe2", "ec2-user" },
		{ "ami-0885b1f6bd170450c", "ubuntu" },
	};

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		const char *user = NULL;

		for (size_t i = 0; i < base_images_n; i++)
			for (size_t j = 0; base_images[i].ids && base_images[i].ids[j]; j++)
				if (streq(base_images[i].ids[j], cases[c].id))
					user = base_images[i].user;
		assert_non_null(user);
		assert_string_equal(user, cases[c].user);
	}
}

/* The newest row whose name matches, as most_recent picks it. */
static const char *newest(const char *owner, const char *pattern)
{
	const struct base_image *best = NULL;

	for (size_t i = 0; i < base_images_n; i++) {
		const struct base_image *b = &base_images[i];

		if ((streq(b->owner_id, owner) || streq(b->owner_alias, owner)) &&
		    glob_match(pattern, b->name) &&
		    (!best || strcmp(b->creation_date, best->creation_date) > 0))
			best = b;
	}
	return best ? best->name : "";
}

static void filters_find(void **state UNUSED)
{
	static const struct {
		const char *owner, *pattern, *name;
	} cases[] = {
		{ "amazon", "amzn-ami-hvm-*", "amzn-ami-hvm-2018.03.0.20230404.0-x86_64-gp2" },
		{ "137112412989", "amzn-ami-hvm-2017.09.*-gp2",
		  "amzn-ami-hvm-2017.09.1.20180115-x86_64-gp2" },
		{ "amazon", "amzn2-ami-hvm-*-x86_64-gp2",
		  "amzn2-ami-hvm-2.0.20240223.0-x86_64-gp2" },
		{ "amazon", "al2023-ami-2023*-x86_64",
		  "al2023-ami-2023.6.20241121.0-kernel-6.1-x86_64" },
		{ "099720109477", "ubuntu/images/*ubuntu-jammy-22.04-amd64-server-*",
		  "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20241004" },
		{ "099720109477", "ubuntu/images/hvm-ssd/ubuntu-noble-24.04-amd64-server-*",
		  "ubuntu/images/hvm-ssd/ubuntu-noble-24.04-amd64-server-20241004" },
		{ "136693071363", "debian-12-amd64-*", "debian-12-amd64-20241004-1890" },
	};

	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		assert_string_equal(newest(cases[c].owner, cases[c].pattern), cases[c].name);
}

static void users_have_keys(void **state UNUSED)
{
	assert_string_equal(base_image_key_of_user("ec2-user"), "amzn");
	assert_string_equal(base_image_key_of_user("ubuntu"), "ubuntu");
	assert_string_equal(base_image_key_of_user("admin"), "debian");
	assert_string_equal(base_image_key_of_user("centos"), "amzn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(ids_are_found),
		cmocka_unit_test(filters_find),
		cmocka_unit_test(users_have_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
