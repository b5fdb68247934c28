/* Root file system and disk of the base images.
 *
 * The tar is made once for the user and addressed by a digest of all that goes into it; a lock file
 * keeps two daemons from making it twice. It holds Debian and nothing else: the files that make a
 * stand-in of it are added to the disk afterwards.
 */
#include "base/hash.h"
#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"
#include "cloud/baseimage/root.h"
#include "cloud/disk/imagetool.h"
#include "cloud/owned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SUITE "bookworm"
#define RECIPE_VERSION "1" /* raise it when the way of making changes */
#define NEEDED_MIB 1200
#define LISTS "/var/lib/apt/lists"

static const char packages[] =
	"systemd-sysv,dbus,openssh-server,sudo,python3-minimal,ca-certificates,iproute2,procps,"
	"fdisk,e2fsprogs,curl,netbase,libnss-myhostname,less";
static const char kernel_package[] = ",linux-image-cloud-amd64";

/* What every instance must make for itself, and what dpkg options cannot leave out. Directories for
 * manual pages stay: some packages put links into them. */
static const char clean_hook[] =
	"rm -f \"$1\"/etc/ssh/ssh_host_* \"$1\"/etc/resolv.conf \"$1\"/etc/hostname "
	"\"$1\"/etc/update-motd.d/* \"$1\"/initrd.img* \"$1\"/vmlinuz*; "
	": >\"$1\"/etc/machine-id; "
	": >\"$1\"/etc/motd; "
	"cd \"$1\"/usr/share/man && mkdir -p man1 man2 man3 man4 man5 man6 man7 man8";

static const char *const dpkg_options[] = {
	"path-exclude=/usr/share/man/*",
	"path-exclude=/usr/share/doc/*",
	"path-include=/usr/share/doc/*/copyright",
	"path-exclude=/usr/share/locale/*",
	"path-include=/usr/share/locale/locale.alias",
	"path-exclude=/usr/share/info/*",
	"force-unsafe-io",
};

/* The host's apt settings that decide whether its mirrors can be used: checks of dates, and
 * proxies. */
struct apt_settings {
	struct buf options; /* one a line, for --aptopt */
	char *http_proxy, *https_proxy; /* "http_proxy=…" for the environment */
};

static void apt_settings_release(struct apt_settings *s)
{
	buf_release(&s->options);
	free(s->http_proxy);
	free(s->https_proxy);
}
DEFINE_AUTO(apt_settings, struct apt_settings, apt_settings_release);

static void read_setting(void *data, const char *line)
{
	struct apt_settings *s = data;
	const char *open = strchr(line, '"'), *close = strrchr(line, '"');
	struct str value;

	if (!open || close <= open)
		return;
	value = (struct str){ open + 1, (size_t)(close - open - 1) };
	if (starts_with(line, "Acquire::Check-Valid-Until ") ||
	    starts_with(line, "Acquire::Check-Date "))
		buf_printf(&s->options, "%s\n", line);
	else if (starts_with(line, "Acquire::http::Proxy ") && value.n && !s->http_proxy)
		s->http_proxy = xasprintf("http_proxy=" STR_FMT, STR_ARG(value));
	else if (starts_with(line, "Acquire::https::Proxy ") && value.n && !s->https_proxy)
		s->https_proxy = xasprintf("https_proxy=" STR_FMT, STR_ARG(value));
}

/* A host without apt has no settings. */
static void apt_settings_read(struct apt_settings *s)
{
	AUTO(err) struct err ignored = ERR_INIT;
	const char *argv[] = { "apt-config", "dump", NULL };
	const struct imagetool tool = {
		.argv = argv, .step = "reading apt's settings", .on_line = read_setting, .data = s
	};

	if (imagetool_run(&tool, &ignored) < 0)
		buf_reset(&s->options);
}

