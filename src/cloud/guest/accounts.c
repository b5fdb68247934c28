/* Accounts and their login keys. The files are read directly: a static program has no NSS. */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parse_account(struct str line, struct guest_account *ret)
{
	struct str f[6];
	int64_t uid, gid;

	for (size_t i = 0; i < ARRAY_LEN(f); i++)
		if (!str_split(&line, ':', &f[i]))
			return false;
	if (!parse_i64(f[2], &uid) || !parse_i64(f[3], &gid) || f[0].n >= sizeof(ret->name) ||
	    f[5].n >= sizeof(ret->home))
		return false;
	*ret = (struct guest_account){ .uid = (uid_t)uid, .gid = (gid_t)gid };
	memcpy(ret->name, f[0].p, f[0].n);
	memcpy(ret->home, f[5].p, f[5].n);
	return true;
}

static bool find_account(const char *name, uid_t uid, struct guest_account *ret)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	struct guest_account a;
	struct str rest, line;

	if (os_read_file("/etc/passwd", GUEST_FILE_MAX, &text, &ignored) < 0)
		return false;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		if (!parse_account(line, &a) || !(name ? streq(a.name, name) : a.uid == uid))
			continue;
		*ret = a;
		return true;
	}
	return false;
}

bool guest_account_by_name(const char *name, struct guest_account *ret)
{
	return find_account(name, 0, ret);
}

bool guest_account_by_uid(uid_t uid, struct guest_account *ret)
{
	return find_account(NULL, uid, ret);
}

int guest_authorize(const struct guest_account *a, struct str keys, const char *prefix,
		    struct err *err)
{
	auto_free char *dir = xasprintf("%s/.ssh", a->home),
		       *path = xasprintf("%s/authorized_keys", dir);
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;
	struct str key;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_errno(err, errno, "making the directory %s", dir);
	if (lchown(dir, a->uid, a->gid) < 0)
		return err_errno(err, errno, "giving %s to %s", dir, a->name);
	if (os_read_file(path, GUEST_FILE_MAX, &text, &ignored) < 0)
		buf_reset(&text);
	if (text.n && text.p[text.n - 1] != '\n')
		buf_addc(&text, '\n');
	while (str_split(&keys, '\n', &key)) {
		key = str_trim(key);
		if (key.n && str_find(buf_str(&text), key) < 0)
			buf_printf(&text, "%s" STR_FMT "\n", prefix, STR_ARG(key));
	}
	if (os_write_file(path, buf_cstr(&text), text.n, 0600, err) < 0)
		return -1;
	if (lchown(path, a->uid, a->gid) < 0)
		return err_errno(err, errno, "giving %s to %s", path, a->name);
	return 0;
}

void guest_set_hostname(const char *name, bool keep)
{
	auto_free char *line = xasprintf("%s\n", name);
	AUTO(err) struct err err = ERR_INIT;

	if (sethostname(name, strlen(name)) < 0)
		guest_say("setting the host name %s: %s", name, strerror(errno));
	if (keep && os_write_file("/etc/hostname", line, strlen(line), 0644, &err) < 0)
		guest_say_err(&err);
}
