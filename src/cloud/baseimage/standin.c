/* The small edits that turn the base disk into the stand-ins: login user, sudo, sshd, proxy, and
 * for `amzn` the yum front. Few and small, so that the three images share almost all blocks.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "cloud/baseimage/standin.h"
#include "cloud/disk/diskedit.h"
#include "cloud/embed.h"

#include <string.h>

#define USER_ID 1000
#define SHADOW_GROUP 42 /* fixed in Debian: base-passwd */
#define MADE_GROUP 900	/* first id of groups that Debian lacks, downwards */
#define PROXY "http://169.254.169.254:3128"
#define NO_PROXY "169.254.169.254,localhost,127.0.0.1"
#define GAMES_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games"

const struct standin standins[] = {
	{ "amzn", "ec2-user", "Amazon Linux", "adm wheel systemd-journal" },
	{ "ubuntu", "ubuntu", "Ubuntu", "adm cdrom sudo dip plugdev" },
	{ "debian", "admin", "Debian", "adm cdrom sudo dip plugdev" },
};
const size_t standins_n = ARRAY_LEN(standins);

static const struct disk_edit common[] = {
	{ DISK_FILE, "/etc/fstab", 0644, 0, 0, "LABEL=root / ext4 defaults,discard 0 1\n" },
	{ DISK_FILE, "/etc/hosts", 0644, 0, 0,
	  "127.0.0.1 localhost\n"
	  "::1 localhost ip6-localhost ip6-loopback\n" },
	{ DISK_FILE, "/etc/hostname", 0644, 0, 0, "localhost\n" },
	/* PATH as on Debian's desktops: what Debian keeps in /usr/games other distributions have in
	 * /usr/bin. */
	{ DISK_FILE, "/etc/environment", 0644, 0, 0,
	  "PATH=" GAMES_PATH "\n"
	  "LANG=C.UTF-8\n"
	  "http_proxy=" PROXY "\n"
	  "https_proxy=" PROXY "\n"
	  "no_proxy=" NO_PROXY "\n" },
	{ DISK_FILE, "/etc/default/locale", 0644, 0, 0, "LANG=C.UTF-8\n" },
	{ DISK_FILE, "/etc/apt/apt.conf.d/80proxy", 0644, 0, 0,
	  "Acquire::http::Proxy \"" PROXY "\";\n"
	  "Acquire::https::Proxy \"" PROXY "\";\n" },
	{ DISK_DIR, "/etc/systemd/system.conf.d", 0755, 0, 0, NULL },
	{ DISK_FILE, "/etc/systemd/system.conf.d/80-proxy.conf", 0644, 0, 0,
	  "[Manager]\n"
	  "DefaultEnvironment=http_proxy=" PROXY " https_proxy=" PROXY
	  " no_proxy=" NO_PROXY " LANG=C.UTF-8\n" },
	{ DISK_DIR, "/etc/systemd/journald.conf.d", 0755, 0, 0, NULL },
	{ DISK_FILE, "/etc/systemd/journald.conf.d/80-cloud.conf", 0644, 0, 0,
	  "[Journal]\n"
	  "Storage=volatile\n" },
	{ DISK_FILE, "/etc/sudoers.d/80-environment", 0440, 0, 0,
	  "Defaults env_keep += \"http_proxy https_proxy no_proxy\"\n"
	  "Defaults secure_path=\"" GAMES_PATH "\"\n" },
	{ DISK_FILE, "/etc/ssh/sshd_config.d/60-cloud.conf", 0644, 0, 0,
	  "UseDNS no\n"
	  "PasswordAuthentication no\n"
	  "PrintLastLog no\n" },
	{ DISK_LINK, "/etc/systemd/system/default.target", 0, 0, 0,
	  "/lib/systemd/system/multi-user.target" },
};

