/**
 * Proxmox' comma-separated form of several properties in one value: `virtio=BC:24:…,bridge=vmbr0`. The first part
 * may lack a key; it then goes by the name that the caller gives.
 */
export type Properties = ReadonlyMap<string, string>;

/** @throws RangeError where a part has no key, or a key comes twice. */
export function parseProperties(text: string, defaultKey?: string): Properties {
  const properties = new Map<string, string>();
  for (const [index, part] of text.split(",").entries()) {
    // The provider ends a CD drive's value with a comma.
    if (part === "") continue;
    const at = part.indexOf("=");
    const key = at < 0 && index === 0 ? defaultKey : part.slice(0, at);
    if (key === undefined || key === "" || (at < 0 && index > 0)) {
      throw new RangeError(`'${part}' is not of the form key=value`);
    }
    if (properties.has(key)) throw new RangeError(`'${key}' is given twice`);
    properties.set(key, part.slice(at + 1));
  }
  return properties;
}

export function formatProperties(properties: Properties, defaultKey?: string): string {
  const first = defaultKey === undefined ? undefined : properties.get(defaultKey);
  const rest = [...properties].filter(([key]) => key !== defaultKey).map(([key, value]) => `${key}=${value}`);
  return [...(first === undefined ? [] : [first]), ...rest].join(",");
}
