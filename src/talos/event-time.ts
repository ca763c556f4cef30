const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/**
 * When an event happened, by the node's clock, to the second. Talos' event ids are xids (github.com/rs/xid): 12 bytes
 * in 20 characters of lower-case base32hex, of which the first four bytes are Unix time. Undefined: no xid.
 */
export function eventTime(id: string): Date | undefined {
  if (!/^[0-9a-v]{20}$/.test(id)) return undefined;
  // Seven characters are 35 bits; time is the first 32 of them.
  const bits = Array.from(id.slice(0, 7)).reduce((sum, digit) => sum * 32 + DIGITS.indexOf(digit), 0);
  return new Date(Math.floor(bits / 8) * 1000);
}