/* Adds the digest of the host's package lists: newer lists make a newer image. */
static void add_lists(struct buf *key)
{
	VEC(const char *) names = VEC_INIT;
	DIR *d = opendir(LISTS);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strstr(e->d_name, "_dists_" SUITE) && ends_with(e->d_name, "InRelease"))
			vec_push(&names, xstrdup(e->d_name));
	if (d)
		closedir(d);
	sort_strings(names.v, names.n);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = xasprintf(LISTS "/%s", names.v[i]);
		AUTO(err) struct err ignored = ERR_INIT;
		AUTO(buf) struct buf text = BUF_INIT;
		uint8_t digest[SHA256_LEN];

		if (os_read_file(path, 0, &text, &ignored) == 0) {
			hash_sha256(text.p, text.n, digest);
			buf_add(key, digest, sizeof(digest));
		}
		free((char *)names.v[i]);
	}
	vec_release(&names);
}

static void make_key(const char *include, const struct buf *sources, char ret[2 * SHA256_LEN + 1])
{
	AUTO(buf) struct buf key = BUF_INIT;
	uint8_t digest[SHA256_LEN];

	buf_printf(&key, RECIPE_VERSION "\n%s\n%s\n%s\n", include, clean_hook, buf_cstr(sources));
	for (size_t i = 0; i < ARRAY_LEN(dpkg_options); i++)
		buf_printf(&key, "%s\n", dpkg_options[i]);
	add_lists(&key);
	hash_sha256(key.p, key.n, digest);
	hash_hex(digest, sizeof(digest), ret);
	ret[16] = '\0';
}

/* Makes a directory and what is missing above it; under sudo what is new belongs to the calling
 * user, whose cache it is. */
static int make_caller_dir(const char *path, struct err *err)
{
	const char *uid_text = os_env("SUDO_UID"), *gid_text = os_env("SUDO_GID");
	uint64_t uid = geteuid(), gid = getegid();

	if (uid == 0 && uid_text && gid_text && parse_u64(str_from(uid_text), &uid) &&
	    parse_u64(str_from(gid_text), &gid))
		return owned_dir_make(path, (uid_t)uid, (gid_t)gid, err);
	return owned_dir_make(path, geteuid(), getegid(), err);
}

static int check_space(const char *dir, struct err *err)
{
	struct statvfs st;
	uint64_t left;

	if (statvfs(dir, &st) < 0)
		return err_errno(err, errno, "asking for the free space in %s", dir);
	left = (uint64_t)st.f_bavail * st.f_frsize >> 20;
	if (left < NEEDED_MIB)
		return err_set(err, ERR_IO, "making the base images needs %llu MiB more in %s",
			       (unsigned long long)(NEEDED_MIB - left), dir);
	return 0;
}

