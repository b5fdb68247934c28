/* The container backend from the inside: device rules on both kinds of control groups, and an
 * instance that boots from a bare ext4 file system. Needs root with what the backend's probe asks
 * for, else it is skipped.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/os.h"
#include "base/proc.h"
#include "cloud/backend.h"
#include "cloud/container/cgroup.h"
#include "cloud/container/disk.h"
#include "cloud/container/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1024 * 1024LL)

#define OK(call)                                                                                   \
	do {                                                                                       \
		AUTO(err) struct err err = ERR_INIT;                                               \
		if ((call) < 0)                                                                    \
			fail_msg("%s", err.msg);                                                   \
	} while (0)

/* The rest of the test is left out where the backend cannot run. */
static void need_backend(void)
{
	AUTO(err) struct err err = ERR_INIT;

	if (backend_container.probe(&err) < 0) {
		print_message("skipped: %s\n", err.msg);
		skip();
	}
}

static char *temp_dir(void)
{
	char *dir;

	OK(os_temp_dir("ingot-test-", &dir, &err));
	return dir;
}

static void remove_dir(char *dir)
{
	AUTO(err) struct err err = ERR_INIT;

	if (os_remove_all(dir, &err) < 0)
		fail_msg("%s", err.msg);
	free(dir);
}

static char *make_file(const char *dir, const char *name, long long size)
{
	char *path = os_path_join(dir, name);
	auto_fd int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return path;
}

/* Device rules */

