/** An answer that says no, in the shape that Infisical gives it. */
export class Refusal extends Error {
  readonly status: number;
  /** Infisical's name of the kind of error. */
  readonly kind: string;

  constructor(status: number, kind: string, message: string) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

export const badRequest = (message: string) => new Refusal(400, "BadRequest", message);
export const unauthorized = (message: string) => new Refusal(401, "UnauthorizedError", message);
export const forbidden = (message: string) => new Refusal(403, "PermissionDenied", message);
export const notFound = (message: string) => new Refusal(404, "NotFound", message);
