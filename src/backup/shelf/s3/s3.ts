import { CastleError } from "../../../errors/castle-error.ts";
import type { Shelf, ShelfItem } from "../shelf.ts";
import { element, S3Client, type S3Place } from "./client.ts";

export interface S3Address {
  readonly bucket: string;
  /** With the slash at its end; empty: the bucket itself. */
  readonly prefix: string;
}

/** s3://BUCKET/PREFIX @throws CastleError backup/place */
export function parseS3Address(text: string): S3Address {
  const { bucket, prefix = "" } =
    /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(?<prefix>.*))?$/.exec(text)?.groups ?? {};
  if (bucket === undefined) {
    throw new CastleError("backup/place", {
      message: `${text} is no place in S3`,
      hint: "s3://BUCKET/PREFIX",
    });
  }
  const inner = prefix.replaceAll(/^\/+|\/+$/g, "");
  return { bucket, prefix: inner === "" ? "" : `${inner}/` };
}

/** Objects of a bucket whose keys begin with the prefix and have no further slash. */
export function s3Shelf({ prefix, ...place }: S3Place & S3Address): Shelf {
  const client = new S3Client(place);
  const description = `s3://${place.bucket}/${prefix}`.replace(/\/$/, "");
  const noBucket = () =>
    new CastleError("backup/place", {
      message: `${place.endpoint} has no bucket ${place.bucket}`,
      hint: "make it, or name another: castle backup --to s3://BUCKET/PREFIX",
    });
  return {
    description,
    list: async () => {
      const items: ShelfItem[] = [];
      let next: string | undefined;
      do {
        const query = {
          "list-type": "2",
          prefix,
          delimiter: "/",
          ...(next === undefined ? {} : { "continuation-token": next }),
        };
        const { status, bytes } = await client.call("GET", undefined, { query });
        if (status === 404) throw noBucket();
        const xml = bytes.toString("utf8");
        items.push(...itemsOf(xml, prefix));
        next = element(xml, "NextContinuationToken");
      } while (next !== undefined);
      return items;
    },
    read: async (name) => {
      const { status, bytes } = await client.call("GET", `${prefix}${name}`);
      return status === 404 ? undefined : bytes;
    },
    write: async (name, content) => {
      const { status } = await client.call("PUT", `${prefix}${name}`, { body: content });
      if (status === 404) throw noBucket();
    },
    remove: async (name) => {
      await client.call("DELETE", `${prefix}${name}`);
    },
  };
}

function itemsOf(xml: string, prefix: string): readonly ShelfItem[] {
  return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].flatMap(([, inner = ""]) => {
    const key = element(inner, "Key");
    if (key === undefined || !key.startsWith(prefix)) return [];
    return [{ name: key.slice(prefix.length), bytes: Number(element(inner, "Size") ?? 0) }];
  });
}
