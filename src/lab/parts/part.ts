import type { ImageRecipe } from "./image-recipe.ts";

/**
 * What a castle needs parts for: its machines and their cluster; what Git owns on top of it; the monitoring.
 * Each is built only for a castle that has it.
 */
export type PartSet = "machines" | "platform" | "monitoring";

/** How a part comes about. */
export type PartSource =
  /** Programs from the pinned Go module in `parts/GROUP`. */
  | {
      readonly kind: "go";
      readonly group: string;
      /** File name → package. */
      readonly programs: Readonly<Record<string, string>>;
      readonly tags?: string;
      /** Besides `-s -w`. */
      readonly ldflags?: string;
      readonly cgo?: boolean;
    }
  /** Files out of Go modules' sources: path in the part → module and path in it. */
  | {
      readonly kind: "module-files";
      readonly group: string;
      readonly files: Readonly<Record<string, { readonly module: string; readonly path: string }>>;
    }
  /** One C file in `parts/`, linked statically. */
  | { readonly kind: "c"; readonly file: string }
  /** The layer that images with a Debian base share, as an OCI blob. */
  | { readonly kind: "image-base" }
  /** The certificates that Mozilla trusts, as one file: for images of programs that dial TLS. */
  | { readonly kind: "ca-certificates" }
  /** An OCI layout with Debian's nginx, made to serve a folder without root. */
  | { readonly kind: "nginx-base" }
  | { readonly kind: "image"; readonly recipe: ImageRecipe }
  | { readonly kind: "node-rootfs" }
  /** Images as containerd unpacks them, below /var/lib/containerd. */
  | { readonly kind: "node-images"; readonly images: readonly NodeImage[] }
  /** A mirror folder for Terraform's CLI configuration. */
  | { readonly kind: "provider-mirror"; readonly address: string; readonly program: string };

/** An image that every node starts with. */
export interface NodeImage {
  /** Name of the image's part. */
  readonly part: string;
  readonly repository: string;
  readonly tags: readonly string[];
  /** containerd's: `system` for what Talos itself runs, `k8s.io` for pods. */
  readonly namespace: "system" | "k8s.io";
}

/** One thing that the lab needs to exist. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** What it is for, in one line. */
  readonly purpose: string;
  readonly set: PartSet;
  readonly source: PartSource;
  /** Parts that it is made of. */
  readonly needs: readonly string[];
  /** Seconds of a cold build on two cores, measured in the order of the catalogue: shared packages count once. */
  readonly seconds: number;
  /** Wanted for itself, not only as a piece of another part. */
  readonly wanted: boolean;
}

/** The file of a part with one program; undefined where the part is a folder. */
export function singleProgram({ source }: Part): string | undefined {
  if (source.kind === "c") return source.file.replace(/^.*\//, "").replace(/\.c$/, "");
  if (source.kind !== "go") return undefined;
  const names = Object.keys(source.programs);
  return names.length === 1 ? names[0] : undefined;
}
