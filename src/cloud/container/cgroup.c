/* Groups of instances below ingot-<key>/<instance>/guest in each hierarchy that is used. */
#include "base/log.h"
#include "base/str.h"
#include "cloud/container/cgroup.h"
#include "cloud/container/mountfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PIDS_MAX "8192"
static const char guest[] = "guest";

/* In the order they are joined. v2 is always there: the instance's systemd lives in it. */
enum tree { TREE_V2, TREE_DEVICES, TREE_MEMORY, TREE_PIDS, TREES };
static const char *const v1_names[TREES] = {
	[TREE_DEVICES] = "devices", [TREE_MEMORY] = "memory", [TREE_PIDS] = "pids"
};

struct cgroup_host {
	char *name;	  /* "ingot-<key>" */
	int roots[TREES]; /* -1: not used */
	int ours[TREES];  /* the group of that name below the root */
	bool bpf;
};

struct cgroup {
	struct cgroup_host *host;
	char *name;
	int groups[TREES]; /* with the rules */
	int guests[TREES]; /* the guest's group below it */
	int procs[TREES];  /* and its cgroup.procs */
	struct cgroup_bpf *bpf;
};

/* A mount that only this descriptor knows. -1 with errno. */
static int mount_hidden(const char *type, const char *flag)
{
	struct mount_option options[] = { { flag, NULL }, { NULL, NULL } };

	return mountfd_new(type, options, 0, NULL);
}

static int write_at(int dir, const char *file, const char *text)
{
	auto_fd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) >= 0 ? 0 : -1;
}

static int make_group(int at, const char *name)
{
	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Removes a group and all below it, deepest first. Groups with processes stay. */
static void remove_groups(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		fd_close(&fd);
		return;
	}
	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && !streq(e->d_name, ".") && !streq(e->d_name, ".."))
			remove_groups(fd, e->d_name);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* v2 controllers that are there are switched on for the groups below; where they are not, v1 has
 * them. */
static bool v2_has(int root, const char *controller)
{
	auto_fd int fd = openat(root, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	struct str rest, word;

	if (n < 0)
		return false;
	rest = str_trim((struct str){ text, (size_t)n });
	while (str_split(&rest, ' ', &word))
		if (str_eqs(word, controller))
			return true;
	return false;
}

static int open_v2(struct cgroup_host *h, struct err *err)
{
	h->roots[TREE_V2] = mount_hidden("cgroup2", NULL);
	if (h->roots[TREE_V2] < 0)
		return err_errno(err, errno,
				 "mounting cgroup2 (CAP_SYS_ADMIN and Linux 5.2 are needed)");
	h->ours[TREE_V2] = make_group(h->roots[TREE_V2], h->name);
	return h->ours[TREE_V2] < 0
		       ? err_errno(err, errno, "making the control group %s", h->name)
		       : 0;
}

/* A limit is a comfort: without its controller the instance runs without it. */
static void open_limit(struct cgroup_host *h, enum tree tree)
{
	const char *name = v1_names[tree];
	char on[32];

	snprintf(on, sizeof(on), "+%s", name);
	if (v2_has(h->roots[TREE_V2], name)) {
		if (write_at(h->roots[TREE_V2], "cgroup.subtree_control", on) < 0 ||
		    write_at(h->ours[TREE_V2], "cgroup.subtree_control", on) < 0)
			log_line("local cloud: no limit of %s: %m", name);
		return;
	}
	h->roots[tree] = mount_hidden("cgroup", name);
	if (h->roots[tree] >= 0)
		h->ours[tree] = make_group(h->roots[tree], h->name);
	if (h->ours[tree] < 0)
		log_line("local cloud: no limit of %s: %m", name);
}

static int open_devices(struct cgroup_host *h, enum cgroup_devices devices, struct err *err)
{
	if (devices != CGROUP_DEVICES_V1 && cgroup_bpf_works()) {
		h->bpf = true;
		return 0;
	}
	if (devices != CGROUP_DEVICES_BPF) {
		h->roots[TREE_DEVICES] = mount_hidden("cgroup", "devices");
		if (h->roots[TREE_DEVICES] >= 0)
			h->ours[TREE_DEVICES] = make_group(h->roots[TREE_DEVICES], h->name);
		if (h->ours[TREE_DEVICES] >= 0)
			return 0;
	}
	return err_set(err, ERR_UNSUPPORTED,
		       "instances cannot be kept from the host's devices: the kernel has neither "
		       "BPF device programs (CONFIG_CGROUP_BPF) nor a writable v1 `devices` "
		       "control group; use -backend qemu");
}

int cgroup_host_open(const char *key, enum cgroup_devices devices, struct cgroup_host **ret,
		     struct err *err)
{
	struct cgroup_host *h = xcalloc(1, sizeof(*h));

	h->name = xasprintf("ingot-%s", key);
	for (size_t i = 0; i < TREES; i++)
		h->roots[i] = h->ours[i] = -1;
	if (open_v2(h, err) < 0 || open_devices(h, devices, err) < 0) {
		cgroup_host_close(h);
		return -1;
	}
	open_limit(h, TREE_MEMORY);
	open_limit(h, TREE_PIDS);
	*ret = h;
	return 0;
}

void cgroup_host_close(struct cgroup_host *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < TREES; i++) {
		fd_close(&h->ours[i]);
		if (h->roots[i] >= 0)
			remove_groups(h->roots[i], h->name);
		fd_close(&h->roots[i]);
	}
	free(h->name);
	free(h);
}

