/* Option checks and request parameters of the amazon builders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "builder/amazon-ebs/config.h"
#include "builder/amazon/blockdev.h"
#include "aws/ami_filter.h"
#include "builder/amazon/launch.h"
#include "builder/amazon/steps.h"

static void test_tables_have_no_mistakes(void **state)
{
	(void)state;
	AUTO(buf) struct buf out = BUF_INIT;

	assert_int_equal(spec_check(&ebs_spec, &out), 0);
	assert_string_equal(buf_cstr(&out), "");
}

static void test_cidr(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{ "1.2.3.4/32", true },	 { "0.0.0.0/0", true },	 { "::/0", true },
		{ "2001:db8::/128", true }, { "1.2.3.4", false }, { "1.2.3.4/33", false },
		{ "nonsense", false },	 { "::/129", false },	 { "1.2.3/8", false },
		{ "", false },		 { "/8", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(amazon_is_cidr(cases[i].text), cases[i].ok);
}

static void test_burstable(void **state)
{
	(void)state;
	static const char *const yes[] = { "t2.nano", "t3.micro", "t3a.large", "t4g.small" };
	static const char *const no[] = { "t1.micro", "m5.large", "t30.x", "c5.large", "" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(amazon_is_burstable(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(amazon_is_burstable(no[i]));
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		const char *want[3];
	} cases[] = {
		{ "one", { "one" } },
		{ "a,b", { "a", "b" } },
		{ "a, b", { "a", "b" } },
		{ "\"a,b\",c", { "a,b", "c" } },
		{ "\"say \"\"x\"\"\"", { "say \"x\"" } },
		{ "", { "" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
		struct str_pair pair = { (char *)"name", (char *)cases[i].value };

		aws_filters_add(&p, &(struct str_map){ &pair, 1 });
		assert_string_equal(aws_params_get(&p, "Filter.1.Name"), "name");
		for (int k = 0; k < 3; k++) {
			char key[] = "Filter.1.Value.1";

			key[sizeof(key) - 2] = (char)('1' + k);
			if (cases[i].want[k])
				assert_string_equal(aws_params_get(&p, key), cases[i].want[k]);
			else
				assert_null(aws_params_get(&p, key));
		}
	}
}

static void test_devices(void **state)
{
	(void)state;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct amazon_block_device gp2 = { .device_name = (char *)"/dev/sda1",
					   .volume_type = (char *)"gp2",
					   .iops = 3000,
					   .volume_size = 8,
					   .encrypted = TRIBOOL_FALSE };
	struct amazon_block_device none = { .device_name = (char *)"/dev/sdb", .no_device = true };
	struct amazon_block_device eph = { .device_name = (char *)"/dev/sdc",
					   .virtual_name = (char *)"ephemeral0" };

	amazon_params_devices(&p, &(struct spec_blocks){ (void *[]){ &gp2, &none, &eph }, 3 });
	assert_null(aws_params_get(&p, "BlockDeviceMapping.1.Ebs.Iops"));
	assert_string_equal(aws_params_get(&p, "BlockDeviceMapping.1.Ebs.VolumeSize"), "8");
	assert_string_equal(aws_params_get(&p, "BlockDeviceMapping.1.Ebs.DeleteOnTermination"),
			    "false");
	assert_string_equal(aws_params_get(&p, "BlockDeviceMapping.1.Ebs.Encrypted"), "false");
	assert_string_equal(aws_params_get(&p, "BlockDeviceMapping.2.NoDevice"), "");
	assert_null(aws_params_get(&p, "BlockDeviceMapping.2.Ebs.DeleteOnTermination"));
	assert_string_equal(aws_params_get(&p, "BlockDeviceMapping.3.VirtualName"), "ephemeral0");
}

static void test_merge_tags(void **state)
{
	(void)state;
	AUTO(arena) struct arena *a = arena_new();
	struct str_pair base[] = { { (char *)"a", (char *)"1" }, { (char *)"b", (char *)"2" } };
	struct str_pair more[] = { { (char *)"b", (char *)"3" }, { (char *)"c", (char *)"4" } };
	struct str_map m = { base, 2 };

	amazon_merge_tags(a, &m, &(struct str_map){ more, 2 });
	assert_int_equal(m.n, 3);
	assert_string_equal(str_map_get(&m, "a"), "1");
	assert_string_equal(str_map_get(&m, "b"), "3");
	assert_string_equal(str_map_get(&m, "c"), "4");
	assert_string_equal(base[1].value, "2");
}

/* Whether amazon_ami_prepare finds no mistake in name and kms_key_id. */
static bool ami_ok(const char *name, const char *key)
{
	AUTO(arena) struct arena *a = arena_new();
	struct diags d;
	struct prepare p = { .arena = a, .diags = &d, .component = "amazon-ebs" };
	struct amazon_ami c = { .ami_name = (char *)name,
				.encrypt_boot = TRIBOOL_TRUE,
				.kms_key_id = (char *)key };
	struct aws_config access = { 0 };

	diags_init(&d, a);
	amazon_ami_prepare(&p, &c, &access);
	return d.errors == 0;
}

