/* Option tables: weak and strict decoding, defaults, checks, unknown and old options. */
#include "spec/spec.h"

#include "lang/jsontext/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct disk {
	char *device;
	int64_t size;
	bool encrypted;
};
struct common {
	int64_t port;
	char *host;
};
struct config {
	char *name, *mode, *password, *later, *old;
	bool flag, on;
	enum tribool maybe;
	int64_t timeout, count;
	struct strs list;
	struct ints codes;
	struct str_map tags, tag;
	struct disk *disk;
	struct spec_blocks disks;
	struct value raw;
	struct common common;
};

static const char *const modes[] = { "fast", "slow", NULL };
static const struct spec_row disk_rows[] = {
	SPEC_STR(struct disk, device, .flags = SPEC_REQUIRED, .doc = "Device."),
	SPEC_INT(struct disk, size, .def = "8", .min = 1, .max = 100, .doc = "Size."),
	SPEC_BOOL(struct disk, encrypted, .doc = "Encrypted."),
};
static const struct spec disk_spec = SPEC("disk", struct disk, disk_rows);
static const struct spec_row common_rows[] = {
	SPEC_INT(struct common, port, .def = "22", .min = 1, .max = 65535, .doc = "Port."),
	SPEC_STR(struct common, host, .doc = "Host."),
};
static const struct spec common_spec = SPEC("common", struct common, common_rows);
static const struct spec_row rows[] = {
	SPEC_STR(struct config, name, .flags = SPEC_REQUIRED, .doc = "Name."),
	SPEC_STR(struct config, mode, .def = "fast", .choices = modes, .doc = "Mode."),
	SPEC_STR(struct config, password, .flags = SPEC_SENSITIVE, .doc = "Password."),
	SPEC_STR(struct config, later, .flags = SPEC_LATE, .doc = "Late."),
	SPEC_STR(struct config, old, .flags = SPEC_DEPRECATED | SPEC_HIDDEN, .instead = "name"),
	{ .name = "future",
	  .type = SPEC_T_STR,
	  .flags = SPEC_NOT_YET,
	  .offset = SPEC_OFF(struct config, old, char *),
	  .doc = "Later." },
	SPEC_BOOL(struct config, flag, .doc = "Flag."),
	SPEC_BOOL(struct config, on, .def = "true", .doc = "On."),
	SPEC_TRIBOOL(struct config, maybe, .doc = "Maybe."),
	SPEC_DURATION(struct config, timeout, .def = "5m", .doc = "Timeout."),
	SPEC_INT(struct config, count, .doc = "Count."),
	SPEC_STRS(struct config, list, .doc = "List."),
	SPEC_INTS(struct config, codes, .doc = "Codes."),
	SPEC_MAP(struct config, tags, .doc = "Tags."),
	SPEC_MAP(struct config, tag, .flags = SPEC_KEY_VALUE, .doc = "Tag."),
	SPEC_BLOCK(struct config, disk, struct disk, &disk_spec, .doc = "Disk."),
	SPEC_BLOCKS(struct config, disks, &disk_spec, .doc = "Disks."),
	SPEC_VALUE(struct config, raw, .doc = "Raw."),
	SPEC_EMBED(struct config, common, struct common, &common_spec),
};
static const struct spec spec = SPEC("test", struct config, rows);

struct run {
	struct arena *arena;
	struct diags diags;
	struct config config;
	int rc;
	const char *secret;
};

/* Text in <…> is "rendered" by taking the brackets off; "<later>" cannot be had yet; "<bad>" fails.
 */
static int render(void *data UNUSED, const struct spec_row *row UNUSED, bool late, struct str text,
		  struct str *ret, struct err *err)
{
	*ret = text;
	if (late || !str_starts(text, "<"))
		return 0;
	if (str_eqs(text, "<bad>")) {
		err_set(err, ERR_INVALID, "it is bad");
		err->os = 1;
		return -1;
	}
	*ret = str_slice(text, 1, text.n - 1);
	return str_eqs(text, "<later>");
}

static void secret(void *data, const char *text)
{
	((struct run *)data)->secret = text;
}

