/* Sessions: found again by a digest of their settings, so that all builds with the same credentials
 * share one. The registry is the room's only state of the process; it holds nothing when no session
 * is open.
 */
#include "aws/session.h"

#include "aws/credentials.h"
#include "aws/session_impl.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"

#include <stdio.h>

#define REFRESH_BEFORE 300 /* seconds before the end of the credentials */
#define RECENT_MS 120000
#define RECENT_MAX 65536 /* things; far more than builds make in that time */

static struct {
	pthread_mutex_t lock;
	struct aws_session *first;
} registry = { PTHREAD_MUTEX_INITIALIZER, NULL };

/* ---- settings ---- */

static void add_setting(struct buf *b, const char *v)
{
	buf_printf(b, "%zu:%s,", v ? strlen(v) + 1 : 0, v ? v : "");
}

static void add_strs(struct buf *b, const struct strs *s)
{
	for (size_t i = 0; i < s->n; i++)
		add_setting(b, s->v[i]);
	add_setting(b, NULL);
}

/* A block without role_arn is none: templates leave it empty where no role is wanted. */
static bool has_role(const struct aws_config *c)
{
	return c->assume_role && given(c->assume_role->role_arn);
}

/* Everything that makes credentials, region or transport differ; the pace of polling does not. */
static char *settings_key(const struct aws_config *c)
{
	AUTO(buf) struct buf b = BUF_INIT;
	uint8_t digest[SHA256_LEN];
	char *hex = xmalloc(2 * SHA256_LEN + 1);
	const char *const plain[] = { c->access_key, c->secret_key, c->token, c->profile,
				      c->shared_credentials_file, c->mfa_code, c->region,
				      c->custom_endpoint_ec2, c->local_endpoint,
				      c->local_access_key, c->local_secret_key, c->local_region };

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		add_setting(&b, plain[i]);
	if (has_role(c)) {
		const struct aws_assume_role *r = c->assume_role;

		add_setting(&b, r->role_arn);
		add_setting(&b, r->external_id);
		add_setting(&b, r->policy);
		add_setting(&b, r->session_name);
		add_strs(&b, &r->policy_arns);
		add_strs(&b, &r->transitive_tag_keys);
		for (size_t i = 0; i < r->tags.n; i++) {
			add_setting(&b, r->tags.v[i].key);
			add_setting(&b, r->tags.v[i].value);
		}
		buf_printf(&b, "%lld", (long long)r->duration_seconds);
	}
	buf_printf(&b, "%lld %d %d %d", (long long)c->max_retries, c->insecure_skip_tls_verify,
		   c->skip_metadata_api_check, c->decode_authorization_messages);
	hash_sha256(b.p, b.n, digest);
	explicit_bzero(b.p, b.n);
	hash_hex(digest, SHA256_LEN, hex);
	return hex;
}

static void copy_strs(struct arena *a, struct strs *s)
{
	char **v = arena_new_array(a, char *, s->n + 1);

	for (size_t i = 0; i < s->n; i++)
		v[i] = arena_strdup(a, s->v[i]);
	s->v = v;
}

static struct aws_assume_role *copy_role(struct arena *a, const struct aws_assume_role *from)
{
	struct aws_assume_role *r = arena_new_obj(a, struct aws_assume_role);
	struct str_pair *pairs = arena_new_array(a, struct str_pair, from->tags.n + 1);

	*r = *from;
	r->role_arn = arena_strdup(a, from->role_arn);
	r->external_id = arena_strdup(a, from->external_id);
	r->policy = arena_strdup(a, from->policy);
	r->session_name = arena_strdup(a, from->session_name);
	copy_strs(a, &r->policy_arns);
	copy_strs(a, &r->transitive_tag_keys);
	for (size_t i = 0; i < from->tags.n; i++) {
		pairs[i].key = arena_strdup(a, from->tags.v[i].key);
		pairs[i].value = arena_strdup(a, from->tags.v[i].value);
	}
	r->tags.v = pairs;
	return r;
}

/* An empty text is as good as none. */
static char *copy_text(struct arena *a, const char *s)
{
	return given(s) ? arena_strdup(a, s) : NULL;
}

static void copy_config(struct arena *a, const struct aws_config *from, struct aws_config *to)
{
	*to = *from;
	to->access_key = copy_text(a, from->access_key);
	to->secret_key = copy_text(a, from->secret_key);
	to->token = copy_text(a, from->token);
	to->profile = copy_text(a, from->profile);
	to->shared_credentials_file = copy_text(a, from->shared_credentials_file);
	to->mfa_code = copy_text(a, from->mfa_code);
	to->region = copy_text(a, from->region);
	to->custom_endpoint_ec2 = copy_text(a, from->custom_endpoint_ec2);
	to->assume_role = has_role(from) ? copy_role(a, from->assume_role) : NULL;
	to->aws_polling = NULL;
	to->local_endpoint = copy_text(a, from->local_endpoint);
	to->local_access_key = copy_text(a, from->local_access_key);
	to->local_secret_key = copy_text(a, from->local_secret_key);
	to->local_region = copy_text(a, from->local_region);
	if (!to->local_endpoint)
		return;
	/* A rehearsal uses nothing of the template's access. */
	to->access_key = to->secret_key = to->token = NULL;
	to->profile = to->shared_credentials_file = to->mfa_code = NULL;
	to->custom_endpoint_ec2 = NULL;
	to->assume_role = NULL;
}