static void test_names(void **state)
{
	(void)state;
	assert_true(ami_ok("ok ()[]./-'@_9Z", NULL));
	assert_false(ami_ok("a:b*c", NULL));
	assert_false(ami_ok("\xc3\xa4\xc3\xa4", NULL));
	assert_false(ami_ok("ab", NULL));
}

static void test_kms_keys(void **state)
{
	(void)state;
	static const char *const good[] = {
		"abcd1234-a123-456a-a12b-a123b4cd56ef",
		"mrk-12345678-1234-abcd",
		"alias/foo/bar",
		"alias/x",
		"arn:aws:kms:us-east-1:012345678910:key/abcd1234-a123-456a-a12b-a123b4cd56ef",
		"arn:aws-us-gov:kms:us-gov-east-1:123456789012:alias/foo/bar",
		"arn:aws:kms:us-east-1:012345678910:alias/foo",
	};
	static const char *const bad[] = {
		"something",
		"alias/",
		"arn:aws:foo:us-east-1:012345678910:key/abcd1234",
		"arn:aws:kms:us-east-1:01234:key/ab",
		"alias/spa ce",
		"arn:aws:kms:us-east-1:012345678910:zfoo/bar",
		"arn:aws-bogus:kms:us-east-1:012345678910:key/abcd1234",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!ami_ok("name", good[i]))
			fail_msg("%s is a key", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ami_ok("name", bad[i]))
			fail_msg("%s is no key", bad[i]);
}

/* A console is read while the machine writes it: a list can end anywhere. */
static void test_console_keys(void **state)
{
	(void)state;
	static const char whole[] = "booting\r\n"
				    "-----BEGIN SSH HOST KEY KEYS-----\r\n"
				    "ssh-ed25519 AAAA1 root@a\r\n"
				    "ecdsa-sha2-nistp256 AAAA2 root@a\r\n"
				    "-----END SSH HOST KEY KEYS-----\r\n"
				    "done\r\n";
	static const char keys[] = "ssh-ed25519 AAAA1 root@a\n"
				   "ecdsa-sha2-nistp256 AAAA2 root@a\n";
	size_t end = (size_t)(strstr(whole, "-----END") - whole) +
		     strlen("-----END SSH HOST KEY KEYS");

	for (size_t n = 0; n < sizeof(whole); n++) {
		AUTO(buf) struct buf out = BUF_INIT;

		amazon_console_keys((struct str){ whole, n }, &out);
		assert_string_equal(buf_cstr(&out), n < end ? "" : keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_have_no_mistakes), cmocka_unit_test(test_names),
		cmocka_unit_test(test_cidr),			 cmocka_unit_test(test_burstable),
		cmocka_unit_test(test_filters),		 cmocka_unit_test(test_devices),
		cmocka_unit_test(test_merge_tags),		 cmocka_unit_test(test_kms_keys),
		cmocka_unit_test(test_console_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
