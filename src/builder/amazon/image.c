/* Planning, making and waiting for images. */
#include "builder/amazon/image.h"

#include "aws/wait.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"
#include "builder/amazon/parallel.h"

#define NAME_MAX_LEN 128
/* EC2 says "not in state" for a while after a stop from within. */
#define NOT_STOPPED_MS (15 * 60 * 1000)

struct image_task {
	struct amazon_task task;
	struct amazon_image *image;
	amazon_image_fn *fn;
};

static int run_image_task(struct amazon_task *t, struct amazon *s, const struct aws_client *c,
			  struct err *err)
{
	struct image_task *me = (struct image_task *)t;
	struct aws_client there = aws_client_region(c, me->image->region);

	return me->fn(s, &there, me->image, err);
}

int amazon_each_image(struct amazon *s, amazon_image_fn *fn, struct err *err)
{
	auto_free struct image_task *v = xcalloc(s->nimages + 1, sizeof(*v));
	auto_free struct amazon_task **tasks = xcalloc(s->nimages + 1, sizeof(*tasks));
	size_t n = 0;

	for (size_t i = 0; i < s->nimages; i++) {
		if (s->images[i].temporary)
			continue;
		v[n] = (struct image_task){ .task.run = run_image_task,
					    .image = &s->images[i],
					    .fn = fn };
		tasks[n] = &v[n].task;
		n++;
	}
	return amazon_parallel(s, tasks, n, err);
}

static int find_old(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		    struct err *err)
{
	if (ec2_find_images(c, s->ami->ami_name, &image->old, &image->nold, err) < 0)
		return err_prefix(err, "looking for images named '%s' in %s", s->ami->ami_name,
				  image->region);
	return 0;
}

/* NAME-ingot-RUN, cut where EC2 allows no more. */
static char *temporary_name(struct amazon *s)
{
	size_t room = NAME_MAX_LEN - strlen("-ingot-") - strlen(s->b->run->id);

	return arena_printf(s->b->arena, "%.*s-ingot-%s", (int)room, s->ami->ami_name,
			    s->b->run->id);
}

static char *random_name(struct arena *a)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	unsigned char dice[12];
	char name[sizeof(dice) + 1] = { 0 };

	os_random(dice, sizeof(dice));
	for (size_t i = 0; i < sizeof(dice); i++)
		name[i] = digits[dice[i] % (sizeof(digits) - 1)];
	return arena_strdup(a, name);
}

static int render_tags(struct amazon *s, struct err *err)
{
	static const struct str_map none = { 0 };
	struct amazon_image_tags *t = arena_new_obj(s->b->arena, struct amazon_image_tags);
	struct str_map run, tags, snapshot;

	if (amazon_tags(s, s->skip_ami_run_tags ? &none : &s->run->run_tags, "run_tags", false,
			&run, err) < 0 ||
	    amazon_tags(s, &s->ami->tags, "tags", false, &tags, err) < 0 ||
	    amazon_tags(s, &s->ami->snapshot_tags, "snapshot_tags", false, &snapshot, err) < 0 ||
	    amazon_render(s, s->ami->ami_description, "ami_description", &t->description, err) < 0)
		return -1;
	amazon_merge_tags(s->b->arena, &t->image, &run);
	amazon_merge_tags(s->b->arena, &t->image, &tags);
	t->snapshot = t->image;
	amazon_merge_tags(s->b->arena, &t->snapshot, &snapshot);
	s->image_tags = t;
	return 0;
}

int amazon_plan_images(struct amazon *s, bool copied, struct err *err)
{
	const struct strs *regions = &s->ami->ami_regions;
	bool here = !s->ami->skip_save_build_region;
	size_t n = 0;

	copied |= !here;
	s->images = arena_new_array(s->b->arena, struct amazon_image, regions->n + 2);
	if (copied)
		s->images[n++] = (struct amazon_image){ .region = s->region, .temporary = true };
	if (here)
		s->images[n++].region = s->region;
	for (size_t i = 0; i < regions->n; i++)
		s->images[n++].region = regions->v[i];
	s->nimages = n;
	if (s->ami->force_deregister && amazon_each_image(s, find_old, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct amazon_image *m = &s->images[i];

		m->name = m->temporary ? random_name(s->b->arena)
			  : m->nold    ? temporary_name(s)
				       : s->ami->ami_name;
	}
	return render_tags(s, err);
}

static int make_once(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		     const struct aws_params *base, bool with_run_tag, amazon_make_fn *make,
		     struct err *err)
{
	const struct amazon_image_tags *t = s->image_tags;
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct str_map tags[2] = { t->image, t->snapshot };
	struct str_map run = { &(struct str_pair){ (char *)s->run_tag, s->b->run->id }, 1 };
	char token[37];
	const char *id;

	os_uuid(token);
	aws_params_add_all(&p, base);
	aws_params_add(&p, "Name", image->name);
	aws_params_add_given(&p, "Description", t->description);
	for (int i = 0; with_run_tag && i < 2; i++)
		amazon_merge_tags(c->arena, &tags[i], &run);
	aws_params_tags(&p, "image", &tags[0]);
	aws_params_tags(&p, "snapshot", &tags[1]);
	if (amazon_intend(s, "image", image->region, image->name, token, !image->temporary,
			  &image->thing, err) < 0)
		return -1;
	if (make(c, &p, token, &id, err) == 0)
		return amazon_made(s, image->thing, id, err);
	amazon_refused(s, image->thing, err);
	return -1;
}

static bool not_stopped_yet(const struct err *err)
{
	return err_is(err, "InvalidParameterValue") && err->msg &&
	       strcasestr(err->msg, "not in state");
}

int amazon_make_image(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		      const struct aws_params *base, amazon_make_fn *make, struct err *err)
{
	int64_t end = clock_ms() + NOT_STOPPED_MS;
	bool tag = s->run_tag != NULL;

	for (;;) {
		struct aws_client sure = *c;

		sure.cancel = build_gone(s->b);
		sure.deadline_ms = clock_ms() + AMAZON_CREATE_MS;
		if (make_once(s, &sure, image, base, tag, make, err) == 0)
			return 0;
		if (tag && amazon_tag_refused(s, err)) {
			amazon_without_tag(s, "image", err);
			tag = false;
		} else if (!not_stopped_yet(err) || clock_ms() > end) {
			return -1;
		} else if (clock_sleep(1000, s->b->cancel) < 0) {
			return -1;
		}
		err_release(err);
	}
}

int amazon_create_call(const struct aws_client *c, const struct aws_params *p,
		       const char *token UNUSED, const char **ret_id, struct err *err)
{
	return ec2_create_image(c, p, ret_id, err);
}

int amazon_await_image(const struct aws_client *c, struct amazon_image *image, struct err *err)
{
	if (aws_wait_image(c, image->thing->id, &image->image, err) < 0)
		return err_prefix(err, "waiting for AMI %s in %s", image->thing->id, image->region);
	return 0;
}

struct strs amazon_snapshots(struct arena *a, const struct ec2_image *image)
{
	struct strs out = { arena_new_array(a, char *, image->nmappings + 1), 0 };

	for (size_t i = 0; i < image->nmappings; i++)
		if (*image->mappings[i].snapshot_id)
			out.v[out.n++] = (char *)image->mappings[i].snapshot_id;
	return out;
}