/* No locale but C.UTF-8 is there, so the client's must not come in. */
static int edit_sshd_config(const char *raw, uint64_t offset, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT, kept = BUF_INIT;
	struct str rest, line;

	if (disk_read(raw, offset, "/etc/ssh/sshd_config", &text, err) < 0)
		return -1;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line))
		if (!str_starts(line, "AcceptEnv"))
			buf_printf(&kept, STR_FMT "\n", STR_ARG(line));

	const struct disk_edit edit = {
		DISK_FILE, "/etc/ssh/sshd_config", 0644, 0, 0, buf_cstr(&kept)
	};

	return disk_edit(raw, offset, &edit, 1, err);
}

int standin_prepare(const char *raw, uint64_t offset, struct err *err)
{
	if (disk_edit(raw, offset, common, ARRAY_LEN(common), err) < 0)
		return err_prefix(err, "preparing the base image");
	return edit_sshd_config(raw, offset, err);
}

/* A copy of /etc/group or /etc/gshadow with the user in its groups. */
static char *add_to_groups(struct arena *a, struct str text, const struct standin *s, bool shadow)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct str groups = str_from(s->groups), group, line, rest;
	unsigned next = MADE_GROUP;

	for (rest = text; str_split(&rest, '\n', &line);) {
		struct str fields = line, name;
		bool member = false;

		if (!line.n || !str_split(&fields, ':', &name))
			continue;
		for (groups = str_from(s->groups); str_split(&groups, ' ', &group);)
			member = member || str_eq(group, name);
		buf_add_str(&out, line);
		if (member)
			buf_printf(&out, "%s%s", str_ends(line, ":") ? "" : ",", s->user);
		buf_addc(&out, '\n');
	}
	for (groups = str_from(s->groups); str_split(&groups, ' ', &group);) {
		auto_free char *start = xasprintf("\n" STR_FMT ":", STR_ARG(group));

		if (str_find(text, str_from(start)) >= 0)
			continue;
		if (shadow)
			buf_printf(&out, STR_FMT ":!::%s\n", STR_ARG(group), s->user);
		else
			buf_printf(&out, STR_FMT ":x:%u:%s\n", STR_ARG(group), next--, s->user);
	}
	if (shadow)
		buf_printf(&out, "%s:!::\n", s->user);
	else
		buf_printf(&out, "%s:x:%d:\n", s->user, USER_ID);
	return arena_strdup(a, buf_cstr(&out));
}

/* The edits under way and the arena of their texts. */
struct plan {
	struct arena *arena;
	const char *raw;
	uint64_t offset;
	struct disk_edit edits[40];
	size_t n;
};

static void plan_add(struct plan *p, enum disk_edit_kind kind, const char *path, mode_t mode,
		     unsigned owner, const char *text)
{
	p->edits[p->n++] = (struct disk_edit){ kind, path, mode, owner, owner, text };
}

static int plan_read(struct plan *p, const char *path, struct str *ret, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (disk_read(p->raw, p->offset, path, &text, err) < 0)
		return -1;
	*ret = arena_str(p->arena, buf_str(&text));
	return 0;
}

static int add_account(struct plan *p, const struct standin *s, struct err *err)
{
	struct str passwd, shadow, group, gshadow;

	if (plan_read(p, "/etc/passwd", &passwd, err) < 0 ||
	    plan_read(p, "/etc/shadow", &shadow, err) < 0 ||
	    plan_read(p, "/etc/group", &group, err) < 0 ||
	    plan_read(p, "/etc/gshadow", &gshadow, err) < 0)
		return -1;
	plan_add(p, DISK_FILE, "/etc/passwd", 0644, 0,
		 arena_printf(p->arena, STR_FMT "%s:x:%d:%d:%s stand-in:/home/%s:/bin/bash\n",
			      STR_ARG(passwd), s->user, USER_ID, USER_ID, s->title, s->user));
	plan_add(p, DISK_FILE, "/etc/shadow", 0640, 0,
		 arena_printf(p->arena, STR_FMT "%s:!:19500:0:99999:7:::\n", STR_ARG(shadow),
			      s->user));
	plan_add(p, DISK_FILE, "/etc/group", 0644, 0, add_to_groups(p->arena, group, s, false));
	plan_add(p, DISK_FILE, "/etc/gshadow", 0640, 0, add_to_groups(p->arena, gshadow, s, true));
	for (size_t i = 0; i < p->n; i++)
		if (ends_with(p->edits[i].path, "shadow"))
			p->edits[i].group = SHADOW_GROUP;
	plan_add(p, DISK_FILE, "/etc/sudoers.d/90-cloud-init-users", 0440, 0,
		 arena_printf(p->arena, "%s ALL=(ALL) NOPASSWD:ALL\n", s->user));
	return 0;
}