/* "I: installing essential packages..." */
static void tell(void *data, const char *line)
{
	const struct base_progress *p = data;
	static const struct {
		const char *said, *tell;
	} steps[] = {
		{ "I: running apt-get update", "base image: reading package lists" },
		{ "I: downloading packages", "base image: downloading packages" },
		{ "I: installing essential", "base image: installing the essential packages" },
		{ "I: installing remaining", "base image: installing the other packages" },
		{ "I: creating tarball", "base image: storing the root file system" },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (starts_with(line, steps[i].said))
			p->say(p->data, steps[i].tell);
}

static int run_mmdebstrap(const char *include, const char *sources, const char *out,
			  const struct base_progress *p, struct err *err)
{
	AUTO(apt_settings) struct apt_settings settings = { 0 };
	auto_free char *include_flag = xasprintf("--include=%s", include);
	auto_free char *hook_flag = xasprintf("--customize-hook=%s", clean_hook);
	const char *env[4] = { "SOURCE_DATE_EPOCH=1750000000" };
	VEC(const char *) argv = VEC_INIT;
	VEC(char *) owned = VEC_INIT;
	struct str rest, line;
	int ret;

	apt_settings_read(&settings);
	if (settings.http_proxy)
		env[1] = settings.http_proxy;
	if (settings.https_proxy)
		env[settings.http_proxy ? 2 : 1] = settings.https_proxy;
	vec_push(&argv, "mmdebstrap");
	vec_push(&argv, "--variant=minbase");
	vec_push(&argv, "--format=tar");
	vec_push(&argv, "--architectures=amd64");
	vec_push(&argv, include_flag);
	vec_push(&argv, "--aptopt=Acquire::Languages \"none\"");
	rest = buf_str(&settings.options);
	while (str_split(&rest, '\n', &line))
		if (line.n)
			vec_push(&owned, xasprintf("--aptopt=" STR_FMT, STR_ARG(line)));
	for (size_t i = 0; i < ARRAY_LEN(dpkg_options); i++)
		vec_push(&owned, xasprintf("--dpkgopt=%s", dpkg_options[i]));
	for (size_t i = 0; i < owned.n; i++)
		vec_push(&argv, owned.v[i]);
	vec_push(&argv, "--skip=cleanup/apt/lists,output/dev");
	vec_push(&argv, hook_flag);
	vec_push(&argv, SUITE);
	vec_push(&argv, out);
	vec_push(&argv, sources);
	vec_push(&argv, NULL);

	const struct imagetool tool = {
		.argv = argv.v,
		.env = env,
		.step = "making the base image",
		.on_line = tell,
		.data = (void *)p,
	};

	ret = imagetool_run(&tool, err);
	for (size_t i = 0; i < owned.n; i++)
		free(owned.v[i]);
	vec_release(&owned);
	vec_release(&argv);
	return ret;
}

/* Does /etc/subuid give this user ids beside his own? Rows start with his name or number. */
static bool has_subordinate_ids(void)
{
	auto_free char *number = xasprintf("%u:", (unsigned)getuid()), *name = NULL;
	AUTO(err) struct err ignored = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	const char *user = os_env("USER") ? os_env("USER") : os_env("LOGNAME");
	struct str rest, line;

	if (os_read_file("/etc/subuid", 0, &text, &ignored) < 0)
		return false;
	name = xasprintf("%s:", user ? user : "");
	for (rest = buf_str(&text); str_split(&rest, '\n', &line);)
		if (str_starts(line, number) || (user && str_starts(line, name)))
			return true;
	return false;
}

/* Debian's programs are installed by "root": of the machine, or of a user namespace with ids of its
 * own. */
static int check_rights(struct err *err)
{
	auto_free char *path = NULL;

	if (geteuid() == 0)
		return 0;
	if (imagetool_find("newuidmap", "making the base image without root", &path, err) < 0)
		return -1;
	if (has_subordinate_ids())
		return 0;
	return err_set(
		err, ERR_UNSUPPORTED,
		"making the base image without root needs ids for this user in /etc/subuid and "
		"/etc/subgid: `sudo usermod --add-subuids 200000-265535 --add-subgids "
		"200000-265535 USER` adds them");
}

/* Makes the tar beside its place and moves it there whole. */
static int make_tar(const char *include, const struct buf *sources, const char *dir,
		    const char *path, const struct base_progress *p, struct err *err)
{
	auto_free char *part = xasprintf("%s.part", path), *temp = NULL, *sources_path = NULL;
	AUTO(err) struct err ignored = ERR_INIT;
	int ret;

	if (check_rights(err) < 0 || check_space(dir, err) < 0 ||
	    os_temp_dir("ingot-base-", &temp, err) < 0)
		return -1;
	sources_path = xasprintf("%s/debian.sources", temp);
	ret = os_write_file(sources_path, buf_cstr(sources), sources->n, 0644, err);
	if (ret == 0)
		ret = run_mmdebstrap(include, sources_path, part, p, err);
	if (ret == 0 && rename(part, path) < 0)
		ret = err_errno(err, errno, "storing %s", path);
	if (ret < 0)
		unlink(part);
	os_remove_all(temp, &ignored);
	return ret;
}

/* Older tars of the same kind are of no more use. */
static void remove_older(const char *dir, const char *prefix, const char *keep)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!starts_with(e->d_name, prefix) || !ends_with(e->d_name, ".tar") ||
		    streq(e->d_name, keep))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			break;
	}
	if (d)
		closedir(d);
}