static struct run decode(struct arena *a, const char *json, bool weak)
{
	struct run r = { .arena = a };
	struct spec_input in = { .arena = a,
				 .render = render,
				 .weak = weak,
				 .json = true,
				 .on_secret = secret,
				 .data = &r };
	struct value body;

	diags_init(&r.diags, a);
	in.diags = &r.diags;
	assert_int_equal(jsontext_parse(a, source_new(a, "t.json", str_from(json)), 0, &r.diags,
					&body),
			 0);
	r.rc = spec_decode(&spec, body, &in, &r.config);
	return r;
}

static void test_table_is_sound(void **state UNUSED)
{
	static const struct spec_row bad_rows[] = {
		SPEC_STR(struct config, name),
		SPEC_STR(struct config, mode, .name = "name", .def = "x", .choices = modes,
			 .flags = SPEC_REQUIRED, .doc = "x"),
		SPEC_STR(struct config, old, .flags = SPEC_DEPRECATED, .doc = "x"),
	};
	static const struct spec bad = SPEC("bad", struct config, bad_rows);
	AUTO(buf) struct buf out = BUF_INIT;

	assert_int_equal(spec_check(&spec, &out), 0);
	/* No doc, twice, required with default, no choice, nothing instead. */
	assert_int_equal(spec_check(&bad, &out), 5);
}

static void test_weak_values(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct run r = decode(
	    a,
	    "{\"Name\": 12, \"flag\": \"1\", \"on\": 0, \"maybe\": \"f\","
	    "\"timeout\": 10, \"count\": \"0x1_0\","
	    "\"list\": \"a,b\", \"codes\": [\"3\", 4.9, true],"
	    "\"tags\": [{\"a\": 1}, {\"b\": true}],"
	    "\"disk\": {\"device\": \"d\", \"size\": \"9\"}, \"disks\": {\"device\": \"e\"},"
	    "\"port\": \"2222\", \"host\": 1.50, \"raw\": {\"x\": [\"<y>\"]}, \"mode\": null}",
	    true);

	assert_int_equal(r.rc, 0);
	assert_string_equal(r.config.name, "12");
	assert_true(r.config.flag);
	assert_false(r.config.on);
	assert_int_equal(r.config.maybe, TRIBOOL_FALSE);
	assert_int_equal(r.config.timeout, 10);
	assert_int_equal(r.config.count, 16);
	assert_int_equal(r.config.list.n, 2);
	assert_string_equal(r.config.list.v[1], "b");
	assert_int_equal(r.config.codes.n, 3);
	assert_int_equal(r.config.codes.v[1], 4);
	assert_int_equal(r.config.codes.v[2], 1);
	assert_string_equal(str_map_get(&r.config.tags, "a"), "1");
	assert_string_equal(str_map_get(&r.config.tags, "b"), "1");
	assert_string_equal(r.config.disk->device, "d");
	assert_int_equal(r.config.disk->size, 9);
	assert_int_equal(r.config.disks.n, 1);
	assert_int_equal(((struct disk *)r.config.disks.v[0])->size, 8);
	assert_int_equal(r.config.common.port, 2222);
	assert_string_equal(r.config.common.host, "1.5");
	assert_true(str_eqs(value_attr_find(r.config.raw, "x")->value.seq->v[0].string, "y"));
	assert_string_equal(r.config.mode, "fast");
}

static void test_defaults(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct run r = decode(a,
			      "{\"name\": \"<n>\", \"later\": \"<x>\", \"password\": \"pw\","
			      "\"mode\": \"<>\", \"old\": \"\","
			      "\"tag\": [{\"key\": \"a\", \"value\": \"<v>\"}]}",
			      true);

	assert_int_equal(r.rc, 0);
	assert_string_equal(r.config.name, "n");
	assert_string_equal(r.config.mode, "fast"); /* as if "" had not been given */
	assert_null(r.config.old);
	assert_string_equal(r.config.later, "<x>");
	assert_string_equal(r.secret, "pw");
	assert_string_equal(str_map_get(&r.config.tag, "a"), "v");
	assert_true(r.config.on);
	assert_int_equal(r.config.maybe, TRIBOOL_UNSET);
	assert_int_equal(r.config.timeout, 300000000000);
	assert_int_equal(r.config.common.port, 22);
	assert_null(r.config.disk);
}

