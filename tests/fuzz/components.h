/* Components named x with an option of each type, for the targets that load whole templates. */
#ifndef INGOT_FUZZ_COMPONENTS_H
#define INGOT_FUZZ_COMPONENTS_H

#include "engine/registry.h"

#include <fcntl.h>
#include <unistd.h>

/* Written in place, and cut afterwards: a file that is emptied first is written to the disk when it
 * is closed (ext4), which would cost more than all else. */
static UNUSED void write_input(const char *path, const uint8_t *data, size_t n)
{
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n || ftruncate(fd, (off_t)n) < 0)
		abort();
}

struct disk {
	char *name;
	int64_t size;
};
struct options {
	char *text, *late, *choice;
	bool flag;
	enum tribool maybe;
	int64_t number, when;
	struct strs list;
	struct ints ints;
	struct str_map map, tag;
	struct disk *disk;
	struct spec_blocks disks;
	struct value raw;
};

static const char *const choices[] = { "a", "b", NULL };
static const struct spec_row disk_rows[] = {
	SPEC_STR(struct disk, name, .flags = SPEC_REQUIRED, .doc = "x"),
	SPEC_INT(struct disk, size, .min = 1, .max = 9, .doc = "x"),
};
static const struct spec disk_spec = SPEC("disk", struct disk, disk_rows);
static const struct spec_row rows[] = {
	SPEC_STR(struct options, text, .doc = "x"),
	SPEC_STR(struct options, late, .flags = SPEC_LATE, .doc = "x"),
	SPEC_STR(struct options, choice, .choices = choices, .doc = "x"),
	SPEC_BOOL(struct options, flag, .doc = "x"),
	SPEC_TRIBOOL(struct options, maybe, .doc = "x"),
	SPEC_INT(struct options, number, .doc = "x"),
	SPEC_DURATION(struct options, when, .doc = "x"),
	SPEC_STRS(struct options, list, .doc = "x"),
	SPEC_INTS(struct options, ints, .doc = "x"),
	SPEC_MAP(struct options, map, .doc = "x"),
	SPEC_MAP(struct options, tag, .flags = SPEC_KEY_VALUE, .doc = "x"),
	SPEC_BLOCK(struct options, disk, struct disk, &disk_spec, .doc = "x"),
	SPEC_BLOCKS(struct options, disks, &disk_spec, .doc = "x"),
	SPEC_VALUE(struct options, raw, .doc = "x"),
};
static const struct spec spec = SPEC("x", struct options, rows);
static const struct builder builder = { .type = "x", .spec = &spec };
static const struct provisioner provisioner = { .type = "x", .spec = &spec };
static const struct postprocessor postprocessor = { .type = "x", .spec = &spec };
static const struct builder *const builders[] = { &builder, NULL };
static const struct provisioner *const provisioners[] = { &provisioner, NULL };
static const struct postprocessor *const postprocessors[] = { &postprocessor, NULL };

static int give_back(struct arena *a, void *config, struct value *ret, struct err *err)
{
	const struct options *o = config;
	struct value_attr text = { .key = STR("text"),
				   .value = value_cstring(a, o->text ? o->text : "",
							  (struct span){ 0 }) };

	if (o->flag)
		return err_set(err, ERR_REMOTE, "it fails when told to");
	*ret = value_attrs_make(a, VALUE_OBJECT, &text, 1, (struct span){ 0 });
	return 0;
}

static const char *const outputs[] = { "text", NULL };
static const struct datasource datasource = {
	.type = "x", .spec = &spec, .run = give_back, .outputs = outputs
};
static const struct datasource *const datasources[] = { &datasource, NULL };
static const struct registry registry = {
	.builders = builders,
	.provisioners = provisioners,
	.postprocessors = postprocessors,
	.datasources = datasources,
};

#endif
