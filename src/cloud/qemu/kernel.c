/* Kernel and initrd for direct boot. The initrd holds what the guest program needs to find the root
 * disk: the modules in the order of their dependencies, from the image's own modules.dep.
 */
#include "base/hash.h"
#include "base/map.h"
#include "base/os.h"
#include "base/str.h"
#include "cloud/disk/diskedit.h"
#include "cloud/embed.h"
#include "cloud/qemu/cpio.h"
#include "cloud/qemu/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEPENDENCIES_MAX ((size_t)8 << 20)

/* A name that modules.dep lacks is built into the kernel. */
static const char *const drivers[] = {
	"virtio_pci", "virtio_blk",	"virtio_net", "virtio_scsi",	"sd_mod",
	"virtio_console", "virtio-rng", "crc32c_generic", "crc32c-intel", "ext4",
};

void qemu_kernel_release(struct qemu_kernel *k)
{
	free(k->kernel);
	free(k->initrd);
}

/* The highest version behind a prefix in a list of names, one a line; NULL if there is none. */
static char *newest(struct str names, const char *prefix)
{
	auto_free char *best = NULL;
	struct str name;

	while (str_split(&names, '\n', &name)) {
		auto_free char *version = NULL;

		if (!str_starts(name, prefix))
			continue;
		version = xstrndup(name.p + strlen(prefix), name.n - strlen(prefix));
		if (!best || strverscmp(version, best) > 0) {
			free(best);
			best = steal(version);
		}
	}
	return steal(best);
}

struct modules {
	const char *raw, *version;
	uint64_t offset;
	const char *temp; /* a file to dump to */
	struct map rows;  /* "kernel/…/x.ko" to its dependencies, borrowed from the text */
	struct map done;
	struct buf *archive, list;
};

static bool is_dash(char c)
{
	return c == '-' || c == '_';
}

/* Path of the row whose file is NAME.ko; '-' and '_' are the same in module names. */
static struct str find_module(const struct modules *m, const char *name)
{
	for (size_t i = 0; i < map_len(&m->rows); i++) {
		struct str path = map_key_at(&m->rows, i);
		const char *base = path.p + path.n;
		size_t n = 0;

		while (base > path.p && base[-1] != '/')
			base--;
		while (name[n] &&
		       (base[n] == name[n] || (is_dash(base[n]) && is_dash(name[n]))))
			n++;
		if (!name[n] && strncmp(base + n, ".ko", 3) == 0 && base + n + 3 == path.p + path.n)
			return path;
	}
	return STR("");
}

/* Dependencies of a row are written with what each needs behind it: they go in from the end. */
static int add_module(struct modules *m, struct str path, struct err *err)
{
	auto_free char *from = xasprintf("/lib/modules/%s/" STR_FMT, m->version, STR_ARG(path));
	auto_free char *name = xasprintf("modules/%s", os_basename(from));
	AUTO(buf) struct buf data = BUF_INIT;

	if (map_has(&m->done, path))
		return 0;
	map_set(&m->done, path, m);
	if (disk_dump(m->raw, m->offset, from, m->temp, err) < 0 ||
	    os_read_file(m->temp, 0, &data, err) < 0)
		return -1;
	cpio_add(m->archive, name, S_IFREG | 0644, 0, buf_str(&data));
	buf_printf(&m->list, "%s\n", os_basename(from));
	return 0;
}

static int add_with_dependencies(struct modules *m, const char *name, struct err *err)
{
	struct str path = find_module(m, name), rest, word, words[64];
	size_t n = 0;

	if (!path.n)
		return 0;
	rest = str_trim(str_from(map_get(&m->rows, path)));
	while (n < ARRAY_LEN(words) && str_split(&rest, ' ', &word))
		if (word.n)
			words[n++] = word;
	while (n)
		if (add_module(m, words[--n], err) < 0)
			return -1;
	return add_module(m, path, err);
}

