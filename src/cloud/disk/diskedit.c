/* One debugfs run for each batch. debugfs exits 0 whatever its commands met, so its words decide.
 */
#include "base/os.h"
#include "base/str.h"
#include "cloud/disk/diskedit.h"
#include "cloud/disk/imagetool.h"
#include "cloud/disk/partition.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *device(const char *raw, uint64_t offset)
{
	return xasprintf("%s?offset=%llu", raw, (unsigned long long)offset);
}

/* Words of debugfs that are no failure: its greeting, and removing or making what is so already. */
static bool is_harmless(const char *line)
{
	return starts_with(line, "debugfs ") ||
	       (starts_with(line, "rm: ") && strstr(line, "not found")) ||
	       (strstr(line, "mkdir: ") && strstr(line, "already exists"));
}

static void keep_complaint(void *data, const char *line)
{
	char **complaint = data;

	if (!*complaint && !is_harmless(line))
		*complaint = xstrdup(line);
}

/* Runs debugfs; what goes to its standard output is kept in `out` or read for complaints too. */
static int debugfs(const char *raw, uint64_t offset, bool write, const char *flag,
		   const char *commands, struct buf *out, struct err *err)
{
	auto_free char *dev = device(raw, offset), *complaint = NULL;
	const char *argv[] = { "debugfs", flag, commands, dev, NULL, NULL };
	const struct imagetool tool = {
		.argv = argv,
		.step = "reading the disk image",
		.on_line = keep_complaint,
		.data = &complaint,
		.output = out,
	};

	if (write) {
		argv[3] = "-w";
		argv[4] = dev;
	}
	if (imagetool_run(&tool, err) < 0)
		return -1;
	if (complaint && strstr(complaint, "not found"))
		return err_set(err, ERR_NOT_FOUND, "%s: %s", raw, complaint);
	if (complaint)
		return err_set(err, ERR_IO, "%s: debugfs: %s", raw, complaint);
	return 0;
}

/* The commands for one edit; file texts go through files of the directory `temp`. */
static int add_commands(struct buf *script, const struct disk_edit *e, const char *temp, size_t i,
			struct err *err)
{
	const char *name = os_basename(e->path);
	auto_free char *source = xasprintf("%s/%zu", temp, i);

	switch (e->kind) {
	case DISK_REMOVE:
		buf_printf(script, "rm %s\n", e->path);
		return 0;
	case DISK_LINK:
		buf_printf(script, "rm %s\nsymlink %s %s\n", e->path, e->path, e->text);
		return 0;
	case DISK_DIR:
		buf_printf(script, "mkdir %s\nset_inode_field %s mode 0%o\n", e->path, e->path,
			   0040000 | e->mode);
		break;
	case DISK_FILE:
		if (os_write_file(source, e->text, strlen(e->text), (int)e->mode, err) < 0)
			return -1;
		buf_printf(script, "rm %s\ncd /%.*s\nwrite %s %s\ncd /\n", e->path,
			   (int)MAX(name - e->path - 2, 0), e->path + 1, source, name);
		buf_printf(script, "set_inode_field %s mode 0%o\n", e->path, 0100000 | e->mode);
		break;
	}
	if (e->user)
		buf_printf(script, "set_inode_field %s uid %u\n", e->path, e->user);
	if (e->group)
		buf_printf(script, "set_inode_field %s gid %u\n", e->path, e->group);
	return 0;
}

int disk_edit(const char *raw, uint64_t offset, const struct disk_edit *edits, size_t n,
	      struct err *err)
{
	auto_free char *temp = NULL, *script_path = NULL;
	AUTO(buf) struct buf script = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	int ret = 0;

