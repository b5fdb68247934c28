/* The one table of AWS error codes: what each means to the caller, and whether a later try may
 * pass. */
#ifndef INGOT_AWS_ERRORS_H
#define INGOT_AWS_ERRORS_H

#include "base/err.h"

enum error_class {
	ERROR_FINAL,
	ERROR_THROTTLE, /* slow down, then again */
	ERROR_SERVER,	/* their fault: again */
	ERROR_EVENTUAL, /* again if the thing was made a moment ago */
	ERROR_CLOCK,	/* again if the server's clock was learned just now */
	ERROR_EXPIRED,	/* again with new credentials */
};

struct error_row {
	const char *pattern; /* of the code; glob_match */
	enum error_class class;
	enum err_code code;
	const char *advice; /* what to do, or NULL; %A: IAM action, %S: source of the credentials */
};

/* The row for a code (NULL: the body had none) and HTTP status; never NULL. */
const struct error_row *error_row_find(const char *code, int status);

#endif