static int can_open(struct cgroup *c, const struct host *h, dev_t dev)
{
	int files[CGROUP_JOIN_MAX], status;
	size_t n = cgroup_join_files(c, files);
	pid_t pid = fork();

	if (pid == 0) {
		for (size_t i = 0; i < n; i++)
			if (write(files[i], "0", 1) != 1)
				_exit(99);
		status = disk_open_node(h, dev, O_RDONLY);
		_exit(status >= 0 ? 0 : errno == EPERM ? 1 : 98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void check_rules(enum cgroup_devices kind)
{
	static const struct mount_option none[] = { { NULL, NULL } };
	struct host h = { mountfd_new("sysfs", none, 0, NULL),
			  mountfd_new("tmpfs", none, 0, NULL) };
	auto_free char *key = xasprintf("test-%d", (int)getpid());
	char *dir = temp_dir();
	auto_free char *path = make_file(dir, "disk.raw", 8 * MIB);
	struct cgroup_host *groups = NULL;
	AUTO(err) struct err why = ERR_INIT;
	struct cgroup *c = NULL;
	struct disk d;

	if (cgroup_host_open(key, kind, &groups, &why) < 0) {
		close(h.sys);
		close(h.dev);
		remove_dir(dir);
		print_message("skipped: %s\n", why.msg);
		skip();
	}
	OK(disk_open(&h, path, &d, &err));
	OK(cgroup_new(groups, "i-test", 64 * MIB, &c, &err));
	assert_int_equal(can_open(c, &h, d.dev), 1);
	OK(cgroup_allow(c, d.dev, true, &err));
	assert_int_equal(can_open(c, &h, d.dev), 0);
	assert_int_equal(can_open(c, &h, makedev(major(d.dev), minor(d.dev) + 1)),
			 1); /* its neighbour */
	OK(cgroup_allow(c, d.dev, false, &err));
	assert_int_equal(can_open(c, &h, d.dev), 1);
	cgroup_free(c);
	cgroup_host_close(groups);
	assert_true(disk_is_idle(&h, &d));
	assert_true(disk_close(&h, &d, 5000));
	close(h.sys);
	close(h.dev);
	remove_dir(dir);
}

static void test_rules_v1(void **state UNUSED)
{
	need_backend();
	check_rules(CGROUP_DEVICES_V1);
}

static void test_rules_bpf(void **state UNUSED)
{
	need_backend();
	check_rules(CGROUP_DEVICES_BPF);
}

/* Instances */

struct seen {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned up, down, failed, reboots;
	char text[512];
	struct buf console;
};

static void on_event(void *data, const char *id UNUSED, enum instance_event e, const char *text)
{
	struct seen *s = data;

	pthread_mutex_lock(&s->lock);
	s->up += e == INSTANCE_UP;
	s->down += e == INSTANCE_DOWN;
	s->failed += e == INSTANCE_FAILED;
	s->reboots += e == INSTANCE_REBOOT;
	snprintf(s->text, sizeof(s->text), "%s", text ? text : "");
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void on_console(void *data, const char *id UNUSED, const char *p, size_t n)
{
	struct seen *s = data;

	pthread_mutex_lock(&s->lock);
	buf_add(&s->console, p, n);
	pthread_mutex_unlock(&s->lock);
}

static void on_imds(void *data UNUSED, const char *id, int fd)
{
	static const char none[] =
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	assert_string_equal(id, "i-test");
	assert_true(write(fd, none, sizeof(none) - 1) > 0);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* Waits until the counter is there, at most half a minute. */
static void await(struct seen *s, const unsigned *counter, unsigned n)
{
	struct timespec limit;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 30;
	pthread_mutex_lock(&s->lock);
	while (*counter < n && ret == 0 && !(s->failed && counter != &s->failed))
		ret = pthread_cond_timedwait(&s->changed, &s->lock, &limit);
	pthread_mutex_unlock(&s->lock);
	if (*counter < n)
		fail_msg("waited in vain: %s; console: %s", s->text, buf_cstr(&s->console));
}

struct cloud {
	char *dir;
	struct seen seen;
	struct backend *b;
	char *root, *extra, *public_ip;
};

static bool make_filesystem(const char *path)
{
	const char *const argv[] = { "mkfs.ext4", "-q", "-F", path, NULL };
	const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	const struct proc_spec spec = { .argv = argv, .env = env };
	AUTO(err) struct err err = ERR_INIT;
	int status;

	return proc_run(&spec, &status, &err) == 0 && status == 0;
}

static void cloud_open(struct cloud *c)
{
	struct backend_config config;

	*c = (struct cloud){ .dir = temp_dir() };
	pthread_mutex_init(&c->seen.lock, NULL);
	pthread_cond_init(&c->seen.changed, NULL);
	c->root = make_file(c->dir, "root.raw", 64 * MIB);
	c->extra = make_file(c->dir, "extra.raw", 64 * MIB);
	c->public_ip = xasprintf("127.77.%d.%d", 200 + getpid() / 250 % 50, 1 + getpid() % 250);
	config = (struct backend_config){ .data_dir = c->dir,
					  .net = NET_NONE,
					  .events = { on_event, on_console, on_imds, NULL,
						      &c->seen } };
	OK(backend_container.open(&config, &c->b, &err));
}

static void cloud_close(struct cloud *c)
{
	backend_container.close(c->b);
	backend_clean(c->dir);
	remove_dir(c->dir);
	free(c->root);
	free(c->extra);
	free(c->public_ip);
	buf_release(&c->seen.console);
	pthread_cond_destroy(&c->seen.changed);
	pthread_mutex_destroy(&c->seen.lock);
}

static int start(struct cloud *c, struct err *err)
{
	const struct instance_disk disks[] = { { (char *)"/dev/sda1", (char *)"vol-root", c->root,
						 true } };
	const struct instance_port ports[] = { { 22, 22 } };
	const struct instance_spec spec = { .id = "i-test",
					    .host_name = "test",
					    .mac = "02:00:00:00:00:01",
					    .private_ip = "172.31.5.6",
					    .public_ip = c->public_ip,
					    .vpc = "vpc-1",
					    .memory = 256 * MIB,
					    .disks = disks,
					    .ndisks = 1,
					    .ports = ports,
					    .nports = 1 };

	return backend_container.start(c->b, &spec, err);
}

static bool is_listening(const struct cloud *c, const char *port)
{
	auto_free char *hex = NULL;
	AUTO(buf) struct buf b = BUF_INIT;
	unsigned x, y;

	assert_int_equal(sscanf(c->public_ip, "127.77.%u.%u", &x, &y), 2);
	hex = xasprintf("%02X%02X4D7F:%s", y, x, port);
	OK(os_read_file("/proc/net/tcp", 0, &b, &err));
	return strstr(buf_cstr(&b), hex) != NULL;
}

static void test_instance(void **state UNUSED)
{
	const struct instance_port other[] = { { 80, 82 } };
	AUTO(err) struct err ignored = ERR_INIT;
	struct cloud c;

	need_backend();
	cloud_open(&c);
	if (!make_filesystem(c.root)) {
		cloud_close(&c);
		print_message("skipped: mkfs.ext4 is missing: install e2fsprogs\n");
		skip();
	}
	OK(start(&c, &err));
	await(&c.seen, &c.seen.up, 1);
	assert_int_equal(start(&c, &ignored), -1);
	assert_int_equal(ignored.code, ERR_EXISTS);

	assert_true(is_listening(&c, "0016"));
	OK(backend_container.set_ports(c.b, "i-test", other, 1, &err));
	assert_false(is_listening(&c, "0016"));
	assert_true(is_listening(&c, "0052"));

	{
		struct instance_disk d = { (char *)"/dev/sdf", (char *)"vol-extra", c.extra,
					   false };
		struct instance_disk bad = { (char *)"/dev/../x", (char *)"vol-bad", c.extra,
					     false };

		OK(backend_container.attach(c.b, "i-test", &d, &err));
		err_release(&ignored);
		assert_int_equal(backend_container.attach(c.b, "i-test", &d, &ignored), -1);
		assert_int_equal(ignored.code, ERR_EXISTS);
		err_release(&ignored);
		assert_int_equal(backend_container.attach(c.b, "i-test", &bad, &ignored), -1);
		assert_int_equal(ignored.code, ERR_INVALID);
	}
	OK(backend_container.sync(c.b, "i-test", &err));
	OK(backend_container.detach(c.b, "i-test", "vol-extra", &err));
	OK(backend_container.stop(c.b, "i-test", false, &err));
	await(&c.seen, &c.seen.down, 1);
	assert_false(is_listening(&c, "0052"));

	/* Its volume is free: it can be started again at once, and cut off. */
	OK(start(&c, &err));
	await(&c.seen, &c.seen.up, 2);
	OK(backend_container.stop(c.b, "i-test", true, &err));
	await(&c.seen, &c.seen.down, 2);
	OK(start(&c, &err)); /* close() ends this one */
	await(&c.seen, &c.seen.up, 3);
	cloud_close(&c);
}

static void test_no_filesystem(void **state UNUSED)
{
	struct cloud c;

	need_backend();
	cloud_open(&c);
	OK(start(&c, &err));
	await(&c.seen, &c.seen.failed, 1);
	assert_non_null(strstr(c.seen.text, "vol-root has no file system"));
	{
		AUTO(err) struct err err = ERR_INIT;

		assert_int_equal(backend_container.stop(c.b, "i-test", false, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
	cloud_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_v1),
		cmocka_unit_test(test_rules_bpf),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_no_filesystem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