/* One mistake each: the message is golden. */
static void test_mistakes(void **state UNUSED)
{
	static const struct {
		const char *json;
		bool weak;
		const char *summary, *detail;
	} cases[] = {
		{ "{\"nmae\": \"x\"}", true, "Unknown option \"nmae\"", "Did you mean \"name\"?" },
		{ "{\"name\": \"x\", \"_comment\": 1}", true, "Unknown option \"_comment\"",
		  "Comments can only stand at the root of a template." },
		{ "{\"name\": \"x\", \"disk\": {\"device\": \"d\", \"sise\": 1}}", true,
		  "Unknown option \"disk.sise\"", "Did you mean \"size\"?" },
		{ "{}", true, "\"name\" is required", NULL },
		{ "{\"name\": \"\"}", true, "\"name\" must not be empty", NULL },
		{ "{\"name\": \"x\", \"disks\": [{\"size\": 2}]}", true,
		  "\"disks.device\" is required", NULL },
		{ "{\"name\": [\"x\"]}", true, "\"name\" takes text, not a list", NULL },
		{ "{\"name\": \"x\", \"flag\": \"yes\"}", true,
		  "\"flag\" takes true or false, not \"yes\"", NULL },
		{ "{\"name\": \"x\", \"Name\": \"y\"}", true, "\"Name\" is given twice",
		  "It stands as \"name\" too. Remove one of the two." },
		{ "{\"NAME\": \"x\", \"Name\": null}", true, "\"Name\" is given twice",
		  "It stands as \"NAME\" too. Remove one of the two." },
		{ "{\"name\": \"x\", \"disk\": {\"Device\": \"d\", \"device\": \"d\"}}", true,
		  "\"disk.Device\" is given twice", NULL },
		{ "{\"name\": \"x\", \"count\": \"many\"}", true,
		  "\"count\" takes a whole number, not \"many\"", NULL },
		{ "{\"name\": \"x\", \"count\": \"\\n5\"}", true,
		  "\"count\" takes a whole number, not \"\n5\"", NULL },
		{ "{\"name\": \"x\", \"count\": \"5\\u0000\"}", true,
		  "\"count\" takes a whole number, not \"5\"", NULL },
		{ "{\"name\": \"x\", \"timeout\": \"10\"}", true,
		  "\"timeout\": the duration \"10\" lacks a unit (\"10s\" are seconds)", NULL },
		{ "{\"name\": \"x\", \"timeout\": \"\"}", true,
		  "\"timeout\" takes a duration such as \"90s\" or \"1h30m\", not \"\"", NULL },
		{ "{\"name\": \"x\", \"mode\": \"quick\"}", true,
		  "\"mode\" is one of: fast, slow; not \"quick\"", NULL },
		{ "{\"name\": \"x\", \"port\": 70000}", true,
		  "\"port\" is between 1 and 65535, not 70000", NULL },
		{ "{\"name\": \"x\", \"tags\": [\"a\"]}", true,
		  "\"tags\" takes an object of texts, not \"a\"", NULL },
		{ "{\"name\": \"x\", \"tag\": [{\"key\": \"a\"}]}", false,
		  "A block \"tag\" lacks its \"value\"", NULL },
		{ "{\"name\": \"x\", \"password\": [1]}", true,
		  "\"password\" takes text, not this secret value", NULL },
		{ "{\"name\": \"x\", \"future\": \"y\"}", true,
		  "\"future\" is not yet supported by ingot", NULL },
		{ "{\"name\": \"a\\u0000b\"}", true,
		  "\"name\" takes text without NUL characters, not \"a\"", NULL },
		{ "{\"name\": \"<bad>\"}", true, "\"name\": it is bad", NULL },
		{ "{\"name\": \"x\", \"count\": true}", false,
		  "\"count\" takes a whole number, not true", NULL },
		{ "{\"name\": \"x\", \"flag\": 1}", false, "\"flag\" takes true or false, not 1",
		  NULL },
		{ "{\"name\": \"x\", \"list\": \"a\"}", false,
		  "\"list\" takes a list of texts, not \"a\"", NULL },
		{ "{\"name\": \"x\", \"timeout\": 3}", false,
		  "\"timeout\" takes a duration such as \"90s\" or \"1h30m\", not 3", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		struct run r = decode(a, cases[i].json, cases[i].weak);

		if (r.rc != -1)
			fail_msg("%s: no mistake", cases[i].json);
		assert_string_equal(r.diags.v[0].summary, cases[i].summary);
		if (r.diags.n != 1)
			fail_msg("%s: %s", cases[i].json, r.diags.v[1].summary);
		if (cases[i].detail)
			assert_string_equal(r.diags.v[0].detail, cases[i].detail);
	}
}

static void test_all_mistakes_are_told(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct run r = decode(a,
			      "{\"nmae\": 1, \"flag\": \"yes\", \"old\": \"x\", \"count\": \"a\"}",
			      true);

	assert_int_equal(r.rc, -1);
	assert_int_equal(r.diags.errors, 3); /* not that name is missing: it is misspelt */
	assert_int_equal(r.diags.warnings, 1);
	assert_string_equal(r.diags.v[2].summary, "\"old\" is an old option");
	assert_string_equal(r.config.old, "x");
}

/* An old name may stand for the same member: neither default nor requirement undo it. */
static void test_old_names(void **state UNUSED)
{
	static const struct spec_row old_rows[] = {
		SPEC_STR(struct config, name, .flags = SPEC_REQUIRED, .doc = "Name."),
		SPEC_STR(struct config, name, .name = "title", .flags = SPEC_DEPRECATED,
			 .instead = "name", .doc = "Old."),
		SPEC_INT(struct config, count, .def = "3", .doc = "Count."),
		SPEC_INT(struct config, count, .name = "number", .flags = SPEC_DEPRECATED,
			 .instead = "count", .doc = "Old."),
	};
	static const struct spec old_spec = SPEC("old", struct config, old_rows);
	AUTO(arena) struct arena *a = arena_new();
	struct config c = { 0 };
	struct diags d;
	struct spec_input in = { .arena = a, .diags = &d, .weak = true };
	struct value body;

	diags_init(&d, a);
	assert_int_equal(jsontext_parse(a,
					source_new(a, "t",
						   STR("{\"title\": \"x\", \"number\": 4}")),
					0, &d, &body),
			 0);
	assert_int_equal(spec_decode(&old_spec, body, &in, &c), 0);
	assert_string_equal(c.name, "x");
	assert_int_equal(c.count, 4);
	assert_int_equal(d.warnings, 2);
	assert_true(d.v[0].lenient);
}

/* The caret of a failed rendering stands inside the text. */
static void test_place_of_rendering(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct run r = decode(a, "{\"name\": \"<bad>\"}", true);

	assert_int_equal(r.diags.v[0].span.from, 11);
}

/* What only the run knows passes all checks but those of its form. */
static void test_stand_ins(void **state UNUSED)
{
	AUTO(arena) struct arena *a = arena_new();
	struct run r = decode(a,
			      "{\"name\": \"<later>\", \"count\": \"<later>\", \"mode\": "
			      "\"<later>\", \"timeout\": \"<later>\", \"codes\": \"<later>\"}",
			      true);

	assert_int_equal(r.rc, 0);
	assert_string_equal(r.config.name, "later");
	assert_int_equal(r.config.count, 0);
}

static void test_search(void **state UNUSED)
{
	size_t offset = 0;

	assert_non_null(spec_find(&spec, STR("PORT"), &offset));
	assert_int_equal(offset, offsetof(struct config, common) + offsetof(struct common, port));
	assert_null(spec_find(&spec, STR("nope"), NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_weak_values),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_mistakes_are_told),
		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_place_of_rendering),
		cmocka_unit_test(test_stand_ins),
		cmocka_unit_test(test_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
