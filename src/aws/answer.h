/* What an answer that is no success says, and the error it becomes. Private to this room. */
#ifndef INGOT_AWS_ANSWER_H
#define INGOT_AWS_ANSWER_H

#include "aws/call.h"
#include "aws/errors.h"
#include "aws/http.h"

struct aws_answer {
	const char *code;    /* the service's own, NULL: none given */
	const char *message; /* never NULL */
	int status;	     /* of HTTP */
};

/* json: of the JSON protocol. Strings are in the arena. */
struct aws_answer aws_answer_read(struct arena *a, const struct http_response *r, bool json);

/* Sets the error of the row, with the row's advice; source: of the credentials, NULL if not known.
 * A denial is decoded by STS where the template asks for it. */
void aws_answer_error(const struct aws_client *c, const char *action, const char *source,
		      const struct error_row *row, const struct aws_answer *answer,
		      struct err *err);

#endif
