"""BigQuery's reasons for what went wrong, as our errors: one map for reading and loading."""

from __future__ import annotations

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.cloud.exceptions import NotFound
from requests.exceptions import RequestException

from warehouse.bigquery.address import Address
from warehouse.errors import (
    AccessDeniedError,
    CancelledError,
    LimitExceededError,
    OverloadedError,
    QueryError,
    RowsRefusedError,
    TidemarkError,
    UnreachableError,
)

# The driver's own retries go on for ten minutes, also at an address where nobody is.
ONCE = Retry(predicate=lambda error: False)
# All that the driver raises; what is not among them is a mistake of ours.
DRIVER_ERRORS = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException)

_BUSY = {
    "backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded",
    "quotaExceeded", "rateLimitExceeded", "tableUnavailable",
}  # fmt: skip
_ACCESS = {
    "accessDenied",
    "authError",
    "billingNotEnabled",
    "blocked",
    "forbidden",
    "policyViolation",
    "required",
}
_LIMIT = {
    "billingTierLimitExceeded", "bytesBilledLimitExceeded", "resourcesExceeded", "responseTooLarge",
    "timeout",
}  # fmt: skip
_CANCELLED = {"stopped"}
_VALUE = {"invalid"}


def translated(error: Exception, address: Address, *, loading: bool = False) -> TidemarkError:
    """The driver's error, with the server's reason alone."""
    if isinstance(error, DefaultCredentialsError):
        return AccessDeniedError(
            f"There are no Google credentials for BigQuery in {address}. Run `gcloud auth "
            "application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file."
        )
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return AccessDeniedError(f"Google does not accept the credentials for BigQuery in {address}: {error}")
    if not isinstance(error, GoogleAPICallError):
        return UnreachableError(
            f"BigQuery in {address} did not answer ({_cause(error)}). "
            "See that the network is up and that TIDEMARK_WAREHOUSE_URL is right."
        )
    return _of_reason(error, address, loading=loading)


def _of_reason(error: GoogleAPICallError, address: Address, *, loading: bool) -> TidemarkError:
    reasons = {str(one.get("reason")) for one in error.errors if isinstance(one, dict)}
    message, code = _message(error), error.code
    if reasons & _BUSY or (code in (429, 500, 502, 503, 504) and not reasons & (_LIMIT | _CANCELLED)):
        return OverloadedError(f"BigQuery cannot take this now: {message} Try again later.")
    if reasons & _CANCELLED:
        return CancelledError(f"The job was ended from outside: {message} Run it again.")
    if reasons & _LIMIT:
        return LimitExceededError(message, code=code)
    if reasons & _ACCESS or code in (401, 403):
        return AccessDeniedError(
            f"The credentials may not do this in {address}: {message} Ask for the roles BigQuery Job User on "
            "the project and BigQuery Data Viewer (to load: Data Editor) on its datasets.",
            code=code,
        )
    if loading and reasons & _VALUE and not isinstance(error, NotFound):
        return RowsRefusedError(message, code=code)
    return QueryError(message, code=code)


def _message(error: GoogleAPICallError) -> str:
    """The server's sentence, without the address, the job's id and the places that the driver adds."""
    said = [one["message"] for one in error.errors if isinstance(one, dict) and one.get("message")]
    return " ".join((said or [str(error.message)])[0].split()).rstrip(" .") + "."


def _cause(error: BaseException) -> str:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error).partition("\n")[0][:200] or type(error).__name__
