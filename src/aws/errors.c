/* Codes of EC2, STS, IAM, SSM. The first pattern that fits wins; what no row names is judged by its
 * HTTP status. Sources: EC2's API reference on error codes, the SDKs' documented retry behaviour.
 */
#include "aws/errors.h"

#include "base/str.h"

#define ADVICE_GRANT "the credentials (%S) need the IAM permission %A"
#define ADVICE_KEYS "check the access key and secret key (%S)"
#define ADVICE_PAIR "the secret key does not belong to the access key (%S)"
#define ADVICE_CLOCK "check this machine's clock"
#define ADVICE_FEWER "the account's request limit is used up; run fewer builds at once"

static const struct error_row rows[] = {
	{ "RequestLimitExceeded", ERROR_THROTTLE, ERR_AGAIN, ADVICE_FEWER },
	{ "Throttl*", ERROR_THROTTLE, ERR_AGAIN, ADVICE_FEWER },
	{ "RequestThrottled*", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "TooManyRequests*", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "EC2ThrottledException", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "SlowDown", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "BandwidthLimitExceeded", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "PriorRequestNotComplete", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "SnapshotCreationPerVolumeRateExceeded", ERROR_THROTTLE, ERR_AGAIN, NULL },
	{ "ConcurrentModification", ERROR_THROTTLE, ERR_AGAIN, NULL },

	{ "ExpiredToken*", ERROR_EXPIRED, ERR_AUTH,
	  "the session token has run out; get new credentials (%S)" },
	{ "TokenRefreshRequired", ERROR_EXPIRED, ERR_AUTH, "get new credentials (%S)" },
	{ "RequestExpired", ERROR_EXPIRED, ERR_AUTH,
	  "check this machine's clock, and whether the credentials (%S) have run out" },

	{ "RequestTimeTooSkewed", ERROR_CLOCK, ERR_AUTH, ADVICE_CLOCK },
	{ "RequestInTheFuture", ERROR_CLOCK, ERR_AUTH, ADVICE_CLOCK },
	{ "SignatureDoesNotMatch", ERROR_CLOCK, ERR_AUTH, ADVICE_PAIR },
	{ "InvalidSignature*", ERROR_CLOCK, ERR_AUTH, ADVICE_PAIR },
	{ "AuthFailure", ERROR_CLOCK, ERR_AUTH, ADVICE_KEYS },

	{ "UnauthorizedOperation", ERROR_FINAL, ERR_AUTH, ADVICE_GRANT },
	{ "AccessDenied*", ERROR_FINAL, ERR_AUTH, ADVICE_GRANT },
	{ "Client.UnauthorizedOperation", ERROR_FINAL, ERR_AUTH, ADVICE_GRANT },
	{ "InvalidClientTokenId", ERROR_FINAL, ERR_AUTH, ADVICE_KEYS },
	{ "UnrecognizedClientException", ERROR_FINAL, ERR_AUTH, ADVICE_KEYS },
	{ "InvalidAccessKeyId", ERROR_FINAL, ERR_AUTH, ADVICE_KEYS },
	{ "MissingAuthenticationToken*", ERROR_FINAL, ERR_AUTH, ADVICE_KEYS },
	{ "OptInRequired", ERROR_FINAL, ERR_AUTH,
	  "accept the product's terms, or enable the region, for this account first" },
	{ "Blocked", ERROR_FINAL, ERR_AUTH, "AWS has blocked this account; ask its support" },
	{ "PendingVerification", ERROR_FINAL, ERR_AUTH,
	  "AWS is still verifying this account for the region" },

	{ "InsufficientInstanceCapacity", ERROR_SERVER, ERR_AGAIN,
	  "choose another instance type or availability zone, or try later" },
	{ "InsufficientHostCapacity", ERROR_SERVER, ERR_AGAIN, "try later" },
	{ "Internal*", ERROR_SERVER, ERR_REMOTE, NULL },
	{ "ServiceUnavailable*", ERROR_SERVER, ERR_REMOTE, NULL },
	{ "Unavailable", ERROR_SERVER, ERR_REMOTE, NULL },
	{ "ServerInternal", ERROR_SERVER, ERR_REMOTE, NULL },
	{ "RequestTimeout*", ERROR_SERVER, ERR_REMOTE, NULL },

	{ "InvalidAMIID.Unavailable", ERROR_EVENTUAL, ERR_NOT_FOUND, NULL },
	{ "*.NotFound", ERROR_EVENTUAL, ERR_NOT_FOUND, NULL },
	{ "*NotFoundException", ERROR_FINAL, ERR_NOT_FOUND, NULL },
	{ "NoSuchEntity*", ERROR_EVENTUAL, ERR_NOT_FOUND, NULL },
	{ "ParameterNotFound", ERROR_FINAL, ERR_NOT_FOUND, NULL },
	/* A new instance profile that EC2 does not see yet. */
	{ "InvalidParameterValue", ERROR_EVENTUAL, ERR_INVALID, NULL },
	{ "*.Duplicate", ERROR_FINAL, ERR_EXISTS, NULL },
	{ "EntityAlreadyExists*", ERROR_FINAL, ERR_EXISTS, NULL },
	{ "*.AlreadyExistsException", ERROR_FINAL, ERR_EXISTS, NULL },
	{ "*.Malformed", ERROR_FINAL, ERR_INVALID, NULL },
	{ "Invalid*", ERROR_FINAL, ERR_INVALID, NULL },
	{ "ValidationError", ERROR_FINAL, ERR_INVALID, NULL },
	{ "MissingParameter", ERROR_FINAL, ERR_INVALID, NULL },
	{ "UnknownParameter", ERROR_FINAL, ERR_INVALID, NULL },
	{ "Unsupported*", ERROR_FINAL, ERR_INVALID, NULL },
	{ "*LimitExceeded", ERROR_FINAL, ERR_REMOTE,
	  "ask AWS for a higher quota, or remove what is not needed" },
};

/* What a status says where the body has no code that is known. */
static const struct error_row too_many = { "429", ERROR_THROTTLE, ERR_AGAIN, NULL },
			      broken = { "5xx", ERROR_SERVER, ERR_REMOTE, NULL },
			      denied = { "401 or 403", ERROR_FINAL, ERR_AUTH, NULL },
			      refused = { "other", ERROR_FINAL, ERR_REMOTE, NULL };

const struct error_row *error_row_find(const char *code, int status)
{
	for (size_t i = 0; code && i < ARRAY_LEN(rows); i++)
		if (glob_match(rows[i].pattern, code))
			return &rows[i];
	if (status == 429)
		return &too_many;
	if (status >= 500)
		return &broken;
	return status == 401 || status == 403 ? &denied : &refused;
}