static int add_modules(struct modules *m, struct err *err)
{
	auto_free char *path = xasprintf("/lib/modules/%s/modules.dep", m->version);
	AUTO(buf) struct buf text = BUF_INIT;
	char *line, *next;

	if (disk_read(m->raw, m->offset, path, &text, err) < 0)
		return -1;
	if (text.n > DEPENDENCIES_MAX)
		return err_set(err, ERR_INVALID, "%s is too large", path);
	buf_addc(&text, '\0');
	for (line = text.p; *line; line = next) {
		char *colon = strchr(line, ':');

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (colon && colon < next) {
			*colon = '\0';
			map_sets(&m->rows, line, colon + 1);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (add_with_dependencies(m, drivers[i], err) < 0)
			return -1;
	return 0;
}

static int make_initrd(const char *raw, uint64_t offset, const char *version, const char *out,
		       struct err *err)
{
	static const char *const dirs[] = { "dev", "proc", "sys", "run", "root", "modules" };
	auto_free char *temp = xasprintf("%s.module", out);
	AUTO(buf) struct buf archive = BUF_INIT;
	struct modules m = { raw, version, offset, temp, MAP_INIT, MAP_INIT, &archive, BUF_INIT };
	int ret;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		cpio_add(&archive, dirs[i], S_IFDIR | 0755, 0, STR(""));
	cpio_add(&archive, "dev/console", S_IFCHR | 0600, makedev(5, 1), STR(""));
	cpio_add(&archive, "init", S_IFREG | 0755, 0, embed_data(EMBED_GUEST));
	ret = add_modules(&m, err);
	cpio_add(&archive, "modules.list", S_IFREG | 0644, 0, buf_str(&m.list));
	cpio_end(&archive);
	if (ret == 0)
		ret = os_write_file(out, archive.p, archive.n, 0600, err);
	unlink(temp);
	map_release(&m.rows);
	map_release(&m.done);
	buf_release(&m.list);
	return ret;
}

/* Takes a kernel out into its place; the directory gets its name when it is whole. */
static int take_kernel(const char *dir, const char *place, const char *raw, uint64_t offset,
		       const char *version, struct err *err)
{
	auto_free char *temp = xasprintf("%s/.new-%s", dir, version);
	auto_free char *kernel = xasprintf("%s/vmlinuz", temp),
		       *initrd = xasprintf("%s/initrd", temp);
	auto_free char *from = xasprintf("/boot/vmlinuz-%s", version);

	if (os_remove_all(temp, err) < 0 || os_mkdir_all(temp, 0700, err) < 0 ||
	    disk_dump(raw, offset, from, kernel, err) < 0 ||
	    make_initrd(raw, offset, version, initrd, err) < 0)
		return err_prefix(err, "taking the kernel %s out of the image", version);
	if (rename(temp, place) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		return err_errno(err, errno, "storing the kernel in %s", place);
	return 0;
}

/* An initrd holds the guest program: another ingot makes its own. */
static char *guest_digest(void)
{
	struct str guest = embed_data(EMBED_GUEST);
	char hex[2 * SHA256_LEN + 1];
	uint8_t digest[SHA256_LEN];

	hash_sha256(guest.p, guest.n, digest);
	hash_hex(digest, sizeof(digest), hex);
	return xstrndup(hex, 8);
}

/* The newest version that is kept already. */
static char *newest_kept(const char *dir)
{
	AUTO(buf) struct buf names = BUF_INIT;
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			buf_printf(&names, "%s\n", e->d_name);
	if (d)
		closedir(d);
	return newest(buf_str(&names), "");
}

int qemu_kernel_prepare(const char *dir, const char *raw, struct qemu_kernel *ret, struct err *err)
{
	auto_free char *version = NULL, *place = NULL, *guest = guest_digest();
	AUTO(buf) struct buf names = BUF_INIT;
	struct qemu_kernel k = { 0 };
	uint64_t offset;

	if (disk_find_root(raw, &offset, &k.root, err) < 0 || disk_repair(raw, offset, err) < 0)
		return -1;
	if (disk_list(raw, offset, "/boot", &names, err) < 0)
		err_release(err);
	version = newest(buf_str(&names), "vmlinuz-");
	if (version) {
		place = xasprintf("%s/%s+%s", dir, version, guest);
		if (!os_is_dir(place) && take_kernel(dir, place, raw, offset, version, err) < 0)
			return -1;
	} else {
		version = newest_kept(dir);
		if (!version)
			return err_set(
				err, ERR_UNSUPPORTED,
				"the image has no kernel in /boot, which the qemu backend boots; "
				"use the container backend or install a kernel in it");
		place = xasprintf("%s/%s", dir, version);
	}
	k.kernel = xasprintf("%s/vmlinuz", place);
	k.initrd = xasprintf("%s/initrd", place);
	*ret = k;
	return 0;
}