/* ---- life ---- */

static void wipe(const char *secret)
{
	if (secret)
		explicit_bzero((char *)secret, strlen(secret));
}

static void session_free(struct aws_session *s)
{
	if (!s)
		return;
	waiters_stop(s->waiters);
	buckets_free(s->buckets);
	http_free(s->http);
	aws_files_free(s->files);
	aws_creds_release(&s->creds);
	wipe(s->cfg.secret_key);
	wipe(s->cfg.token);
	wipe(s->cfg.local_secret_key);
	for (size_t i = 0; i < s->recent.n; i++)
		free(s->recent.v[i].id);
	vec_release(&s->recent);
	pthread_mutex_destroy(&s->cred_lock);
	pthread_mutex_destroy(&s->lock);
	arena_free(s->arena);
	free(s->key);
	free(s);
}

static const char *choose_profile(struct aws_session *s)
{
	const char *p = s->cfg.profile;

	if (s->cfg.local_endpoint)
		return "default";
	if (p) {
		s->profile_given = true;
		return p;
	}
	p = os_env("AWS_PROFILE");
	if (!p)
		p = os_env("AWS_DEFAULT_PROFILE");
	return p ? arena_strdup(s->arena, p) : "default";
}

static int session_new(const struct aws_config *cfg, struct aws_session **ret, struct err *err)
{
	struct aws_session *s = xcalloc(1, sizeof(*s));
	struct http_settings transport;
	const char *bundle = os_env("AWS_CA_BUNDLE");

	s->refs = 1;
	s->arena = arena_new();
	pthread_mutex_init(&s->cred_lock, NULL);
	pthread_mutex_init(&s->lock, NULL);
	copy_config(s->arena, cfg, &s->cfg);
	s->profile = choose_profile(s);
	s->buckets = buckets_new();
	s->waiters = waiters_new();
	if (!s->cfg.local_endpoint &&
	    aws_files_load(s->cfg.shared_credentials_file, &s->files, err) < 0) {
		session_free(s);
		return -1;
	}
	if (!bundle && s->files)
		bundle = aws_files_get(s->files, "profile", s->profile, NULL, "ca_bundle");
	transport = (struct http_settings){ .ca_bundle = bundle,
					    .insecure = s->cfg.insecure_skip_tls_verify };
	s->http = http_new(&transport);
	*ret = s;
	return 0;
}

int aws_session_open(const struct aws_config *cfg, struct aws_session **ret, struct err *err)
{
	auto_free char *key = settings_key(cfg);
	struct aws_session *s;
	int rc = 0;

	pthread_mutex_lock(&registry.lock);
	for (s = registry.first; s && !streq(s->key, key); s = s->next)
		;
	if (s) {
		s->refs++;
	} else {
		rc = session_new(cfg, &s, err);
		if (rc == 0) {
			s->key = steal(key);
			s->next = registry.first;
			registry.first = s;
		}
	}
	pthread_mutex_unlock(&registry.lock);
	if (rc == 0)
		*ret = s;
	return rc;
}

struct aws_session *aws_session_ref(struct aws_session *s)
{
	pthread_mutex_lock(&registry.lock);
	s->refs++;
	pthread_mutex_unlock(&registry.lock);
	return s;
}

void aws_session_close(struct aws_session *s)
{
	struct aws_session **p;
	bool last;

	if (!s)
		return;
	pthread_mutex_lock(&registry.lock);
	last = --s->refs == 0;
	for (p = &registry.first; last && *p; p = &(*p)->next) {
		if (*p == s) {
			*p = s->next;
			break;
		}
	}
	pthread_mutex_unlock(&registry.lock);
	if (last)
		session_free(s);
}

/* ---- credentials ---- */

static bool fresh_enough(const struct aws_session *s, int64_t margin)
{
	return s->cred_generation && s->creds.access_key &&
	       (s->creds.expires == 0 || s->creds.expires - margin > clock_unix() + s->skew);
}

static void copy_creds(const struct aws_creds *from, struct aws_creds *to)
{
	aws_creds_release(to);
	to->access_key = xstrdup(from->access_key);
	to->secret_key = xstrdup(from->secret_key);
	to->token = xstrdup(from->token);
	to->source = xstrdup(from->source);
	to->expires = from->expires;
}