static int add_home(struct plan *p, const struct standin *s, struct err *err)
{
	static const char *const skeleton[] = { ".bash_logout", ".bashrc", ".profile" };
	const char *home = arena_printf(p->arena, "/home/%s", s->user);

	plan_add(p, DISK_DIR, home, 0755, USER_ID, NULL);
	plan_add(p, DISK_DIR, arena_printf(p->arena, "%s/.ssh", home), 0700, USER_ID, NULL);
	for (size_t i = 0; i < ARRAY_LEN(skeleton); i++) {
		struct str text;

		if (plan_read(p, arena_printf(p->arena, "/etc/skel/%s", skeleton[i]), &text,
			      err) < 0)
			return -1;
		plan_add(p, DISK_FILE, arena_printf(p->arena, "%s/%s", home, skeleton[i]), 0644,
			 USER_ID, text.p);
	}
	return 0;
}

/* Who asks the image what it is gets Debian's answers, as its packages are Debian's, and the word
 * stand-in. */
static int add_identity(struct plan *p, const struct standin *s, struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct str text, line;
	bool amzn = streq(s->key, "amzn");

	if (plan_read(p, "/usr/lib/os-release", &text, err) < 0)
		return -1;
	while (str_split(&text, '\n', &line)) {
		if (!line.n || (amzn && (str_starts(line, "ID=") || str_starts(line, "NAME="))) ||
		    str_starts(line, "PRETTY_NAME="))
			continue;
		buf_printf(&out, STR_FMT "\n", STR_ARG(line));
	}
	buf_printf(&out, "PRETTY_NAME=\"%s (ingot stand-in on Debian 12)\"\n", s->title);
	if (amzn)
		buf_adds(&out, "NAME=\"Amazon Linux\"\n"
			       "ID=\"amzn\"\n"
			       "ID_LIKE=\"debian\"\n");
	buf_adds(&out, "VARIANT=\"ingot stand-in\"\n"
		       "VARIANT_ID=ingot-stand-in\n");
	plan_add(p, DISK_FILE, "/usr/lib/os-release", 0644, 0,
		 arena_strdup(p->arena, buf_cstr(&out)));
	return 0;
}

static void add_yum(struct plan *p)
{
	plan_add(p, DISK_FILE, "/etc/system-release", 0644, 0,
		 "Amazon Linux (ingot stand-in on Debian 12)\n");
	plan_add(p, DISK_DIR, "/etc/yum", 0755, 0, NULL);
	plan_add(p, DISK_FILE, "/etc/yum/stand-in-packages", 0644, 0,
		 embed_text(p->arena, EMBED_YUM_PACKAGES));
	plan_add(p, DISK_FILE, "/usr/bin/yum", 0755, 0, embed_text(p->arena, EMBED_YUM));
	plan_add(p, DISK_LINK, "/usr/bin/dnf", 0, 0, "yum");
	plan_add(p, DISK_LINK, "/usr/bin/amazon-linux-extras", 0, 0, "yum");
}

int standin_apply(const char *raw, uint64_t offset, const struct standin *s, struct err *err)
{
	AUTO(arena) struct arena *arena = arena_new();
	struct plan p = { .arena = arena, .raw = raw, .offset = offset };

	if (add_account(&p, s, err) < 0 || add_home(&p, s, err) < 0 || add_identity(&p, s, err) < 0)
		return err_prefix(err, "making the stand-in %s", s->key);
	if (streq(s->key, "amzn"))
		add_yum(&p);
	if (disk_edit(raw, offset, p.edits, p.n, err) < 0)
		return err_prefix(err, "making the stand-in %s", s->key);
	return 0;
}
