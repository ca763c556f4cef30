/** An answer other than 2xx: the reason phrase that clients show, and one text for each faulty parameter. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: Readonly<Record<string, string>>;

  constructor(status: number, message: string, errors: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.errors = errors;
  }
}

/** The one form in which Proxmox refuses parameters: all of them at once. */
export function parameterError(errors: Readonly<Record<string, string>>): ApiError {
  return new ApiError(400, "Parameter verification failed.", errors);
}