static int refresh(struct aws_session *s, struct cancel *cancel, struct err *err)
{
	AUTO(aws_creds) struct aws_creds c = { 0 };
	AUTO(err) struct err e = ERR_INIT;

	if (aws_credentials_find(s, cancel, &c, &e) < 0) {
		if (e.code != ERR_CANCELLED && fresh_enough(s, 0)) {
			log_line("aws: no new credentials, the old ones still serve: %s", e.msg);
			return 0;
		}
		return err_move(err, &e);
	}
	aws_creds_release(&s->creds);
	s->creds = c;
	c = (struct aws_creds){ 0 };
	s->cred_generation++;
	log_line("aws: credentials: %s", s->creds.source);
	pthread_mutex_lock(&s->lock);
	s->last_source = arena_strdup(s->arena, s->creds.source);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int aws_session_creds(struct aws_session *s, struct cancel *cancel, struct aws_creds *ret,
		      uint64_t *ret_generation, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&s->cred_lock);
	if (!fresh_enough(s, REFRESH_BEFORE))
		rc = refresh(s, cancel, err);
	if (rc == 0) {
		copy_creds(&s->creds, ret);
		*ret_generation = s->cred_generation;
	}
	pthread_mutex_unlock(&s->cred_lock);
	return rc;
}

void aws_session_creds_expired(struct aws_session *s, uint64_t generation)
{
	pthread_mutex_lock(&s->cred_lock);
	if (generation == s->cred_generation)
		aws_creds_release(&s->creds);
	pthread_mutex_unlock(&s->cred_lock);
}

int aws_session_credentials(struct aws_session *s, struct cancel *cancel, struct arena *a,
			    struct aws_credentials *ret, struct err *err)
{
	AUTO(aws_creds) struct aws_creds c = { 0 };
	uint64_t generation;

	if (aws_session_creds(s, cancel, &c, &generation, err) < 0)
		return -1;
	ret->access_key = arena_strdup(a, c.access_key);
	ret->secret_key = arena_strdup(a, c.secret_key);
	ret->token = arena_strdup(a, c.token);
	ret->expires = c.expires;
	return 0;
}

/* ---- region ---- */

const char *aws_session_region_set(const struct aws_session *s)
{
	const char *r = s->cfg.region;

	if (!r && s->cfg.local_endpoint)
		return s->cfg.local_region;
	if (!r)
		r = os_env("AWS_REGION");
	if (!r)
		r = os_env("AWS_DEFAULT_REGION");
	if (!r)
		r = aws_files_get(s->files, "profile", s->profile, NULL, "region");
	return r;
}

static int find_region(struct aws_session *s, struct cancel *cancel, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	const char *r = aws_session_region_set(s);
	int rc;

	if (!r) {
		rc = metadata_get(s, cancel, "meta-data/placement/region", &text, err);
		if (rc < 0)
			return -1;
		if (rc == FOUND && text.n)
			r = buf_cstr(&text);
	}
	if (!r)
		return err_set(err, ERR_INVALID,
			       "no region; looked in: the template (region), AWS_REGION, "
			       "AWS_DEFAULT_REGION, the profile \"%s\", the metadata service",
			       s->profile);
	pthread_mutex_lock(&s->lock);
	s->region = arena_strdup(s->arena, r);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int aws_session_region(struct aws_session *s, struct cancel *cancel, const char **ret,
		       struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&s->cred_lock); /* so that one asks the metadata service for all */
	if (!s->region)
		rc = find_region(s, cancel, err);
	pthread_mutex_unlock(&s->cred_lock);
	if (rc == 0)
		*ret = s->region;
	return rc;
}

/* ---- what is known ---- */

const char *aws_session_source(struct aws_session *s)
{
	const char *v;

	pthread_mutex_lock(&s->lock);
	v = s->last_source;
	pthread_mutex_unlock(&s->lock);
	return v;
}

const char *aws_session_profile(const struct aws_session *s)
{
	if (s->cfg.local_endpoint)
		return NULL;
	return s->profile_given || !streq(s->profile, "default") ? s->profile : NULL;
}

const char *aws_session_role(const struct aws_session *s)
{
	return s->cfg.assume_role ? s->cfg.assume_role->role_arn : NULL;
}

const char *aws_session_custom_endpoint(struct aws_session *s)
{
	return aws_endpoint_override(s, "ec2");
}

/* ---- things made lately ---- */

void aws_session_note_made(struct aws_session *s, const char *id)
{
	int64_t now = clock_ms();
	size_t old = 0;

	pthread_mutex_lock(&s->lock);
	while (old < s->recent.n &&
	       (s->recent.v[old].made_ms <= now - RECENT_MS || s->recent.n - old >= RECENT_MAX))
		free(s->recent.v[old++].id);
	s->recent.n -= old;
	if (old && s->recent.n)
		memmove(s->recent.v, s->recent.v + old, s->recent.n * sizeof(*s->recent.v));
	vec_push(&s->recent, (struct recent){ xstrdup(id), now });
	pthread_mutex_unlock(&s->lock);
}

bool aws_session_made_lately(struct aws_session *s, const char *id)
{
	int64_t since = clock_ms() - RECENT_MS;
	bool found = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = s->recent.n; i-- > 0 && !found && s->recent.v[i].made_ms > since;)
		found = streq(s->recent.v[i].id, id);
	pthread_mutex_unlock(&s->lock);
	return found;
}

void aws_session_forget(struct aws_session *s, const char *id)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = s->recent.n; i-- > 0;) {
		if (!streq(s->recent.v[i].id, id))
			continue;
		free(s->recent.v[i].id);
		vec_remove(&s->recent, i);
	}
	pthread_mutex_unlock(&s->lock);
}