void cgroup_clean(const char *key)
{
	auto_free char *name = xasprintf("ingot-%s", key);

	for (size_t i = 0; i < TREES; i++) {
		auto_fd int root = i == TREE_V2 ? mount_hidden("cgroup2", NULL)
						: mount_hidden("cgroup", v1_names[i]);

		if (root >= 0)
			remove_groups(root, name);
	}
}

static const char *const v1_rules[] = {
	"c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",	 /* null zero full */
	"c 1:8 rwm", "c 1:9 rwm",		 /* random urandom */
	"c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm",	 /* tty console ptmx */
	"c 136:* rwm",				 /* pts */
	"c *:* m", "b *:* m",			 /* making nodes is harmless */
};

/* v1 takes "a" only while there is no group below. */
static int restrict_devices(struct cgroup *c, struct err *err)
{
	int fd = c->groups[TREE_DEVICES];

	if (c->host->bpf)
		return cgroup_bpf_attach(c->groups[TREE_V2], &c->bpf) < 0
			       ? err_errno(err, errno, "attaching the device rules")
			       : 0;
	if (write_at(fd, "devices.deny", "a") < 0)
		return err_errno(err, errno, "writing the device rules");
	for (size_t i = 0; i < ARRAY_LEN(v1_rules); i++)
		if (write_at(fd, "devices.allow", v1_rules[i]) < 0)
			return err_errno(err, errno, "writing the device rules");
	return 0;
}

static int make_guest_groups(struct cgroup *c, struct err *err)
{
	for (size_t i = 0; i < TREES; i++) {
		if (c->groups[i] < 0)
			continue;
		c->guests[i] = make_group(c->groups[i], guest);
		c->procs[i] = c->guests[i] >= 0
				      ? openat(c->guests[i], "cgroup.procs", O_WRONLY | O_CLOEXEC)
				      : -1;
		if (c->procs[i] < 0)
			return err_errno(err, errno, "making a control group for %s", c->name);
	}
	return 0;
}

static void set_limits(struct cgroup *c, uint64_t memory)
{
	int at = c->groups[TREE_MEMORY] >= 0 ? c->groups[TREE_MEMORY] : c->groups[TREE_V2];
	const char *file = c->groups[TREE_MEMORY] >= 0 ? "memory.limit_in_bytes" : "memory.max";
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)memory);
	if (memory && write_at(at, file, text) < 0)
		log_line("local cloud: %s: no memory limit: %m", c->name);
	at = c->groups[TREE_PIDS] >= 0 ? c->groups[TREE_PIDS] : c->groups[TREE_V2];
	if (write_at(at, "pids.max", PIDS_MAX) < 0)
		log_line("local cloud: %s: no process limit: %m", c->name);
}

int cgroup_new(struct cgroup_host *h, const char *name, uint64_t memory, struct cgroup **ret,
	       struct err *err)
{
	struct cgroup *c = xcalloc(1, sizeof(*c));

	c->host = h;
	c->name = xstrdup(name);
	for (size_t i = 0; i < TREES; i++)
		c->groups[i] = c->guests[i] = c->procs[i] = -1;
	for (size_t i = 0; i < TREES; i++) {
		if (h->ours[i] < 0)
			continue;
		remove_groups(h->ours[i], name); /* of a run that was killed */
		c->groups[i] = make_group(h->ours[i], name);
		if (c->groups[i] < 0) {
			err_errno(err, errno, "making a control group for %s", name);
			goto failed;
		}
	}
	if (restrict_devices(c, err) < 0 || make_guest_groups(c, err) < 0)
		goto failed;
	set_limits(c, memory);
	*ret = c;
	return 0;
failed:
	cgroup_free(c);
	return -1;
}

void cgroup_free(struct cgroup *c)
{
	if (!c)
		return;
	cgroup_bpf_free(c->bpf);
	for (size_t i = 0; i < TREES; i++) {
		fd_close(&c->procs[i]);
		fd_close(&c->guests[i]);
		fd_close(&c->groups[i]);
		if (c->host->ours[i] >= 0)
			remove_groups(c->host->ours[i], c->name);
	}
	free(c->name);
	free(c);
}

int cgroup_allow(struct cgroup *c, dev_t dev, bool allow, struct err *err)
{
	const char *file = allow ? "devices.allow" : "devices.deny";
	char rule[64];
	int ret;

	snprintf(rule, sizeof(rule), "b %u:%u rw", major(dev), minor(dev));
	if (c->bpf)
		ret = cgroup_bpf_allow(c->bpf, dev, allow);
	else /* what the upper group gains does not come down by itself */
		ret = write_at(c->groups[TREE_DEVICES], file, rule) < 0
			      ? -1
			      : write_at(c->guests[TREE_DEVICES], file, rule);
	return ret < 0 ? err_errno(err, errno, "setting the device rule of %s", rule) : 0;
}

size_t cgroup_join_files(const struct cgroup *c, int fds[CGROUP_JOIN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < TREES; i++)
		if (c->procs[i] >= 0)
			fds[n++] = c->procs[i];
	return n;
}
