type Brush = (text: string) => string;

export interface Paint {
  readonly green: Brush;
  readonly red: Brush;
  readonly yellow: Brush;
  readonly cyan: Brush;
  readonly dim: Brush;
}

const brush =
  (on: number, off: number): Brush =>
  (text) =>
    `\u001B[${on}m${text}\u001B[${off}m`;

const bare: Brush = (text) => text;

const COLOURS: Paint = {
  green: brush(32, 39),
  red: brush(31, 39),
  yellow: brush(33, 39),
  cyan: brush(36, 39),
  dim: brush(2, 22),
};
const PLAIN: Paint = { green: bare, red: bare, yellow: bare, cyan: bare, dim: bare };

/** Colours of a terminal, or none. */
export function paints(color: boolean): Paint {
  return color ? COLOURS : PLAIN;
}