	if (os_temp_dir("ingot-disk-", &temp, err) < 0)
		return -1;
	script_path = xasprintf("%s/script", temp);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = add_commands(&script, &edits[i], temp, i, err);
	if (ret == 0)
		ret = os_write_file(script_path, buf_cstr(&script), script.n, 0600, err);
	if (ret == 0) {
		/* debugfs echoes each command of a script on standard output: only its complaints
		 * count. */
		AUTO(buf) struct buf echo = BUF_INIT;

		ret = debugfs(raw, offset, true, "-f", script_path, &echo, err);
	}
	os_remove_all(temp, &ignored);
	return ret;
}

int disk_read(const char *raw, uint64_t offset, const char *path, struct buf *ret, struct err *err)
{
	auto_free char *command = xasprintf("cat %s", path);

	return debugfs(raw, offset, false, "-R", command, ret, err);
}

int disk_dump(const char *raw, uint64_t offset, const char *path, const char *to, struct err *err)
{
	auto_free char *command = xasprintf("dump %s %s", path, to);

	return debugfs(raw, offset, false, "-R", command, NULL, err);
}

int disk_list(const char *raw, uint64_t offset, const char *path, struct buf *ret, struct err *err)
{
	auto_free char *command = xasprintf("ls -p %s", path);
	AUTO(buf) struct buf rows = BUF_INIT;
	struct str rest, row;

	if (debugfs(raw, offset, false, "-R", command, &rows, err) < 0)
		return -1;
	rest = buf_str(&rows);
	/* "/INODE/MODE/UID/GID/NAME/SIZE/" */
	while (str_split(&rest, '\n', &row)) {
		struct str field;
		size_t i = 0;

		while (str_split(&row, '/', &field)) {
			if (i++ == 5 && field.n && !str_eqs(field, ".") && !str_eqs(field, "..")) {
				buf_add_str(ret, field);
				buf_addc(ret, '\n');
			}
		}
	}
	return 0;
}

/* e2fsck forgets where the file system begins when it opens it again after its journal: that is
 * replayed then, and only the mark is left. */
static bool replayed_but_marked(const struct err *err)
{
	return err->code == ERR_EXIT && strstr(err->msg, "recovering journal") &&
	       strstr(err->msg, "trying to re-open");
}

int disk_repair(const char *raw, uint64_t offset, struct err *err)
{
	auto_free char *dev = device(raw, offset);
	const char *argv[] = { "e2fsck", "-E", "journal_only", "-p", dev, NULL };
	const struct imagetool tool = { .argv = argv, .step = "replaying the journal" };
	AUTO(buf) struct buf features = BUF_INIT;

	if (imagetool_run(&tool, err) == 0)
		return 0;
	/* Status bit 1: errors were corrected. */
	if (err->code == ERR_EXIT && err->os == 1) {
		err_release(err);
		return 0;
	}
	if (!replayed_but_marked(err))
		return -1;
	err_release(err);
	return debugfs(raw, offset, true, "-R", "feature -needs_recovery", &features, err);
}

static bool is_ext4(int fd, uint64_t at)
{
	return streq(partition_filesystem(fd, at), "ext4");
}

int disk_find_root(const char *raw, uint64_t *ret_offset, unsigned *ret_number, struct err *err)
{
	auto_fd int fd = open(raw, O_RDONLY | O_CLOEXEC);
	struct partition parts[PARTITIONS_MAX];
	struct stat st;
	size_t n, i;

	if (fd < 0 || fstat(fd, &st) < 0 || partition_read(fd, (uint64_t)st.st_size, parts, &n) < 0)
		return err_errno(err, errno, "reading %s", raw);
	for (i = 0; i < n && !is_ext4(fd, parts[i].start); i++)
		;
	if (i == n && !is_ext4(fd, 0))
		return err_set(err, ERR_INVALID,
			       "%s has no ext4 file system on a partition of a GPT or MBR table, "
			       "nor on the whole disk",
			       raw);
	*ret_offset = i < n ? parts[i].start : 0;
	if (ret_number)
		*ret_number = i < n ? parts[i].number : 0;
	return 0;
}
