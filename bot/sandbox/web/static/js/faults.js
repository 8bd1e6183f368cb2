/** The faults in words; what has none here is shown by its name. */

export const CRM_WORDS = {
  rate_limit_429: "Limit: refused with 429", rate_limit_403: "Limit: refused with 403",
  rate_limit_200: "Limit: refused with 200", mx_500: "MX error, status 500",
  mx_400: "MX error, status 400", mx_200: "MX error, status 200",
  mx_without_status: "MX error without Status", null_reference: "NullReferenceException, 500",
  unauthorized_401: "Keys refused, 401", forbidden_403: "Forbidden, 403",
  not_found_404: "Not found, 404", unavailable_503: "Service unavailable, 503",
  redirect_302: "Redirect, 302", teapot_418: "I'm a teapot, 418", empty_200: "Empty, 200",
  html_200: "A sign-in page, 200", broken_json_200: "Broken JSON, 200", null_200: "null, 200",
  error_without_type_200: "Error without a type, 200", empty_500: "Empty, 500",
  html_502: "Bad gateway in HTML, 502", hang: "Hangs, nothing done",
  hang_after: "Hangs after accepting", reset_before: "Reset, nothing done",
  reset_after: "Reset after accepting", close_after: "Closed after accepting",
  cut_body: "Half an answer", trickle: "A byte at a time", huge_body: "A huge answer",
  gzip_bomb: "A gzip bomb",
};

export const ENDPOINT_WORDS = {
  push: "Notifications", whoami: "Who owns the keys", users: "All users",
  user_by_email: "User by e-mail", user_by_id: "User by id", search: "Lead search",
  lead_by_id: "Lead by id", lead_by_email: "Lead by e-mail", lead_by_phone: "Lead by phone",
  "*": "Everything",
};

export const SLACK_WORDS = {
  "ratelimited:2": "429, Retry-After 2", 500: "Status 500", hang: "Hangs, nothing done",
  hang_after: "Hangs after doing it", reset: "Reset, nothing done", reset_after: "Reset after doing it",
  garbage: "An HTML page, 200", not_in_channel: "not_in_channel", expired_url: "expired_url (404)",
  internal_error: "internal_error",
};