int base_root_tar(bool with_kernel, const struct base_progress *p, char **ret_path, struct err *err)
{
	auto_free char *cache = os_xdg_dir("CACHE"), *dir = xasprintf("%s/base", cache);
	auto_free char *include = xasprintf("%s%s", packages, with_kernel ? kernel_package : "");
	auto_free char *lock = xasprintf("%s/lock", dir), *name = NULL, *path = NULL;
	const char *prefix = with_kernel ? "kernel-" : "root-";
	AUTO(buf) struct buf sources = BUF_INIT;
	char key[2 * SHA256_LEN + 1];
	auto_fd int lock_fd = -1;

	base_apt_sources("/etc/apt", &sources);
	make_key(include, &sources, key);
	name = xasprintf("%s%s.tar", prefix, key);
	path = xasprintf("%s/%s", dir, name);
	if (make_caller_dir(dir, err) < 0)
		return -1;
	lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		return err_errno(err, errno, "opening %s", lock);
	if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
		p->say(p->data, "base image: waiting for another ingot that makes it");
		if (flock(lock_fd, LOCK_EX) < 0)
			return err_errno(err, errno, "locking %s", lock);
	}
	if (os_exists(path)) {
		p->say(p->data, "base image: root file system found in the cache");
	} else {
		if (make_tar(include, &sources, dir, path, p, err) < 0)
			return -1;
		remove_older(dir, prefix, name);
	}
	*ret_path = steal(path);
	return 0;
}

/* Runs one of the disk's tools; without root rights under fakeroot, which remembers the owners in
 * `state`. */
static int run_as_root(const char *const *argv, const char *step, const char *state,
		       struct err *err)
{
	const char *wrapped[24] = { "fakeroot", "-i", state, "-s", state, "--" };
	const struct imagetool tool = { .argv = geteuid() == 0 ? argv : wrapped, .step = step };
	auto_free char *path = NULL;

	if (imagetool_find(argv[0], step, &path, err) < 0)
		return -1;
	wrapped[6] = path;
	for (size_t i = 1; argv[i]; i++)
		wrapped[6 + i] = argv[i];
	return imagetool_run(&tool, err);
}

/* One Linux partition over the whole disk; the last 1 MiB stays for the backup of the table. */
static int partition(const char *out, struct err *err)
{
	static const char table[] =
		"label: gpt\n"
		"first-lba: 2048\n"
		"start=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root\n";
	const char *argv[] = { "sfdisk", "-q", out, NULL };
	const struct imagetool tool = { .argv = argv,
					.step = "partitioning the base disk",
					.input = STR(table) };
	auto_fd int fd = open(out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)BASE_DISK_SIZE) < 0)
		return err_errno(err, errno, "making the disk %s", out);
	return imagetool_run(&tool, err);
}

static int fill_disk(const char *tar, const char *out, const char *temp, struct err *err)
{
	auto_free char *root = xasprintf("%s/root", temp), *state = xasprintf("%s/owners", temp);
	auto_free char *size =
		xasprintf("%lluk", (unsigned long long)(BASE_DISK_SIZE / 1024 - 2048));
	auto_free char *extended =
		xasprintf("offset=%llu,lazy_itable_init=1,lazy_journal_init=1,nodiscard",
			  (unsigned long long)BASE_PARTITION_OFFSET);
	const char *unpack[] = {
		"tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", tar,
		NULL,
	};
	/* Features that kernels of the last years cannot mount stay off. */
	const char *format[] = {
		"mkfs.ext4", "-q", "-F", "-L", "root", "-m", "1",
		"-O", "^orphan_file,^metadata_csum_seed", "-d", root, "-E", extended, out, size,
		NULL,
	};

	if (mkdir(root, 0755) < 0)
		return err_errno(err, errno, "making the directory %s", root);
	if (os_write_file(state, "", 0, 0600, err) < 0)
		return -1;
	if (run_as_root(unpack, "unpacking the base image", state, err) < 0)
		return -1;
	return run_as_root(format, "writing the base disk", state, err);
}

int base_root_disk(const char *tar, const char *out, struct err *err)
{
	auto_free char *temp = xasprintf("%s.work", out);
	AUTO(err) struct err ignored = ERR_INIT;
	int ret;

	if (os_remove_all(temp, err) < 0 || os_mkdir_all(temp, 0700, err) < 0)
		return -1;
	ret = partition(out, err);
	if (ret == 0)
		ret = fill_disk(tar, out, temp, err);
	os_remove_all(temp, &ignored);
	if (ret < 0)
		unlink(out);
	return ret;
}
